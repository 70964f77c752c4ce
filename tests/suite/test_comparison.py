"""What a report shows of an assertion that failed: the quantity in words, and where the two sides differ."""

import pytest
from small_suite import SmallSuite

from conformance.run.assertion import Comparison, in_words
from conformance.run.quantity import source_at

LONG = bytes(range(256)) * 256

TWIN = {
    "desired": {"interval": 5, "route": {"via": "north"}, "$version": 3},
    "reported": {"firmware": "v1.0", "limits": {"low": 1, "high": 9}, "$version": 3},
}


def test_short_values_are_shown_whole():
    finding = in_words(Comparison.of("==", ("puback 1",), ("puback 2",)), None)

    assert (finding.expected, finding.actual, finding.message) == (
        "('puback 2',)",
        "('puback 1',)",
        "expected ('puback 2',), got ('puback 1',)",
    )


@pytest.mark.parametrize(
    ("operator", "left", "right", "expected", "actual"),
    [
        ("in", "a", ["b"], "'a' in it", "['b']"),
        ("not in", {"a": 1}.popitem()[0], {"a": 1}, "no 'a' in it", "{'a': 1}"),
        ("<=", 3, 2, "<= 2", "3"),
        ("!=", 3, 3, "not 3", "3"),
        ("is", 3, None, "None", "3"),
        ("<=", {1, 2}, {1}, "{1}", "{1, 2}"),
    ],
    ids=["in", "not-in", "order", "not-equal", "is", "sets"],
)
def test_another_operator_is_said(operator, left, right, expected, actual):
    finding = in_words(Comparison.of(operator, left, right), None)

    assert (finding.expected, finding.actual) == (expected, actual)


def test_what_must_not_stand_in_a_long_body_is_shown_where_it_stands():
    finding = in_words(Comparison.of("not in", b"key", b"x" * 900 + b"key" + b"y" * 90), None)

    assert (finding.expected, finding.actual) == (
        "it, at 900: no b'key' in it",
        f"it, at 900: {b'x' * 24 + b'key' + b'y' * 24!r} of 993",
    )


@pytest.mark.parametrize(
    ("came", "wanted", "expected", "actual"),
    [
        pytest.param(
            LONG[:-1],
            LONG,
            "it, at 65535: b'\\xf7\\xf8\\xf9\\xfa\\xfb\\xfc\\xfd\\xfe\\xff' of 65536",
            "it, at 65535: b'\\xf7\\xf8\\xf9\\xfa\\xfb\\xfc\\xfd\\xfe' of 65535",
            id="one-byte-short",
        ),
        pytest.param(
            ("x", "a" * 5000),
            ("x", "a" * 10 + "b" + "a" * 4989),
            f"`[1]` in it, at 10: '{'a' * 8}b{'a' * 23}' of 5000",
            f"`[1]` in it, at 10: '{'a' * 32}' of 5000",
            id="text-in-a-row",
        ),
        pytest.param(
            {**TWIN, "desired": {**TWIN["desired"], "$version": 4}},
            TWIN,
            "`desired.$version` in it: 3",
            "`desired.$version` in it: 4",
            id="member",
        ),
        pytest.param(
            {"desired": TWIN["desired"], "reported": {"firmware": "v1.0", "old": True, "$version": 3}},
            TWIN,
            "`reported.limits` in it: {'low': 1, 'high': 9}; `reported.old`: nothing",
            "`reported.limits` in it: nothing; `reported.old`: True",
            id="lost-and-besides",
        ),
        pytest.param(
            [b"%d" % number for number in range(40) if number != 2],
            [b"%d" % number for number in range(40)],
            "`[2]` in it: b'2' (40 in all)",
            "`[2]` in it: b'3' (39 in all)",
            id="one-of-many-lost",
        ),
        pytest.param(
            {f"p{number}": "1" for number in range(60)},
            {f"p{number}": "0" for number in range(60)},
            "`p0` in it: '0'; `p1`: '0'; `p2`: '0'; and 57 more",
            "`p0` in it: '1'; `p1`: '1'; `p2`: '1'; and 57 more",
            id="dozens",
        ),
        pytest.param(set(range(50)) | {99}, set(range(50)), "nothing", "99", id="one-too-many-in-a-set"),
    ],
)
def test_long_values_are_shown_where_they_differ(came, wanted, expected, actual):
    finding = in_words(Comparison.of("==", came, wanted), None)

    assert (finding.expected, finding.actual) == (expected, actual)


