"""What a run says of its length before it begins: the times that it waits for, and for how many cases."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.run.long_waits import beforehand, spread

NEEDS = {
    "sas.ends": ("timing.sas-skew", "timing.sas-grace"),
    "c2d.again": ("registry", "timing.c2d-lock"),
    "c2d.told": ("registry", "timing.feedback"),
    "d2c.arrives": ("telemetry",),
}
A_HUBS = {"sas-skew": 300.0, "sas-grace": 600.0, "c2d-lock": 60.0, "feedback": 15.0}
SHORT = {"sas-skew": 0.5, "sas-grace": 0.5, "c2d-lock": 1.0, "feedback": 0.2}


def test_a_run_that_waits_for_a_quarter_of_an_hour_says_so_and_why():
    said = beforehand(
        {"sas.ends": 1, "c2d.again": 8, "c2d.told": 2, "d2c.arrives": 700}, NEEDS, A_HUBS, workers=4
    )

    assert said == (
        "this run takes 15 minutes at least on 4 workers, for times that the hub states: "
        "1 case waits 15 minutes until the hub ends a connection whose token has expired "
        "(sas-skew 300 s, sas-grace 600 s); "
        "8 cases wait 60 seconds each until a message that was not acknowledged comes again (c2d-lock 60 s)"
    )


@pytest.mark.parametrize(("workers", "minutes"), [(1, 42), (2, 21), (100, 15)])
def test_workers_share_what_is_waited_for_but_no_single_wait(workers, minutes):
    said = beforehand({"sas.ends": 1, "c2d.again": 27}, NEEDS, A_HUBS, workers=workers)

    assert said.startswith(f"this run takes {minutes} minutes at least on {workers} worker")


@pytest.mark.parametrize(
    ("cases", "timing"),
    [
        ({"sas.ends": 3, "c2d.again": 40}, SHORT),
        ({"d2c.arrives": 5000}, A_HUBS),
        ({"c2d.told": 8}, A_HUBS),
        ({"sas.ends": 1}, {}),
    ],
    ids=["short-times", "nothing-waits", "two-minutes", "not-stated"],
)
def test_else_nothing_is_said(cases, timing):
    assert beforehand(cases, NEEDS, timing, workers=2) is None


def test_a_worker_of_several_processes_is_said_to_be_one():
    said = beforehand({"sas.ends": 3}, NEEDS, A_HUBS, workers=4, lanes=3)

    assert said.startswith("this run takes 15 minutes at least on 4 workers of 3 processes each, for times")


# -- who runs them: xdist deals each worker a part that stands together


def parts(order, workers):
    """Return each worker's part, as xdist deals them."""
    ends = [0]
    for worker in range(workers):
        ends.append(ends[-1] + (len(order) + worker) // workers)
    return [order[begin:end] for begin, end in itertools.pairwise(ends)]


def test_each_worker_begins_with_one_of_the_longest_waits_and_has_no_second_one():
    """Two waits of fifteen minutes that stand together, on one worker, would be thirty."""
    waits = [0.0] * 6 + [900.0, 900.0] + [0.0] * 4

    assert parts(spread(waits, 3, apart=False), 3) == [[6, 0, 1, 2], [7, 3, 4, 5], [8, 9, 10, 11]]


def test_shorter_waits_go_to_whom_the_longest_are_not():
    waits = [60.0] * 4 + [0.0] * 4 + [900.0]

    assert parts(spread(waits, 3, apart=False), 3) == [[8, 4, 5], [0, 2, 6], [1, 3, 7]]


def test_cases_that_stand_together_go_to_different_workers():
    assert parts(spread([0.0] * 12, 3, apart=True), 3) == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]


def test_without_long_waits_the_order_is_that_of_the_document():
    assert spread([1.0, 15.0] * 4, 2, apart=False) == list(range(8))


@given(st.lists(st.sampled_from([0.0, 15.0, 60.0, 900.0]), max_size=60), st.integers(1, 12), st.booleans())
def test_every_case_runs_once(waits, workers, apart):
    assert sorted(spread(waits, workers, apart=apart)) == list(range(len(waits)))
