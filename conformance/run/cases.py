"""The case of a test while it runs: what it observed, compared and broke on, settled once at its end.

`conformance.run.case_maker` makes it when the test is collected.
"""

import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import pytest

from conformance.documents.catalogue import Clause
from conformance.errors import HarnessError, NotTested, StageFailed, TooLate, Violation
from conformance.evidence.case import Evidence
from conformance.evidence.describe import cut
from conformance.evidence.transcript import Entry
from conformance.evidence.watch import Breach as SeenBreach
from conformance.mqtt import hearing
from conformance.report.redaction import redact
from conformance.run.assertion import LONGEST_VALUE, Comparison, claim_in_words, in_words, where_raised
from conformance.verdict.clause import Breach, Case
from conformance.verdict.consequences import consequence
from conformance.verdict.deviation import Deviation, applied
from conformance.verdict.outcome import Kind, Outcome, Problem, settle
from conformance.verdict.readings import Readings
from conformance.verdict.verdicts import Verdict
from conformance.ways.way import FIRST, Way

# A word is compared by deviations and shown in tables; a value that is longer is named by its beginning.
LONGEST_WORD: Final = 80
# What was sent last is named by its beginning.
LONGEST_ACT: Final = 80
# Enough to see what a hub was told before it fell silent.
LINES_OF_TAIL: Final = 8
# The section of the scenarios.
SEARCH: Final = "explore"
# Words that are one for each packet, of a hub that sends thousands.
LONGEST_WORDS: Final = 400


