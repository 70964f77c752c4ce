"""What one worker works with, and its share for one case.

The worker opens one reactor, one service and one supply of new devices; a case gets devices of its own, whose
packets and telemetry go into its own evidence.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from conformance.backend import HubEvents, IdentityRegistry, Service, TelemetryReader, Twins
from conformance.backend.feedback_records import FeedbackNotes
from conformance.errors import NotOffered, NotTested, ServiceError
from conformance.evidence.case import Evidence
from conformance.mqtt.device import Device
from conformance.mqtt.reactor import Reactor
from conformance.mqtt.server_certificate import ServerCertificate, fetch_certificate
from conformance.mqtt.websocket import WebSocket
from conformance.run import device_bench
from conformance.run.dependencies import Place
from conformance.run.device_bench import DeviceUnderTestBench
from conformance.run.identities import Made, NewIdentities, ReadyIdentities
from conformance.run.leftovers import PREFIX
from conformance.run.neighbours import Neighbours
from conformance.run.orders import Order, order_of, share_of
from conformance.run.own_state import OwnState, OwnStates
from conformance.run.ready_twins import ReadyTwins, member_of
from conformance.target.certificates import ClientCertificate, DeviceAuthority, Digest, two_certificates
from conformance.target.credentials import Identity, random_key
from conformance.target.preflight import endpoint_of
from conformance.target.target import Target
from conformance.verdict.needs import NO_SECOND_KEY
from conformance.ways.way import FIRST, Way


class DeviceBench:
    """The bench of one worker. Close it at the end of the worker."""

    def __init__(self, target: Target, place: Place) -> None:
        self.target = target
        self.reactor = Reactor()
        self.endpoint = endpoint_of(target)
        makes_devices = target.service is not None and "registry" in target.capabilities
        prefix = f"{place.prefix}-"
        own = {identity.device_id for identity in target.identities}
        # Other workers, and other runs, send telemetry to the same hub.
        accepts: Callable[[str], bool] = (
            (lambda device_id: device_id.startswith(prefix)) if makes_devices else own.__contains__
        )
        self._service = (
            None
            if target.service is None
            else Service(
                target,
                worker_number=place.number,
                accepts=accepts,
                relays=place.relays,
                notes=_notes(place, accepts) if makes_devices else None,
            )
        )
        self.identities: NewIdentities | ReadyIdentities
        if makes_devices:
            self.identities = NewIdentities(
                self.service.registry,
                place.prefix,
                place.journal,
                needs=place.needs,
                share=share_of(place.workers),
                authority=target.device_authority,
            )
        else:
            self.identities = ReadyIdentities(target.identities, place.number, place.workers)
        self.neighbours = (
            Neighbours(self._neighbour, self.service, target.capabilities) if makes_devices else None
        )
        # Twins of devices that a run makes end with them.
        self.ready_twins = (
            None
            if makes_devices
            else ReadyTwins(
                self._own_device,
                member_of(place.run),
                place.twin_journal,
                may_write=target.limits.writes_twin,
            )
        )
        self.own_states = OwnStates(
            self._neighbour, self.service if makes_devices else None, target.capabilities
        )

    @property
    def service(self) -> Service:
        """The back end. Raises ServiceError where the profile names none."""
        if self._service is None:
            raise ServiceError(
                f"profile '{self.target.profile}': has no [service], so no back end can be asked"
            )
        return self._service

    @property
    def opened_service(self) -> Service | None:
        """The back end, None where the profile names none."""
        return self._service

    @contextmanager
    def for_case(
        self, evidence: Evidence, way: Way = FIRST, fixtures: Collection[str] = (), number: int = 0
    ) -> Iterator["CaseBench"]:
        """Lend the bench to a case, which asks for these fixtures; what it opened is closed behind it.

        `number` is its place among all cases.
        """
        case = CaseBench(self, evidence, way, fixtures)
        self.identities.begin(number)
        if self._service is not None:
            self._service.journal.follow(evidence.transcript)
            self._service.methods.forget()
        try:
            yield case
        finally:
            case.close()
            self.identities.end()
            if self.ready_twins is not None:
                self.ready_twins.clear()
            if self._service is not None:
                self._service.journal.forget()

    def close(self) -> None:
        """Delete the worker's devices and end its threads."""
        try:
            if self.neighbours is not None:
                self.neighbours.close()
            if self.ready_twins is not None:
                self.ready_twins.close()
            self.identities.close()
        finally:
            if self._service is not None:
                self._service.close()
            self.reactor.stop()

    def _neighbour(self) -> Device:
        """Return a new device whose packets are in no case's evidence."""
        return self._own_device(self.identities.take(keep=True).identity)

    def _own_device(self, identity: Identity) -> Device:
        return Device(identity, self.endpoint, self.reactor, Evidence())


