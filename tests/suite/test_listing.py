"""python -m conformance: clauses with their tests, profiles with their claims, the schema."""

import json
from importlib.metadata import version

import pytest

from conformance.__main__ import main
from conformance.commands import listing


@pytest.fixture(scope="module")
def clauses():
    return listing.clauses()["clauses"]


def test_every_clause_has_a_test_or_a_reason(clauses):
    """Pitfall 9, from what pytest really collects."""
    assert [clause["id"] for clause in clauses if not clause["tests"] and "untestable" not in clause] == []


def test_a_row_says_what_a_clause_is(clauses):
    row = next(clause for clause in clauses if clause["id"] == "d2c.qos2")

    assert list(row) == ["id", "section", "level", "source", "says", "statements", "needs", "fixed", "tests"]
    assert (row["section"], row["level"], row["needs"]) == ("d2c", "disputed", [])
    assert all(test.startswith("test_d2c") for test in row["tests"])


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])

    assert capsys.readouterr().out == f"conformance {version('iothub-mqtt-conformance')}\n"


@pytest.mark.parametrize("form", ["table", "markdown", "json"])
def test_profiles_come_in_three_forms(capsys, form):
    assert main(["profiles", "--format", form]) == 0

    said = capsys.readouterr().out
    assert "emulator" in said
    assert "IOTHUB_SERVICE_CONNECTION_STRING" in said


def test_a_variable_that_is_not_set_is_listed_not_demanded():
    rows = {row["name"]: row for row in listing.profiles(environment={})["profiles"]}

    assert rows["real-hub"]["not set"] == rows["real-hub"]["reads"] != []
    assert rows["emulator"]["reads"] == []
    assert (
        {"registry", "telemetry"}
        <= set(rows["emulator"]["claims"])
        == set(rows["emulator-current"]["claims"])
    )
    assert rows["device-only"]["claims"] == ["c2d", "methods", "throttling", "twin", "websocket"]


def test_the_schema_is_printed_as_json(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Statement"


@pytest.mark.parametrize("arguments", [["weather"], [], ["clauses", "--format", "poem"]])
def test_a_wrong_command_line_is_a_usage_error_of_one_line(capsys, arguments):
    with pytest.raises(SystemExit) as refused:
        main(arguments)

    assert refused.value.code == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ERROR: ")


def test_markdown_escapes_what_would_break_the_table():
    assert listing.as_markdown({"x": [{"a": "1|2", "b": ["c", "d"]}]}).splitlines()[-1] == "| 1\\|2 | c, d |"
