"""The suite's options: what they are, and in which runs there are any.

pytest loads the plugin in every run of an environment that has the suite installed, and other tests have
options of the same names, from a plugin (pytest-profiling has ``--profile``) or a conftest.py. Only a run of
the suite therefore gets them. Whose a run is must be known before pytest parses its command line, where two
options of one name end it: here it is read from the words of the command line.
"""

import argparse
import contextlib
import copy
import glob
import importlib.util
import os
import shlex
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

PACKAGE: Final = Path(__file__).resolve().parents[1]
DEFAULT_PROFILE: Final = "emulator"
# Of a run that names a ready file and no profile: what that file states.
ATTACHED_PROFILE: Final = "attached"
# These name a hub, so a run that has one is of the suite wherever it collects from.
_NAMING: Final = ("--profile", "--hub-url", "--attach")
# Where an option waits that took the place of another plugin's.
_APART: Final = "conformance_"

_SELECTING: Final[Mapping[str, tuple[str, str]]] = {
    "--clause": ("GLOB", "cases of the clauses whose id matches, such as 'd2c.*'"),
    "--section": ("NAME", "cases of one section, such as d2c"),
    "--level": ("LEVEL", "cases of clauses of one level: must, disputed, observe"),
    "--source": ("SOURCE", "cases of clauses from one source, such as document"),
}

# None has a default: whatever a run does not name is None, or False.
OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "--profile": {
        "metavar": "NAME|PATH",
        "help": f"the hub to judge (default: {DEFAULT_PROFILE}, or {ATTACHED_PROFILE} with --attach)",
    },
    "--hub-url": {
        "metavar": "mqtts://HOST:PORT",
        "help": "a hub that is already there; overrides [target]",
    },
    "--attach": {"metavar": "FILE", "help": "the ready file of a running emulator"},
    "--same-hub": {"metavar": "ID", "help": "judge the hub with this id of a report, and no other"},
    "--report-dir": {"metavar": "DIR", "help": "where the report goes (default: reports/PROFILE)"},
    "--timeout-factor": {"metavar": "N", "type": float, "help": "scales every timeout of the profile"},
    "--large": {"action": "store_true", "help": "run large cases on a live hub too"},
    "--thorough": {"action": "store_true", "help": "judge a live hub in all ways, as a launched one is"},
    "--no-preflight": {"action": "store_true", "help": "start with the cases at once, unchecked"},
    "--slowest": {"metavar": "N", "type": int, "help": "name the N slowest cases at the end"},
    "--shuffle": {
        "metavar": "SEED",
        "type": int,
        "help": "run the cases in another order, the seed's own",
    },
    "--explore": {
        "metavar": "N|TIME",
        "help": "play the first N scenarios, or further ones for so long, such as 10m",
    },
    "--scenario": {"metavar": "FILE", "help": "play the scenario of a file, and nothing else"},
    "--dry-run": {
        "action": "store_true",
        "help": "say what would run and what it would cost; run nothing",
    },
    **{
        name: {"metavar": metavar, "action": "append", "help": f"only {meaning} (repeatable)"}
        for name, (metavar, meaning) in _SELECTING.items()
    },
}


class Options:
    """The options of one run; `added` once the parser has them.

    `left_out` names plugins that have an option of the same name: the suite's own run does without them.
    """

    def __init__(self, config: pytest.Config, parser: pytest.Parser) -> None:
        self._config = config
        self._parser = parser
        self.added = False
        self.left_out: dict[str, str] = {}
        self._apart: Sequence[str] = ()

    @property
    def can_wait(self) -> bool:
        """Whether more plugins are to come: not where a conftest.py brought this one, behind all others."""
        known = getattr(self._config, "known_args_namespace", None)
        return known is None or known.confcutdir is None

    def taken(self) -> list[str]:
        """Return the options of which somebody else has one of the same name, or with the same place."""
        # There is no public way to ask: see tests/suite/test_options.py.
        theirs = [option for group in self._parser._groups for option in group.options]  # noqa: SLF001
        names = {name for option in theirs for name in (*option.names(), _name(option.dest))}
        return [name for name in OPTIONS if name in names]

    def add_if_taken(self, owner: str = "") -> None:
        """Take over what another plugin, `owner`, has added too: pytest would parse it as that one's."""
        taken = [] if self.added else self.taken()
        if taken and is_wanted(self._config, self._parser):
            self._add(taken, owner)

    def add_if_wanted(self) -> bool:
        """Add the options where they are not there yet, and this is a run of the suite; say whether."""
        if self.added or not is_wanted(self._config, self._parser):
            return False
        self._add(self.taken(), "")
        return True

    def _add(self, taken: Sequence[str], owner: str) -> None:
        self.added, self._apart = True, taken
        for name in taken:
            plugin = owner or _owner(name, self._config)
            if plugin:
                self.left_out.setdefault(plugin, name)
        parser = self._parser.optparser
        refuses, parser.conflict_handler = parser.conflict_handler, "resolve"  # a new group takes it over
        group = self._parser.getgroup("conformance", "conformance of an IoT hub")
        parser.conflict_handler = refuses
        for name, attributes in OPTIONS.items():
            apart = {"dest": f"{_APART}{_dest(name)}"} if name in taken else {}
            group.addoption(name, **attributes, **apart)

    def offer(self) -> None:
        """Add what is free, for somebody who asks pytest for help in another run."""
        group, taken = self._parser.getgroup("conformance", "conformance of an IoT hub"), self.taken()
        for name, attributes in OPTIONS.items():
            if name not in taken:
                group.addoption(name, **attributes)

    def parse_again(self, words: list[str]) -> None:
        """Let pytest know what stands behind an option before it looks for a conftest.py there."""
        known = self._config.known_args_namespace
        self._config.known_args_namespace = self._parser.parse_known_args(
            words, namespace=copy.copy(self._config.option)
        )
        self._config.known_args_namespace.confcutdir = known.confcutdir

    @property
    def names_a_hub(self) -> bool:
        """Whether the command line says which hub, once it is parsed."""
        return self.added and any(self._given(name) is not None for name in _NAMING)

    def settle(self) -> list[str]:
        """Leave out the plugins that have such options; return a line about each that says how to do it."""
        for name in OPTIONS:
            setattr(self._config.option, _dest(name), self._given(name))
        manager = self._config.pluginmanager
        there = {plugin: name for plugin, name in self.left_out.items() if manager.has_plugin(plugin)}
        for plugin in there:
            self._config.option.plugins.append(f"no:{plugin}")  # workers are handed it
            manager.consider_pluginarg(f"no:{plugin}")
        return [
            f"{name} is the suite's in this run, and the plugin '{plugin}', which has one too, is left out. "
            f"Do so yourself with: -p no:{plugin}"
            for plugin, name in there.items()
        ]

    def _given(self, name: str) -> Any:
        apart = _APART if name in self._apart else ""
        return getattr(self._config.option, apart + _dest(name))