@dataclass(kw_only=True)
class RunningCase:
    """One case from its collection to its settled record.

    `way` is how its devices meet the hub, `number` its place among the cases of the run. `unclaimed` is why
    it does not apply to the target; then it never runs; `shut` why no session opens in its way, then neither.
    `own_names` says which names of this run (device ids) to hide in stable words. `held_up` is for how many
    seconds this process itself stood still meanwhile; `too_late`, whether the test found that it could not be
    in time. `failed_call` says which call of the service the hub did not carry out, of those that the case
    needs and does not check; asked with True, it waits for their ends. `musts` are the ids of all clauses of
    level *must*.
    """

    id: str
    clause: Clause
    way: Way = FIRST
    number: int = 0
    unclaimed: str | None = None
    shut: str | None = None
    title: str = ""
    evidence: Evidence = field(default_factory=Evidence)
    mask: Callable[[str], str] = str
    worker: str = ""
    deviations: tuple[Deviation, ...] = ()
    today: str = ""
    observed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    comparison: Comparison | None = None
    began: float = 0.0
    seconds: float = 0.0
    slept: float = 0.0
    attempt: int = 1
    held_up: float = 0.0
    too_late: bool = False
    failed_call: Callable[[bool], str | None] = field(default=lambda _wait_for_end: None, repr=False)
    musts: Collection[str] = field(default=(), repr=False)
    readings: Readings = field(init=False)

    def __post_init__(self) -> None:
        self.readings = Readings(self.clause.id, self.clause.readings)

    def say(self, words: str) -> None:
        """Take down what a case of level *observe* saw."""
        self.observed.append(words)

    def fail(self, phase: str, error: BaseException) -> None:
        """Take down what ended a phase."""
        self.too_late = self.too_late or isinstance(error, TooLate)
        self.problems.append(self._problem(phase, error))

    def find_not_offered(self, phase: str, reason: str) -> None:
        """Take down that what the case is about is the hub's to bring up, and did not come up."""
        self.problems.append(Problem(phase=phase, kind=Kind.NOT_OFFERED, message=reason))

    def leave_out(self, phase: str, reason: str) -> None:
        """Take down that a phase was skipped, by whatever means."""
        self.problems.append(Problem(phase=phase, kind=Kind.NOT_SEEN, message=reason))

    @property
    def will_run(self) -> bool:
        """Whether the target claims what it needs, and sessions open in its way."""
        return self.unclaimed is None and self.shut is None

    @property
    def says_nothing(self) -> bool:
        """Whether it did not pass and the suite's own lateness may be why."""
        return bool(self.problems) and (self.too_late or self.held_up > 0)

    @property
    def why_again(self) -> str:
        """Why another attempt is made, in words."""
        if self.held_up:
            return f"the suite itself was held up for {self.held_up:.1f} s, in attempt {self.attempt}"
        return self.problems[0].message

    def anew(self) -> "RunningCase":
        """Return the record of another attempt. What the watch saw, and what was spent, is kept."""
        return replace(
            self,
            evidence=self.evidence.anew(),
            observed=[],
            problems=[],
            comparison=None,
            held_up=0.0,
            too_late=False,
            attempt=self.attempt + 1,
        )

    def settle(self) -> Case:
        """Return the record, with every secret removed; a transcript only where there is something to see."""
        if self.unclaimed is not None:
            return Case(
                id=self.id,
                clause=self.clause.id,
                verdict=Verdict.NOT_CLAIMED,
                message=self.unclaimed,
                title=self.title,
            )
        reading = self.readings.seen
        problems = [self._in_fairness(problem) for problem in self.problems]
        outcome = settle(self.clause.level, problems, observed=self.observed, reading=reading)
        outcome = replace(outcome, observed=cut(redact(self.mask(outcome.observed)), LONGEST_WORDS))
        outcome, deviation = applied(outcome, self.own_deviations, self.today)
        watch = self.evidence.watch
        if self.held_up:
            watch.forget_what_rests_on_time()
        breaches = tuple(
            _one_for_each_clause(map(self._breach, (*watch.breaches, *self._broken_in_passing(problems))))
        )
        flood, asked = self.evidence.flood, self.evidence.asked
        # A scenario in which nothing was broken tells by its number what it did.
        holds = {Verdict.PASS, Verdict.OBSERVED} if self.clause.section == SEARCH else {Verdict.PASS}
        is_evidence = outcome.verdict not in holds or bool(breaches) or bool(flood)
        # Of what was observed nobody doubts the decoder, and a run has many of those.
        show = _with_bytes if breaches or outcome.verdict not in {Verdict.PASS, Verdict.OBSERVED} else str
        return Case(
            id=self.id,
            clause=self.clause.id,
            verdict=outcome.verdict,
            reading=reading,
            observed=outcome.observed,
            began=self.began,
            seconds=round(self.seconds, 4),
            message=cut(redact(outcome.message), LONGEST_VALUE),
            expected=cut(redact(outcome.expected), LONGEST_VALUE),
            actual=cut(redact(outcome.actual), LONGEST_VALUE),
            transcript=redact(self.evidence.transcript.render(show)) if is_evidence else "",
            slept=round(self.slept, 4),
            worker=self.worker,
            messages=asked.messages,
            registry_operations=asked.registry_operations,
            connections=asked.connections,
            identities=self.evidence.identities,
            flood=flood,
            breaches=breaches,
            sightings=tuple(sorted(watch.sightings.items())),
            deviation=deviation,
            title=redact(self.title),
            heard=self._since_it_began(hearing.last_heard()),
            said=self._since_it_began(hearing.last_said()),
            # An earlier case of this process may have been the first to say something in vain.
            unanswered=max(hearing.unanswered_since(), self.began),
            tail=redact("\n".join(map(str, self.evidence.transcript.entries[-LINES_OF_TAIL:]))),
            consequence=consequence(self.clause, reading, self.id),
        )

    def _since_it_began(self, moment: float) -> float:
        """Return a moment of this case, 0 for one before it."""
        return moment if moment >= self.began else 0.0

    def _in_fairness(self, problem: Problem) -> Problem:
        """Return a problem as what it is where this process was held up: no fault of the hub's."""
        if not self.held_up or problem.kind in {Kind.NOT_SEEN, Kind.NOT_OFFERED}:
            return problem
        return Problem(phase=problem.phase, kind=Kind.TROUBLE, message=f"{self.why_again}: {problem.message}")

    def _broken_in_passing(self, problems: Iterable[Problem]) -> Iterator[SeenBreach]:
        """Yield what broke while the stage was set: a clause that all hubs owe, by what this case saw."""
        for problem in problems:
            if problem.broke in self.musts and not self.too_late:
                yield SeenBreach(problem.broke, problem.message, problem.observed)

    def _breach(self, seen: SeenBreach) -> Breach:
        """Return a breach of a watched rule as the profile's deviations judge it."""
        word, message = redact(self.mask(seen.observed)), redact(seen.message)
        outcome, deviation = applied(
            Outcome(verdict=Verdict.VIOLATION, message=message, observed=word),
            self._deviations_of(seen.clause),
            self.today,
        )
        return Breach(
            clause=seen.clause,
            message=outcome.message,
            observed=word,
            verdict=outcome.verdict,
            deviation=deviation,
            count=seen.count,
        )

    @property
    def own_deviations(self) -> tuple[Deviation, ...]:
        """What the profile states about this case and its own clause."""
        return self._deviations_of(self.clause.id)

    def _deviations_of(self, clause: str) -> tuple[Deviation, ...]:
        return tuple(each for each in self.deviations if each.concerns(clause, self.id))

    def _problem(self, phase: str, error: BaseException) -> Problem:
        message = str(error) or type(error).__name__
        if isinstance(error, NotTested):
            return Problem(phase=phase, kind=Kind.NOT_SEEN, message=message)
        if isinstance(error, Violation):
            return Problem(
                phase=phase,
                kind=Kind.VIOLATION,
                message=message,
                observed=error.observed,
                expected=error.expected,
                actual=f"{error.actual}{self._behind(error.connection)}",
                needs=getattr(error, "needs", ""),
            )
        if isinstance(error, AssertionError):
            return self._assertion(phase, error)
        if isinstance(error, StageFailed) and isinstance(error.__cause__, Violation):
            seen = error.__cause__.observed
            return Problem(phase=phase, kind=Kind.TROUBLE, message=message, observed=seen, broke=error.needs)
        # The suite's own errors say what they are; of any other, its name is half the message.
        own_words = message if isinstance(error, HarnessError) else f"{type(error).__name__}: {message}"
        return Problem(phase=phase, kind=Kind.TROUBLE, message=own_words)

    def _behind(self, connection: str) -> str:
        """Say behind which packet a connection was looked at, and where that was another one's."""
        act = self.evidence.transcript.last_act if connection else None
        if act is None:
            return ""
        said = cut(" ".join(act.text.split()), LONGEST_ACT)
        return (
            f", behind {said}" if act.who == connection else f" on {connection}, behind {said} on {act.who}"
        )

    def _assertion(self, phase: str, error: AssertionError) -> Problem:
        source, names = where_raised(error.__traceback__)
        word, finding = "differs", None
        if self.comparison is not None:
            word, finding = _short(self.comparison.word), in_words(self.comparison, source)
        elif source is not None:
            finding = claim_in_words(source, names)
        if finding is None:
            said = (str(error) or type(error).__name__).splitlines()[0].removeprefix("assert ")
            return Problem(phase=phase, kind=Kind.VIOLATION, message=said, observed=word)
        return Problem(
            phase=phase,
            kind=Kind.VIOLATION,
            message=finding.message,
            observed=word,
            expected=finding.expected,
            actual=finding.actual,
        )


