"""The target of a run that judges a device, as the controller meets it: the hub behind, and the device.

The hub behind is a tool. It is looked at before the first case, as a hub that is judged is; then the device
is started once, and has to come to the tap. What it says there is for the cases to judge.
"""

import dataclasses
import tempfile
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from conformance.backend import Service
from conformance.errors import HarnessError, ProfileError, TargetUnreachable, UsageError
from conformance.evidence.case import Evidence
from conformance.mqtt.conversation import ACCEPTED
from conformance.mqtt.device import Device
from conformance.mqtt.reactor import Reactor
from conformance.profile.loading import Profile
from conformance.profile.tables import DeviceTable
from conformance.run.dependencies import Options, Place, Stated
from conformance.run.device_bench import DeviceUnderTestBench
from conformance.tap.certificates import TapAuthority
from conformance.tap.proxy import TapPorts
from conformance.target.credentials import Identity, Secret
from conformance.target.opening import OpenedTarget, open_target
from conformance.target.preflight import endpoint_of
from conformance.target.target import Target
from conformance.under_test.described import Described
from conformance.under_test.device import DeviceUnderTest
from conformance.under_test.introduced import Introduced, written_down
from conformance.verdict.needs import Claims

# How long a person has to start a device whose profile does not say, in seconds.
UNTIL_STARTED: Final = 300.0


class ReachedDevice:
    """A device that came to the tap once, and a hub behind it that lets devices in."""

    def __init__(
        self,
        opened: OpenedTarget,
        device: DeviceTable,
        version: str | None,
        *,
        large: bool,
        introduced: Introduced | None = None,
        folder: tempfile.TemporaryDirectory[str] | None = None,
    ) -> None:
        self._opened = opened
        self._introduced = introduced
        self._folder = folder
        self._device = Described.of(device)
        self._version = version or device.version
        self.profile = opened.target.profile
        self.same_hub = opened.same_hub
        self.claims = claims_of(device, large=large or opened.target.limits.large)
        # A device that a person starts is one; a program can be started for each worker.
        self.workers = 1 if device.command is None else opened.target.worker_limit
        self.remarks: tuple[str, ...] = ()
        self.shut: Mapping[str, str] = {}

    @property
    def description(self) -> Mapping[str, Any]:
        """What reports say about the device, and about the hub behind it."""
        hub = self._opened.target
        edition = f", edition {hub.edition}" if hub.edition else ""
        return {
            "name": self._device.name,
            "host": hub.name_for_devices,
            "ports": {},
            "version": self._version,
            "hub_behind": f"{hub.name}{edition}",
        }

    def to_json(self) -> dict[str, Any]:
        """Return all that a worker needs, secrets included."""
        introduced = {} if self._introduced is None else {"introduced": self._introduced.to_json()}
        return {"hub": self._opened.target.describe(), "device": self._device.to_json(), **introduced}

    def trouble(self) -> str | None:
        """Say how a launched hub ended by itself; None while all is well."""
        return self._opened.trouble()

    def crashed(self) -> bool:
        """Tell whether a launched hub wrote tracebacks."""
        return self._opened.crashed()

    def unanswered(self) -> str | None:
        """Look at the hub behind again: say why it lets nobody in, None where it does."""
        try:
            _look_at_hub(self._opened.target)
        except HarnessError as error:
            return str(error)
        return None

    def delete_identities(self, ids: list[str]) -> None:
        """Delete devices that a worker left behind."""
        delete_identities(self._opened.target, ids)

    def clear_twins(self, ids: list[str], run: str) -> None:
        """Nothing: the twins are of devices that the run makes."""

    def share_readers(self, _folder: Path) -> Mapping[str, str]:
        """Nothing: a worker that judges a device waits for it, and reads by itself."""
        return {}

    def close(self) -> None:
        """Stop the hub, if this run launched it, and forget a device that a person started."""
        introduced, self._introduced = self._introduced, None
        if introduced is not None:
            _forget(self._opened.target, introduced.identity)
        if self._folder is not None:
            self._folder.cleanup()
        self._opened.stop()


def delete_identities(target: Target, ids: list[str]) -> None:
    """Delete devices of a hub that has a service side; those of a launched hub end with it."""
    if target.service is None or target.origin == "launched":
        return
    service = Service(target)
    try:
        service.registry.delete(ids)
    finally:
        service.close()


def claims_of(device: DeviceTable, *, large: bool) -> Claims:
    """Return what must hold of a device."""
    # New identities are made for each case, whatever the device claims.
    return Claims(capabilities=device.claims | {"registry"}, timing=device.timing.stated(), large=large)


def stated(profile: Profile, device: DeviceTable, options: Options) -> Stated:
    """Return what the profile and the command line say of a run, without looking at anything."""
    return Stated(
        claims=claims_of(device, large=options.large or profile.limits.large),
        messages=profile.limits.messages,
        workers=1 if device.command is None else profile.limits.workers,
        named=options.attach is None and (options.hub_url is not None or profile.launch is None),
        makes_devices=True,
    )


