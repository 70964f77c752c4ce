"""Reach the hub that a run judges: launch it, attach to it, or take the profile's word for where it is.

`settle` puts the target together and is pure; `open_target` does what it takes before.
"""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from conformance.errors import ProfileError, TargetUnreachable, UsageError
from conformance.profile.loading import CAPABILITIES, Profile
from conformance.profile.values import holds_certificates
from conformance.target import launch, ready
from conformance.target.certificates import DeviceAuthority
from conformance.target.credentials import ConnectionString, Identity
from conformance.target.fingerprint import fingerprint
from conformance.target.host_names import for_devices
from conformance.target.ready import ReadyFile
from conformance.target.target import Limits, Origin, Ports, ServiceAccess, Target, Timeouts

# An embedded hub has every consumer group that is asked for: these serve eighty workers.
EMBEDDED_GROUPS: Final = ("$Default", *(f"conformance-{number}" for number in range(2, 17)))

# Capabilities of the service side, and the connection string that each cannot do without.
_NEEDED_STRINGS: Final = {
    "registry": "connection-string",
    "telemetry": "events-connection-string",
    "routing": "routed-events-connection-string",
}

_NO_AUTHORITY: Final = (
    "'x509-ca' is stated and not claimed: nothing says which authority signs devices. Say so under "
    "[device-authority], in a profile that extends this one."
)


@dataclass(frozen=True)
class HubUrl:
    """``--hub-url mqtts://HOST:PORT``."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take the option apart; raises UsageError."""
        match = re.fullmatch(
            r"mqtts://(?P<host>[^\s:/@\[\]]+|\[[0-9a-fA-F:]+\])(?::(?P<port>\d{1,5}))?/?", text
        )
        port = int(match["port"] or 8883) if match else 0
        if match is None or not 0 < port < 65536:  # noqa: PLR2004 - TCP's range of ports
            raise UsageError(
                f"--hub-url {text}: not of the form mqtts://HOST:PORT. Give the MQTT port of the hub."
            )
        return cls(match["host"].strip("[]"), port)


class OpenedTarget:
    """A hub that is there, and its id. `stop` ends it if, and only if, this run launched it.

    `remarks` say what of the profile something else took the place of.
    """

    def __init__(
        self,
        target: Target,
        same_hub: str,
        launched: launch.LaunchedHub | None = None,
        remarks: tuple[str, ...] = (),
    ) -> None:
        self.target = target
        self.same_hub = same_hub
        self.remarks = remarks
        self._launched = launched

    @property
    def pid(self) -> int | None:
        """The process id of a launched hub."""
        return None if self._launched is None else self._launched.pid

    def trouble(self) -> str | None:
        """Say how a launched hub ended by itself; None while all is well."""
        return None if self._launched is None else self._launched.trouble()

    def crashed(self) -> bool:
        """Tell whether a launched hub wrote tracebacks."""
        return self._launched is not None and self._launched.crashed()

    def stop(self) -> None:
        """End a launched hub; anything else is left alone. May be called twice."""
        launched, self._launched = self._launched, None
        if launched is not None:
            launched.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def open_target(
    profile: Profile,
    *,
    attach: str | None = None,
    hub_url: str | None = None,
    deadline: float = launch.START_DEADLINE,
) -> OpenedTarget:
    """Launch the profile's hub, or attach to the one that `attach` or `hub_url` name.

    `attach` is the path of a ready file; `deadline` how many seconds a launched hub may take to get ready.
    """
    if attach is not None and hub_url is not None:
        raise UsageError("--attach and --hub-url: both say where the hub is. Give one of them.")
    if attach is not None:
        option = f"--attach {attach}"
        file = ready.read(Path(attach), option=option)
        target = _trusted(settle(profile, overlay=file, origin="attached", option=option), option)
        return OpenedTarget(target, fingerprint(target, profile), remarks=set_aside(profile, target, option))
    if hub_url is not None or profile.launch is None:
        url = None if hub_url is None else HubUrl.parse(hub_url)
        target = settle(profile, url=url)
        return OpenedTarget(
            target, fingerprint(target, profile), remarks=set_aside(profile, target, f"--hub-url {hub_url}")
        )
    return _launch(profile, (*profile.launch.command, *profile.launch.arguments), deadline)


def stated_by_hub(profile: Profile, *, attach: str | None) -> Profile:
    """Return the profile with what a hub's ready file states, where that is what it claims.

    What cannot be tried without a table of the profile is left out, and `left_out` says so. A capability of a
    later hub is unknown and no claim. Raises UsageError where no ready file is named, and what `ready.read`
    raises.
    """
    if not profile.claims_what_is_stated:
        return profile
    if attach is None:
        raise UsageError(
            f"--profile {profile.name}: claims what the ready file of a running hub states. "
            "Name that file: --attach=ready.json"
        )
    file = ready.read(Path(attach), option=f"--attach {attach}")
    claims = frozenset(CAPABILITIES).intersection(file.capabilities)
    left_out = {"x509-ca": _NO_AUTHORITY} if profile.device_authority is None else {}
    return dataclasses.replace(
        profile,
        claims=claims - set(left_out),
        timing={**profile.timing, **file.timing},
        left_out=tuple(why for claim, why in left_out.items() if claim in claims),
    )


