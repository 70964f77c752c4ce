"""How far a run is: what is said of the counts, in a log and in a terminal, and that nothing else suffers."""

import itertools
import os
import re

import pytest
from small_suite import SmallSuite
from terminal_run import TerminalRun

from conformance.report import progress
from conformance.report.progress import Pace, Progress, Reached
from conformance.verdict.clause import Breach, Case
from conformance.verdict.verdicts import Verdict

BOTH_WAYS = pytest.mark.parametrize("distribution", [[], ["-n", "2"]], ids=["one-process", "n-2"])

# -- what is said of the counts

FAR = Reached(sections=["d2c", "twin"], done=312, total=884, seconds=84.2, violated=1, broken=2)


@pytest.mark.parametrize(
    ("reached", "text"),
    [
        (FAR, " 35 %  312 of 884 cases   1:24  d2c, twin; 1 clause violated, 2 cases broken"),
        (Reached(sections=["d2c"], done=1, total=1, seconds=3725), "100 %  1 of 1 case  1:02:05  d2c"),
        (
            Reached(sections=list("abcdefgh"), done=9, total=10, seconds=0, stale=2),
            " 90 %   9 of 10 cases   0:00  a, b, c, d, e, f + 2 more; 2 deviations stale",
        ),
    ],
    ids=["found", "one", "many-sections"],
)
def test_a_line_of_a_log_says_sections_counts_and_findings(reached, text):
    assert progress.line(reached) == text


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (100, "d2c, twin  312 of 884 cases (35 %); 1 clause violated, 2 cases broken  1:24"),
        (74, "d2c, twin  312 of 884 cases; 1 clause violated, 2 cases broken  1:24"),
        (67, "312 of 884 cases; 1 clause violated, 2 cases broken"),
        (25, "312 of 884 cases; 1 claus"),
    ],
)
def test_a_line_of_a_terminal_gives_up_the_least_first(width, text):
    assert progress.live(FAR, width) == text


def test_a_line_of_a_terminal_is_never_longer_than_that():
    assert [width for width in range(150) if len(progress.live(FAR, width)) > width] == []


def case(name, verdict=Verdict.PASS, clause="s.must", **fields):
    return Case(id=name, clause=clause, verdict=verdict, **fields)


def breach(clause, verdict=Verdict.VIOLATION):
    return Breach(clause=clause, message="seen in passing", verdict=verdict)


def counted(*cases, sections=None):
    counts = Progress(sections or {}, ["s", "t"], {"s.must", "s.watched"})
    for each in cases:
        counts.begin(each.id)
        counts.end(each.id, each)
    return counts.now(len(cases), 0)


def test_a_clause_is_violated_once_however_many_cases_show_it():
    violation = Verdict.VIOLATION
    in_passing = (breach("s.watched"), breach("s.observed"))
    known = (breach("s.watched", Verdict.KNOWN_DEVIATION),)

    assert counted(case("a", violation), case("b", violation)).violated == 1
    assert counted(case("a", breaches=in_passing), case("b", violation)).violated == 2
    assert counted(case("a", breaches=known)).violated == 0
    assert counted(case("a", Verdict.BROKEN), case("b", Verdict.STALE_DEVIATION)) == Reached(
        sections=[], done=2, total=2, seconds=0, broken=1, stale=1
    )


def test_the_sections_named_are_those_that_run_or_that_ran_since_the_last_line():
    counts = Progress({"a": "t", "b": "s", "c": "s"}, ["s", "t"], set())
    counts.begin("a")
    counts.begin("b")

    assert counts.now(4, 0).sections == ["s", "t"]
    counts.end("b", case("b"))
    assert counts.now(4, 0).sections == ["s", "t"], "whoever left a section begins its next case at once"
    assert counts.since_last(4, 0).sections == ["s"]
    counts.forget()
    counts.begin("stranger")
    assert counts.now(4, 0).sections == ["t", progress.OTHERS]
    counts.end("stranger", None)
    assert counts.since_last(4, 0).sections == [progress.OTHERS]


@pytest.mark.parametrize("seconds", [0, 0.05], ids=["at-once", "quick"])
def test_a_log_has_ten_lines_at_most_and_always_the_last(seconds):
    for total in range(1, 300):
        pace = Pace()
        reached = [Reached(sections=[], done=n, total=total, seconds=n * seconds) for n in range(total + 1)]
        lines = [each.done for each in reached if pace.due(each)]

        assert len(lines) <= 10
        assert lines[-1] == total
        assert not pace.due(reached[-1])
        steps = [after - before for before, after in itertools.pairwise([0, *lines[:-1]])]
        assert all(step >= 10 for step in steps)


