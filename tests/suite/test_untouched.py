"""Each case that expects a refusal or a close ends by looking at those whom it does not concern."""

import ast
from pathlib import Path

import pytest

import conformance

HUB = Path(conformance.__file__).parent / "hub"
# What a test calls that expects the hub to refuse something, or to end a connection.
VERBS = {
    *("expect_refused", "expect_closed", "expect_silent_close", "expect_replaced", "close_handshake"),
    "expect_no_plaintext_session",
}
LAST = "untouched.confirm()"


def expects_a_refusal(test):
    """Tell whether a test calls such a verb, or compares an outcome with one of a refusal."""
    for node in ast.walk(test):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            statuses = [each.value for each in node.args if isinstance(each, ast.Constant)]
            if node.func.attr in VERBS or (node.func.attr == "expect_status" and statuses[:1] >= [400]):
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
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and expects_a_refusal(node)
    ]


def looks_at_others(test):
    return LAST in {ast.unparse(statement) for statement in test.body[-2:]}


@pytest.mark.parametrize("file", sorted(HUB.glob("test_*.py")), ids=lambda file: file.stem)
def test_a_case_that_expects_a_refusal_looks_at_others(file):
    tests = refusals_in(file.read_text(encoding="utf-8"))
    assert [test.name for test in tests if not looks_at_others(test)] == []


def test_refusals_are_found():
    source = """
def test_a(device):
    device.expect_refused()
def test_b(twin, untouched):
    assert twin.report({}).outcome == "status 412"
    untouched.confirm()
def test_c(twin):
    twin.report({}).expect_status(400, 499)
def test_d(twin, stage, device):
    stage(device.expect_refused)
    twin.report({}).expect_status(200, 299)
"""
    assert [(test.name, looks_at_others(test)) for test in refusals_in(source)] == [
        ("test_a", False),
        ("test_b", True),
        ("test_c", False),
    ]


def test_there_are_many():
    files = sorted(HUB.glob("test_*.py"))
    assert sum(len(refusals_in(file.read_text(encoding="utf-8"))) for file in files) > 70
