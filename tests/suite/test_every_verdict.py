"""One run with every verdict that there is: each format counts the same, and names what is wrong in words."""

import itertools
import re
from collections import Counter

import pytest
from small_suite import SmallSuite

from conformance.report.terminal import COLUMNS
from conformance.verdict.verdicts import Verdict

CASES = '''
from conformance.evidence.watch import Breach, Judgement

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
def test_compares():
    assert {"a": 1} == {"a": 2}

@clause("small.known")
def test_known():
    """The hub acknowledges nothing."""
    raise Violation("got an acknowledgement", observed="puback", expected="nothing", actual="puback")

@clause("small.stale")
def test_stale():
    """The hub was wrong here once."""

@pytest.fixture
def unset_stage():
    raise Violation("no CONNACK", observed="silence")

@clause("small.broken")
def test_broken(unset_stage):
    """The hub could not be asked."""

@pytest.fixture
def uncleared():
    yield
    raise OSError("cannot close")

@clause("small.broken")
def test_teardown(uncleared):
    pass

@clause("small.broken")
def test_trouble():
    raise OSError("no route")

@clause("small.unseen")
def test_not_tested():
    raise NotTested("no burst was throttled")

@clause("small.unseen")
def test_skipped():
    pytest.skip("not today")

@clause("small.disputed")
def test_disputed(readings):
    readings.match("closed")

@clause("small.observed")
def test_observed(observed):
    observed("silence")

@clause("small.needs-c2d")
def test_c2d():
    pass

@clause("watch.ids")
def test_watch(evidence):
    evidence.transcript.add("c1", "←", "PUBACK   packet=7")
    evidence.watch.note(Judgement(
        clauses=["watch.ids"], breaches=[Breach("watch.ids", "PUBACK 7 was not asked for", "puback 7")]
    ))
'''
DIES = """
@clause("small.broken")
def test_dies():
    os._exit(1)
"""
MORE_CLAUSES = "".join(
    f'\n[clause.{name}]\nlevel = "must"\nsource = "document"\nsays = "The hub is {name}."\n'
    for name in ("known", "stale", "broken", "unseen")
)
OF_CASES = {
    "violation": 2, "stale deviation": 1, "broken": 3, "not tested": 2, "known deviation": 1, "pass": 4,
    "observed": 1, "not claimed": 1,
}  # fmt: skip
OF_CLAUSES = {
    "violation": 2, "stale deviation": 1, "broken": 1, "not tested": 1, "known deviation": 1, "pass": 2,
    "observed": 1, "untestable": 1, "not claimed": 1,
}  # fmt: skip


def known(clause, case):
    return {
        "clause": clause,
        "case": case,
        "observed": "puback",
        "reason": "it always did",
        "since": "2026-11-01",
        "expires": "9999-12-31",
    }


@pytest.fixture(
    scope="module", params=[[], ["-n", "2"], ["-n", "2", "dies"]], ids=["one-process", "n-2", "worker-dies"]
)
def small(request, tmp_path_factory):
    """One run for every test here: they only read what it left."""
    *distribution, dies = request.param if "dies" in request.param else [*request.param, ""]
    suite = SmallSuite(tmp_path_factory.mktemp("verdicts"))
    suite.watch()
    with (suite.path / "clauses" / "small.toml").open("a") as file:
        file.write(MORE_CLAUSES)
    suite.deviations(known("small.known", "*"), known("small.stale", "*"))
    suite.cases(CASES + (DIES if dies else ""))
    suite.result = suite.run(*distribution)
    suite.of_cases = OF_CASES | ({"broken": 4} if dies else {})
    return suite


def statement_counts(small):
    cases = [case for clause in small.statement()["clauses"] for case in clause["cases"]]
    return Counter(case["verdict"] for case in cases if "in_passing" not in case)


def page_counts(small):
    page = (small.report / "conformance.html").read_text()
    cases = re.findall(r'<li class="case [^>]*>', page)
    own = [case for case in cases if "data-in-passing" not in case]
    return Counter(re.search('data-verdict="([^"]*)"', case)[1] for case in own)


