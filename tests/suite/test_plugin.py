"""The plugin, tested by running pytest inside pytest."""

import pytest

from small_suite import SmallSuite

pytest_plugins = ["pytester"]

BOTH_WAYS = pytest.mark.parametrize("distribution", [[], ["-n", "2"]], ids=["one-process", "n-2"])

ALL_GOOD = '''
@clause("small.holds")
@pytest.mark.parametrize("x", ["one", "two"])
def test_holds(x):
    """The hub holds."""

@clause("small.other")
def test_other():
    pass

@clause("small.disputed")
def test_disputed(readings):
    assert readings.match("suback 128") == "answered"

@clause("small.observed")
def test_observed(observed):
    observed("closed")

@clause("small.needs-c2d")
def test_c2d(fixture_that_does_not_exist):
    raise AssertionError("never runs")
'''


@pytest.fixture
def small(pytester):
    return SmallSuite(pytester)


@BOTH_WAYS
def test_a_run_judges_every_clause(small, distribution):
    small.cases(ALL_GOOD)

    result = small.run(*distribution)

    assert result.ret == 0, result.stdout.str()
    assert small.verdicts() == {
        "small.holds": "pass",
        "small.other": "pass",
        "small.disputed": "pass",
        "small.observed": "observed",
        "small.needs-c2d": "not claimed",
        "small.never": "untestable",
    }
