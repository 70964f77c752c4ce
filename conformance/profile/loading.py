"""Find and read a profile: where a hub is, what it claims, how tests act as its back end.

A profile is a TOML file; ``profiles/README.md`` explains every key. Whatever is not understood stops the run,
with all problems at once (`ProfileError`). Nothing secret is written in one: "env:NAME" is read from the
environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from conformance.documents.catalogue import CAPABILITIES
from conformance.errors import ProfileError
from conformance.profile import inheritance, problems
from conformance.profile.tables import (
    DeviationTable,
    DeviceAuthorityTable,
    DeviceTable,
    IdentityTable,
    LaunchTable,
    Limits,
    ProfileFile,
    ServiceTable,
    TargetTable,
    Timeouts,
)
from conformance.profile.values import TIMINGS, Reading
from conformance.verdict.deviation import Deviation

__all__ = ["CAPABILITIES", "DEFAULT_PROFILE", "TIMINGS", "Profile", "find", "known", "load"]

DEFAULT_PROFILE: Final = "emulator"

_PACKAGE: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A profile as it was read: every key checked, every "env:NAME" resolved, every timeout scaled.

    `file` is its path as a message shows it, `argument` what --profile takes in any folder; `is_shipped`: it
    came with the suite, so nothing about it depends on the working directory. `variables` are the names,
    never the values, that were read from the environment, `unset` those for which something stands in.
    `claims_what_is_stated`: `claims` is for the hub's ready file to say, and empty; `left_out` says of what
    that file states why it is not claimed.
    `device` is what is judged; None: the hub is.
    """

    name: str
    file: str
    argument: str
    is_shipped: bool
    target: TargetTable
    launch: LaunchTable | None
    service: ServiceTable | None
    identities: tuple[IdentityTable, ...]
    device_authority: DeviceAuthorityTable | None
    claims: frozenset[str]
    device: DeviceTable | None
    timeouts: Timeouts
    timing: dict[str, float]
    limits: Limits
    deviations: tuple[Deviation, ...]
    variables: tuple[str, ...]
    claims_what_is_stated: bool = False
    left_out: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()


def load(
    name_or_path: str = DEFAULT_PROFILE,
    *,
    environment: Mapping[str, str] | None = None,
    timeout_factor: float = 1.0,
    stands_in: bool = False,
) -> Profile:
    """Read a profile by name, or by path if it ends in ``.toml`` or holds a slash.

    `timeout_factor` scales every timeout; `stands_in` lets something stand for variables that are not set,
    where nothing is done with it. Raises ProfileError with all problems of the file, one line each.
    """
    if not 0 < timeout_factor <= 1000:  # noqa: PLR2004 - a run that waits a thousandfold is a slip of the keyboard
        raise ProfileError("--timeout-factor: must be above 0 and at most 1000, for example 2.")
    path = find(name_or_path)
    is_shipped = _shipped().get(path.stem, Path()).resolve() == path.resolve()
    reading = Reading(os.environ if environment is None else environment, path.parent, stands_in)
    try:
        read = ProfileFile.model_validate(contents(path), context=reading)
    except ValidationError as error:
        raise ProfileError(problems.lines(_shown(path), error, ProfileFile)) from None
    return Profile(
        name=path.stem,
        file=_shown(path),
        argument=path.stem if is_shipped else str(path.resolve()),
        is_shipped=is_shipped,
        target=read.target,
        launch=read.launch,
        service=read.service,
        identities=read.identity,
        device_authority=read.device_authority,
        claims=frozenset(read.claims.capabilities),
        claims_what_is_stated=read.claims.stated,
        device=read.device,
        timeouts=_scaled(read.timeouts, timeout_factor),
        timing=read.timing.stated(),
        limits=read.limits,
        deviations=tuple(map(_deviation, read.deviation)),
        variables=tuple(dict.fromkeys(reading.names_read)),
        unset=tuple(dict.fromkeys(reading.names_unset)),
    )


def _deviation(table: DeviationTable) -> Deviation:
    return Deviation(
        clause=table.clause,
        case=table.case,
        observed=table.observed,
        reason=table.reason,
        since=table.since.isoformat(),
        expires=table.expires.isoformat(),
        link=table.link,
    )


def find(name_or_path: str) -> Path:
    """Return the file of a profile; raises ProfileError naming the known ones."""
    if not _is_name(name_or_path):
        path = Path(name_or_path)
        if not path.is_file():
            raise ProfileError(
                f"--profile {name_or_path}: no such file. Give the path of a TOML file, or a name."
            )
        return path
    profiles = known()
    if name_or_path not in profiles:
        hint = (
            problems.did_you_mean(name_or_path, profiles)
            if profiles
            else "there is no folder profiles/ here."
        )
        raise ProfileError(f"--profile {name_or_path}: unknown profile; {hint}")
    return profiles[name_or_path]


def known() -> dict[str, Path]:
    """Return what a name can mean: a file in ./profiles, else one that came with the suite."""
    return dict(sorted((_shipped() | _profiles_in(Path("profiles"))).items()))


def _shipped() -> dict[str, Path]:
    """Return the profiles that came with the suite: in the checkout, or in the package."""
    checkout = _PACKAGE.parent
    found = _profiles_in(_PACKAGE / "profiles")
    return found | _profiles_in(checkout / "profiles") if (checkout / "pyproject.toml").is_file() else found


def _profiles_in(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in folder.glob("*.toml")}


def contents(path: Path) -> dict[str, Any]:
    """Return what a profile says, unchecked, with what it takes over from the one that it extends."""
    return inheritance.read(path, _shown(path), _find_from)


def _find_from(name: str, folder: Path) -> Path:
    """Return the file that ``extends`` means: a path relative to the profile, a neighbour, a known name."""
    path = folder / (name if name.endswith(".toml") else f"{name}.toml")
    if path.is_file():
        return path
    profiles = known()
    if name in profiles:
        return profiles[name]
    raise ProfileError(f"extends '{name}': no such profile; {problems.did_you_mean(name, profiles)}")


def _scaled(timeouts: Timeouts, factor: float) -> Timeouts:
    return Timeouts.model_construct(
        connect=timeouts.connect * factor,
        reaction=timeouts.reaction * factor,
        silence=timeouts.silence * factor,
        will_silence=timeouts.will_silence * factor,
        settling=timeouts.settled * factor,
    )


def _is_name(name_or_path: str) -> bool:
    return not name_or_path.endswith(".toml") and "/" not in name_or_path and os.sep not in name_or_path


def _shown(path: Path) -> str:
    """Write a path relative to the working directory where it lies below it."""
    absolute = path.resolve()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(path)
