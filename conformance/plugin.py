"""pytest's face: the options, and whether this run is a conformance run at all.

pytest loads this module in every run of an environment that has the suite installed. It therefore imports
nothing heavy, and does nothing unless the run names a profile or collects from this package. The work is
done by two more plugins in `conformance.running`, registered only then: `controller` once, `runner` in each
process that runs cases.
"""

import importlib.util
import itertools
import sys
from collections.abc import Generator
from fnmatch import fnmatch
from pathlib import Path
from typing import Final, NoReturn

import pytest

# Before anything imports them: a plain assert in the suite's own modules then says what it compared.
pytest.register_assert_rewrite(
    "conformance.device",
    "conformance.evidence",
    "conformance.running.c2d_fixtures",
    "conformance.running.fixtures",
    "conformance.service",
)

PACKAGE: Final = Path(__file__).resolve().parent
DEFAULT_PROFILE: Final = "emulator"


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the suite's hook."""
    from conformance.running import hooks  # noqa: PLC0415 - pytest registers assertion rewriting above first

    pluginmanager.add_hookspecs(hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options. None has a default here: a run that names none of them is not ours."""
    group = parser.getgroup("conformance", "conformance of an IoT hub")
    group.addoption("--profile", metavar="NAME|PATH", help=f"the hub to judge (default: {DEFAULT_PROFILE})")
    group.addoption(
        "--hub-url", metavar="mqtts://HOST:PORT", help="a hub that is already there; overrides [target]"
    )
    group.addoption("--attach", metavar="FILE", help="the ready file of a running emulator")
    group.addoption("--report-dir", metavar="DIR", help="where the report goes (default: reports/PROFILE)")
    group.addoption("--timeout-factor", metavar="N", type=float, help="scales every timeout of the profile")
    group.addoption("--large", action="store_true", help="run large cases on a live hub too")
    group.addoption("--no-preflight", action="store_true", help="start with the cases at once, unchecked")
    group.addoption("--slowest", metavar="N", type=int, help="name the N slowest cases at the end")
    group.addoption(
        "--shuffle", metavar="SEED", type=int, help="run the cases in another order, the seed's own"
    )
    group.addoption(
        "--dry-run", action="store_true", help="say what would run and what it would cost; run nothing"
    )
    for option, metavar, meaning in (
        ("--clause", "GLOB", "cases of the clauses whose id matches, such as 'd2c.*'"),
        ("--section", "NAME", "cases of one section, such as d2c"),
        ("--level", "LEVEL", "cases of clauses of one level: must, disputed, observe"),
        ("--source", "SOURCE", "cases of clauses from one source, such as document"),
    ):
        group.addoption(option, metavar=metavar, action="append", help=f"only {meaning} (repeatable)")


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Register the suite's plugins, if this is its run, before xdist settles how to distribute."""
    if not (config.option.help or config.option.version) and is_conformance_run(config):
        _refuse_misread_option(config)
        worker = hasattr(config, "workerinput")
        if config.option.dry_run and not worker:
            config.option.numprocesses, config.option.tx, config.option.dist = None, [], "no"
        distributed = bool(config.getoption("numprocesses", None) or config.getoption("tx", None))
        if distributed and config.option.dist == "no":
            config.option.dist = "worksteal"  # cases differ in length a hundredfold
        config.pluginmanager.import_plugin("conformance.running.runner")
        if not worker:  # behind the runner, so that it is configured first: it says what is wrong
            config.pluginmanager.import_plugin("conformance.running.controller")
    try:
        return (yield)
    except pytest.UsageError as error:
        message, *own_code = error.args
        if not own_code:
            raise
        say_error(message)
        return own_code[0]


def refuse(message: str, exit_code: int) -> NoReturn:
    """End the run before it begins: a usage error to pytest, with the suite's own exit code."""
    raise pytest.UsageError(message, exit_code) from None


def say_error(message: str) -> None:
    """Write a message as pytest writes its usage errors, each line by itself."""
    for line in message.splitlines():
        sys.stderr.write(f"ERROR: {line}\n")


def is_conformance_run(config: pytest.Config) -> bool:
    """Say whether the run names a profile or collects from this package."""
    if hasattr(config, "workerinput"):
        return "conformance" in config.workerinput
    named = (config.option.profile, config.option.hub_url, config.option.attach)
    return any(word is not None for word in named) or any(
        _reaches_package(argument, config) for argument in config.args
    )


def _refuse_misread_option(config: pytest.Config) -> None:
    """Refuse a path that pytest took for a place to collect from, before it knew the suite's options."""
    here, words = config.invocation_params.dir, [str(word) for word in config.invocation_params.args]
    for option, value in itertools.pairwise(words):
        path = (here / value).resolve()
        if option in {"--profile", "--attach", "--report-dir"} and path.exists() and here not in path.parents:
            raise pytest.UsageError(
                f"{option} {value}: behind a space, pytest takes a path elsewhere for the root of its tests. "
                f"Write {option}={value}"
            )


def covers(package: Path, config: pytest.Config) -> bool:
    """Say whether one argument of the run is all of a package, or a folder around it."""
    places = [_place(argument, config) for argument in config.args]
    return any(place is not None and (place == package or place in package.parents) for place in places)


def _reaches_package(argument: str, config: pytest.Config) -> bool:
    place = _place(argument.partition("::")[0], config)
    if place is None:
        return False
    if place == PACKAGE or PACKAGE in place.parents:
        return True
    # A folder around the package: only if pytest would walk down to it. It does not enter a virtual
    # environment.
    ignored = config.getini("norecursedirs")
    between = [folder for folder in (PACKAGE, *PACKAGE.parents) if place in folder.parents]
    return place in PACKAGE.parents and not any(
        (folder / "pyvenv.cfg").exists() or any(fnmatch(folder.name, pattern) for pattern in ignored)
        for folder in between
    )


def _place(text: str, config: pytest.Config) -> Path | None:
    if config.option.pyargs and not Path(text).exists():
        try:
            found = importlib.util.find_spec(text)
        except (ImportError, ValueError):
            return None
        if found is None or found.origin is None:
            return None
        origin = Path(found.origin).resolve()
        return origin.parent if origin.name == "__init__.py" else origin
    return (config.invocation_params.dir / text).resolve()
