"""What every process of a run knows about it; plain enough to travel to an xdist worker."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import pytest

from conformance.errors import UsageError
from conformance.run.dependencies import Collaborators, Options, suite
from conformance.run.halves import Half
from conformance.run.options import ATTACHED_PROFILE, DEFAULT_PROFILE
from conformance.verdict.deviation import Deviation
from conformance.verdict.needs import Claims
from conformance.ways.depth import Depth

WORKER_INPUT: Final = "conformance"
USAGE_OUTPUT: Final = "conformance_usage"
PARTIAL_OUTPUT: Final = "conformance_partial"
ASKED_OUTPUT: Final = "conformance_asked"
SECRETS_OUTPUT: Final = "conformance_secrets"
STOPPED_NOTE: Final = "stopped.txt"


@dataclass(frozen=True, kw_only=True)
class RunState:
    """One run. `target` is what a bench needs to reach the hub, with secrets: never printed.

    `folder` is where processes leave notes for each other: what was collected, which devices exist;
    `messages` the most that the run may cost, None for any number; `half` the one that it judges, `depth` how
    many ways it looks at; `lanes` how many processes a worker is; `relays` where the readers of the run are
    heard, by the key of the profile that names their endpoint; `shut` the ways in which no session opened,
    and why; `allure` where allure-pytest writes the tests beside the suite, None where it writes nothing.
    """

    id: str
    profile: str
    claims: Claims
    target: dict[str, Any]
    folder: Path
    deviations: tuple[Deviation, ...] = ()
    today: str = ""
    messages: int | None = None
    half: Half = "hub"
    allure: str | None = None
    depth: Depth = "whole"
    shut: Mapping[str, str] = field(default_factory=dict)
    lanes: int = 1
    relays: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"RunState({self.id}, {self.profile})"

    def stopped(self) -> str | None:
        """Return why no further case may begin; None while the run goes on."""
        note = self.folder / STOPPED_NOTE
        return note.read_text(encoding="utf-8") if note.exists() else None

    def to_worker(self) -> str:
        """Return the state as a text, which xdist can send."""
        return json.dumps(
            {
                "id": self.id,
                "profile": self.profile,
                "capabilities": sorted(self.claims.capabilities),
                "timing": dict(self.claims.timing),
                "large": self.claims.large,
                "clock": self.claims.clock,
                "writes_twin": self.claims.writes_twin,
                "target": self.target,
                "folder": str(self.folder),
                "deviations": [asdict(each) for each in self.deviations],
                "today": self.today,
                "messages": self.messages,
                "half": self.half,
                "allure": self.allure,
                "depth": self.depth,
                "shut": dict(self.shut),
                "lanes": self.lanes,
                "relays": dict(self.relays),
            }
        )

    @classmethod
    def from_worker(cls, text: str) -> Self:
        """Return the state that `to_worker` wrote."""
        values = json.loads(text)
        return cls(
            id=values["id"],
            profile=values["profile"],
            claims=Claims(
                capabilities=frozenset(values["capabilities"]),
                timing=values["timing"],
                large=values["large"],
                clock=values["clock"],
                writes_twin=values["writes_twin"],
            ),
            target=values["target"],
            folder=Path(values["folder"]),
            deviations=tuple(Deviation(**each) for each in values["deviations"]),
            today=values["today"],
            messages=values["messages"],
            half=values["half"],
            allure=values["allure"],
            depth=values["depth"],
            shut=values["shut"],
            lanes=values["lanes"],
            relays=values["relays"],
        )


STATE: Final = pytest.StashKey[RunState]()
# How deep this run looks, in each process that collects.
DEPTH: Final = pytest.StashKey[Depth]()
# Of a test that only says why something is not done at this depth.
LEFT: Final = pytest.StashKey[bool]()


def stop(folder: Path, reason: str) -> None:
    """Let no further case of a run begin, in any process; `folder` is where its notes are."""
    note = folder / STOPPED_NOTE
    note.with_suffix(".new").write_text(reason, encoding="utf-8")
    note.with_suffix(".new").replace(note)  # whole, or not there


def collaborators(config: pytest.Config) -> Collaborators:
    """Return what this run works with."""
    return config.hook.pytest_conformance_collaborators() or suite()


def options(config: pytest.Config) -> Options:
    """Return the command line's words about the target, with the defaults filled in. Raises UsageError.

    An option without its value is a variable that a script forgot to set: it must not mean another hub.
    """
    given = config.option
    for name in ("profile", "report_dir", "same_hub"):
        value = getattr(given, name)
        if value is not None and not value.strip():
            spelling = "--" + name.replace("_", "-")
            raise UsageError(f"{spelling}: empty. Give it a value, or leave the option out.")
    if given.slowest is not None and given.slowest < 0:
        raise UsageError(f"--slowest {given.slowest}: less than none. Give the number of cases to name.")
    return Options(
        profile=given.profile or (DEFAULT_PROFILE if given.attach is None else ATTACHED_PROFILE),
        hub_url=given.hub_url,
        attach=given.attach,
        same_hub=given.same_hub,
        timeout_factor=1.0 if given.timeout_factor is None else given.timeout_factor,
        large=given.large,
        thorough=given.thorough,
        preflight=not given.no_preflight,
        dry=given.dry_run,
    )
