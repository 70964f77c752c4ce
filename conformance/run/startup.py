"""The run's target as the controller meets it: reached, checked, described for reports."""

import contextlib
import dataclasses
import tempfile
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from conformance.backend import Service
from conformance.errors import HarnessError, TargetUnreachable, UsageError
from conformance.evidence.case import Evidence
from conformance.mqtt.conversation import ACCEPTED
from conformance.mqtt.device import Device
from conformance.mqtt.reactor import Reactor
from conformance.profile import loading as profiles
from conformance.profile.loading import Profile
from conformance.profile.tables import Limits as LimitsTable
from conformance.run import device_startup, leftovers
from conformance.run.bench import DeviceBench
from conformance.run.dependencies import Options, Place, Stated
from conformance.run.device_startup import ReachedDevice
from conformance.run.orders import Need, order_of
from conformance.run.ready_twins import member_of, take_away_all
from conformance.target.opening import OpenedTarget, open_target, stated_by_hub
from conformance.target.preflight import endpoint_of, preflight, unanswered
from conformance.target.target import Limits, Target
from conformance.verdict.needs import Claims
from conformance.ways.way import Way, entrances


class ReachedTarget:
    """A hub that is there, and that the preflight found in order."""

    def __init__(
        self, opened: OpenedTarget, *, large: bool, remarks: tuple[str, ...], shut: Mapping[str, str]
    ) -> None:
        self._opened = opened
        self._ends = contextlib.ExitStack()
        self.shut = shut
        target = opened.target
        self.profile = target.profile
        self.same_hub = opened.same_hub
        self.claims = claims(target, large=large)
        self.workers = target.worker_limit
        self.remarks = remarks

    @property
    def description(self) -> Mapping[str, Any]:
        """What reports say about the hub."""
        target = self._opened.target
        ports = {name: port for name, port in asdict(target.ports).items() if port}
        return {
            "name": target.name,
            "host": target.host,
            "ports": ports,
            "edition": target.edition,
            "version": target.version,
        }

    def to_json(self) -> dict[str, Any]:
        """Return all that a worker needs to reach the hub, secrets included."""
        return self._opened.target.describe()

    def trouble(self) -> str | None:
        """Say how a launched hub ended by itself; None while all is well."""
        return self._opened.trouble()

    def crashed(self) -> bool:
        """Tell whether a launched hub wrote tracebacks."""
        return self._opened.crashed()

    def unanswered(self) -> str | None:
        """Make the preflight's connection again: say why nobody answers, None where the hub does."""
        return unanswered(self._opened.target)

    def delete_identities(self, ids: list[str]) -> None:
        """Delete devices that a worker left behind."""
        device_startup.delete_identities(self._opened.target, ids)

    def clear_twins(self, ids: list[str], run: str) -> None:
        """Take away what a worker left in ready-made devices' twins; those of a launched hub end with it."""
        target = self._opened.target
        if target.origin == "launched":
            return
        reactor = Reactor()
        endpoint = endpoint_of(target)
        try:
            take_away_all(
                target.identities,
                ids,
                member_of(run),
                lambda identity: Device(identity, endpoint, reactor, Evidence()),
            )
        finally:
            reactor.stop()

    def share_readers(self, folder: Path) -> Mapping[str, str]:
        """Read telemetry for all workers, until the target is closed; return where they hear it.

        On a hub that is named alone: an embedded one has consumer groups for any number of readers.
        """
        target = self._opened.target
        if target.origin != "named" or target.service is None or "telemetry" not in target.capabilities:
            return {}
        service = Service(target, telemetry=False)
        self._ends.callback(service.close)
        relays, end = service.relay(folder)
        self._ends.callback(end)
        return relays

    def close(self) -> None:
        """Stop the hub, if this run launched it."""
        self._ends.close()
        self._opened.stop()


def load_profile(options: Options) -> Profile:
    """Read the profile that the command line names, and what is stated where it claims that.

    Raises ProfileError, and UsageError where there is no ready file.
    """
    profile = profiles.load(options.profile, timeout_factor=options.timeout_factor, stands_in=options.dry)
    return stated_by_hub(profile, attach=options.attach)


def reach(profile: Profile, options: Options) -> ReachedTarget | ReachedDevice:
    """Launch, attach to or find the hub, and see that a run can begin. Raises HarnessError."""
    if profile.device is not None:
        return device_startup.reach(profile, profile.device, options)
    opened = open_target(profile, attach=options.attach, hub_url=options.hub_url)
    remarks: tuple[str, ...] = ()
    shut: dict[str, str] = {}
    try:
        _check_same_hub(opened, profile, options)
        if options.preflight:
            checked = preflight(opened.target)
            opened.target, remarks = checked.target, checked.remarks
            shut = shut_ways(opened.target)
            remarks += _left_on(opened.target, profile.argument)
        else:
            # Unchecked is taken for right.
            opened.target = dataclasses.replace(opened.target, clock_known=True)
    except UsageError:
        opened.stop()
        raise
    except HarnessError as error:
        trouble = opened.trouble()
        opened.stop()
        if trouble is not None:
            raise TargetUnreachable(f"{trouble} ({error})") from None
        raise
    except BaseException:
        opened.stop()
        raise
    return ReachedTarget(
        opened, large=options.large, remarks=(*profile.left_out, *opened.remarks, *remarks), shut=shut
    )