def settle(
    profile: Profile,
    *,
    overlay: ReadyFile | None = None,
    url: HubUrl | None = None,
    origin: Origin = "named",
    option: str = "",
    device_authority: DeviceAuthority | None = None,
) -> Target:
    """Put the target together: the ready file overlays the profile, and so does the command line.

    `option` names, in a message, where the ready file came from; `device_authority` is one that the run made
    for the hub. Raises ProfileError with all problems.
    """
    service = _service(profile, overlay)
    devices = _devices(profile, overlay)
    authority = device_authority or _device_authority(profile)
    found = [
        *_unstated(profile, overlay, option),
        *_unusable(profile, service, authority),
        *_unknown(profile, devices, option),
        *(_elsewhere(profile, overlay) if overlay is not None and origin == "launched" else ()),
    ]
    host = _host(profile, overlay, url, service)
    if host is None:
        found.append(f"{profile.file}: [target] host: missing, and no connection string names it. Add it.")
    if found or host is None:
        raise ProfileError(found)
    return Target(
        profile=profile.name,
        name=_name(profile, overlay, url, origin),
        host=host,
        ports=_ports(profile, overlay, url, service),
        ca_file=_ca_file(profile, overlay),
        service=service,
        identities=tuple(
            Identity(
                device_id=string.device_id or "",
                module_id=string.module_id,
                primary_key=string.key,
                secondary_key=table.secondary_key,
            )
            for table, string in zip(profile.identities, devices, strict=True)
            if string is not None
        ),
        capabilities=profile.claims,
        timing=profile.timing if overlay is None else {**profile.timing, **overlay.timing},
        timeouts=Timeouts(**profile.timeouts.model_dump()),
        limits=Limits(**profile.limits.model_dump(exclude={"messages"})),
        edition=None if overlay is None else overlay.edition,
        version=None if origin == "attached" or url is not None else profile.target.version,
        origin=origin,
        clock_known=profile.target.clock is not None,
        device_authority=authority,
        address=_address(profile, overlay, url),
        device_host=None if overlay is None else overlay.device_host,
    )


def set_aside(profile: Profile, target: Target, instead: str) -> tuple[str, ...]:
    """Say what [target] states of where the hub is, and is not used: `instead` says it otherwise."""
    table = profile.target
    used = {"host": target.host, "address": target.address}
    keys = [f"[target] {key}" for key, value in used.items() if getattr(table, key) not in {None, value}]
    keys += [
        f"[target.ports] {key}"
        for key in sorted(table.ports.model_fields_set)
        if getattr(table.ports, key) != getattr(target.ports, key)
    ]
    if not keys:
        return ()
    return (f"{profile.file}: {', '.join(keys)}: not used, since {instead} says otherwise",)


def _device_authority(profile: Profile) -> DeviceAuthority | None:
    table = profile.device_authority
    if table is not None and profile.unset:
        return DeviceAuthority.new()  # its key may be what is not set, and nothing is signed
    return None if table is None else DeviceAuthority(table.certificate, table.key)


def _devices(profile: Profile, overlay: ReadyFile | None) -> list[ConnectionString | None]:
    """Return the connection string of each [[identity]]; None for one that no ready file holds."""
    return [
        string
        if isinstance(string, ConnectionString)
        else (None if overlay is None else overlay.device(string.device_id))
        for string in (table.connection_string for table in profile.identities)
    ]


def _unknown(profile: Profile, devices: list[ConnectionString | None], option: str) -> list[str]:
    """Name each "ready:ID" that this hub did not begin with."""
    where = option or profile.file
    return [
        f"{where}: the hub did not begin with a device '{table.connection_string.device_id}', which "
        f"[[identity]] number {number} of {profile.file} names. Start an embedded hub with --device for it."
        for number, (table, string) in enumerate(zip(profile.identities, devices, strict=True), start=1)
        if string is None
    ]


def _elsewhere(profile: Profile, overlay: ReadyFile) -> list[str]:
    """Name each ready-made device of another hub than the one that [launch] started."""
    names = {overlay.host, *overlay.host_names}
    return [
        f"{profile.file}: [[identity]] number {number} is a device of {table.connection_string.host}, and "
        "[launch] starts a hub of its own. Leave out [launch]; where extends brings it, copy that profile."
        for number, table in enumerate(profile.identities, start=1)
        if isinstance(table.connection_string, ConnectionString) and table.connection_string.host not in names
    ]


def _launch(profile: Profile, command: tuple[str, ...], deadline: float) -> OpenedTarget:
    place = f"{profile.file}: [launch] command"
    authority = _device_authority(profile)
    if authority is None and launch.wants_device_ca(command):
        authority = DeviceAuthority.new()
    launched = launch.launch(
        command,
        timing=profile.timing,
        device_ca="" if authority is None else authority.pem,
        place=place,
        deadline=deadline,
    )
    try:
        overlay = ready.parse(launched.ready, option=place)
        settled = settle(
            profile, overlay=overlay, origin="launched", option=place, device_authority=authority
        )
        target = _trusted(settled, place)
        return OpenedTarget(
            target, fingerprint(target, profile), launched, set_aside(profile, target, "the ready file")
        )
    except BaseException:
        launched.stop()
        raise


