"""Events of the hub's own while it runs: what happened, when it is told, and where it goes."""

import secrets
from collections.abc import Callable

from iothub_emulator.alarms import Alarm
from iothub_emulator.hub.connection_reports import ConnectionReports
from iothub_emulator.hub.hub_events import Happening, Subject
from iothub_emulator.hub.identity import Identity, ModuleIdentity
from iothub_emulator.hub.json_text import Object
from iothub_emulator.hub.telemetry import TelemetryEvent
from iothub_emulator.hub.twin import Change, Twin
from iothub_emulator.hub.twin_changes import changed_parts, whole_twin
from iothub_emulator.rules import Rules


class EventDesk:
    """Tells of connections, identities and twins.

    `send` puts an event among telemetry; `twin` returns the twin of an identity key.
    """

    def __init__(
        self,
        rules: Rules,
        now: Callable[[], float],
        send: Callable[[TelemetryEvent], None],
        twin: Callable[[str], Twin],
    ) -> None:
        self._rules = rules
        self._now = now
        self._send = send
        self._twin = twin
        self._reports = ConnectionReports(lambda: rules.events, now())
        self._alarm = Alarm(now, self._look)

    # Connections

    def connected(self, identity_key: str) -> None:
        """Take note of a connection that was accepted."""
        if self._rules.events.tells_of("connection"):
            self._reports.connected(identity_key, self._now())

    def active(self, identity_key: str) -> None:
        """Take note that an identity used its connection."""
        self._reports.active(identity_key, self._now())
        self._alarm.set(self._reports.next_deadline())

    def disconnected(self, identity_key: str) -> None:
        """Take note that an identity has no connection any more."""
        self._reports.disconnected(identity_key, self._now())
        self._alarm.set(self._reports.next_deadline())

    def forget(self, identity_key: str) -> None:
        """Tell nothing more of the connections of an identity that is gone."""
        self._reports.forget(identity_key)

    def stop(self) -> None:
        """Keep time no longer: the hub stops."""
        self._alarm.cancel()

    def _look(self) -> None:
        rules, now = self._rules.events, self._now()
        for report in self._reports.advance(now):
            device_id, _, module_id = report.identity_key.partition("/")
            operation = rules.connection_operation(connected=report.connected)
            body = rules.connection_body(rules.sequence_number(report.number, now))
            self._tell("connection", device_id, module_id or None, operation, report.when, body)
        self._alarm.set(self._reports.next_deadline())

    # Identities and twins

    def created(self, identity: Identity) -> None:
        """Tell of a new identity, whose twin is there by now."""
        self._lifecycle(identity, created=True)

    def deleted(self, identity: Identity) -> None:
        """Tell of an identity that is gone, while its twin is still there."""
        self._lifecycle(identity, created=False)

    def twin_updated(self, identity: Identity, change: Change) -> None:
        """Tell what changed of a twin."""
        if self._rules.events.tells_of("twin"):
            body = changed_parts(change.twin, change.patched)
            self._of_identity("twin", identity, "updateTwin", body)

    def twin_replaced(self, identity: Identity) -> None:
        """Show a twin whose tags and desired properties were replaced."""
        if self._rules.events.tells_of("twin"):
            self._of_identity("twin", identity, "replaceTwin", self._whole(identity))

    def _lifecycle(self, identity: Identity, *, created: bool) -> None:
        rules = self._rules.events
        if rules.tells_of("lifecycle"):
            is_module = isinstance(identity, ModuleIdentity)
            operation = rules.lifecycle_operation(created=created, is_module=is_module)
            self._of_identity("lifecycle", identity, operation, self._whole(identity))

    def _whole(self, identity: Identity) -> Object:
        return whole_twin(identity, self._twin(identity.key), self._rules.twins)

    def _of_identity(self, subject: Subject, identity: Identity, operation: str, body: Object) -> None:
        module_id = identity.module_id if isinstance(identity, ModuleIdentity) else None
        self._tell(subject, identity.device_id, module_id, operation, self._now(), body)

    def _tell(
        self,
        subject: Subject,
        device_id: str,
        module_id: str | None,
        operation: str,
        when: float,
        body: Object,
    ) -> None:
        happening = Happening(device_id, module_id, operation, when, body, secrets.token_hex(6))
        self._send(self._rules.events.event(subject, happening, self._now()))
