"""A stage that fails by the hub's fault: the case is broken, and the rule that was needed is violated."""

import pytest
from small_suite import SmallSuite

STAGES = """
from conformance.errors import Violation

@clause("small.other")
def test_other():
    pass

@clause("small.holds")
def test_holds(stage):
    stage(refused, needs="{needs}")

def refused():
    raise {error}
"""
VIOLATION = 'Violation("the hub answered 504", observed="504")'


@pytest.mark.parametrize(
    ("needs", "error", "verdicts"),
    [
        pytest.param("small.other", VIOLATION, ("violation", "broken"), id="a must that was violated"),
        pytest.param("small.observed", VIOLATION, ("pass", "broken"), id="what is observed"),
        pytest.param("telemetry", VIOLATION, ("pass", "broken"), id="no clause"),
        pytest.param(
            "small.other", 'RuntimeError("a fault of the suite")', ("pass", "broken"), id="no violation"
        ),
    ],
)
def test_a_stage_that_fails_violates_what_it_needs(tmp_path, needs, error, verdicts):
    """Where its own cases do not come so far, as a tenth call, nothing else would tell."""
    suite = SmallSuite(tmp_path)
    suite.cases(STAGES.format(needs=needs, error=error))

    suite.run()

    assert (suite.verdicts()["small.other"], suite.verdicts()["small.holds"]) == verdicts
