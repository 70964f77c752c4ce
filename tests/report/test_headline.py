"""The claim of a statement: never more than its clauses carry."""

import pytest
from sample import case, clause, holding, mixed, statement, violation

from conformance.report.summary_line import headline

PASSES = clause("a.pass", case(1))
KNOWN = clause("a.known", case(2, "known deviation", observed="x"))
STALE = clause("a.stale", case(3, "stale deviation"))
BROKEN = clause("a.broken", case(4, "broken", message="no CONNACK"))
UNSEEN = clause("a.unseen", case(5, "not tested", message="nothing to see"))
VIOLATED = clause("a.violated", violation(6))
OBSERVED = clause("a.observed", case(7, "observed", observed="x"), level="observe")
UNCLAIMED = clause("a.unclaimed", case(8, "not claimed"), reason="needs c2d")

OBSERVES = "1 only observed, without judgement"


@pytest.mark.parametrize(
    ("clauses", "title", "tone"),
    [
        ([PASSES, OBSERVED, UNCLAIMED], "Every claimed clause holds on pretended hub", "good"),
        ([PASSES, KNOWN], "Every claimed clause holds on pretended hub, but for 1 known deviation", "good"),
        ([PASSES, UNSEEN], "No claim: 1 claimed clause is not tested on pretended hub", "unsure"),
        ([PASSES, BROKEN], "Inconclusive: 1 claimed clause is broken on pretended hub", "unsure"),
        ([PASSES, BROKEN, UNSEEN], "Inconclusive: 1 claimed clause is broken on pretended hub", "unsure"),
        ([PASSES, STALE], "No claim: 1 known deviation is stale on pretended hub", "bad"),
        ([PASSES, STALE, BROKEN, VIOLATED], "1 claimed clause is violated on pretended hub", "bad"),
        ([OBSERVED, UNCLAIMED], "No claim: no claimed clause was judged on pretended hub", "unsure"),
        ([UNCLAIMED], "No claim: no claimed clause was judged on pretended hub", "unsure"),
    ],
)
def test_the_worst_clause_decides(clauses, title, tone):
    found = headline(statement(*clauses))

    assert (found.title, found.tone) == (title, tone)


def test_two_are_spoken_of_as_two():
    assert headline(mixed()).title == "2 claimed clauses are violated on pretended hub"


def test_the_bounds_name_what_is_no_part_of_the_claim():
    assert headline(holding()).bounds == (
        "2 of 2 claimed clauses held, judged in 3 cases.",
        f"Not part of the claim: 1 not claimed; {OBSERVES}.",
    )
    assert headline(mixed()).bounds[1:] == (
        "1 of them is disputed: any accepted reading counts.",
        "The others: violation 2, stale deviation 1, broken 1, not tested 1, known deviation 1.",
        f"Not part of the claim: 1 not claimed; {OBSERVES}; 1 not testable from outside.",
    )


def test_a_partial_selection_never_claims():
    found = headline(statement(PASSES, clause("a.left-out"), partial=True))

    assert (found.title, found.tone) == ("Partial: what was selected holds on pretended hub", "unsure")
    assert found.bounds[-1] == (
        "This is a partial selection, which claims no conformance: 1 clause of 2 had no case in it."
    )


def test_a_violation_in_a_partial_selection_is_one():
    found = headline(statement(VIOLATED, clause("a.left-out"), partial=True))

    assert (found.title, found.tone) == ("Partial: 1 claimed clause is violated on pretended hub", "bad")


@pytest.mark.parametrize(
    ("code", "title"),
    [
        (2, "Interrupted: no claim about pretended hub"),
        (3, "The suite failed: no claim about pretended hub"),
        (12, "Invalid: a secret stood in the output of this run on pretended hub"),
        (11, "No claim about pretended hub: the run ended with exit code 11"),
        (1, "No claim about pretended hub: the run ended with exit code 1"),
    ],
)
def test_good_clauses_carry_no_claim_where_the_run_ended_otherwise(code, title):
    """An exit code that says more than the clauses is not passed over."""
    found = headline(statement(PASSES, run={"exit_code": code}))

    assert found.title == title
    assert found.tone != "good"


def test_a_deviation_that_is_about_no_case_takes_the_claim():
    unmatched = {
        "clause": "a.pass", "case": "x*", "observed": "x", "reason": "y", "since": "2026-01-01",
        "expires": "2027-01-01", "link": "", "state": "unmatched", "cases": [],
    }  # fmt: skip

    found = headline(statement(PASSES, deviations=[unmatched], run={"exit_code": 11}))
    assert found.title == "No claim: 1 stated deviation not found as stated on pretended hub"


def test_an_exit_code_of_0_makes_no_violation_good():
    assert headline(statement(VIOLATED, run={"exit_code": 0})).tone == "bad"