def _one_for_each_clause(breaches: Iterable[Breach]) -> Iterator[Breach]:
    """Yield one breach for each clause and each deviation that is about it: the first, with all words."""
    alike: dict[tuple[str, Verdict, Deviation | None], list[Breach]] = {}
    for breach in breaches:
        alike.setdefault((breach.clause, breach.verdict, breach.deviation), []).append(breach)
    for first, *others in alike.values():
        words = ", ".join(dict.fromkeys(each.observed for each in others))
        yield replace(
            first,
            message=f"{first.message} (also: {words})" if words else first.message,
            count=first.count + sum(each.count for each in others),
        )


def _with_bytes(entry: Entry) -> str:
    return entry.with_bytes(lambda text: redact(text) == text)


def died(case_id: str, clause: str, message: str, *, worker: str = "", title: str = "") -> Case:
    """Return the record of a case whose worker did not live to settle it."""
    return Case(
        id=case_id, clause=clause, verdict=Verdict.BROKEN, message=redact(message), worker=worker, title=title
    )


def to_json(case: Case) -> dict[str, Any]:
    """Return the record as plain values, which cross to xdist's controller as an attribute of the report."""
    record = asdict(case)
    # execnet knows plain types alone: not even an enumeration of texts crosses.
    breaches = [{**breach, "verdict": str(breach["verdict"])} for breach in record["breaches"]]
    return {**record, "verdict": str(case.verdict), "breaches": breaches}


def from_json(record: Mapping[str, Any]) -> Case:
    """Return the record that `to_json` made plain."""
    return Case(
        **{
            **record,
            "verdict": Verdict(record["verdict"]),
            "breaches": tuple(_breach(breach) for breach in record["breaches"]),
            "deviation": _deviation(record["deviation"]),
            "sightings": tuple((clause, count) for clause, count in record["sightings"]),
        }
    )


def _breach(record: Mapping[str, Any]) -> Breach:
    verdict, deviation = Verdict(record["verdict"]), _deviation(record["deviation"])
    return Breach(**{**record, "verdict": verdict, "deviation": deviation})


def _deviation(record: Mapping[str, Any] | None) -> Deviation | None:
    return None if record is None else Deviation(**record)


def mask_names(pattern: str) -> Callable[[str], str]:
    """Return a function that replaces this run's own names by ``{device}``, so that runs can be compared."""
    names = re.compile(pattern)
    return lambda text: names.sub("{device}", text)


def stopwatch() -> Callable[[], float]:
    """Return a function that tells the seconds since now."""
    began = time.monotonic()
    return lambda: time.monotonic() - began


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_WORD else f"{text[: LONGEST_WORD - 1]}…"


# Where a collected test keeps its case.
CASE: Final = pytest.StashKey[RunningCase]()