def summary_counts(small, row):
    lines = [line.strip("| ").split(" | ") for line in (small.report / "summary.md").read_text().splitlines()]
    (head,) = [cells for cells in lines if cells[0] == "Section"]
    (counts,) = [cells for cells in lines if cells[0] == row]
    return {verdict: int(count) for verdict, count in zip(head[1:], counts[1:], strict=True) if count != "0"}


def junit_counts(small):
    cases = small.junit().findall(".//testcase")
    return Counter(case.find("properties/property[@name='verdict']").get("value") for case in cases)


def allure_counts(small):
    labels = [label for result in small.allure() for label in result["labels"]]
    return Counter(label["value"] for label in labels if label["name"] == "verdict")


def test_every_format_counts_the_same_cases(small):
    """Pitfall 10."""
    assert small.result.ret == 1, small.result.stdout.str()
    assert {
        "conformance.json": statement_counts(small),
        "conformance.html": page_counts(small),
        "summary.md": summary_counts(small, "**Cases**"),
        "junit.xml": junit_counts(small),
        "allure-results": allure_counts(small),
    } == dict.fromkeys(
        ["conformance.json", "conformance.html", "summary.md", "junit.xml", "allure-results"], small.of_cases
    )
    assert small.statement()["run"]["cases"] == sum(small.of_cases.values())


def test_every_format_counts_the_same_clauses(small):
    lines = small.result.stdout.lines
    (table,) = [place for place, line in enumerate(lines) if line.startswith("section  ")]
    heads = re.split("  +", lines[table])[1:]
    rows = [line.split()[1:] for line in itertools.takewhile(bool, lines[table + 1 :])]
    columns = [sum(int(cell) for cell in cells if cell != ".") for cells in zip(*rows, strict=True)]
    words = {short: str(verdict) for verdict, short in COLUMNS.items()}
    (headline,) = [line for line in lines if "(exit code " in line]

    assert small.statement()["summary"] == OF_CLAUSES
    assert summary_counts(small, "**All sections**") == OF_CLAUSES
    assert {words[head]: count for head, count in zip(heads, columns, strict=True)} == OF_CLAUSES
    assert ", ".join(f"{verdict} {count}" for verdict, count in OF_CLAUSES.items()) in headline
    assert f"; {sum(small.of_cases.values())} cases in " in headline


def test_junits_own_counts_are_those_of_its_cases(small):
    """A violation fails; what is broken is an error, in whatever phase, also where a worker died."""
    suite = small.junit().find("testsuite")
    died = small.of_cases["broken"] - 3

    counts = {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": 15 + died, "failures": 3, "errors": 3 + died, "skipped": 3}


def test_allure_says_in_words_what_is_no_pass(small):
    """A stale deviation too, of which pytest's own strict xfail would say nothing."""
    said = {
        label["value"]: result.get("statusDetails", {}).get("message", "")
        for result in small.allure()
        for label in result["labels"]
        if label["name"] == "verdict"
    }

    assert set(said) == set(OF_CASES)
    assert [
        verdict for verdict, words in said.items() if verdict != "pass" and not words.startswith(verdict)
    ] == []
    assert "the case passes now" in said["stale deviation"]
    assert "it always did" in said["known deviation"]


def test_every_verdict_has_its_status_in_allure(small):
    """A waived case is shown as passed with its reason, a broken one never as failed."""
    statuses = {
        label["value"]: result["status"]
        for result in small.allure()
        for label in result["labels"]
        if label["name"] == "verdict"
    }

    assert statuses == {
        "violation": "failed", "stale deviation": "failed", "broken": "broken", "not tested": "skipped",
        "known deviation": "passed", "pass": "passed", "observed": "passed", "not claimed": "skipped",
    }  # fmt: skip


def test_a_rule_broken_in_passing_stands_in_every_format(small):
    words = "PUBACK 7 was not asked for"

    assert words in (small.report / "conformance.html").read_text()
    assert words in (small.report / "summary.md").read_text()
    assert words in (small.report / "junit.xml").read_text()
    assert any(words in error for error in small.allure_errors())
    small.result.stdout.fnmatch_lines([f"  watch.ids  *: {words}"])


def test_the_run_knows_every_verdict():
    assert set(OF_CASES) | set(OF_CLAUSES) == set(Verdict)