def test_the_word_for_deviations_is_the_value_itself():
    assert Comparison.of("==", "puback", "closed").word == "'puback'"


EXAMPLES = """
def test_examples(telemetry, twin, twins, device, connection):
    message = telemetry.next(sent_by=device)
    assert message.body == b"21.5"
    assert (message.body, message.properties) == (b"21.5", {})
    assert twin.get().properties["desired"] == {}
    assert [each.reported.values for each in (twins.get(device),)] == [{}]
    assert b"hall" not in message.body
    assert connection.outcome() in ("closed", "puback")
    assert len(set(telemetry.take(5, sent_by=device))) == 5
"""


@pytest.mark.parametrize(
    ("line", "quantities"),
    [
        (4, ["body of the message at the back end"]),
        (5, ["body of the message at the back end", "properties of the message at the back end"]),
        (6, ["`desired` in properties of the answer to GET"]),
        (7, ["reported properties of the twin at the back end"]),
        (8, ["body of the message at the back end"]),
        (9, ["what came next"]),
        (10, ["the number of different messages at the back end"]),
    ],
    ids=["attribute", "several", "member", "each", "not-in", "choice", "number"],
)
def test_the_quantity_is_read_from_the_tests_own_words(tmp_path, line, quantities):
    test = tmp_path / "test_examples.py"
    test.write_text(EXAMPLES)

    source = source_at(str(test), line)

    assert source is not None
    assert source.quantities == quantities


def test_only_the_values_that_differ_are_named(tmp_path):
    """Of several that a test compares at once, those that are right would only hide the wrong one."""
    test = tmp_path / "test_examples.py"
    test.write_text(EXAMPLES)

    finding = in_words(Comparison.of("==", (b"21.5", {"a": "1"}), (b"21.5", {})), source_at(str(test), 5))

    assert (finding.expected, finding.actual) == (
        "properties of the message at the back end: {}",
        "properties: {'a': '1'}",
    )


def test_a_choice_is_told_as_one(tmp_path):
    test = tmp_path / "test_examples.py"
    test.write_text(EXAMPLES)

    finding = in_words(Comparison.of("in", "suback 0", ("closed", "puback")), source_at(str(test), 9))

    assert finding.message == "what came next: expected one of 'closed', 'puback', got 'suback 0'"


def test_every_assertion_of_the_suite_has_a_quantity(pytestconfig):
    """None is told as a piece of source, which only who wrote the test can read."""
    unread = []
    for file in sorted((pytestconfig.rootpath / "conformance" / "hub").glob("test_*.py")):
        lines = file.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            source = source_at(str(file), number) if line.lstrip().startswith("assert ") else None
            if source is not None and any("(" in words or "==" in words for words in source.quantities):
                unread.append(f"{file.name}:{number}: {source.quantities}")

    assert unread == []


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
    assert ", at 128: b'xyz{|}~\\x7f\\xef\\xbf\\xbd" in suite.clause("small.holds")["cases"][0]["actual"]


def test_an_assertion_that_compares_nothing_says_what_it_claims(tmp_path):
    suite = SmallSuite(tmp_path)
    suite.cases("""
@clause("small.holds")
def test_holds():
    outcome = "closed"
    assert outcome.startswith("http 4")
""")

    suite.run()

    case = suite.clause("small.holds")["cases"][0]
    assert (case["verdict"], case["message"]) == (
        "violation",
        "expected that outcome begins with 'http 4', got outcome 'closed'",
    )
