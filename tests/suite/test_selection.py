"""--clause, --section, --level, --source: what they leave out, and that a part never claims conformance."""

import pytest
from small_suite import SmallSuite

BOTH_WAYS = pytest.mark.parametrize("distribution", [[], ["-n", "2"]], ids=["one-process", "n-2"])

CASES = """
@clause("small.holds")
@pytest.mark.parametrize("x", ["one", "two"])
def test_holds(x): pass

@clause("small.other")
def test_other(): pass

@clause("small.disputed")
def test_disputed(readings):
    assert readings.match("closed") == "closed"

@clause("small.observed")
def test_observed(observed):
    observed("closed")

@clause("watch.ids")
def test_watch(watch): pass
"""


@pytest.fixture
def small(tmp_path):
    suite = SmallSuite(tmp_path)
    suite.watch()
    suite.cases(CASES)
    return suite


def ran(suite):
    return {clause["id"] for clause in suite.statement()["clauses"] if clause["cases"]}


@pytest.mark.parametrize(
    ("options", "clauses"),
    [
        (["--clause", "small.holds"], {"small.holds"}),
        (["--clause=small.o*"], {"small.other", "small.observed"}),
        (["--clause", "small.holds", "--clause", "small.d*"], {"small.holds", "small.disputed"}),
        (["--clause", "*.[ho]*", "--level", "must"], {"small.holds", "small.other"}),
        (["--level", "disputed", "--level", "observe"], {"small.disputed", "small.observed"}),
        (["--source", "document"], {"small.holds", "small.disputed"}),
        (["--section", "small", "--source", "mqtt"], {"small.other"}),
    ],
    ids=["id", "glob", "two-globs", "glob-and-level", "two-levels", "source", "section-and-source"],
)
def test_options_of_one_kind_widen_and_of_two_kinds_narrow(small, options, clauses):
    result = small.run(*options)

    assert result.ret == 0
    assert ran(small) == clauses


@BOTH_WAYS
def test_a_selection_is_partial_everywhere(small, distribution):
    result = small.run("--clause", "small.h*", *distribution)

    assert result.ret == 0
    run = small.statement()["run"]
    assert (run["partial"], run["selection"], run["cases"]) == (True, ["--clause small.h*"], 2)
    assert small.verdicts()["small.other"] == "not tested"
    assert small.junit().find("testsuite/properties/property[@name='selection']").get("value") == "partial"
    environment = (small.report / "allure-results" / "environment.properties").read_text()
    assert "Selection=partial --clause small.h*" in environment
    result.stdout.fnmatch_lines(
        [
            "partial: --clause small.h*; no claim of conformance",
            "partial selection, no claim of conformance: * -> what was selected holds (exit code 0)",
        ]
    )
    assert "every claimed clause holds" not in result.stdout.str()


def test_a_selection_of_everything_is_partial_all_the_same(small):
    """Only a run of everything, asked for as such, is a statement."""
    small.run("--clause", "*")

    assert small.statement()["run"]["partial"] is True


def test_a_whole_run_says_so(small):
    small.run()

    run = small.statement()["run"]
    assert (run["partial"], run["selection"]) == (False, [])
    assert small.junit().find("testsuite/properties/property[@name='selection']").get("value") == "all cases"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            ["--clause", "smal.*"],
            "--clause smal.*: matches no clause. List them with: python -m conformance clauses",
        ),
        (["--section", "smal"], "--section smal: not known. Choose from watch, small."),
        (["--level", "shall"], "--level shall: not known. Choose from must, disputed, observe, untestable."),
        (
            ["--section", "watch", "--source", "document"],
            "--section watch --source document: no clause is all of that. Leave one of them out.",
        ),
    ],
    ids=["clause", "section", "level", "both"],
)
@BOTH_WAYS
def test_a_word_that_matches_nothing_is_one_line(small, options, line, distribution):
    result = small.run(*options, *distribution)

    assert result.ret == 4
    assert [each for each in result.stderr.lines if each.startswith("ERROR")] == [f"ERROR: {line}"]
    assert not (small.path / "opened").exists()
    assert not small.report.exists()


@BOTH_WAYS
def test_a_clause_without_a_case_is_never_green(small, distribution):
    assert small.run("--clause", "small.never", *distribution).ret == 5
    assert not small.report.exists()


def test_collecting_takes_the_selection_too(small):
    result = small.run("--clause", "small.holds", "--collect-only", "-q")

    assert result.ret == 0
    assert [line for line in result.stdout.lines if "::" in line] == [
        "cases/test_small.py::test_holds[one]",
        "cases/test_small.py::test_holds[two]",
    ]