def test_a_log_has_a_line_a_minute_while_cases_wait():
    pace = Pace()
    seconds = [second for second in range(700) if pace.due(reached_after(second))]

    assert seconds == [60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 660]


def reached_after(seconds):
    return Reached(sections=["sas"], done=4, total=98, seconds=seconds)


def test_a_line_names_the_case_that_has_run_for_half_a_minute_and_more():
    counts = Progress({"a": "sas", "b": "c2d"}, ["sas", "c2d"], set(), {"a": "sas.expiry-disconnects"})
    counts.begin("a", seconds=2.0)
    counts.begin("b", seconds=400.0)

    assert counts.now(2, 31.9).longest == ""
    assert progress.line(counts.since_last(2, 430.0)) == (
        "  0 %  0 of 2 cases   7:10  sas, c2d; sas.expiry-disconnects for 7:08"
    )
    assert progress.live(counts.now(2, 430.0), 100) == (
        "sas, c2d  0 of 2 cases (0 %)  7:10; sas.expiry-disconnects for 7:08"
    )
    assert progress.live(counts.now(2, 430.0), 40) == "sas, c2d  0 of 2 cases (0 %)  7:10"


# -- a run into a log

MANY = """
@clause("small.holds")
@pytest.mark.parametrize("x", range(30))
def test_holds(x):
    assert x != 7

@clause("watch.ids")
@pytest.mark.parametrize("x", range(30))
def test_watch(x, evidence):
    if x == 3:
        raise OSError("no route")
"""
WAITS = """
from pathlib import Path

@clause("small.holds")
def test_waits():
    assert Path("go-on").read_text() == "now"
"""
LINE = re.compile(r" *\d+ %  +\d+ of 60 cases +\d+:\d\d  .+")


@pytest.fixture
def small(tmp_path):
    suite = SmallSuite(tmp_path)
    suite.watch()
    suite.cases(MANY)
    return suite


def lines_of(result):
    return [line for line in result.stdout.lines if LINE.fullmatch(line)]


@BOTH_WAYS
def test_a_log_has_a_line_for_each_tenth_and_no_dots(small, distribution):
    result = small.run(*distribution)

    assert result.ret == 1
    lines = lines_of(result)
    assert 2 <= len(lines) <= 10
    assert lines[-1].startswith("100 %  60 of 60 cases")
    assert lines[-1].endswith("; 1 clause violated, 1 case broken")
    assert any("small" in line for line in lines)
    assert any("watch" in line for line in lines)
    text = result.stdout.str()
    assert not re.search("[\r\x1b]", text)
    assert "cases/test_small.py ." not in text
    assert "[100%]" not in text
    result.stdout.fnmatch_lines(
        [
            "*_ test_holds?7? _*",
            "FAILED cases/test_small.py::test_holds[[]7[]] - *",
            "*= 2 failed, 58 passed in *",
        ]
    )


@BOTH_WAYS
def test_a_log_shows_a_case_that_waits_while_it_waits(small, distribution):
    """The case goes on when its line was read."""
    small.cases(WAITS)
    patched = "from conformance.report import progress\nprogress.QUIET = progress.SECONDS = 0.5\n"
    (small.path / "conftest.py").write_text((small.path / "conftest.py").read_text() + patched)
    os.mkfifo(small.path / "go-on")
    run = TerminalRun(small.path, "--profile=small", "cases", *distribution, TERM="dumb")

    run.until("small; small.holds for 0:0")
    (small.path / "go-on").write_text("now")

    assert run.ended() == 11, run.written  # the other clauses have no case here
    run.close()


def test_what_one_process_runs_is_named_in_the_order_of_the_document(small):
    names = [line.rsplit("  ", 1)[-1].partition(";")[0] for line in lines_of(small.run())]

    assert names == ["small", "small", "small", "watch", "watch", "watch"]


@pytest.mark.parametrize("options", [["-v"], ["-v", "-n", "2"], ["--setup-show"]], ids=" ".join)
def test_where_pytest_names_every_case_nothing_stands_beside(small, options):
    result = small.run(*options)

    assert lines_of(result) == []
    assert sum("test_holds[" in line for line in result.stdout.lines) >= 30


