"""What a test may ask for, one fixture for each noun.

A fixture sets the stage. What fails here says nothing about the clause under test: the case is broken, "needs
connect.client-id: …", and only what the body of the test does can be a violation.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, Unpack

import pytest

from conformance.errors import NotOffered, NotTested, StageFailed, Violation
from conformance.evidence.case import Evidence
from conformance.evidence.watch import Breach, Judgement
from conformance.run.cases import CASE, RunningCase
from conformance.run.worker import Runner
from conformance.target.host_names import Side, other_name
from conformance.verdict.needs import NO_SECOND_KEY
from conformance.verdict.readings import Readings
from conformance.ways.way import FIRST

if TYPE_CHECKING:  # a run that only collects loads neither side of a hub
    from conformance.backend import (
        CloudToDevice,
        FeedbackReader,
        IdentityRegistry,
        Methods,
        Service,
        TelemetryReader,
        Twins,
    )
    from conformance.mqtt.connection import Connection
    from conformance.mqtt.device import Attempt, Device
    from conformance.mqtt.raw import RawConnection
    from conformance.mqtt.server_certificate import ServerCertificate
    from conformance.run.bench import CaseBench, DeviceBench
    from conformance.run.own_state import OwnState
    from conformance.target.credentials import Secret
    from conformance.target.target import Target

T = TypeVar("T")

# What most clauses need and do not check: a device that gets a session.
SESSION: Final = "connect.client-id"
# What a PUBACK promises.
ACKNOWLEDGED: Final = "d2c.acknowledged-delivered"
# The shortest keep-alive that MQTT can express, so that a silent client is dropped soon; and one that bears a
# packet late by a second or two, for a live hub, to which a network leads.
SHORTEST_KEEP_ALIVE: Final = 1
KEEP_ALIVE_ON_A_NETWORK: Final = 10


class Stage(Protocol):
    """Runs one step that the case needs and does not check."""

    def __call__(self, step: Callable[..., T], *arguments: Any, needs: str = SESSION, **options: Any) -> T:
        """Return what the step returns. Raises StageFailed, naming `needs`, where the step is a violation."""


class WatchOfCase:
    """The watch over this case's own packets, as its test asks about it."""

    def __init__(self, evidence: Evidence) -> None:
        self._watch = evidence.watch

    def expect_clean(self, clause: str) -> None:
        """Pass if packets were held against a watched clause and none broke it.

        Raises Violation on a breach, NotTested where no such packet was seen.
        """
        for breach in self._breaches(clause):
            raise Violation(breach.message, observed=breach.observed)

    def in_words(self, clause: str) -> str:
        """Describe what was seen of a clause of level *observe*; raises NotTested where nothing was."""
        observed = dict.fromkeys(breach.observed for breach in self._breaches(clause))
        return f"besides those it names: {', '.join(observed)}" if observed else "only what it names"

    def _breaches(self, clause: str) -> list[Breach]:
        if not self._watch.sightings.get(clause):
            raise NotTested(f"no packet that {clause} is about was seen")
        return [breach for breach in self._watch.breaches if breach.clause == clause]


class Untouched:
    """What a refusal, or a close, must not touch: what the device itself has, and those no case is about.

    On a live hub, where each look is several calls that it counts, only where that is asked for.
    """

    def __init__(self, bench: "CaseBench", evidence: Evidence, own: "OwnState") -> None:
        self._neighbours = bench.neighbours
        self._is_live = bench.target.timeouts.silence > 0
        self._evidence = evidence
        self._own = own
        if self._neighbours is not None:
            self._neighbours.settle()
        if not self._is_live:
            own.try_to_settle()

    def confirm(self, **attempt: "Unpack[Attempt]") -> None:
        """Look at all of it again; `attempt` is what opens the device by now, where its own does not.

        What changed is a breach of the clause about it, and this case is what it was.
        """
        self._own.confirm(self._evidence.watch, **attempt)
        self.confirm_others()

    def confirm_others(self, *, on_a_live_hub: bool = False) -> None:
        """Look at the others alone, where the case itself changes what its device has."""
        if self._neighbours is not None and (on_a_live_hub or not self._is_live):
            self._neighbours.confirm(self._evidence.watch)


@pytest.fixture
def concerned(device: "Device") -> "Device":
    """Return whom the hub refuses something, or closes on: `device`, unless a module says who."""
    return device


# Who asks for these changes twins or sends messages, and looks at what comes of it.
_ABOUT_TWINS: Final = frozenset({"contents", "twins", "trial", "burst"})
_ABOUT_MESSAGES: Final = frozenset({"c2d", "trial"})


