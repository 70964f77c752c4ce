"""What one case may add to a report, whatever its hub sent: told once, and cut where it is too long."""

import pytest
from small_suite import SmallSuite

BOTH_WAYS = pytest.mark.parametrize("distribution", [(), ("-n", "2")], ids=["one-process", "n-2"])
BREACHES = """
from conformance.evidence.watch import Breach, Judgement

@clause("watch.ids")
def test_ids(evidence):
    evidence.watch.note(Judgement(clauses=["watch.ids"]))

@clause("small.other")
def test_other(evidence):
    evidence.transcript.add("c1", "←", "PUBACK   packet=7")
    for word in ("puback", "suback 0", "unsuback"):
        for number in range(1000):
            breach = Breach("watch.ids", f"{word} {number} was not asked for", word)
            evidence.watch.note(Judgement(clauses=["watch.ids"], breaches=[breach]))
"""
STATED = {
    "clause": "watch.ids",
    "case": "*",
    "observed": "suback *",
    "reason": "r",
    "since": "2026-01-01",
    "expires": "2999-01-01",
    "link": "",
}
LONG = """
@clause("small.holds")
def test_violated():
    raise Violation("m" * 100_000, observed="o" * 100_000, expected="e" * 100_000, actual="a" * 100_000)

@clause("small.other")
def test_compared():
    heard = [b"x" * 1000] * 1000
    assert b"y" in heard
"""


TOO_MANY = "more than 5000 packets and empty frames from the hub on one connection"
FLOODED = """
@clause("small.holds")
def test_flooded(evidence):
    recorder = evidence.connection("d1", watched=False)
    recorder.received(bytes.fromhex("d000") * 5001)
    recorder.ended(f"closed by us ({recorder.flood(size=10_002, empty=0)})")
"""


@pytest.fixture
def small(tmp_path):
    small = SmallSuite(tmp_path)
    small.watch()
    return small


@BOTH_WAYS
def test_a_case_is_named_once_under_each_watched_rule_that_broke_in_it(small, distribution):
    """With the number of packets, and with all words; what went over the wire stands with the case itself."""
    small.cases(BREACHES)

    result = small.run(*distribution)

    assert result.ret == 1, result.stdout.str()
    _, part = small.clause("watch.ids")["cases"]
    assert (part["id"], part["in_passing"], part["count"]) == ("test_small.py::test_other", True, 3000)
    assert part["message"] == "puback 0 was not asked for (also: suback 0, unsuback)"
    assert (part["observed"], "transcript" in part) == ("puback", False)
    (own,) = small.clause("small.other")["cases"]
    assert (own["verdict"], own["transcript"].split(maxsplit=2)[2]) == ("pass", "c1 ← PUBACK   packet=7")


def test_what_a_deviation_states_stays_apart_from_what_it_does_not(small):
    small.cases(BREACHES)
    small.deviations(STATED)

    small.run()

    _, *parts = small.clause("watch.ids")["cases"]
    assert [(part["verdict"], part["observed"], part["count"]) for part in parts] == [
        ("violation", "puback", 2000),
        ("known deviation", "suback 0", 1000),
    ]


@BOTH_WAYS
def test_a_case_that_passes_though_its_hub_was_not_heard_to_the_end_says_so(small, distribution):
    """What came behind was held against no rule: that must not look like a pass of every rule."""
    small.cases(FLOODED)

    small.run(*distribution)

    (passed,) = small.clause("small.holds")["cases"]
    assert passed["verdict"] == "pass"
    assert passed["transcript"].endswith(f"c1 = closed by us ({TOO_MANY})")
    (remark,) = small.statement()["run"]["remarks"]
    assert remark == (
        f"The suite ended a connection in test_small.py::test_flooded: {TOO_MANY}. "
        "What came behind was not judged."
    )


@BOTH_WAYS
def test_the_texts_of_a_case_are_cut_and_say_how_long_they_were(small, distribution):
    small.cases(LONG)

    small.run(*distribution)

    (violated,) = small.clause("small.holds")["cases"]
    assert {name: violated[name] for name in ("message", "expected", "actual", "observed")} == {
        "message": f"{'m' * 4096}… (100000 characters)",
        "expected": f"{'e' * 4096}… (100000 characters)",
        "actual": f"{'a' * 4096}… (100000 characters)",
        "observed": f"{'o' * 400}… (100000 characters)",
    }


def test_what_pytest_writes_itself_is_cut_too(small, monkeypatch):
    """Where CI is set, pytest shows values whole."""
    monkeypatch.setenv("CI", "true")
    small.cases(LONG)

    result = small.run()

    assert len(result.stdout.str()) < 40_000
    assert (small.report / "junit.xml").stat().st_size < 20_000
