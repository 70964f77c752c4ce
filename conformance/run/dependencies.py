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
from conformance.run.orders import Order
from conformance.verdict.needs import Claims
from conformance.ways.depth import Depth

PACKAGE: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Options:
    """The command line, as far as it says something about the target."""

    profile: str
    hub_url: str | None = None
    attach: str | None = None
    same_hub: str | None = None
    timeout_factor: float = 1.0
    large: bool = False
    thorough: bool = False
    preflight: bool = True


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What a profile and the command line alone say of a run, whatever the hub is like.

    `claims` is what must hold, `messages` how many it may cost and `workers` how many it may have, None for
    any number; `depth` how many of the further ways it looks at. `named`: the hub is neither launched nor
    attached to; `makes_devices`: it has a registry that the run may ask.
    """

    claims: Claims = field(default_factory=Claims)
    messages: int | None = None
    workers: int | None = None
    depth: Depth = "whole"
    named: bool = False
    makes_devices: bool = False


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
    `journal` lists the devices that it made, `twin_journal` the ready-made ones whose twins it has written;
    `orders` is how many identities of each kind its cases are likely to need.
    """

    run: str
    worker: str
    number: int
    workers: int
    prefix: str
    journal: Path
    twin_journal: Path
    orders: Mapping[Order, int] = field(default_factory=dict)


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


def suite() -> Collaborators:
    """Return the suite's own parts."""
    return Collaborators(
        package=PACKAGE,
        load_catalogue=catalogue.load,
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
