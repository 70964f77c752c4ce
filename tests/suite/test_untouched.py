"""Each case that expects a refusal or a close ends by looking at what that must not touch.

Which cases those are is read from them: what they call, what they compare, and what their clause says.
"""

import ast
import re
from pathlib import Path

import pytest
from sections import OF_THE_BACK_END

import conformance
from conformance.documents import catalogue

HUB = Path(conformance.__file__).parent / "hub"
CLAUSES = catalogue.load().clauses
# What a test calls, or lets `stage` call, that expects the hub to refuse something or to end a connection.
VERBS = {
    *("expect_refused", "expect_closed", "expect_silent_close", "expect_replaced", "close_handshake"),
    "expect_no_plaintext_session",
}
# What a clause says of such a hub, and the outcomes that one of its readings has.
SAYS = re.compile(r"\b(refuse[sd]?|closes|no session|ends the (TCP )?connection|does not grant|opens no)\b")
OUTCOME = re.compile(r"(?<!not )\bclosed\b|connack \[?[1-5]|suback 128|http 4|status 4|4\?\?")

OTHERS = "untouched.confirm_others()"
LAST = re.compile(r"untouched\.confirm(_others)?\(.*\)")

# Cases that look at others alone, with the reason.
DEVICE_CHANGED = {
    "test_a_deleted_device_is_refused": "the device is gone",
    "test_a_device_made_anew_is_not_opened_by_the_former_key": "it is another device",
    "test_a_request_without_an_id": "whether such a patch is applied, no source says",
    "test_a_malformed_packet_changes_nothing_of_others": "it is about others",
    "test_a_refused_connect_changes_nothing_of_others": "it is about others",
    "test_a_refused_patch_changes_nothing_of_others": "it is about others",
}
# Cases that look at nothing so, with the reason.
WITHOUT = {
    "test_the_51st_message_is_refused": "it is the back end that is refused, and the queue is compared",
    "test_what_was_acknowledged_makes_room_for_as_many": "it is the back end that is refused",
    "test_a_purge_makes_room_for_as_many": "it is the back end that is refused",
    "test_an_expired_message_makes_room_for_one": "it is the back end that is refused",
    "test_a_refused_update_is_not_told": "it is the back end that is refused, and the twin is compared",
}


def clause_of(test):
    """Return the clause that a test cites, None where it cites none that exists."""
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "clause":
            return CLAUSES.get(mark.args[0].value)
    return None


def is_about_the_back_end(test):
    """Tell whether it is the back end that a test has refused something."""
    clause = clause_of(test)
    return clause is not None and clause.section in OF_THE_BACK_END


def expects_a_refusal(test):
    """Tell whether a test calls such a verb or compares such an outcome, or its clause speaks of it."""
    clause = clause_of(test)
    if clause is not None and clause.level == "must" and SAYS.search(clause.says):
        return True
    if clause is not None and any(
        OUTCOME.search(pattern) for patterns in clause.readings.values() for pattern in patterns
    ):
        return True
    for node in ast.walk(test):
        if isinstance(node, ast.Attribute) and node.attr in VERBS:
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            statuses = [each.value for each in node.args if isinstance(each, ast.Constant)]
            if node.func.attr == "expect_status" and statuses[:1] >= [400]:
                return True
        words = {str(each.value) for each in ast.walk(node) if isinstance(each, ast.Constant)} - {"connack 0"}
        if isinstance(node, ast.Compare) and any(
            str(word).startswith(("status 4", "connack ")) for word in words
        ):
            return True
    return False


def refusals_in(source):
    return [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not is_about_the_back_end(node)
        and expects_a_refusal(node)
    ]


def looks_behind_it(test):
    """Tell whether a test ends so, or is about nothing else (`own`)."""
    last = [ast.unparse(statement) for statement in test.body[-2:]]
    return any(LAST.fullmatch(each) for each in last) or "own" in [each.arg for each in test.args.args]


def looks_at_others_alone(test):
    return OTHERS[:-1] in ast.unparse(test)


FILES = sorted(HUB.glob("test_*.py"))
REFUSALS = {test.name: test for file in FILES for test in refusals_in(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_case_that_expects_a_refusal_looks_behind_it(file):
    tests = refusals_in(file.read_text(encoding="utf-8"))
    assert [test.name for test in tests if not looks_behind_it(test) and test.name not in WITHOUT] == []


def test_a_case_looks_at_its_device_too_unless_it_says_why():
    alone = {name for name, test in REFUSALS.items() if looks_at_others_alone(test)}
    assert alone == DEVICE_CHANGED.keys() & REFUSALS.keys()


def test_an_exception_is_one():
    assert [name for name in WITHOUT if name not in REFUSALS or looks_behind_it(REFUSALS[name])] == []


def test_refusals_are_found():
    source = """
def test_a(device):
    device.expect_refused()
def test_b(twin, untouched):
    assert twin.report({}).outcome == "status 412"
    untouched.confirm()
def test_c(twin):
    twin.report({}).expect_status(400, 499)
def test_d(device):
    device.connect()
    twin.report({}).expect_status(200, 299)
def test_e(twin, stage, device):
    stage(device.expect_refused)
    device.connect()
@clause("d2c.qos2")
def test_f(device, readings):
    readings.match(device.outcome())
@clause("twin.beyond-limits")
def test_g(twin, untouched):
    twin.report({})
    untouched.confirm_others()
"""
    assert [(test.name, looks_behind_it(test)) for test in refusals_in(source)] == [
        ("test_a", False),
        ("test_b", True),
        ("test_c", False),
        ("test_e", False),
        ("test_f", False),
        ("test_g", True),
    ]


def test_there_are_many():
    assert len(REFUSALS) > 110
