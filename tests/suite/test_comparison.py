"""What a report shows of an assertion that failed: short values whole, long ones by where they differ."""

import pytest
from small_suite import SmallSuite

from conformance.run.assertion import Comparison

LONG = bytes(range(256)) * 256


def test_short_values_are_shown_whole():
    assert Comparison.of("==", ("puback", 1), ("puback", 2)) == Comparison(
        expected="('puback', 2)", actual="('puback', 1)"
    )


@pytest.mark.parametrize(
    ("operator", "left", "right", "expected", "actual"),
    [
        ("in", "a", ["b"], "'a' in it", "['b']"),
        ("not in", "a", ["a"], "no 'a' in it", "['a']"),
        ("<=", 3, 2, "<= 2", "3"),
        ("is", 3, None, "None", "3"),
    ],
    ids=["in", "not-in", "order", "is"],
)
def test_another_operator_is_said(operator, left, right, expected, actual):
    assert Comparison.of(operator, left, right) == Comparison(expected=expected, actual=actual)


@pytest.mark.parametrize(
    ("left", "right", "expected", "actual"),
    [
        pytest.param(
            LONG[:-1],
            LONG,
            "it at 65535: b'\\xf7\\xf8\\xf9\\xfa\\xfb\\xfc\\xfd\\xfe\\xff' of 65536",
            "it at 65535: b'\\xf7\\xf8\\xf9\\xfa\\xfb\\xfc\\xfd\\xfe' of 65535",
            id="one-byte-short",
        ),
        pytest.param(
            ("x", "a" * 5000),
            ("x", "a" * 10 + "b" + "a" * 4989),
            f"[1] at 10: '{'a' * 8}b{'a' * 23}' of 5000",
            f"[1] at 10: '{'a' * 32}' of 5000",
            id="text-in-a-tuple",
        ),
        pytest.param(
            {"big": LONG, "small": 1}, {"big": LONG, "small": 2}, "['small']: 2", "['small']: 1", id="member"
        ),
    ],
)
def test_long_values_are_shown_where_they_differ(left, right, expected, actual):
    comparison = Comparison.of("==", left, right)

    assert (comparison.expected, comparison.actual) == (expected, actual)
    assert comparison.explanation[1:] == (f"{actual} was got", f"{expected} was expected")


def test_a_long_value_that_differs_ends_a_run_where_ci_is_set(tmp_path, monkeypatch):
    """pytest would compare these line by line, for many minutes."""
    monkeypatch.setenv("CI", "true")
    suite = SmallSuite(tmp_path)
    suite.cases("""
@clause("small.holds")
def test_holds():
    body = bytes(range(256)) * 1024
    assert body.decode(errors="replace").encode() == body
""")

    assert suite.run("-o", "faulthandler_timeout=60", "-o", "faulthandler_exit_on_timeout=true").ret == 1
    assert "it at 128: b'xyz{|}~\\x7f\\xef\\xbf\\xbd" in suite.clause("small.holds")["cases"][0]["actual"]
