"""The adapter protocol: what the suite sends and what the reference device tells fit the published schema."""

import json
import sys
from pathlib import Path

import pytest

from conformance.adapters import paho_device
from conformance.errors import HarnessError, Violation
from conformance.under_test.adapter import Adapter

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "conformance" / "adapters" / "protocol.schema.json").read_text())
sys.path.append(str(ROOT / "tests" / "report"))
from json_schema import problems  # noqa: E402 - stands in another folder of tests

PATIENCE = 10.0


def fits(value, what):
    return problems(value, SCHEMA["$defs"][what], SCHEMA) == []


@pytest.fixture
def written():
    return []


@pytest.fixture
def adapter(written):
    return Adapter(written.append, lambda _line: None)


@pytest.mark.parametrize(
    ("do", "says"),
    [
        ("connect", {}),
        ("connect", {"will": "Z29uZQ=="}),
        ("disconnect", {}),
        ("listen", {"to": ["messages", "desired", "methods"]}),
        ("send", {"body": "MjEuNQ==", "properties": {"a": None}, "system": {"message_id": "m"}}),
        ("get_twin", {}),
        ("patch_reported", {"patch": {"a": None}}),
        ("answer_method", {"request": "7", "status": 200, "payload": [1]}),
    ],
)
def test_an_order_is_one_of_the_protocol(adapter, written, do, says):
    adapter.order(do, **says)

    assert fits(json.loads(written[0]), "order")
    assert do in dir(paho_device.Device)


def test_an_answer_is_found_by_the_number_of_its_order(adapter):
    adapter.order("connect")
    second = adapter.order("get_twin")
    adapter.hear(b'{"event": "connected", "of": 1}')
    adapter.hear(b'{"event": "twin", "of": 2, "twin": {}}')

    assert adapter.answer(second, PATIENCE).name == "twin"


def test_what_happens_by_itself_is_taken_once(adapter):
    adapter.hear(b'{"event": "message", "body": "MQ==", "properties": {}}')
    adapter.hear(b'{"event": "message", "body": "Mg==", "properties": {}}')

    assert [adapter.next("message", PATIENCE).says["body"] for _ in range(2)] == ["MQ==", "Mg=="]
    with pytest.raises(Violation, match="told of no message"):
        adapter.next("message", 0)


@pytest.mark.parametrize("line", [b"hello", b"[1]", b'{"event": 1}', b"\xff", b"[" * 100_000, b""])
def test_rubbish_is_no_event(adapter, line):
    """It is counted, and never shown: anything may be in it."""
    adapter.hear(line)

    assert (adapter.events, adapter.rubbish) == ((), 1)


def test_an_adapter_of_another_protocol_is_refused(adapter):
    adapter.hear(b'{"event": "ready", "protocol": 2, "name": "n", "version": "1"}')

    with pytest.raises(HarnessError, match="speaks protocol 2"):
        adapter.ready(PATIENCE)


def test_an_adapter_that_is_not_there_is_said_to_be(adapter):
    adapter.hear(b"usage: ...")

    with pytest.raises(HarnessError, match="1 lines on its stdout were no event"):
        adapter.ready(0)
