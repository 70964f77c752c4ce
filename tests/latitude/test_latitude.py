"""A right hub is green: on each that differs from the embedded one, and on one far away, nothing is red.

Readings and what is observed may differ. A hub here is changed only where it is wrong by its own source,
never to make the suite content.
"""

import pytest
from latitude import Variant, all_variants
from latitude_run import run_suite_on

LATENCY, JITTER = ("--latency", "80ms"), ("--jitter", "20ms")

FAR = {
    "80 ms each way": LATENCY,
    "80 to 100 ms each way": (*LATENCY, *JITTER),
}


def judged(variant, directory, workers=2):
    """Run the whole suite on a hub; what it says is told where it is not content."""
    run = run_suite_on(variant, directory, workers=workers)
    assert (run.red, run.code) == ({}, 0), run.output[-12_000:]
    return run


@pytest.mark.parametrize("variant", all_variants(), ids=str)
def test_a_right_hub_that_differs_has_no_violation(variant, tmp_path):
    """And it did differ: its own code acted, or a test of its own shows that it does."""
    assert judged(variant, tmp_path).acts > 0 or variant.shown_by


@pytest.mark.parametrize("arguments", FAR.values(), ids=FAR)
def test_a_right_hub_that_is_far_away_has_no_violation(arguments, tmp_path):
    """Four workers, as on a live hub: most of the time is spent on the way."""
    far = Variant(
        "", "A hub that is far away.", ("no source says where a hub is",), arguments, "emulator", ""
    )
    judged(far, tmp_path, workers=4)
