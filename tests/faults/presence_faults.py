"""Hubs whose registry says the wrong thing of a device's connection, or of what waits for it."""

from fault import fault, wrapped

from iothub_emulator.messaging import CloudToDevice
from iothub_emulator.runtime import Runtime


@fault("presence.connection-state")
def nobody_is_connected(_rules):
    """The registry says of each device that it is disconnected."""
    wrapped(Runtime, "is_connected", lambda _right: lambda self, identity_key: False)


@fault("presence.connection-state")
def nothing_ever_changed(_rules):
    """The registry has no time of a connection."""
    wrapped(Runtime, "connection_state_changed", lambda _right: lambda self, identity_key: None)


@fault("presence.activity")
def nobody_was_ever_there(_rules):
    """The registry has no time of an activity."""
    wrapped(Runtime, "last_activity", lambda _right: lambda self, identity_key: None)


@fault("presence.activity")
def all_were_there_at_the_start(_rules):
    """The time of an activity is that of the hub's start, counted from 1970 in minutes."""
    wrapped(Runtime, "last_activity", lambda _right: lambda self, identity_key: self.started / 60)


@fault("presence.pending-count")
def one_more_waits(_rules):
    """The count of waiting messages is off by one where there are none."""
    wrapped(CloudToDevice, "pending", lambda right: lambda self, device_id: right(self, device_id) or 1)


@fault("presence.pending-count")
def nothing_waits(_rules):
    """No message is counted."""
    wrapped(CloudToDevice, "pending", lambda _right: lambda self, device_id: 0)


@fault("presence.purge-count")
def a_purge_removes_nothing(_rules):
    """Each purge says that it removed no message."""

    def wrap(purge):
        def wrong(self, device_id):
            purge(self, device_id)
            return 0

        return wrong

    wrapped(CloudToDevice, "purge", wrap)
