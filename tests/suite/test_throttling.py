"""A hub that is busy is waited for, in the same way whoever asks it, and not for ever."""

import pytest

from conformance.errors import Throttled
from conformance.run.sleeping import Patience


@pytest.fixture
def waits():
    return []


def patience(waits, clock=lambda: 0.0):
    return Patience("GET /twins/d", sleep=waits.append, clock=clock)


def test_each_wait_is_twice_the_last(waits):
    busy = patience(waits)

    for _ in range(4):
        busy.wait()

    assert waits == [1.0, 2.0, 4.0, 8.0]


def test_the_hub_may_say_how_long(waits):
    busy = patience(waits)

    busy.wait(30.0)
    busy.wait()

    assert waits == [30.0, 2.0]


def test_it_ends(waits):
    busy = patience(waits)
    busy.wait(100.0)

    with pytest.raises(Throttled, match=r"^GET /twins/d: still throttled after 100 s\. Run fewer workers"):
        busy.wait(21.0)

    assert waits == [100.0]


def test_the_time_that_the_hub_takes_to_answer_counts(waits):
    """One that lets each answer wait, and then asks for a moment more, has no more time than any other."""
    times = iter([0.0, 60.0, 119.5])
    busy = patience(waits, clock=lambda: next(times))
    busy.wait(0.1)

    with pytest.raises(Throttled, match="still throttled after 120 s"):
        busy.wait(1.0)
