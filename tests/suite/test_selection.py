"""--clause, --section, --level, --source: what they leave out, and that a part never claims conformance."""

import pytest
from small_suite import SmallSuite

BOTH_WAYS = pytest.mark.parametrize("distribution", [[], ["-n", "2"]], ids=["one-process", "n-2"])

CASES = """
from conformance.evidence.watch import Judgement

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
def test_watch(watch, evidence):
    evidence.watch.note(Judgement(clauses=["watch.ids"]))
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


PARTS = [
    (["--clause", "small.h*"], "cases", "--clause small.h*"),
    (["--section", "small"], "cases", "--section small"),
    (["--level", "must"], "cases", "--level must"),
    (["--source", "document"], "cases", "--source document"),
    (["-k", "holds"], "cases", "-k holds"),
    (["-m", "not large"], "cases", "-m not large"),
    (
        ["--deselect", "cases/test_small.py::test_other"],
        "cases",
        "--deselect cases/test_small.py::test_other",
    ),
    (["--ignore", "cases/x.py"], "cases", "--ignore cases/x.py"),
    ([], "cases/test_small.py", "cases/test_small.py"),
    ([], "cases/test_small.py::test_other", "cases/test_small.py::test_other"),
]


@pytest.mark.parametrize(
    ("options", "where", "words"),
    PARTS,
    ids=[words.partition(" ")[0] for _, _, words in PARTS[:8]] + ["path", "node"],
)
def test_a_part_of_the_suite_says_so_everywhere_and_claims_nothing(small, options, where, words):
    """Pitfall 21: the terminal twice, the statement, page, summaries, JUnit and Allure."""
    small.cases(CASES.replace("def test_other", "@pytest.mark.large\ndef test_other"))

    result = small.run(*options, "--large", where=where)

    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(
        [
            "partial: *; no claim of conformance",
            "partial selection, no claim of conformance: * -> what was selected holds (exit code 0)",
        ]
    )
    assert f"partial: {words}; no claim of conformance" in result.stdout.lines
    assert_partial_everywhere(small, words)


def assert_partial_everywhere(small, words):
    run = small.statement()["run"]
    assert (run["partial"], run["selection"]) == (True, [words])
    page, summary = ((small.report / name).read_text() for name in ("conformance.html", "summary.md"))
    claim = "Partial: what was selected holds on pretended hub"
    assert claim in page
    assert claim in summary
    assert "which claims no conformance" in page
    assert "no claim of conformance" in summary
    assert (small.path / "step.md").read_text() == summary
    assert small.junit().find("testsuite/properties/property[@name='selection']").get("value") == "partial"
    environment = (small.report / "allure-results" / "environment.properties").read_text()
    assert f"Selection=partial {words}\n" in environment


def test_a_part_of_the_suite_is_partial_with_workers_too(small):
    assert small.run("-k", "holds", "-n", "2").ret == 0

    assert_partial_everywhere(small, "-k holds")


def test_a_part_of_which_something_was_not_tested_does_not_hold_whole(small):
    small.cases(CASES.replace("def test_other(): pass", "def test_other(): raise NotTested('no burst')"))

    result = small.run("--section", "small")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["*-> what was tested holds; not all of the selection was (exit code 0)"])
    assert "Partial: no claim: 1 claimed clause is not tested on" in (small.report / "summary.md").read_text()


def test_what_a_part_left_out_is_not_tested_and_no_breach_of_policy(small):
    assert small.run("--clause", "small.h*").ret == 0

    assert small.statement()["run"]["cases"] == 2
    assert small.verdicts()["small.other"] == "not tested"


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
