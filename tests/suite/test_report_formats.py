"""The formats of one run: the same cases, the same verdicts, the evidence where it belongs."""

import html
import json
import re
from pathlib import Path

import pytest
from small_suite import SmallSuite

from conformance.report import json_report
from conformance.report.comparison import compare
from conformance.report.html import comparison

CANARY = "Y2FuYXJ5IGluIHRoZSBtaW5lIHNoYWZ0"

MIXED = f'''
from conformance.target.credentials import Secret

@clause("small.holds")
@pytest.mark.parametrize("x", ["one", "two"])
def test_holds(x):
    """The hub holds."""

@clause("small.other")
def test_violation(evidence):
    """The hub does the other thing."""
    evidence.transcript.add("c1", "←", "PUBREC   packet=1")
    raise Violation("PUBREC instead", observed="pubrec", expected="closed", actual="PUBREC packet=1")

@clause("small.other")
def test_leak(evidence):
    secret = Secret("{CANARY}")
    evidence.transcript.add("c1", "→", f"CONNECT  password={{secret.reveal()}}")
    print(secret.reveal())
    raise Violation(f"refused {{secret.reveal()}}", observed="x", expected="y", actual=secret.reveal())

@clause("small.disputed")
def test_reading(readings):
    readings.match("closed")

@clause("small.observed")
def test_observed(observed):
    observed("silence")

@pytest.fixture
def uncleared():
    yield
    raise OSError("cannot close")

@clause("small.holds")
def test_teardown(uncleared):
    pass

@clause("small.holds")
def test_not_tested():
    raise NotTested("nothing to see")

@clause("small.needs-c2d")
def test_c2d():
    pass
'''


@pytest.fixture(scope="module", params=[[], ["-n", "2"]], ids=["one-process", "n-2"])
def small(request, tmp_path_factory):
    """One run for every test here: they only read what it left."""
    suite = SmallSuite(tmp_path_factory.mktemp("formats"))
    suite.cases(MIXED)
    suite.result = suite.run(*request.param)
    return suite


def test_junit_names_the_clause_of_each_case(small):
    cases = small.junit().findall(".//testcase")

    assert all(case.find("properties/property[@name='clause']") is not None for case in cases)


def test_no_format_holds_a_secret(small):
    """Pitfall 7."""
    files = [file for file in small.report.rglob("*") if file.is_file()]

    assert len(files) > 10
    assert [file.name for file in files if CANARY in file.read_text()] == []
    assert CANARY not in small.result.stdout.str()
    assert "CONNECT password=***" in small.result.stdout.str()


def test_the_statement_has_the_documented_fields(small):
    statement = small.statement()

    assert list(statement) == [
        "schema",
        "suite",
        "document",
        "target",
        "profile",
        "claims",
        "run",
        "summary",
        "sections",
        "clauses",
        "deviations",
        "command",
    ]
    assert statement["schema"] == 1
    assert statement["target"]["name"] == "pretended hub"
    assert statement["claims"] == {"capabilities": ["telemetry"], "timing": {}, "large": False}
    assert {"seconds", "workers", "cases", "slept_seconds", "exit_code", "partial"} <= statement["run"].keys()
    assert statement["run"]["exit_code"] == small.result.ret == 1
    assert statement["summary"] == {
        "violation": 1,
        "broken": 1,
        "pass": 1,
        "observed": 1,
        "untestable": 1,
        "not claimed": 1,
    }
    assert list(statement["clauses"][0]) == [
        "id", "section", "level", "source", "says", "link", "note", "statements", "mqtt", "accepted",
        "verdict", "reason", "readings", "consequences", "sightings", "cases",
    ]  # fmt: skip


def test_a_written_statement_reads_back(small):
    statement = json_report.read(small.report / "conformance.json")

    assert statement.clauses[0].id == "small.holds"


def test_the_published_schema_is_that_of_the_code():
    published = Path(__file__).parents[2] / "docs" / "schema" / "conformance-1.json"

    assert json.loads(published.read_text()) == json_report.schema()


# -- Allure


def by_name(small):
    return {result["fullName"].partition("::")[2]: result for result in small.allure()}


