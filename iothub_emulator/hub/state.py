"""What the sessions of one hub share, and what outlives them: by device, or by device and module.

An *identity key* is the ClientId: `{device}`, or `{device}/{module}`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from iothub_emulator.hub.connect import Identities
from iothub_emulator.hub.identity import DeviceIdentity
from iothub_emulator.hub.json_text import Object
from iothub_emulator.hub.mailbox import FeedbackRecord, Mailbox
from iothub_emulator.hub.methods import Answered, MethodCalls
from iothub_emulator.hub.policies import Policy
from iothub_emulator.hub.rulebook import Rulebook
from iothub_emulator.hub.throttle import Throttles
from iothub_emulator.hub.twin import Twin, new_twin
from iothub_emulator.hub.unacknowledged import Unacknowledged

Caller: TypeAlias = object
"""Whoever waits for a method: known to the runtime, opaque here."""


def _nobody(_record: FeedbackRecord) -> None:
    pass


@dataclass
class HubState:
    """Twins, mailboxes, calls and stored sessions; each comes into being when it is first asked for."""

    identities: Identities
    policies: Mapping[str, Policy]
    rules: Rulebook
    tell: Callable[[FeedbackRecord], None] = _nobody
    """Receives what became of a cloud-to-device message."""
    subscriptions: dict[str, dict[str, int]] = field(default_factory=dict)
    """Of sessions that outlive their connection, by identity key: filter -> granted QoS."""
    unacknowledged: dict[str, Unacknowledged] = field(default_factory=dict)
    """Of the same: what was sent in them and waits for its PUBACK."""
    twins: dict[str, Twin] = field(default_factory=dict)
    model_ids: dict[str, str] = field(default_factory=dict)
    """Which model an identity announced last, of those that did."""
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    calls: dict[str, MethodCalls[Caller]] = field(default_factory=dict)
    kept_notifications: dict[str, list[Object]] = field(default_factory=dict)
    """Of twins, for whoever was not there; only a replaced rule puts any here."""
    throttles: Throttles = field(default_factory=Throttles)

    def twin(self, identity_key: str, now: float) -> Twin:
        """Return the identity's twin, a new one at first; `now` is unix seconds."""
        twin = self.twins.get(identity_key)
        if twin is None:
            twin = self.twins[identity_key] = new_twin(now)
        return twin

    def mailbox(self, device: DeviceIdentity) -> Mailbox:
        """Return the device's mailbox."""
        mailbox = self.mailboxes.get(device.device_id)
        if mailbox is None:
            mailbox = self.mailboxes[device.device_id] = Mailbox(
                device.device_id, device.generation_id, lambda: self.rules.mailbox, self.tell
            )
        return mailbox

    def method_calls(self, identity_key: str) -> MethodCalls[Caller]:
        """Return the identity's direct methods."""
        calls = self.calls.get(identity_key)
        if calls is None:
            calls = self.calls[identity_key] = MethodCalls(lambda: self.rules.methods)
            self._settle_reach(calls)
        return calls

    def disconnected(self, identity_key: str) -> list[Answered[Caller]]:
        """Take note that the identity's connection is gone, and return the calls that end by it."""
        calls = self.method_calls(identity_key)
        ended = calls.disconnected()
        self._settle_reach(calls)
        return ended

    def _settle_reach(self, calls: MethodCalls[Caller]) -> None:
        """methods.offline: only a replaced rule has calls sent to where nobody is."""
        if self.rules.methods.is_reachable(connected=False, subscribed=False):
            calls.subscribed(lambda _topic: 0, 0.0)

    def forget(self, identity_key: str) -> None:
        """Drop all that belongs to an identity that is gone; one of the same name begins anew."""
        for store in (
            self.subscriptions,
            self.unacknowledged,
            self.twins,
            self.model_ids,
            self.mailboxes,
            self.calls,
            self.kept_notifications,
        ):
            store.pop(identity_key, None)
        self.throttles.forget(identity_key)
