"""Scenarios as tests: one item for each, dealt like all others, and what becomes of one that fails.

A rule that a scenario breaks is a breach of the clause that the rule cites, as with the watch. A failure is
played again with new identities; if it fails alike, actions are left out as long as it does. The shortest
that was found is shown with the evidence, as text that ``--scenario`` plays again. If it does not fail again
it is a violation all the same, and says in how many plays it was seen.
"""

import math
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.errors import HarnessError, NotOffered, NotTested, TooLate, UsageError
from conformance.evidence.case import Evidence
from conformance.evidence.watch import Breach, Judgement
from conformance.explore import scenarios
from conformance.explore.model import rules
from conformance.explore.scenarios import Scenario
from conformance.explore.shrinking import shrink
from conformance.run.cases import CASE, RunningCase
from conformance.run.retry import Again
from conformance.run.run_state import DEPTH, LEFT
from conformance.run.worker import Runner
from conformance.verdict.needs import shut
from conformance.ways.way import Way

if TYPE_CHECKING:  # a run that only collects loads neither side of a hub
    from conformance.explore.player import Played
    from conformance.run.bench import DeviceBench

SCENARIO: Final = pytest.StashKey[Scenario]()
FAILURES: Final = pytest.StashKey["Failures"]()
# The function of which a test is made for each scenario.
TEMPLATE: Final = "explore"
PLAYED: Final = "played"
# A message names so many actions; more are told at the end of the transcript alone.
MOST_ACTIONS_TOLD: Final = 8
# Failing scenarios may take so many seconds in one process, with all that is played again. What a hub does
# wrong always, nearly each of them would tell once more.
FAILING_SECONDS: Final = 120.0
# What a scenario takes on the embedded hub, in seconds, for --explore=10m.
SECONDS_EACH: Final = 0.5
_TIME: Final = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<unit>[smh])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600}


def numbers(option: str | None, *, workers: int = 1, live: bool = False) -> list[int]:
    """Return the numbers of the scenarios that ``--explore`` asks for. Raises UsageError.

    A number asks for the first so many, a time for the default ones and as many more as take that long.
    """
    if option is None:
        return scenarios.live() if live else list(range(scenarios.DEFAULT))
    if option.isascii() and option.isdecimal():
        return list(range(int(option)))
    found = _TIME.fullmatch(option)
    if found is None:
        raise UsageError(f"--explore {option}: neither a number of scenarios nor a time, such as 90s or 10m.")
    seconds = float(found["number"]) * _UNITS[found["unit"]]
    return list(range(scenarios.DEFAULT + math.ceil(seconds * workers / SECONDS_EACH)))


def left_out(config: pytest.Config) -> list[str]:
    """Return the words of the command line by which scenarios are left out. Raises UsageError."""
    if config.option.scenario is not None:
        _read(config.option.scenario, config)
        return [f"--scenario {config.option.scenario}"]
    option = config.option.explore
    fewer = option is not None and len(numbers(option)) < scenarios.DEFAULT
    return [f"--explore {option}"] if fewer else []


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Module, name: str, obj: object) -> list[pytest.Item] | None:
    """Make a test of each scenario."""
    if name != TEMPLATE or collector.name != "test_explore.py":
        return None
    return [_item(collector, obj, scenario) for scenario in _wanted(collector.config)]


def _is_left(scenario: Scenario, config: pytest.Config) -> bool:
    """Tell whether a scenario is only named on a live hub."""
    unasked = config.option.explore is None and config.option.scenario is None
    return unasked and _is_live(config) and scenario.section not in scenarios.LIVE


def _wanted(config: pytest.Config) -> list[Scenario]:
    if config.option.scenario is not None:
        return [_read(config.option.scenario, config)]
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    live = _is_live(config) and config.option.explore is None
    wanted = numbers(config.option.explore, workers=workers, live=live)
    # Of the other sections one each says that there are more, and why it is not played.
    return [scenarios.draw(number) for number in (*wanted, *(scenarios.not_live() if live else ()))]


def _is_live(config: pytest.Config) -> bool:
    """Tell whether a run costs a live hub messages and time, and so plays few scenarios."""
    return config.stash.get(DEPTH, None) == "live"


