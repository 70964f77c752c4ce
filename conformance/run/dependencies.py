"""What a run works with, in one place, so that the suite's own tests can put something smaller there.

The defaults import what they need when they are called: the controller of a distributed run needs no device
side.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from conformance.documents import catalogue
from conformance.documents.catalogue import Catalogue
from conformance.documents.document import Statement as Sentence
from conformance.run.halves import Half
from conformance.run.orders import Need
from conformance.verdict.needs import Claims
from conformance.ways.depth import Depth

# On a hub 80 ms away, processes spend so many times as long waiting as working, and more.
LANES: Final = 3
# As many in all as two for each of eight processors are, `plugin.workers_for`.
MOST_PROCESSES: Final = 16

PACKAGE: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Options:
    """The command line, as far as it says something about the target.

    `told` hands a line to whoever started the run.
    """

    profile: str
    hub_url: str | None = None
    attach: str | None = None
    same_hub: str | None = None
    timeout_factor: float = 1.0
    large: bool = False
    thorough: bool = False
    preflight: bool = True
    dry: bool = False
    told: Callable[[str], None] = field(default=lambda _line: None, compare=False)


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What a profile and the command line alone say of a run, whatever the hub is like.

    `claims` is what must hold, `messages` how many it may cost and `workers` how many it may have, None for
    any number; `depth` how many of the further ways it looks at. `named`: the hub is neither launched nor
    attached to; `makes_devices`: it has a registry that the run may ask. `unset` are variables of
    the environment that a run needs.
    """

    claims: Claims = field(default_factory=Claims)
    messages: int | None = None
    workers: int | None = None
    depth: Depth = "whole"
    named: bool = False
    makes_devices: bool = False
    unset: tuple[str, ...] = ()

    def lanes(self, workers: int) -> int:
        """Return how many processes each of so many workers is: on a hub that is named, cases mostly wait."""
        return max(min(LANES, MOST_PROCESSES // workers), 1) if self.named and workers > 1 else 1


class OpenTarget(Protocol):
    """A hub that is there: launched, attached to, or named by the profile.

    `profile` is the profile's name; `description` is what reports say about the hub (name, host, ports,
    edition): no secret; `same_hub` is its id for --same-hub; `workers` is the most that the target admits;
    `remarks` are warnings of the preflight; `shut` says in which ways, of those that the target claims, no
    session opened, and why.
    """

    profile: str
    same_hub: str
    description: Mapping[str, Any]
    claims: Claims
    workers: int | None
    remarks: tuple[str, ...]
    shut: Mapping[str, str]

    def trouble(self) -> str | None:
        """Say how a launched hub ended by itself; None while all is well."""

    def crashed(self) -> bool:
        """Tell whether a launched hub wrote tracebacks."""

    def unanswered(self) -> str | None:
        """Make the preflight's connection again: say why nobody answers, None where the hub does."""

    def to_json(self) -> dict[str, Any]:
        """Return all that a worker needs to reach the hub, secrets included, as plain values."""

    def delete_identities(self, ids: list[str]) -> None:
        """Delete devices that a worker left behind."""

    def clear_twins(self, ids: list[str], run: str) -> None:
        """Take away what a worker of a run left in twins of ready-made devices."""

    def share_readers(self, folder: Path) -> Mapping[str, str]:
        """Read telemetry for all workers, until the target is closed; return where they hear it."""

    def close(self) -> None:
        """Stop the hub, if this run launched it. May be called twice."""


class Bench(Protocol):
    """What one worker works with: reactor, service, identities."""

    def close(self) -> None:
        """Delete the worker's devices and end its threads."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which worker of which run a bench belongs to, `number` of `workers`.

    `prefix` begins every name that it makes up.
    `folder` is where the processes of the run leave notes for each other, None where there is one alone;
    `journal` lists the devices that it made, `twin_journal` the ready-made ones whose twins it has written;
    `needs` is what each of the cases needs of the registry, in the order in which they run; `relays` is where
    the readers of the run are heard.
    """

    run: str
    worker: str
    number: int
    workers: int
    prefix: str
    journal: Path
    twin_journal: Path
    needs: Sequence[Need] = ()
    relays: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Collaborators:
    """The parts of a run that a test of the suite may replace.

    `package` is the folder whose tests are cases: each must cite a clause, and selecting less than all of
    it makes a run partial. `check_place` says what is wrong with where the hub is, without reaching it.
    """

    package: Path
    load_catalogue: Callable[[], Catalogue]
    load_profile: Callable[[Options], Any]
    open_target: Callable[[Any, Options], OpenTarget]
    open_bench: Callable[[Mapping[str, Any], Place], Bench]
    stated: Callable[[Any, Options], Stated] = lambda _profile, _options: Stated()
    check_place: Callable[[Any, Options], None] = lambda _profile, _options: None
    load_sentences: Callable[[], Sequence[Sentence]] = tuple
    load_device_catalogue: Callable[[], Catalogue] | None = None

    def catalogue(self, half: Half) -> Catalogue:
        """Return the clauses of a half; a suite that is not divided has one catalogue."""
        is_devices = half == "devices" and self.load_device_catalogue is not None
        return (self.load_device_catalogue or self.load_catalogue)() if is_devices else self.load_catalogue()


def suite() -> Collaborators:
    """Return the suite's own parts."""
    return Collaborators(
        package=PACKAGE,
        load_catalogue=catalogue.load,
        load_device_catalogue=lambda: catalogue.load(catalogue.DEVICE_CLAUSES),
        load_sentences=lambda: _call("conformance.documents.document", "load").statements,
        load_profile=lambda options: _call("conformance.run.startup", "load_profile", options),
        stated=lambda profile, options: _call("conformance.run.startup", "stated", profile, options),
        check_place=lambda profile, options: _call(
            "conformance.run.startup", "check_place", profile, options
        ),
        open_target=lambda profile, options: _call("conformance.run.startup", "reach", profile, options),
        open_bench=lambda target, place: _call("conformance.run.bench", "open_bench", target, place),
    )


def _call(module: str, function: str, *arguments: object) -> Any:
    return getattr(import_module(module), function)(*arguments)
