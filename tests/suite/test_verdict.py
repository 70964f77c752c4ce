"""Verdicts: of a case, of a clause, of the watch. Pure values in, pure values out."""

import pytest

from conformance.documents.catalogue import Catalogue, Clause, Section
from conformance.verdict.clause import Breach, Case, judge
from conformance.verdict.needs import Claims, not_claimed
from conformance.verdict.outcome import Kind, Problem, settle
from conformance.verdict.run import summary
from conformance.verdict.verdicts import Verdict, worst


def clause(clause_id, level="must", needs=()):
    return Clause(
        id=clause_id,
        section=clause_id.partition(".")[0],
        level=level,
        source="document",
        says="The hub does it.",
        needs=needs,
        untestable="not from outside" if level == "untestable" else None,
    )


def catalogue(*clauses):
    return Catalogue(sections=(Section(name="s", title="S", anchor="s", clauses=clauses),))


def verdict_of(cases, *clauses, claims=None):
    (judgement,) = judge(catalogue(*(clauses or (clause("s.a"),))), cases, claims or Claims())
    return judgement


def case(verdict, name="test_a", clause_id="s.a", **more):
    return Case(id=name, clause=clause_id, verdict=verdict, **more)


def violation(phase="call", **more):
    return Problem(phase=phase, kind=Kind.VIOLATION, message="no PUBACK", observed="silence", **more)


def trouble(phase="call"):
    return Problem(phase=phase, kind=Kind.TROUBLE, message="OSError: no route")


# -- words


def test_the_order_of_the_verdicts():
    assert [str(verdict) for verdict in Verdict] == [
        "violation",
        "stale deviation",
        "broken",
        "not tested",
        "known deviation",
        "pass",
        "observed",
        "untestable",
        "not claimed",
    ]


@pytest.mark.parametrize("verdict", Verdict)
def test_nothing_hides_a_violation(verdict):
    """Whatever comes later, a verdict only ever worsens."""
    assert worst([Verdict.VIOLATION, verdict]) is worst([verdict, Verdict.VIOLATION]) is Verdict.VIOLATION


def test_of_nothing_the_verdict_is_not_tested():
    """What did not run is not green."""
    assert worst([]) is Verdict.NOT_TESTED


# -- one case


def test_a_case_without_a_problem_passes():
    assert settle("must", []).verdict is Verdict.PASS


def test_a_violation_in_the_body_is_a_violation():
    outcome = settle("must", [violation(expected="PUBACK", actual="nothing")])

    assert (outcome.verdict, outcome.observed, outcome.expected, outcome.actual) == (
        Verdict.VIOLATION,
        "silence",
        "PUBACK",
        "nothing",
    )


def test_a_violation_while_setting_the_stage_is_broken():
    outcome = settle("must", [violation("setup", needs="connect.client-id")])

    assert (outcome.verdict, outcome.message) == (Verdict.BROKEN, "needs connect.client-id: no PUBACK")


@pytest.mark.parametrize("phase", ["setup", "call", "teardown", "crash"])
def test_trouble_is_broken_in_any_phase(phase):
    assert settle("must", [trouble(phase)]).verdict is Verdict.BROKEN


def test_trouble_afterwards_does_not_soften_a_violation():
    assert settle("must", [violation(), trouble("teardown")]).verdict is Verdict.VIOLATION


def test_trouble_afterwards_breaks_a_pass():
    outcome = settle("must", [trouble("teardown")])

    assert (outcome.verdict, outcome.message) == (Verdict.BROKEN, "clearing the stage: OSError: no route")


@pytest.mark.parametrize("level", ["must", "disputed", "observe"])
def test_a_skip_is_not_tested_at_any_level(level):
    """A skip is neither a pass nor "not claimed"."""
    skip = Problem(phase="call", kind=Kind.NOT_SEEN, message="no burst was throttled")

    assert settle(level, [skip], observed=["x"], reading="y").verdict is Verdict.NOT_TESTED


def test_observing_ends_in_observed():
    outcome = settle("observe", [], observed=["closed", "closed", "silence"])

    assert (outcome.verdict, outcome.observed) == (Verdict.OBSERVED, "closed; silence")


def test_what_the_harness_calls_a_violation_is_an_observation_too():
    outcome = settle("observe", [violation()])

    assert (outcome.verdict, outcome.observed) == (Verdict.OBSERVED, "silence")


def test_a_slip_in_an_observing_test_is_broken():
    slip = Problem(phase="call", kind=Kind.VIOLATION, message="1 == 2", observed="")

    assert settle("observe", [slip]).verdict is Verdict.BROKEN


@pytest.mark.parametrize("level", ["observe", "disputed"])
def test_a_case_that_says_nothing_is_broken(level):
    """Having come to the end is no proof."""
    assert settle(level, []).verdict is Verdict.BROKEN


def test_a_disputed_case_passes_with_its_reading():
    assert settle("disputed", [], reading="closed").verdict is Verdict.PASS


# -- needs and claims

CLAIMS = Claims(capabilities=frozenset({"telemetry", "registry"}), timing={"sas-skew": 1.0})


