"""What one worker judges devices with: a tap before the hub, the hub's back end, and a supply of identities.

A case gets a device of its own: a new identity, a program started for it, and a record of its lines.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from conformance.backend import Service, TelemetryReader
from conformance.errors import HarnessError, NotOffered
from conformance.evidence.case import Evidence
from conformance.evidence.device_watch import DeviceWatch
from conformance.mqtt.device import Device
from conformance.mqtt.reactor import Reactor
from conformance.run.dependencies import Place
from conformance.run.identities import NewIdentities
from conformance.run.orders import Order, share_of
from conformance.tap.certificates import TapAuthority
from conformance.tap.proxy import HubAddress, Tap, TapPorts
from conformance.tap.record import Record
from conformance.target.credentials import Identity
from conformance.target.host_names import other_name
from conformance.target.preflight import endpoint_of
from conformance.target.target import Target
from conformance.under_test.described import Described
from conformance.under_test.device import DeviceUnderTest
from conformance.under_test.introduced import Introduced
from conformance.ways.way import FIRST, Way

# What devices may call the tap, beside the hub's own name.
LOCAL: Final = ("localhost", "127.0.0.1")


class DeviceUnderTestBench:
    """The bench of one worker. Close it at the end of the worker."""

    def __init__(
        self, target: Target, described: Described, place: Place, introduced: Introduced | None = None
    ) -> None:
        self.target = target
        self.described = described
        self.introduced = introduced
        prefix = f"{place.prefix}-"
        self.service = Service(
            target, worker_number=place.number, accepts=lambda device_id: self._is_own(device_id, prefix)
        )
        self.identities = NewIdentities(
            self.service.registry,
            place.prefix,
            place.journal,
            needs=() if introduced is not None else place.needs,
            share=share_of(place.workers),
        )
        self.tap = open_tap(target, described, introduced)

    @contextmanager
    def for_case(
        self, evidence: Evidence, _way: Way = FIRST, _fixtures: Collection[str] = (), number: int = 0
    ) -> Iterator["DeviceCaseBench"]:
        """Lend the bench to a case, the `number` of all; the device that it starts ends behind it."""
        case = DeviceCaseBench(self, evidence)
        self.identities.begin(number)
        self.service.journal.follow(evidence.transcript)
        self.service.methods.forget()
        try:
            yield case
        finally:
            case.close()
            self.identities.end()
            self.service.journal.forget()

    def _is_own(self, device_id: str, prefix: str) -> bool:
        """Say whether telemetry of a device is this worker's."""
        known = self.introduced is not None and device_id == self.introduced.identity.device_id
        return known or device_id.startswith(prefix)

    def close(self) -> None:
        """Delete the worker's devices, and end the tap and all threads."""
        try:
            self.identities.close()
        finally:
            self.tap.close()
            self.service.close()


class DeviceCaseBench:
    """The bench as one case sees it."""

    def __init__(self, bench: DeviceUnderTestBench, evidence: Evidence) -> None:
        self._bench = bench
        self._evidence = evidence
        self._devices: list[DeviceUnderTest] = []
        self._reader: TelemetryReader | None = None

    @property
    def target(self) -> Target:
        """The hub behind."""
        return self._bench.target

    @property
    def described(self) -> Described:
        """What the profile says of the device."""
        return self._bench.described

    @property
    def claims(self) -> frozenset[str]:
        """What the device claims."""
        return self._bench.described.claims

    @property
    def tap(self) -> Tap:
        """What stands between the device and the hub."""
        return self._bench.tap

    @property
    def service(self) -> Service:
        """The back end of the hub behind."""
        return self._bench.service

    @property
    def telemetry(self) -> TelemetryReader:
        """The reader of what reaches the back end; it reads from now on."""
        if self._reader is None:
            self._reader = self.service.telemetry
            for device in self._devices:
                self._reader.follow(device.identity.device_id, self._evidence.transcript)
        return self._reader

    def device(self, ending: str = "", *, module: str | None = None) -> DeviceUnderTest:
        """Return the device under test under a new identity whose id ends so; or as a module of it.

        One that a person starts has one identity: NotOffered for what needs another.
        """
        if self._bench.introduced is not None:
            if ending or module is not None:
                raise NotOffered("a person started the device under one identity, and this needs another")
            identity = self._bench.introduced.identity
        elif module is None:
            identity = self._bench.identities.take(Order(ending=ending)).identity
        else:
            made = self._bench.identities.take(Order(ending=ending, modules=((module, "keys"),)))
            identity = made.modules[module].identity
        return self._device(identity)

    def _device(self, identity: Identity) -> DeviceUnderTest:
        bench = self._bench
        self._evidence.identities += 1
        keys = tuple(key for key in (identity.primary_key, identity.secondary_key) if key is not None)
        record = Record(self._evidence, keys=keys, watch=DeviceWatch(identity.path, keys))
        bench.tap.begin(record)
        device = DeviceUnderTest(
            bench.described,
            identity,
            host=bench.target.name_for_devices,
            tap=bench.tap,
            record=record,
            seconds=bench.target.timeouts.connect,
        )
        self._devices.append(device)
        if self._reader is not None:
            self._reader.follow(identity.device_id, self._evidence.transcript)
        return device

    @contextmanager
    def rival_of(self, device: DeviceUnderTest) -> Iterator[Device]:
        """Lend a client of the suite's own under the identity of a device, before the hub itself."""
        reactor = Reactor()
        rival = Device(
            device.identity,
            endpoint_of(self.target),
            reactor,
            self._evidence,
            host=self.target.name_for_devices,
        )
        try:
            yield rival
        finally:
            rival.close()
            reactor.stop()

    def failed_call(self, *, wait_for_end: bool) -> str | None:
        """Say which call of the service the hub did not carry out, of those whose answer nobody checks."""
        return self.service.methods.failure(wait_for_end=wait_for_end)

    def close(self) -> None:
        """End the device."""
        for device in self._devices:
            device.stop()
            if self._reader is not None:
                self._reader.forget(device.identity.device_id)
        self._bench.tap.rest()


def open_tap(target: Target, described: Described, introduced: Introduced | None = None) -> Tap:
    """Open a tap before a hub, under the hub's own names, the local ones and that of this machine.

    A device that was introduced finds it where it was.
    """
    name = target.name_for_devices
    alias = other_name(name, "device")
    hub = HubAddress(
        host=target.host,
        mqtt_port=target.ports.mqtt,
        websocket_port=target.ports.https,
        ca_file=target.ca_file,
    )
    return Tap(
        hub,
        [*dict.fromkeys((name, *([alias] if alias else ()), *LOCAL, described.address))],
        address=described.address,
        ports=TapPorts(mqtt=described.port, connect=0) if introduced is None else introduced.ports,
        authority=None if introduced is None else TapAuthority(key=introduced.authority.reveal()),
    )


def open_bench(values: Mapping[str, Any], place: Place) -> DeviceUnderTestBench:
    """Open the bench of a worker, from hub and device as plain values."""
    if "device" not in values:
        raise HarnessError("no device to judge")
    introduced = values.get("introduced")
    return DeviceUnderTestBench(
        Target.rebuild(values["hub"]),
        Described.from_json(values["device"]),
        place,
        None if introduced is None else Introduced.from_json(introduced),
    )