class CaseBench:
    """The bench as one case sees it; its devices meet the hub in the case's way."""

    def __init__(
        self, bench: DeviceBench, evidence: Evidence, way: Way, fixtures: Collection[str] = ()
    ) -> None:
        self._bench = bench
        self._fixtures = fixtures
        self._evidence = evidence
        self.way = way
        self._devices: list[Device] = []
        self._modules: dict[str, Made] = {}
        self._readers: dict[str, TelemetryReader] = {}
        self._followed: list[tuple[TelemetryReader, str]] = []

    @property
    def target(self) -> Target:
        """The hub under test."""
        return self._bench.target

    @property
    def service(self) -> Service:
        """The hub's back end."""
        return self._bench.service

    @property
    def registry(self) -> IdentityRegistry:
        """The hub's identity registry."""
        return self._bench.service.registry

    @property
    def twins(self) -> Twins | None:
        """Twins as the back end sees them, None of ready-made devices: those are their owner's."""
        return None if self._bench.ready_twins is not None else self.service.twins

    @property
    def telemetry(self) -> TelemetryReader:
        """The reader, opened by now; what this case's devices send shows in its transcript."""
        return self._opened("telemetry")

    @property
    def routed(self) -> TelemetryReader:
        """The reader of the custom endpoint, likewise."""
        return self._opened("routed")

    def events(self, source: str, *device_ids: str) -> HubEvents:
        """Return what the hub tells of devices, and of their modules, from a source and from now on."""
        reader = self._opened("telemetry")
        events = self.service.events(source)
        for device_id in device_ids:
            events.follow(device_id)
            self._followed.append((reader, device_id))
        return events

    def free_names(self, *endings: str, length: int = 0) -> tuple[str, ...]:
        """Return names of devices that there are not, alike but for these endings, this long at least."""
        names = tuple(self._bench.identities.reserve(endings, length=length))
        self._evidence.identities += len(names)
        return names

    def device(self, ending: str = "", fixture: str = "") -> Device:
        """Return a device that no other case has, or, of a profile's ready-made ones, that none has now.

        Its id ends in `ending`. In the way of a module it is one, of a device that nobody else uses. It is
        the device of this `fixture`, so that modules that others make of it are there already.
        """
        made = self._bench.identities.take(order_of(fixture, self._fixtures, self.way, ending))
        if any(made.identity.device_id == device.id for device in self._devices):
            raise NotTested(
                f"needs {len(self._devices) + 1} devices: add [[identity]] tables or run fewer workers"
            )
        return self._in_its_way(made)

    @property
    def evidence(self) -> Evidence:
        """What this case sees."""
        return self._evidence

    def ordered(self, orders: Sequence[Order]) -> list[Device]:
        """Return new devices, as many as orders, whose ids differ in their endings alone."""
        return [self._device_of(made) for made in self._bench.identities.take_alike(orders)]

    def pretender(self, device: Device, certificate: ClientCertificate | None) -> Device:
        """Return somebody who goes by the name of a device, and presents this certificate, or none."""
        device_id, _, module_id = device.id.partition("/")
        identity = Identity(
            device_id=device_id,
            module_id=module_id or None,
            primary_key=device.primary_key,
            secondary_key=device.secondary_key,
        )
        return self._device(
            identity, None if certificate is None else (certificate, certificate), known=False
        )

    def module_named(self, device: Device, name: str) -> Device:
        """Return a new module of a device of this case, of this name: the one that was ordered with it."""
        return self._module(device.id, name, certified=False)

    def devices_alike(self, *endings: str) -> tuple[Device, ...]:
        """Return new devices whose ids differ in these endings alone."""
        orders = [order_of("", (), self.way, ending) for ending in endings]
        return tuple(self._in_its_way(made) for made in self._bench.identities.take_alike(orders))

    def unknown_device(self) -> Device:
        """Return a device that the hub does not know, with a key that it never saw."""
        name = self._bench.identities.unused_name()
        unknown = Identity(device_id=name, primary_key=random_key(), secondary_key=random_key())
        return self._device(unknown, known=False)

    def module(self, device: Device, ending: str = "") -> Device:
        """Return a new module of a device of this case; the hub deletes it with its device.

        Its own name ends in `ending`.
        """
        number = sum(other.id.startswith(f"{device.id}/") for other in self._devices) + 1
        return self._module(device.id, f"module-{number}{ending}", certified=self.way.credential != "sas")

    def certified_device(self, digest: Digest = "SHA-1") -> Device:
        """Return a new device that is known by two new certificates, of which it presents the first."""
        return self._device_of(self._bench.identities.take(Order(proof=digest)))

    @property
    def neighbours(self) -> Neighbours | None:
        """The worker's two devices that no case is about; None where none can be made."""
        return self._bench.neighbours

    def own_state(self, device: Device, *, twin_too: bool, messages_too: bool) -> OwnState:
        """Return what looks at what a device has at the hub, at its twin and its messages too."""
        return OwnState(device, self._bench.own_states, twin_too, messages_too)

    @property
    def device_authority(self) -> DeviceAuthority:
        """The authority that signs devices. Raises NotTested where the profile names none."""
        authority = self.target.device_authority
        if authority is None:
            raise NotTested("needs [device-authority] in the profile")
        return authority

    def vouched_device(self) -> Device:
        """Return a new device that is known by its name in a certificate of the authority; it has one."""
        return self._device_of(self._bench.identities.take(Order(proof="authority")))

    def device_without_its_keys(self, proof: Literal["SHA-1", "authority"]) -> Device:
        """Return a new device that had keys which the hub knew, and is known by a certificate since."""
        identity = self._bench.identities.take().identity
        if proof == "authority":
            self.registry.use_authority(identity.device_id)
            pair = self.device_authority.issue(identity.id), self.device_authority.issue(identity.id)
        else:
            pair = two_certificates(identity.id)
            self.registry.use_certificates(identity.device_id, *(each.thumbprint() for each in pair))
        return self._device(identity, pair)

    def certified_module(self, device: Device) -> Device:
        """Return a new module of a device, known by two new certificates."""
        return self._module(device.id, "module-x509", certified=True)

    def unknown_module(self, device: Device) -> Device:
        """Return a module of a device of this case that the hub does not know, with a key it never saw."""
        key, other_key = random_key(), random_key()
        unknown = Identity(device_id=device.id, module_id="nobody", primary_key=key, secondary_key=other_key)
        return self._device(unknown, known=False)

    def failed_call(self, *, wait_for_end: bool) -> str | None:
        """Say which call of the service the hub did not carry out, of those whose answer nobody checks.

        `wait_for_end` waits for calls that have no answer yet.
        """
        service = self._bench.opened_service
        return None if service is None else service.methods.failure(wait_for_end=wait_for_end)

    def server_certificate(self) -> ServerCertificate:
        """Fetch the certificate that the hub presents on its MQTT port."""
        return fetch_certificate(self._bench.endpoint)

    def close(self) -> None:
        """End every connection of the case."""
        for device in self._devices:
            device.close()
            for reader in self._readers.values():
                reader.forget(device.id)
        for reader, device_id in self._followed:
            reader.forget(device_id)

    def _in_its_way(self, made: Made) -> Device:
        """Return what was made for the case's way: the device, or its first module."""
        if self.way.kind == "device":
            return self._device_of(made)
        (module,) = made.modules.values()
        return self._device(module.identity, module.certificates)

    def _device_of(self, made: Made) -> Device:
        """Return a device that was made, and keep its modules for whoever asks for them."""
        self._modules |= {module.identity.id: module for module in made.modules.values()}
        return self._device(made.identity, made.certificates)

    def _module(self, device_id: str, name: str, *, certified: bool) -> Device:
        ahead = self._modules.pop(f"{device_id}/{name}", None)
        if ahead is not None:
            return self._device(ahead.identity, ahead.certificates)
        if not certified:
            return self._device(self.registry.create_module(device_id, name))
        pair = two_certificates(f"{device_id}/{name}")
        thumbprints = pair[0].thumbprint(), pair[1].thumbprint()
        return self._device(self.registry.create_module(device_id, name, thumbprints=thumbprints), pair)

    def _own_first(self, pair: tuple[ClientCertificate, ClientCertificate]) -> tuple[ClientCertificate, ...]:
        """Return the certificate that is presented, and the other one."""
        return pair if self.way.key == "primary" else (pair[1], pair[0])

    def _opened(self, name: Literal["telemetry", "routed"]) -> TelemetryReader:
        reader = self._readers.get(name)
        if reader is None:
            service = self._bench.service
            reader = self._readers[name] = service.telemetry if name == "telemetry" else service.routed
            for device in self._devices:
                reader.follow(device.id, self._evidence.transcript)
        return reader

    def _device(
        self,
        identity: Identity,
        pair: tuple[ClientCertificate, ClientCertificate] | None = None,
        *,
        known: bool = True,
    ) -> Device:
        own, spare = self._own_first(pair) if pair else (None, None)
        bench = self._bench
        self._evidence.identities += known
        twins = bench.ready_twins if known else None
        device = Device(
            identity,
            bench.endpoint,
            bench.reactor,
            self._evidence,
            certificate=own,
            over=WebSocket() if self.way.transport == "websocket" else None,
            clean_session=self.way.clean_session == "clean",
            own_member=None if twins is None else twins.member(identity),
        )
        device.spare_certificate = spare
        device.signs_with_secondary = self.way.key == "secondary"
        if device.signs_with_secondary and device.secondary_key is None:
            raise NotOffered(NO_SECOND_KEY)
        self._devices.append(device)
        for reader in self._readers.values():
            reader.follow(device.id, self._evidence.transcript)
        return device


def _notes(place: Place, own: Callable[[str], bool]) -> FeedbackNotes | None:
    """Return what a worker tells the others of feedback; None where there are none."""
    if place.folder is None:
        return None
    of_run = f"{PREFIX}{place.run}-"
    return FeedbackNotes(
        place.folder, place.worker, of_run=lambda device_id: device_id.startswith(of_run), own=own
    )


def open_bench(target: Mapping[str, Any], place: Place) -> DeviceBench | DeviceUnderTestBench:
    """Open the bench of a worker, from plain values: of a hub, or of a device and the hub behind."""
    if "device" in target:
        return device_bench.open_bench(target, place)
    return DeviceBench(Target.rebuild(target), place)