@pytest.mark.parametrize(
    ("needs", "large", "reason"),
    [
        ((), False, None),
        (("telemetry", "timing.sas-skew"), False, None),
        (("c2d",), False, "needs c2d, which the profile does not claim"),
        (
            ("c2d", "twin", "timing.c2d-lock"),
            False,
            (
                "needs c2d and twin, which the profile does not claim; "
                "needs timing.c2d-lock, which the profile does not state"
            ),
        ),
        ((), True, "a large case: run with --large"),
    ],
)
def test_why_a_case_does_not_apply(needs, large, reason):
    assert not_claimed(needs, CLAIMS, large=large) == reason


def test_large_cases_apply_where_they_are_claimed():
    assert not_claimed((), Claims(large=True), large=True) is None


# -- one clause


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Verdict.PASS, Verdict.PASS], Verdict.PASS),
        ([Verdict.PASS, Verdict.VIOLATION, Verdict.BROKEN], Verdict.VIOLATION),
        ([Verdict.PASS, Verdict.BROKEN, Verdict.NOT_TESTED], Verdict.BROKEN),
        ([Verdict.PASS, Verdict.NOT_TESTED], Verdict.NOT_TESTED),
        ([Verdict.PASS, Verdict.NOT_CLAIMED], Verdict.PASS),
        ([Verdict.NOT_CLAIMED], Verdict.NOT_CLAIMED),
        ([], Verdict.NOT_TESTED),
    ],
)
def test_the_worst_case_is_the_clauses_verdict(verdicts, expected):
    assert verdict_of([case(verdict) for verdict in verdicts]).verdict is expected


def test_a_clause_that_needs_more_is_not_claimed_with_the_reason():
    judgement = verdict_of([], clause("s.a", needs=("c2d",)))

    assert (judgement.verdict, judgement.reason) == (
        Verdict.NOT_CLAIMED,
        "needs c2d, which the profile does not claim",
    )


def test_an_untestable_clause_says_why():
    judgement = verdict_of([], clause("s.a", "untestable"))

    assert (judgement.verdict, judgement.reason) == (Verdict.UNTESTABLE, "not from outside")


def test_a_clause_lists_the_readings_that_its_cases_saw():
    cases = [case(Verdict.PASS, reading="closed"), case(Verdict.PASS, reading="answered")]

    assert verdict_of(cases, clause("s.a", "disputed")).readings == ("answered", "closed")


# -- the watch

BREACH = Breach(clause="watch.ids", message="PUBACK 7 was not asked for", observed="puback 7")


def watched(cases, level="must"):
    ids, own = judge(catalogue(clause("watch.ids", level), clause("s.a")), cases, Claims())
    return ids, own


def test_a_breach_worsens_the_watched_clause_and_leaves_the_case_alone():
    own_case = case(Verdict.PASS, "test_ids", "watch.ids", sightings=(("watch.ids", 3),))
    other = case(Verdict.PASS, "test_a", breaches=(BREACH,), transcript="0 ms ← PUBACK packet=7")

    ids, own = watched([own_case, other])

    assert (ids.verdict, own.verdict) == (Verdict.VIOLATION, Verdict.PASS)
    evidence = ids.cases[-1]
    assert (evidence.id, evidence.verdict, evidence.message, evidence.count) == (
        "test_a",
        Verdict.VIOLATION,
        "PUBACK 7 was not asked for",
        1,
    )


def test_a_transcript_stands_with_its_case_and_not_with_each_rule_that_was_broken_in_it():
    other = case(Verdict.PASS, "test_a", breaches=(BREACH,), transcript="0 ms ← PUBACK packet=7")

    ids, own = watched([case(Verdict.PASS, "test_ids", "watch.ids"), other])

    assert [each.transcript for each in (*own.cases, *ids.cases)] == ["0 ms ← PUBACK packet=7", "", ""]


def test_a_watch_that_saw_no_packet_is_not_tested():
    ids, _ = watched([case(Verdict.PASS, "test_ids", "watch.ids")])

    assert (ids.verdict, ids.reason) == (
        Verdict.NOT_TESTED,
        "no packet that the rule is about was seen in the whole run",
    )


def test_packets_of_any_case_count_for_the_watch():
    cases = [
        case(Verdict.PASS, "test_ids", "watch.ids"),
        case(Verdict.PASS, "test_a", sightings=(("watch.ids", 1),)),
    ]

    assert watched(cases)[0].verdict is Verdict.PASS


def test_a_watch_without_a_case_of_its_own_is_not_tested():
    ids, _ = watched([case(Verdict.PASS, "test_a", sightings=(("watch.ids", 1),))])

    assert ids.verdict is Verdict.NOT_TESTED


def test_a_watched_clause_of_level_observe_is_never_failed():
    cases = [
        case(Verdict.OBSERVED, "test_ids", "watch.ids"),
        case(Verdict.PASS, "test_a", breaches=(BREACH,)),
    ]

    assert watched(cases, "observe")[0].verdict is Verdict.OBSERVED


def test_the_summary_counts_clauses_worst_first():
    judgements = judge(
        catalogue(clause("s.a"), clause("s.b"), clause("s.c")),
        [case(Verdict.PASS), case(Verdict.VIOLATION, clause_id="s.c")],
        Claims(),
    )

    assert list(summary(judgements).items()) == [
        (Verdict.VIOLATION, 1),
        (Verdict.NOT_TESTED, 1),
        (Verdict.PASS, 1),
    ]