@pytest.fixture
def own_state(request: pytest.FixtureRequest, _bench: "CaseBench", concerned: "Device") -> "OwnState":
    """Return what `concerned` has at the hub, without what the case itself changes or compares."""
    asked_for = set(request.fixturenames)
    return _bench.own_state(
        concerned,
        twin_too=asked_for.isdisjoint(_ABOUT_TWINS),
        messages_too=asked_for.isdisjoint(_ABOUT_MESSAGES),
    )


@pytest.fixture
def untouched(_bench: "CaseBench", evidence: Evidence, own_state: "OwnState") -> Untouched:
    """``untouched.confirm()`` ends each case that expects a refusal or a close."""
    return Untouched(_bench, evidence, own_state)


@pytest.fixture
def _case(request: pytest.FixtureRequest) -> RunningCase:
    """Return the record of this case."""
    case: RunningCase = request.node.stash[CASE]
    return case


@pytest.fixture
def _bench(request: pytest.FixtureRequest, evidence: Evidence, _case: RunningCase) -> Iterator["CaseBench"]:
    """Set the worker's bench up for this case; whatever the case opens is closed behind it."""
    runner = request.config.pluginmanager.get_plugin("conformance-runner")
    assert isinstance(runner, Runner), "the runner registers the fixtures"  # noqa: S101
    bench: DeviceBench = runner.bench()  # type: ignore[assignment] # the suite's own tests put another one there
    with bench.for_case(evidence, _case.way, request.fixturenames, _case.number) as case_bench:
        _case.failed_call = lambda wait: case_bench.failed_call(wait_for_end=wait)
        yield case_bench


@pytest.fixture
def stage(_case: RunningCase) -> Stage:
    """``stage(step, *arguments, needs="connect.client-id")``: a step whose failure makes the case broken.

    What it needs is a rule of its own, and is violated: where its own cases do not come so far, here alone.
    """

    def run(step: Callable[..., T], *arguments: Any, needs: str = SESSION, **options: Any) -> T:
        try:
            return step(*arguments, **options)
        except Violation as violation:
            judge = _case.way.judge if needs == SESSION and _case.way.entrance != FIRST else needs
            raise StageFailed(f"needs {judge}: {violation}", needs=judge) from violation

    return run


@pytest.fixture
def evidence(_case: RunningCase) -> Evidence:
    """Transcript and watch of this case."""
    return _case.evidence


@pytest.fixture
def readings(_case: RunningCase) -> Readings:
    """``readings.match(word)`` holds an outcome against the readings of a disputed clause."""
    return _case.readings


@pytest.fixture
def observed(_case: RunningCase) -> Callable[[str], None]:
    """``observed("words")`` says what was seen; a case of level *observe* must."""
    return _case.say


@pytest.fixture
def watch(evidence: Evidence) -> WatchOfCase:
    """Return the watch over this case's packets."""
    return WatchOfCase(evidence)


@pytest.fixture
def hub(_bench: "CaseBench") -> "Target":
    """Return the hub under test: host, ports, timeouts, and the figures it states of itself."""
    return _bench.target


@pytest.fixture
def other_name_for_devices(hub: "Target") -> str:
    """Return the name by which devices may call the hub beside the profile's: ``{name}.device.{domain}``."""
    return _other_name(hub.host, "device")


@pytest.fixture
def other_name_for_services(service: "Service") -> str:
    """Return the name by which back ends may call it beside their own: ``{name}.service.{domain}``."""
    return _other_name(service.host, "service")


def _other_name(host: str, side: Side) -> str:
    name = other_name(host, side)
    if name is None:
        raise NotOffered(f"'{host}' has no domain, so there is no {{name}}.{side}.{{domain}} beside it")
    return name


@pytest.fixture
def service(_bench: "CaseBench") -> "Service":
    """Return the hub's back end."""
    return _bench.service


@pytest.fixture
def registry(_bench: "CaseBench") -> "IdentityRegistry":
    """Return the hub's identity registry."""
    return _bench.registry


@pytest.fixture
def telemetry(_bench: "CaseBench") -> "TelemetryReader":
    """Return the reader of what reaches the back end; it reads since before the case began."""
    return _bench.telemetry


@pytest.fixture
def c2d(_bench: "CaseBench") -> "CloudToDevice":
    """Return what sends cloud-to-device messages and purges them."""
    return _bench.service.c2d


@pytest.fixture
def feedback(_bench: "CaseBench") -> "FeedbackReader":
    """Return what waits for feedback on cloud-to-device messages."""
    return _bench.service.feedback


@pytest.fixture
def twins(_bench: "CaseBench") -> "Twins":
    """Return the twins of devices and modules as the back end sees them."""
    return _bench.service.twins


@pytest.fixture
def methods(_bench: "CaseBench") -> "Methods":
    """Return what calls direct methods."""
    return _bench.service.methods