def _trusted(target: Target, option: str) -> Target:
    """Return a target whose CA file holds a certificate: an embedded hub takes its own away when it ends."""
    if target.ca_file is not None and not holds_certificates(target.ca_file):
        raise TargetUnreachable(
            f"{option}: no certificate in its ca_file, {target.ca_file}. Start the hub, if it has ended, and "
            "name the ready file that it writes then."
        )
    return target


def _service(profile: Profile, overlay: ReadyFile | None) -> ServiceAccess | None:
    if profile.identities and profile.service is None:
        return (
            None  # ready-made devices alone: such a target has no service side, whatever a ready file offers
        )
    groups = EMBEDDED_GROUPS if profile.service is None else profile.service.consumer_groups
    if overlay is not None:
        return ServiceAccess(
            hub=overlay.service(),
            events=overlay.events(),
            consumer_groups=groups,
            routed=overlay.routed_events(),
        )
    if profile.service is None:
        return None
    strings = profile.service
    return ServiceAccess(
        hub=strings.connection_string,
        events=strings.events_connection_string,
        consumer_groups=groups,
        routed=strings.routed_events_connection_string,
    )


def _unstated(profile: Profile, overlay: ReadyFile | None, option: str) -> list[str]:
    """Name each claim that the hub itself does not state."""
    if overlay is None:
        return []
    remedy = "Remove" if profile.launch is None else "Start it with the options of [launch], or remove"
    otherwise = ", or leave out --profile" if option.startswith("--attach") else ""
    return [
        f"{option}: the profile '{profile.name}' claims '{claim}', which this hub does not state. "
        f"{remedy} the claim in {profile.file}{otherwise}."
        for claim in sorted(profile.claims - set(overlay.capabilities))
    ]


def _unusable(
    profile: Profile, service: ServiceAccess | None, authority: DeviceAuthority | None
) -> list[str]:
    """Name what no case could use: a claim without its connection string, a hub without any device."""
    missing = {
        "connection-string": service is None,
        "events-connection-string": service is None or service.events is None,
        "routed-events-connection-string": service is None or service.routed is None,
    }
    found = [
        f"{profile.file}: [claims] '{claim}' needs [service] {key}. Add it, remove the claim, or --attach."
        for claim, key in _NEEDED_STRINGS.items()
        if claim in profile.claims and missing[key]
    ]
    if "x509-ca" in profile.claims and authority is None:
        found.append(
            f"{profile.file}: [claims] 'x509-ca' needs [device-authority]: certificate and key of an "
            "authority that this hub trusts for devices. Add it, or remove the claim."
        )
    if "registry" not in profile.claims and not profile.identities:
        found.append(
            f"{profile.file}: no devices: 'registry' is not claimed and there is no [[identity]]. Add either."
        )
    return found


def _host(
    profile: Profile, overlay: ReadyFile | None, url: HubUrl | None, service: ServiceAccess | None
) -> str | None:
    """Return the hub's name: of the command line, the ready file, the profile, or its connection strings."""
    strings: list[ConnectionString] = [] if service is None else [service.hub]
    strings += [string for string in _devices(profile, overlay) if string is not None]
    named = [
        None if url is None else url.host,
        None if overlay is None else overlay.host,
        profile.target.host,
        *(for_devices(string.host) for string in strings),
    ]
    return next((host for host in named if host is not None), None)


def _address(profile: Profile, overlay: ReadyFile | None, url: HubUrl | None) -> str | None:
    """Return the address of the host that was chosen, where something gives it one."""
    if url is not None:
        return None
    return profile.target.address if overlay is None else overlay.address


def _name(profile: Profile, overlay: ReadyFile | None, url: HubUrl | None, origin: Origin) -> str:
    """Return the profile's name for its own hub; of another hub it knows nothing."""
    if origin == "attached":
        return "attached hub" if overlay is None or overlay.name is None else overlay.name
    return profile.target.name if url is None else "hub of --hub-url"


def _ports(
    profile: Profile, overlay: ReadyFile | None, url: HubUrl | None, service: ServiceAccess | None
) -> Ports:
    ports = Ports(**(profile.target.ports if overlay is None else overlay.ports).model_dump())
    # A ready file tells it, or [target.ports]; else a connection string that names a port is as good.
    stated = overlay is not None or "https" in profile.target.ports.model_fields_set
    own_https = None if stated or service is None else service.hub.port
    return Ports(
        mqtt=ports.mqtt if url is None else url.port,
        https=ports.https if own_https is None else own_https,
        amqp=ports.amqp,
        plain=ports.plain,
    )


def _ca_file(profile: Profile, overlay: ReadyFile | None) -> str | None:
    if overlay is not None:
        return overlay.ca_file
    return None if profile.target.trust == "system" else profile.target.trust
