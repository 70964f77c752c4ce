"""The two halves of the suite: what a hub must do, in `hub/`, and what a device must do, in `devices/`.

A run judges one of them, as its profile says: a profile with a table ``[device]`` names a device, any other a
hub. A run is whole where it collects all of that half.
"""

from pathlib import Path
from typing import Any, Final, Literal, get_args

import pytest

from conformance.errors import UsageError
from conformance.run.options import place_of

Half = Literal["hub", "devices"]

# The half of this run, in each process that collects.
HALF: Final = pytest.StashKey[Half]()


def half_of(profile: Any) -> Half:
    """Return the half that a run on this profile judges."""
    return "hub" if getattr(profile, "device", None) is None else "devices"


def folder(package: Path, half: Half) -> Path:
    """Return where the cases of a half are: all of a package that is not divided."""
    own = package / half
    return own if own.is_dir() else package


def is_of_another(path: Path, package: Path, half: Half) -> bool:
    """Say whether a file or folder belongs to the half that this run does not judge."""
    others = {package / each for each in get_args(Half)} - {package / half}
    return not others.isdisjoint({path, *path.parents})


def check_places(config: pytest.Config, package: Path, half: Half) -> None:
    """Raise UsageError where an argument of the run names a part of the half that it does not judge."""
    for argument in config.args:
        place = place_of(argument.partition("::")[0], config, pyargs=config.option.pyargs)
        if place is not None and is_of_another(place, package, half):
            judges, named = ("hubs", "a device") if half == "devices" else ("devices", "a hub")
            raise UsageError(
                f"{argument}: judges {judges}, and the profile of this run names {named}. "
                "Name another profile, or leave out the path."
            )


def case_id(item: pytest.Item) -> str:
    """Return what of a test's node id is the same however the suite is started: ``test_x.py::test_y[z]``.

    That of a device's case begins with ``devices/``: both halves may have a module of one name.
    """
    half = f"{item.path.parent.name}/" if item.path.parent.name == "devices" else ""
    return f"{half}{item.path.name}::{item.nodeid.partition('::')[2]}"


def covers(place: Path, config: pytest.Config) -> bool:
    """Say whether one argument of the run is all of a folder, or a folder around it."""
    given = [place_of(argument, config, pyargs=config.option.pyargs) for argument in config.args]
    return any(each is not None and (each == place or each in place.parents) for each in given)