def _left_on(target: Target, profile: str) -> tuple[str, ...]:
    """Say what other runs left on a hub that stays; nothing where it does not tell."""
    if target.service is None or target.origin == "launched" or "registry" not in target.capabilities:
        return ()
    service = Service(target, telemetry=False)
    try:
        with contextlib.suppress(HarnessError):
            found = leftovers.by_run(leftovers.names_on(service, all_pages=False), time.time())
            said = leftovers.remark([each for each in found if each.is_older(leftovers.OLD)], profile)
            return () if said is None else (said,)
    finally:
        service.close()
    return ()


def shut_ways(target: Target) -> dict[str, str]:
    """Connect once in each way that the target claims; say how that ended where no session opened."""
    ways = tuple(entrances(target.capabilities))
    shut: dict[str, str] = {}
    if not ways:
        return shut
    with tempfile.TemporaryDirectory() as notes:
        place = Place(
            run="preflight",
            worker="preflight",
            number=0,
            workers=1,
            prefix=f"{leftovers.PREFIX}{leftovers.new_id()}-preflight",
            journal=Path(notes) / "devices.txt",
            needs=[Need(orders=(order_of("", (), way),)) for way in ways],
            twin_journal=Path(notes) / "twins.txt",
        )
        bench = DeviceBench(target, place)
        try:
            for number, way in enumerate(ways):
                outcome = _entered(bench, way, number)
                if outcome != ACCEPTED:
                    shut[str(way)] = outcome
        finally:
            bench.close()
    return shut


def _entered(bench: DeviceBench, way: Way, number: int) -> str:
    with bench.for_case(Evidence(), way, number=number) as case:
        try:
            return case.device().attempt()
        except HarnessError as error:
            return str(error)


def _check_same_hub(opened: OpenedTarget, profile: Profile, options: Options) -> None:
    """Refuse another hub than the one that --same-hub is the id of."""
    if options.same_hub in {None, opened.same_hub}:
        return
    target = opened.target
    if target.origin == "launched":
        why = f"the command that {profile.file} starts a hub by is not that report's. Bring it back"
    elif target.origin == "attached":
        why = (
            f"the hub of {options.attach}, at {target.host}:{target.ports.mqtt}, was started anew, "
            "or is another. Attach to the hub of that report"
        )
    else:
        variables = f", with {', '.join(profile.variables)}," if profile.variables else ""
        why = (
            f"{profile.file}{variables} names {target.host}:{target.ports.mqtt}, another hub than that "
            "report is of. Name that one"
        )
    raise UsageError(f"--same-hub {options.same_hub}: {why}, or leave out --same-hub to judge this hub.")


def check_place(profile: Profile, options: Options) -> None:
    """Raise HarnessError if what names the hub is wrong, as far as that shows without reaching it."""
    if options.attach is not None or options.hub_url is not None or profile.launch is None:
        open_target(profile, attach=options.attach, hub_url=options.hub_url)


def stated(profile: Profile, options: Options) -> Stated:
    """Return what the profile and the command line say of a run, without looking at the hub."""
    if profile.device is not None:
        return device_startup.stated(profile, profile.device, options)
    large = options.large or profile.limits.large
    is_live = options.attach is None and (options.hub_url is not None or profile.launch is None)
    return Stated(
        claims=Claims(
            capabilities=profile.claims,
            timing=profile.timing,
            large=large,
            writes_twin=_writes_twin(profile.claims, profile.limits),
        ),
        messages=profile.limits.messages,
        workers=profile.limits.workers,
        named=is_live,
        makes_devices="registry" in profile.claims,
        unset=profile.unset,
        depth="live" if is_live and not options.thorough else "whole",
    )


def claims(target: Target, *, large: bool) -> Claims:
    """Return what must hold on a target; `large` is what the command line says."""
    return Claims(
        capabilities=target.capabilities,
        timing=target.timing,
        large=large or target.limits.large,
        clock=target.clock_known,
        writes_twin=_writes_twin(target.capabilities, target.limits),
    )


def _writes_twin(capabilities: Collection[str], limits: Limits | LimitsTable) -> bool:
    """Tell whether cases may write twins: of devices that the run makes, or where the profile says so."""
    return "registry" in capabilities or limits.writes_twin
