"""Devices that are wrong in how their connections end, and begin again."""

import time

from wrong import wrong

from conformance.adapters.paho_device import Client, Device


@wrong("device-endings.disconnect")
class LeavesWithoutGoodbye(Device):
    """It closes its connection without DISCONNECT."""

    def give_up(self):
        self.wants_connection = False
        self.client._thread_terminate = True
        self.client._sock_close()


@wrong("device-endings.stays-away")
class ComesBack(Device):
    """It connects again when it was told to leave."""

    def disconnect(self, order):
        done = super().disconnect(order)
        self.client.reconnect()
        return done


@wrong("device-endings.reconnects")
class StaysAway(Device):
    """It does not connect again."""

    def on_disconnect(self, client, *more):
        super().on_disconnect(client, *more)
        client._thread_terminate = True


@wrong("device-endings.reconnects-alike", "device-renewal.alike")
class NumbersItsConnections(Device):
    """It has another ClientId on each connection, behind a loss and with a new token."""

    connections = 0

    def on_pre_connect(self, client, userdata):
        super().on_pre_connect(client, userdata)
        self.connections += 1
        if self.connections > 1:
            client._client_id = f"{self.client_id()}-{self.connections}".encode()


@wrong("device-endings.reconnects-alike")
class OldToken(Device):
    """It connects again with the token that it had, which has ended."""

    connections = 0

    def expiry(self):
        self.connections += 1
        return super().expiry() if self.connections == 1 else int(time.time()) - 3600


@wrong("device-endings.told")
class SilentReconnects(Device):
    """It tells nobody that a connection was lost."""

    def on_disconnect(self, *more):
        pass


class _NoPings(Client):
    def _check_keepalive(self):
        pass


@wrong("device-endings.keep-alive")
class NoPings(Device):
    """It never sends PINGREQ."""

    def new_client(self):
        right = super().new_client()
        right.__class__ = _NoPings
        return right


class _LatePings(Client):
    def _check_keepalive(self):
        now = time.monotonic()
        if self._sock is not None and now - self._last_msg_out > 1.4 * self._keepalive + 1:
            self._send_pingreq()


@wrong("device-endings.keep-alive")
class LatePings(Device):
    """It sends PINGREQ when the hub is about to close."""

    def new_client(self):
        right = super().new_client()
        right.__class__ = _LatePings
        return right


@wrong("device-endings.reconnects-again")
class ReconnectsOnce(Device):
    """It connects again once, and never a second time."""

    losses = 0

    def on_disconnect(self, client, *more):
        super().on_disconnect(client, *more)
        self.losses += 1
        client._thread_terminate = self.losses > 1


@wrong("device-endings.reconnects-behind-failure")
class GivesUp(Device):
    """It makes one attempt to connect again, and gives up where it fails."""

    attempts = 0

    def on_pre_connect(self, client, userdata):
        super().on_pre_connect(client, userdata)
        self.attempts += 1

    def on_disconnect(self, client, *more):
        super().on_disconnect(client, *more)
        client._thread_terminate = self.attempts > 1


class _CountsWhatItReceives(Client):
    def _handle_publish(self):
        self._last_msg_out = time.monotonic()
        return super()._handle_publish()


@wrong("device-endings.keep-alive-while-receiving")
class CountsWhatItReceives(Device):
    """It sends no PINGREQ as long as it receives something."""

    def new_client(self):
        right = super().new_client()
        right.__class__ = _CountsWhatItReceives
        return right