@pytest.mark.parametrize("option", ["-q", "-s", "--no-header"])
def test_other_options_of_output_change_nothing(small, option):
    result = small.run(option)

    assert result.ret == 1
    assert "100 %  60 of 60 cases" in result.stdout.str()


@BOTH_WAYS
def test_a_run_without_pytests_terminal_says_nothing_and_reports(small, distribution):
    result = small.run("-p", "no:terminal", *distribution)

    assert (result.ret, result.stdout.str()) == (1, "")
    assert small.verdicts()["small.holds"] == "violation"


def test_tests_of_somebody_else_are_counted_beside(small):
    (small.path / "mine").mkdir()
    (small.path / "mine" / "test_mine.py").write_text("def test_mine(): pass\n")

    result = small.run("mine")

    assert "100 %  61 of 61 cases" in result.stdout.str()
    assert "other tests; 1 clause violated" in result.stdout.str()


def test_a_worker_that_dies_leaves_its_case_counted(small):
    small.cases(MANY.replace('raise OSError("no route")', "os._exit(1)"))

    result = small.run("-n", "2")

    lines = lines_of(result)
    assert len(lines) <= 10
    assert lines[-1].startswith("100 %  60 of 60 cases")
    assert lines[-1].endswith("1 case broken")


# -- a run in a terminal


@pytest.fixture
def terminal(small):
    runs = []

    def start(*arguments, **settings):
        runs.append(TerminalRun(small.path, "--profile=small", "cases", *arguments, **settings))
        return runs[-1]

    yield start
    for run in runs:
        run.close()


@BOTH_WAYS
def test_a_terminal_shows_one_line_that_is_rewritten(terminal, distribution):
    run = terminal(*distribution)

    assert run.ended() == 1, run.written
    drawn = [line for line in run.drawn if " of 60 cases" in line]
    assert len(drawn) >= 2
    assert drawn[0].startswith(("small", "watch"))
    standing = [line for line in run.lines if " of 60 cases" in line]
    assert len(standing) == 1
    assert re.fullmatch(r"60 of 60 cases \(100 %\); 1 clause violated, 1 case broken  \d+:\d\d", standing[0])
    assert "=== FAILURES ===" in "\n".join(run.lines)
    assert not any(set(line) <= set(".F") and line for line in run.lines)


@pytest.mark.parametrize("columns", [20, 40, 200])
def test_a_terminal_of_any_width_shows_the_line_whole(terminal, columns):
    run = terminal(columns=columns)

    run.ended()
    drawn = [line.rstrip() for line in run.drawn if " of 60 cases" in line]
    assert drawn
    assert max(map(len, drawn)) < columns


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [(["-s"], {}), (["-o", "log_cli=true"], {}), ([], {"TERM": "dumb"})],
    ids=["s", "log-cli", "dumb"],
)
def test_what_else_writes_into_a_terminal_is_left_whole(terminal, arguments, variables):
    run = terminal(*arguments, **variables)

    assert run.ended() == 1
    standing = [line for line in run.lines if " of 60 cases" in line]
    assert 2 <= len(standing) <= 10
    assert standing[-1].startswith("100 %  60 of 60 cases")


@BOTH_WAYS
def test_ctrl_c_leaves_the_line_as_it_was_and_a_new_one_below(small, terminal, distribution):
    small.cases(
        """
import threading
from pathlib import Path

@clause("small.holds")
def test_waits():
    Path("running").write_text("running")
    threading.Event().wait(60)
"""
    )
    os.mkfifo(small.path / "running")
    run = terminal(*distribution)
    assert (small.path / "running").read_text() == "running"
    run.until(" of 1 case")

    run.press(b"\x03")

    assert run.ended() == 2, run.written
    (standing,) = [line for line in run.lines if " of 1 case" in line]
    assert re.fullmatch(r"small  0 of 1 case \(0 %\)  \d+:\d\d", standing)
    assert any(re.match("!!!+ .*KeyboardInterrupt.* !!!+$", line) for line in run.lines)


def test_what_xdist_says_of_a_dead_worker_begins_a_line_of_its_own(small, terminal):
    small.cases(MANY.replace('raise OSError("no route")', "os._exit(1)"))
    run = terminal("-n", "2")

    assert run.ended() == 1
    assert "replacing crashed worker gw1" in run.lines or "replacing crashed worker gw0" in run.lines
    assert re.fullmatch(r"60 of 60 cases .*", [line for line in run.lines if " of 60 cases" in line][-1])