def is_wanted(config: pytest.Config, parser: pytest.Parser) -> bool:
    """Say whether the words of a command line ask for the suite: they name a hub, or reach this package."""
    words = _words(config)
    own, others = _taken_apart(words)
    if any(word.startswith(f"{name}=") for name in _NAMING for word in words):
        return True
    if own.hub_url is not None or own.attach is not None:
        return True
    # Behind a space: another plugin's flag may stand before a place to collect from.
    if own.profile is not None and (
        own.profile.endswith(".toml") or not (_here(config) / own.profile.partition("::")[0]).exists()
    ):
        return True
    known = parser.parse_known_args(others, namespace=copy.copy(config.option))
    places = [*known.file_or_dir, *([own.profile] if own.profile else [])]
    if not places and config.rootpath == _here(config):
        places = [
            place
            for pattern in config.getini("testpaths")
            # Not `Path.glob`, which refuses an absolute path.
            for place in ([pattern] if known.pyargs else glob.glob(pattern, root_dir=_here(config)))  # noqa: PTH207
        ]
    return any(
        reaches_package(place, config, pyargs=known.pyargs) for place in places or [str(_here(config))]
    )


def reaches_package(argument: str, config: pytest.Config, *, pyargs: bool) -> bool:
    """Say whether collecting from an argument comes to a test of this package."""
    place = place_of(argument.partition("::")[0], config, pyargs=pyargs)
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


def place_of(text: str, config: pytest.Config, *, pyargs: bool) -> Path | None:
    """Return the file or folder that an argument means; None where it means none."""
    if pyargs and not Path(text).exists():
        try:
            found = importlib.util.find_spec(text)
        except (ImportError, ValueError):
            return None
        if found is None or found.origin is None:
            return None
        origin = Path(found.origin).resolve()
        return origin.parent if origin.name == "__init__.py" else origin
    return (_here(config) / text).resolve()


def _here(config: pytest.Config) -> Path:
    return config.invocation_params.dir


def _words(config: pytest.Config) -> list[str]:
    """Return the words of the environment, of the ini file and of the command line, as pytest joins them."""
    return [
        *config.getini("addopts"),
        *shlex.split(os.environ.get("PYTEST_ADDOPTS", "")),
        *map(str, config.invocation_params.args),
    ]


class _Careful(argparse.ArgumentParser):
    """A parser that leaves it to pytest to say what is wrong."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def _taken_apart(words: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return the suite's options, and all other words."""
    parser = _Careful(add_help=False, allow_abbrev=False, fromfile_prefix_chars="@")
    for name, attributes in OPTIONS.items():
        if attributes.get("action") == "store_true":
            parser.add_argument(name, action="store_true")
        else:
            parser.add_argument(name, nargs="?")
    try:
        return parser.parse_known_args(words)
    except ValueError:
        return parser.parse_args([]), list(words)


def _dest(name: str) -> str:
    return name.removeprefix("--").replace("-", "_")


def _name(dest: str) -> str:
    return "--" + dest.replace("_", "-")


def _owner(name: str, config: pytest.Config) -> str:
    """Return the plugin that has an option, by the name that ``-p no:`` takes; empty where none says so."""
    for hook in config.hook.pytest_addoption.get_hookimpls():
        asked = _Names()
        about = {"parser": asked, "pluginmanager": config.pluginmanager}
        with contextlib.suppress(Exception):  # one that wants more of a parser is not asked
            hook.function(*(about[argument] for argument in hook.argnames))
        if name in asked.names:
            return hook.plugin_name
    return ""


class _Names:
    """Stands in for a parser, and takes down the names of options alone."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def getgroup(self, *_: object, **__: object) -> "_Names":
        return self

    def addoption(self, *names: str, **attributes: Any) -> None:
        self.names |= {*names, _name(attributes.get("dest", ""))}

    _addoption = addoption

    def addini(self, *_: object, **__: object) -> None:
        """Take no key of an ini file down."""
