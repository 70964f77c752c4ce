"""What a reading keeps a known client from: said beside the reading's name, never in it."""

import pytest
from small_suite import CLAUSES, SmallSuite

from conformance.documents import catalogue
from conformance.documents.catalogue import Clause, Consequence
from conformance.verdict.clause import Case, judge
from conformance.verdict.consequences import by_reading, consequence, told
from conformance.verdict.needs import Claims
from conformance.verdict.verdicts import Verdict

CLAUSE = Clause(
    id="s.a",
    section="s",
    level="disputed",
    source="seen",
    says="The hub closes or answers.",
    readings={"closed": ("closed",), "answered": ("puback",)},
    consequences=(
        Consequence(reading="closed", case="*", means="old clients cannot connect"),
        Consequence(reading="closed", case="*[b+/#]", means="client B hears nothing"),
        Consequence(reading="answered", case="*[b+/#]", means="client C hears twice"),
    ),
)


@pytest.mark.parametrize(
    ("reading", "case", "words"),
    [
        ("closed", "test_x.py::test_a[a]", "old clients cannot connect"),
        ("closed", "test_x.py::test_a[b+/#]", "old clients cannot connect; client B hears nothing"),
        ("answered", "test_x.py::test_a[b+/#]", "client C hears twice"),
        ("answered", "test_x.py::test_a[a]", ""),
        (None, "test_x.py::test_a[a]", ""),
    ],
)
def test_the_record_says_what_a_reading_of_a_case_means(reading, case, words):
    assert consequence(CLAUSE, reading, case) == words


def seen(reading, means, verdict=Verdict.PASS):
    return Case(id=f"test_{means}", clause="s.a", verdict=verdict, reading=reading, consequence=means)


def test_a_clause_has_those_of_its_cases_each_once():
    cases = [seen("closed", "x"), seen("answered", ""), seen("closed", "y"), seen("closed", "x")]

    assert by_reading(cases) == {"closed": ("x", "y")}


def test_a_judgement_has_them_beside_its_readings(tmp_path):
    SmallSuite(tmp_path)
    case = Case(
        id="test_a",
        clause="small.disputed",
        verdict=Verdict.PASS,
        reading="closed",
        consequence="x hears nothing",
    )

    judgement = next(
        each for each in judge(catalogue.load(tmp_path / "clauses"), [case], Claims()) if each.cases
    )

    assert (judgement.readings, judgement.consequences) == (("closed",), {"closed": ("x hears nothing",)})


def test_a_reading_is_told_with_what_it_means():
    assert (
        told("closed", ["x hears nothing", "y cannot connect"])
        == "closed (x hears nothing; y cannot connect)"
    )
    assert told("closed", ()) == "closed"


# -- a whole run


@pytest.fixture(scope="module", params=[[], ["-n", "2"]], ids=["one-process", "n-2"])
def run(request, tmp_path_factory):
    """One run that meets a reading with a consequence."""
    suite = SmallSuite(tmp_path_factory.mktemp("run"))
    means = 'consequence = [{ reading = "closed", case = "*[hard]", means = "old clients cannot connect" }]\n'
    (suite.path / "clauses" / "small.toml").write_text(CLAUSES.replace("readings =", f"{means}readings ="))
    suite.cases("""
@clause("small.disputed")
@pytest.mark.parametrize("x", ["hard", "easy"])
def test_disputed(readings, x):
    readings.match("closed")
""")
    suite.result = suite.run(*request.param)
    return suite


def test_the_statement_has_it_at_the_clause_and_at_the_case(run):
    clause = run.clause("small.disputed")

    assert (clause["verdict"], clause["readings"]) == ("pass", ["closed"])
    assert clause["consequences"] == {"closed": ["old clients cannot connect"]}
    assert {each["id"][-6:]: each.get("consequence") for each in clause["cases"]} == {
        "[hard]": "old clients cannot connect",
        "[easy]": None,
    }


def test_the_terminal_says_it_behind_the_reading(run):
    run.result.stdout.fnmatch_lines(
        ["disputed, with the readings seen:", "  small.disputed  closed (old clients cannot connect)"]
    )


def test_junit_has_it_as_a_property_of_the_case(run):
    properties = [
        {each.get("name"): each.get("value") for each in case.iter("property")}
        for case in run.junit().iter("testcase")
    ]

    assert sorted(each.get("consequence", "") for each in properties) == ["", "old clients cannot connect"]
    assert {each["reading"] for each in properties} == {"closed"}


def test_allure_has_it_as_a_label_of_the_case(run):
    labels = [{each["name"]: each["value"] for each in result["labels"]} for result in run.allure()]

    assert sorted(each.get("consequence", "") for each in labels) == ["", "old clients cannot connect"]