def labels(result):
    return {label["name"]: label["value"] for label in result["labels"]}


def test_allure_knows_section_clause_and_severity(small):
    result = by_name(small)["test_violation"]

    assert result["name"] == "The hub does the other thing."
    found = labels(result)
    assert (found["feature"], found["story"]) == (
        "Small things",
        "small.other (must): The hub does the other thing.",
    )
    assert (found["severity"], found["clause"], found["profile"]) == ("critical", "small.other", "small")
    assert result["links"][0]["url"].endswith("#small-things")
    assert labels(by_name(small)["test_reading"])["severity"] == "normal"
    assert labels(by_name(small)["test_observed"])["severity"] == "minor"


def test_allure_shows_expected_actual_and_transcript_of_a_violation(small):
    result = by_name(small)["test_violation"]

    details = result["statusDetails"]
    assert (details["expected"], details["actual"]) == ("closed", "PUBREC packet=1")
    assert details["message"] == "violation: expected closed; actual PUBREC packet=1"
    (attachment,) = result["attachments"]
    transcript = (small.report / "allure-results" / attachment["source"]).read_text()
    assert "c1 ← PUBREC   packet=1" in transcript


def test_allure_tells_failed_from_broken_and_skipped(small):
    statuses = {name: result["status"] for name, result in by_name(small).items()}

    assert statuses == {
        "test_holds[one]": "passed",
        "test_holds[two]": "passed",
        "test_violation": "failed",
        "test_leak": "failed",
        "test_reading": "passed",
        "test_observed": "passed",
        "test_teardown": "broken",
        "test_not_tested": "skipped",
        "test_c2d": "skipped",
    }


def test_allures_surroundings_are_an_allow_list(small):
    lines = (small.report / "allure-results" / "environment.properties").read_text().splitlines()

    assert [line.partition("=")[0] for line in lines] == [
        "Profile", "Target", "Edition", "Claims", "Document", "Suite", "Clauses", "Selection", "Started",
        "Workers", "Python",
    ]  # fmt: skip
    categories = json.loads((small.report / "allure-results" / "categories.json").read_text())
    assert {"Violations", "Not claimed"} <= {category["name"] for category in categories}


# -- the terminal


def test_the_terminal_ends_with_table_violations_and_report(small):
    small.result.stdout.fnmatch_lines(
        [
            "section  pass  observed  broken  violation  not claimed  untestable",
            "small       1         1       1          1            1           1",
            "violation:",
            "  small.other  The hub does *: expected closed; actual PUBREC packet=1 (2 of 2 cases)",
            "broken:",
            "  small.holds  clearing the stage: OSError: cannot close (1 of 4 cases)",
            "disputed, with the readings seen:",
            "  small.disputed  closed",
            "6 clauses: violation 1, broken 1, pass 1, *; 9 cases in * -> a clause is violated (exit code 1)",
            "report: reports/small/conformance.html",
        ]
    )


def test_the_terminal_shows_the_evidence_of_a_violation(small):
    small.result.stdout.fnmatch_lines(
        [
            "*_ test_violation _*",
            "small.other  The hub does the other thing.",
            "  Expected  closed",
            "  Actual    PUBREC packet=1",
            "  Packets *ms  c1 ← PUBREC packet=1",
        ]
    )


# -- page and summary


def test_no_page_of_a_run_can_load_anything(small):
    """Pitfall 12: nor can a comparison; links are followed by people alone."""
    statement = json_report.read(small.report / "conformance.json")
    pages = [
        (small.report / "conformance.html").read_text(),
        comparison.render(compare(statement, statement)),
    ]

    for page in pages:
        assert re.search(r"<(script|img|iframe|object|embed|video|audio|source|form|base)\b", page) is None
        assert (
            re.search(r"\b(src|srcset|action|poster|background)=|url\(|@import|http-equiv=.refresh", page)
            is None
        )
        assert re.findall(r"<link [^>]*href=[\"']([^\"']*)", page) == ["data:,"]
        assert "default-src 'none'" in html.unescape(page)


def test_a_step_summary_is_written_where_github_reads_it(small):
    assert (small.path / "step.md").read_text() == (small.report / "summary.md").read_text()
