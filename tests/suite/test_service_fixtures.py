"""Cases reach the whole back end through fixtures, over the embedded hub, and their transcripts show it."""

import json

import pytest
from small_suite import CLAUSES, PREAMBLE, run_pytest

CONFTEST = """
import dataclasses
from pathlib import Path

from conformance.documents import catalogue
from conformance.run.dependencies import suite

HERE = Path(__file__).parent


def pytest_conformance_collaborators():
    return dataclasses.replace(
        suite(), package=HERE / "cases", load_catalogue=lambda: catalogue.load(HERE / "clauses")
    )
"""

CASES = """
METHODS = "$iothub/methods/POST/#"


@clause("small.holds")
def test_messages(device, connection, c2d, feedback):
    connection.subscribe(device.topics.devicebound)
    c2d.send(device, b"hello", message_id="m", ack="positive")
    assert connection.expect_message().payload == b"hello"
    assert feedback.expect("m").status == "Success"


@clause("small.holds")
def test_twins(device, module, other_module, twins):
    twins.patch(module, desired={"a": 1})
    assert [twins.get(each).desired.values for each in (module, other_module, device)] == [{"a": 1}, {}, {}]


@clause("small.holds")
def test_methods(connection, methods):
    connection.subscribe(METHODS)
    call = methods.begin(connection.device, "x")
    request = connection.expect_message()
    connection.send(f"$iothub/methods/res/200/?{request.topic.partition('?')[2]}", b"1", qos=0)
    assert call.result().payload == 1


@clause("small.holds")
def test_module(device, module, telemetry):
    module.connect().publish(module.topics.events, b"from the module")
    arrived = telemetry.next(sent_by=module)
    assert (arrived.body, arrived.device_id, arrived.module_id) == (
        b"from the module", device.id, module.id.partition("/")[2]
    )
    assert telemetry.until_fence(module) == []
    assert telemetry.until_fence(device) == []


@clause("small.holds")
def test_fails(device, c2d, methods, registry):
    c2d.send(device, b"hello")
    registry.set_status(device.id, "disabled")
    assert methods.outcome(device, "x") == "200"
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fixtures")
    for name in ("clauses", "cases"):
        (folder / name).mkdir()
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "clauses" / "small.toml").write_text(CLAUSES)
    (folder / "cases" / "test_small.py").write_text(PREAMBLE + CASES)
    result = run_pytest(folder, "--profile=emulator", "--report-dir=report", "cases")
    statement = json.loads((folder / "report" / "conformance.json").read_text())
    cases = {
        case["id"].partition("::")[2]: case for clause in statement["clauses"] for case in clause["cases"]
    }
    return result, cases


@pytest.mark.parametrize("name", ["test_messages", "test_twins", "test_methods", "test_module"])
def test_each_fixture_does_its_work(run, name):
    _, cases = run

    assert (cases[name]["verdict"], cases[name]["message"]) == ("pass", "")


def test_what_was_asked_and_answered_is_in_the_transcript_of_the_case(run):
    result, cases = run

    case = cases["test_fails"]
    assert result.ret == 1
    assert (case["verdict"], case["observed"]) == ("violation", "'404'")
    lines = [line.partition("service = ")[2] for line in case["transcript"].splitlines()]
    asked = [line for line in lines if line]
    assert asked[0].startswith("sends message to conf-")
    assert asked[0].endswith(': 5 bytes "hello"')
    assert asked[1].endswith(": accepted")
    assert [line.split(" ")[0] for line in asked[2:]] == ["GET", "GET", "PUT", "PUT", "POST", "POST"]
    assert asked[-1].startswith("POST /twins/conf-")
    assert "404 DeviceNotOnline" in asked[-1]
    assert "SharedAccess" not in case["transcript"]
    assert "primaryKey" not in case["transcript"]