def reach(profile: Profile, device: DeviceTable, options: Options) -> ReachedDevice:
    """Launch, attach to or find the hub behind, and see the device come. Raises HarnessError."""
    if "registry" not in profile.claims:
        raise ProfileError(
            f"{profile.file}: [device] is judged under new identities, so [claims] capabilities of the hub "
            "behind must have 'registry'. Add it, with the [service] that it needs."
        )
    opened = open_target(profile, attach=options.attach, hub_url=options.hub_url)
    try:
        _check_same_hub(opened, options)
        opened.target = dataclasses.replace(opened.target, clock_known=True)
        version = introduced = folder = None
        if options.preflight:
            _look_at_hub(opened.target)
        if device.command is None:
            folder = tempfile.TemporaryDirectory(prefix="conformance-device-")
            introduced = introduce(opened.target, device, Path(folder.name), options.told)
        elif options.preflight:
            version = _see_device_come(opened.target, device)
    except HarnessError as error:
        trouble = opened.trouble()
        opened.stop()
        if trouble is not None and not isinstance(error, UsageError):
            raise TargetUnreachable(f"{trouble} ({error})") from None
        raise
    except BaseException:
        opened.stop()
        raise
    return ReachedDevice(opened, device, version, large=options.large, introduced=introduced, folder=folder)


def _check_same_hub(opened: OpenedTarget, options: Options) -> None:
    if options.same_hub not in {None, opened.same_hub}:
        raise UsageError(f"--same-hub {options.same_hub}: the hub behind is another. Leave out --same-hub.")


def _look_at_hub(target: Target) -> None:
    """Let a device of the suite's own in: a hub that does not would make every device look wrong."""
    service = Service(target, telemetry=False)
    reactor = Reactor()
    try:
        (identity,) = service.registry.create([f"conf-preflight-{uuid.uuid4().hex[:12]}"])
        device = Device(identity, endpoint_of(target), reactor, Evidence(), host=target.name_for_devices)
        try:
            outcome = device.attempt()
        finally:
            device.close()
            service.registry.delete([identity.device_id])
    finally:
        reactor.stop()
        service.close()
    if outcome != ACCEPTED:
        raise TargetUnreachable(
            f"the hub behind, {target.name}, does not let in a device of the suite's own ({outcome}): "
            "no device can be judged on it."
        )


def introduce(target: Target, device: DeviceTable, folder: Path, told: Callable[[str], None]) -> Introduced:
    """Tell a person what to enter into a device, and wait until it comes: for [device.timing] start seconds.

    The file that has the key, and the authority to trust, lie in `folder`. Raises HarnessError where it does
    not come.
    """
    described = Described.of(device)
    seconds = described.timing.get("start", UNTIL_STARTED)
    identity = _identity(target)
    introduced = Introduced(
        identity=identity,
        ports=TapPorts(mqtt=described.port, connect=0),
        authority=Secret(TapAuthority().key),
    )
    bench = DeviceUnderTestBench(target, described, _place(folder, "conf-preflight"), introduced)
    try:
        with bench.for_case(Evidence()) as case:
            under_test = case.device()
            file, variables = written_down(under_test.variables(), folder)
            where = f"{variables['IOTHUB_ADDRESS']}:{variables['IOTHUB_MQTT_PORT']}"
            told(f"start '{device.name}' within {seconds:g} s; cut off, it has to connect again by itself:")
            told(f"  where to connect      {where}, MQTT over TLS")
            told(f"  whom to trust         {variables['IOTHUB_CA_FILE']}")
            told(f"  hub, device           {under_test.host}, {under_test.id}")
            told(f"  connection string     in {file}, with all of this")
            _await(under_test, where, seconds)
    except BaseException:
        _forget(target, identity)
        raise
    finally:
        bench.close()
    return dataclasses.replace(introduced, ports=bench.tap.ports)


def _await(device: DeviceUnderTest, where: str, seconds: float) -> None:
    if device.record.until(lambda: device.lines or None, seconds) is None:
        raise TargetUnreachable(
            f"the device '{device.described.name}' did not come within {seconds:g} s: it was told to connect "
            f"to {where} as {device.id}, and {device.what_it_did()}."
        )
    # One that is cut off before its first CONNACK may take that for a refusal, and stay away.
    first = device.lines[0]
    device.give_time(lambda: first.connack or not first.is_open)


def _identity(target: Target) -> Identity:
    service = Service(target, telemetry=False)
    try:
        (identity,) = service.registry.create([f"conf-{uuid.uuid4().hex[:12]}"])
    finally:
        service.close()
    return identity


def _forget(target: Target, identity: Identity) -> None:
    """Delete an identity; that of a launched hub ends with it."""
    if target.origin == "launched":
        return
    service = Service(target, telemetry=False)
    try:
        service.registry.delete([identity.device_id])
    finally:
        service.close()


def _place(folder: Path, prefix: str) -> Place:
    return Place(
        run="preflight",
        worker="preflight",
        number=0,
        workers=1,
        prefix=prefix,
        journal=folder / "devices.txt",
        twin_journal=folder / "twins.txt",
    )


def _see_device_come(target: Target, device: DeviceTable) -> str | None:
    """Start the device once, and return the version that its adapter tells.

    Raises HarnessError where it does not come.
    """
    with tempfile.TemporaryDirectory() as notes:
        place = _place(Path(notes), f"conf-preflight-{uuid.uuid4().hex[:12]}")
        bench = DeviceUnderTestBench(target, Described.of(device), place)
        try:
            with bench.for_case(Evidence()) as case:
                under_test = case.device()
                under_test.begin_to_connect()
                came = under_test.record.until(lambda: under_test.lines or None, under_test.seconds)
                if came is None:
                    raise TargetUnreachable(
                        f"the device '{device.name}' did not come: it was told to connect to localhost:"
                        f"{bench.tap.ports.mqtt}, and {under_test.what_it_did()}."
                    )
                told = under_test.told_version()
        finally:
            bench.close()
    return told