def _read(path: str, config: pytest.Config) -> Scenario:
    file = config.invocation_params.dir / path
    try:
        return scenarios.read(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8"
        raise UsageError(f"--scenario {path}: {why}. Name a file with the text of a scenario.") from None
    except UsageError as error:
        raise UsageError(f"--scenario {path}: {error}") from None


def _item(collector: pytest.Module, obj: object, scenario: Scenario) -> pytest.Item:
    item: pytest.Function = pytest.Function.from_parent(collector, name=scenario.name, callobj=obj)
    item.add_marker(pytest.mark.clause(f"explore.{scenario.section}"))
    item.add_marker(pytest.mark.needs(*scenario.needs))
    item.stash[SCENARIO] = scenario
    if _is_left(scenario, collector.config):
        item.stash[LEFT] = True
    return item


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--scenario``, run that one alone."""
    if config.option.scenario is not None:
        others = [item for item in items if SCENARIO not in item.stash]
        items[:] = [item for item in items if SCENARIO in item.stash]
        config.hook.pytest_deselected(items=others)


@pytest.fixture
def exploration(request: pytest.FixtureRequest) -> "Exploration":
    """Return what plays the scenario of this test."""
    return Exploration(request.node, request.config)


class Failures:
    """What failed so far in this process: the rules that were broken, and the seconds that it took."""

    def __init__(self) -> None:
        self.rules: set[str] = set()
        self.seconds = 0.0


class Exploration:
    """Plays the scenario of one test, again and shorter where it fails."""

    def __init__(self, item: pytest.Item, config: pytest.Config) -> None:
        self._scenario = item.stash[SCENARIO]
        self._is_left = LEFT in item.stash
        self._case: RunningCase = item.stash[CASE]
        runner, again = (
            config.pluginmanager.get_plugin(f"conformance-{name}") for name in ("runner", "again")
        )
        assert isinstance(runner, Runner), "the runner registers the fixtures"  # noqa: S101
        self._runner = runner
        self._shut = runner.state.shut
        self._held_up_since: Callable[[float], float] = (
            again.held_up_since if isinstance(again, Again) else lambda _moment: 0.0
        )
        self._failures = config.stash.setdefault(FAILURES, Failures())
        self._plays = 0

    def play(self) -> str:
        """Play it; return in a word that it was played. Its findings go to the clauses that they break."""
        if self._is_left:
            raise NotOffered("on a live hub four scenarios are played: ask for more with --explore=N")
        self._require_ways()
        failures = self._failures
        if failures.seconds > FAILING_SECONDS:
            raise NotTested(
                f"scenarios that fail took {failures.seconds:.0f} s, see {', '.join(failures.rules)}"
            )
        began = time.monotonic()
        played = self._play(self._scenario, self._case.evidence)
        if played.findings and self._held_up_since(began):
            raise TooLate("the suite was held up while a scenario was played")
        if played.findings:
            self._judge(played)
            failures.seconds += time.monotonic() - began
        else:
            self._note(played, [])
        return PLAYED

    def _require_ways(self) -> None:
        """Raise NotTested where in a way of the scenario no session opened, before the first case."""
        for over, certified, module in sorted(self._scenario.ways):
            way = Way(
                transport="websocket" if over == "ws" else "tls",
                credential="x509" if certified else "sas",
                kind="module" if module else "device",
            )
            if str(way) in self._shut:
                raise NotTested(shut(self._shut[str(way)], way.judge))

    def _play(self, scenario: Scenario, evidence: Evidence) -> "Played":
        from conformance.explore.player import Player  # noqa: PLC0415 - a run that only collects loads no device

        self._plays += 1
        bench: DeviceBench = self._runner.bench()  # type: ignore[assignment] # the suite's own tests have another
        with bench.for_case(evidence) as case_bench:
            return Player(case_bench, scenario).play()

    def _judge(self, first: "Played") -> None:
        rule = first.rule or ""
        scenario, seen = self._scenario, f"1 of {self._plays} plays"
        best = self._case.evidence
        if rule in self._failures.rules:
            seen = "not played again: this rule was broken before in this run"
        else:
            self._failures.rules.add(rule)
            shortest = self._again(rule)
            seen = f"1 of {self._plays} plays"
            if shortest is not None:
                scenario, best, seen = shortest
        self._case.evidence.transcript = best.transcript
        for line in str(scenario).splitlines():
            best.transcript.add("scenario", "=", f"| {line}")
        self._note(first, [self._breach(first, scenario, seen)])

    def _again(self, rule: str) -> tuple[Scenario, Evidence, str] | None:
        """Play it again and shorter; None where it does not fail alike."""
        evidence = self._case.evidence
        kept: dict[str, Evidence] = {}

        def play(scenario: Scenario) -> str | None:
            nonlocal evidence
            evidence = evidence.anew()
            began = time.monotonic()
            try:
                broken = self._play(scenario, evidence).rule
            except (HarnessError, AssertionError, KeyError):
                return None  # what cannot be played shows nothing
            if broken == rule and not self._held_up_since(began):
                kept[str(scenario.actions)] = evidence
                return broken
            return None

        if play(self._scenario) != rule:
            self._spend(evidence)
            return None
        shrunk = shrink(self._scenario, rule, play, time.monotonic)
        self._spend(evidence)
        best = kept[str(shrunk.scenario.actions)]
        return shrunk.scenario, best, f"shrunk in {self._plays} plays"

    def _spend(self, evidence: Evidence) -> None:
        """Count what every play cost."""
        own = self._case.evidence
        own.identities, own.flood = evidence.identities, evidence.flood

    def _breach(self, played: "Played", scenario: Scenario, seen: str) -> Breach:
        finding = played.findings[0]
        rule = rules()[finding.rule]
        actions = " / ".join(map(str, scenario.actions))
        if len(scenario.actions) > MOST_ACTIONS_TOLD:
            actions = f"{len(scenario.actions)} actions, at the end of the transcript"
        message = (
            f"{self._scenario.name}: {rule.says} Expected {finding.expected}; got {finding.actual}, "
            f"after: {played.at} ({seen}). Scenario: {actions}"
        )
        return Breach(rule.clause, message, rule.name)

    def _note(self, played: "Played", breaches: list[Breach]) -> None:
        clauses: list[str] = []
        for rule, times in played.applied.items():
            clauses += [rules()[rule].clause] * times
        self._case.evidence.watch.note(Judgement(clauses, [replace(each) for each in breaches]))


__all__: Any = ["exploration", "left_out", "numbers"]
