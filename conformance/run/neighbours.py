"""Two devices that no case is about, to see that what is refused changes nothing of them.

One is connected, hears whatever comes, and has a twin. The other is away, has a twin too, and a message waits
for it. They belong to a worker and are made when a case first asks. What is found changed is told once, as a
breach of the clause about it, and is what is there from then on: one leak is red in one clause, and not in
each case behind it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from conformance.backend import Service, Twin
from conformance.errors import HarnessError, TargetUnreachable, Violation
from conformance.evidence.difference import differences, told
from conformance.evidence.watch import OTHERS, Breach, Judgement, Watch
from conformance.mqtt.connection import Connection
from conformance.mqtt.conversation import NO_ANSWER
from conformance.mqtt.device import Device
from conformance.mqtt.twin import TwinClient

# What has to be there that could be lost.
DESIRED: Final = {"interval": 5, "route": {"via": "north"}}
TAGS: Final = {"site": "hall"}
REPORTED: Final = {"firmware": "v1.0"}

SESSION: Final = "session"

# On a hub that serves no such device each attempt takes as long as a hub may take to answer.
PATIENCE: Final = 2


class Neighbours:
    """The two devices of one worker. `make` returns a new device; `claims` says what the hub serves."""

    def __init__(self, make: Callable[[], Device], service: Service, claims: frozenset[str]) -> None:
        self._make = make
        self._service = service
        self._claims = claims
        self._present: Device | None = None
        self._away: Device | None = None
        self._connection: Connection | None = None
        self._twin: TwinClient | None = None
        self._before: dict[str, object] = {}
        self._patience = PATIENCE

    def settle(self) -> None:
        """Make the devices, if they are not there yet, and look at them.

        Where a hub does not serve what that takes, its clauses say so: here there is nothing to look at.
        """
        if self._before or not self._patience:
            return
        try:
            if self._present is None or self._away is None:
                self._present, self._away = self._make(), self._make()
                self._fill(self._away)
            self._open(self._present)
            self._before = self._look()
        except (HarnessError, Violation):
            self._before = {}
            self._patience -= 1

    def confirm(self, watch: Watch) -> None:
        """Hold what was there before against what is there now."""
        if not self._before:
            return
        before, self._before = self._before, {}
        try:
            now = self._look()
        except TargetUnreachable:
            raise  # nobody is there any more: a case that ends so is broken
        except (HarnessError, Violation):
            return
        breaches = [
            Breach(
                OTHERS,
                f"of a device that no case is about: {_changed(part, value, now[part])}",
                f"{part} changed",
                rests_on_time=part == SESSION,
            )
            for part, value in before.items()
            if part in now and now[part] != value
        ]
        watch.note(Judgement([OTHERS], breaches))
        if not breaches:
            self._before = now

    def close(self) -> None:
        """End the connection."""
        for device in (self._present, self._away):
            if device is not None:
                device.close()

    def _fill(self, away: Device) -> None:
        if "twin" in self._claims:
            self._service.twins.patch(away, desired=DESIRED, tags=TAGS)
        if "c2d" in self._claims:
            self._service.c2d.send(away, b"waits")

    def _open(self, present: Device) -> None:
        present.close()
        self._connection = connection = present.connect(clean_session=False)
        if "c2d" in self._claims:
            connection.subscribe(present.topics.devicebound, qos=1)
        if "twin" in self._claims:
            self._twin = TwinClient(connection).subscribe().subscribe_to_desired()
            self._twin.establish(REPORTED)

    def _look(self) -> dict[str, object]:
        """Return what is there of both, by a name that a message can use."""
        assert self._connection is not None, "settle opens it"  # noqa: S101
        assert self._away is not None, "settle makes it"  # noqa: S101
        came = self._connection.outcome()
        seen: dict[str, object] = {SESSION: "open" if came == NO_ANSWER else came}
        if self._twin is not None:
            # On a connection that was closed nobody can ask; that it was is told already.
            if self._connection.is_open:
                seen["twin"] = _read(self._twin)
            seen |= _parts("absent device's twin", self._service.twins.get(self._away))
        return seen


def _read(twin: TwinClient) -> object:
    """Return the properties, or what came in place of an answer."""
    try:
        return twin.get().properties
    except Violation as violation:
        return violation.observed


def _changed(part: str, before: object, now: object) -> str:
    """Say in a line where a part is not what it was."""
    return told(
        differences(before, now),
        lambda each: f"{each.of(f'the {part}')}: expected {each.expected}, got {each.actual}",
    )


def _parts(name: str, twin: Twin) -> Mapping[str, Any]:
    sections = {"desired": twin.desired, "reported": twin.reported, "tags": dict(twin.tags)}
    return {name: sections, f"messages that wait beside the {name}": twin.pending_messages}