@pytest.fixture
def id_ending() -> str:
    """Return how the id of `device`, and the own name of `module`, ends: a test may parametrize it."""
    return ""


@pytest.fixture
def device(_bench: "CaseBench", id_ending: str, stage: Stage) -> "Device":
    """Return a new device. In the way of a later session it has had one and has left it."""
    return _ready(_bench.device(id_ending, "device"), _bench, stage)


@pytest.fixture
def secondary_key(device: "Device") -> "Secret":
    """Return the second key of `device`; a ready-made one has it where the profile states it."""
    if device.secondary_key is None:
        raise NotOffered(NO_SECOND_KEY)
    return device.secondary_key


@pytest.fixture
def devices_alike(_bench: "CaseBench") -> "Callable[..., tuple[Device, ...]]":
    """``devices_alike("-a:b", "-ab")``: new devices whose ids differ in these endings alone."""
    return _bench.devices_alike


@pytest.fixture
def other_device(_bench: "CaseBench", stage: Stage) -> "Device":
    """Another new device, which meets the hub in the same way."""
    return _ready(_bench.device(fixture="other_device"), _bench, stage)


def _ready(device: "Device", bench: "CaseBench", stage: Stage) -> "Device":
    if bench.way.session == "later":
        stage(device.expect_accepted)
    return device


@pytest.fixture
def module(device: "Device", _bench: "CaseBench", id_ending: str) -> "Device":
    """Return a new module of `device`; it connects like a device."""
    return _bench.module(device, id_ending)


@pytest.fixture
def other_module(device: "Device", _bench: "CaseBench") -> "Device":
    """Return another new module of `device`."""
    return _bench.module(device)


@pytest.fixture
def unknown_device(_bench: "CaseBench") -> "Device":
    """Return a device that the hub does not know, with a well-formed key."""
    return _bench.unknown_device()


@pytest.fixture
def admitted(device: "Device", stage: Stage) -> "Device":
    """Return a device that was just shown to get a session and has left it: for tests of a refusal."""
    stage(device.expect_accepted)
    return device


@pytest.fixture
def connection(device: "Device", stage: Stage) -> "Connection":
    """Open a session of `device`."""
    return stage(device.connect)


@pytest.fixture
def raw(admitted: "Device", stage: Stage) -> "RawConnection":
    """Open a TLS connection of an admitted `device` on which nothing was sent yet."""
    return stage(admitted.raw, needs="transport.mqtt")


@pytest.fixture
def raw_connected(device: "Device", stage: Stage) -> "RawConnection":
    """Open a session of `device` on a connection that takes literal bytes."""
    return stage(device.raw_connected)


@pytest.fixture
def bystander(_bench: "CaseBench", stage: Stage) -> "Connection":
    """Open a session of another device, which nothing that the test does may disturb."""
    return stage(_bench.device().connect)


@pytest.fixture
def keep_alive(hub: "Target") -> int:
    """Return the keep-alive of clients that fall silent, in seconds: 1, on a live hub 10."""
    return KEEP_ALIVE_ON_A_NETWORK if hub.timeouts.silence else SHORTEST_KEEP_ALIVE


@pytest.fixture
def silent_client(_bench: "CaseBench", stage: Stage, keep_alive: int) -> "RawConnection":
    """Open a session of another device with `keep_alive`, which sends nothing after CONNECT."""
    return stage(_bench.device().raw_connected, keep_alive=keep_alive)


@pytest.fixture
def server_certificate(_bench: "CaseBench") -> "ServerCertificate":
    """Fetch the certificate that the hub presents on its MQTT port."""
    return _bench.server_certificate()


@pytest.fixture
def probe(
    device: "Device", connection: "Connection", telemetry: "TelemetryReader", evidence: Evidence
) -> Callable[[str, bytes], str]:
    """``probe(topic, body)`` publishes with QoS 1 and describes what came of it, for observing.

    The same again is told once: QoS 1 is at least once [MQTT-4.3.2-1]. What is acknowledged on the events
    topic and does not arrive is a breach, whatever the case is about.
    """

    def publish(topic: str, body: bytes) -> str:
        connection.send(topic, body, qos=1)
        answer = connection.outcome()
        arrived = [_described(message) for message in telemetry.until_fence(device) if message.body == body]
        if topic.startswith(device.topics.events) and answer == "puback":
            lost = [Breach(ACKNOWLEDGED, f"acknowledged and not delivered: {topic}", "not delivered")]
            evidence.watch.note(Judgement([ACKNOWLEDGED], [] if arrived else lost))
        return f"{answer}; {' and '.join(dict.fromkeys(arrived)) or 'not delivered'}"

    return publish


def _described(message: Any) -> str:
    system = f", system {message.system}" if message.system else ""
    return f"delivered with properties {message.properties}{system}"
