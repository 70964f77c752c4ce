"""Two statements side by side: what counts as worse, and how it is told."""

import json

import pytest
from sample import case, clause, holding, mixed, statement, violation
from tree import read

from conformance.__main__ import main
from conformance.explore.scenarios import DEFAULT
from conformance.report import json_report
from conformance.report.comparison import Kind, compare
from conformance.report.comparison_text import as_markdown, as_terminal
from conformance.report.html.comparison import render
from conformance.verdict.verdicts import Verdict

IN_ORDER = ["violation", "stale deviation", "broken", "not tested", "known deviation", "pass"]
LEVEL_WITH_PASS = ["pass", "observed", "untestable", "not claimed"]


def with_verdict(verdict):
    return statement(clause("a.b", case(1, verdict)))


def only(comparison):
    (change,) = comparison.changes
    return change


@pytest.mark.parametrize("better", range(6), ids=IN_ORDER)
@pytest.mark.parametrize("worse", range(6), ids=IN_ORDER)
def test_a_regression_is_a_verdict_earlier_in_the_order(worse, better):
    found = compare(with_verdict(IN_ORDER[better]), with_verdict(IN_ORDER[worse]))

    assert found.is_regression == (worse < better)
    assert len(found.of(Kind.BETTER)) == (worse > better)
    assert found.same == (worse == better)


@pytest.mark.parametrize("a", LEVEL_WITH_PASS)
@pytest.mark.parametrize("b", LEVEL_WITH_PASS)
def test_what_stands_level_with_pass_is_different_and_not_worse(a, b):
    found = compare(with_verdict(a), with_verdict(b))

    assert not found.is_regression
    assert [change.kind for change in found.changes] == ([] if a == b else [Kind.DIFFERENT])


@pytest.mark.parametrize("a", ["observed", "untestable", "not claimed"])
def test_a_violation_is_worse_than_what_stands_beside(a):
    assert compare(with_verdict(a), with_verdict("violation")).is_regression


def test_the_order_of_the_verdicts_is_the_suites():
    assert [*IN_ORDER, "observed", "untestable", "not claimed"] == [str(verdict) for verdict in Verdict]


def test_another_case_of_a_violated_clause_is_a_regression_too():
    a = statement(clause("a.b", violation(1), case(2)))
    b = statement(clause("a.b", violation(1), violation(2)))

    change = only(compare(a, b))
    assert change.kind is Kind.WORSE
    assert [(each.kind, each.either.id[-3:]) for each in change.cases] == [(Kind.WORSE, "[2]")]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (violation(1, observed="pubrec"), violation(1, observed="puback")),
        (case(1, "observed", observed="in order"), case(1, "observed", observed="reversed")),
        (case(1, reading="200"), case(1, reading="204")),
    ],
    ids=["violated-otherwise", "observed-otherwise", "another-reading"],
)
def test_another_word_is_a_difference_and_no_regression(a, b):
    found = compare(statement(clause("a.b", a)), statement(clause("a.b", b)))

    assert only(found).kind is Kind.DIFFERENT
    assert len(only(found).cases) == 1
    assert not found.is_regression


def test_times_and_addresses_make_no_difference():
    a = statement(clause("a.b", violation(1, actual="conf-1 sent it", seconds=1.0, transcript="x")))
    b = statement(clause("a.b", violation(1, actual="conf-2 sent it", seconds=2.0, transcript="y")))

    assert compare(a, b).changes == ()


def test_new_and_removed_clauses_are_listed_and_judge_nothing():
    found = compare(statement(clause("a.old", case(1))), statement(clause("a.new", violation(2))))

    assert [(change.kind, change.either.id) for change in found.changes] == [
        (Kind.ADDED, "a.new"),
        (Kind.REMOVED, "a.old"),
    ]
    assert not found.is_regression


def test_a_new_case_that_passes_is_no_difference_and_one_that_fails_is_listed():
    a = statement(clause("a.b", violation(1)))

    assert compare(a, statement(clause("a.b", violation(1), case(2)))).changes == ()
    change = only(compare(a, statement(clause("a.b", violation(1), violation(2)))))
    assert [(each.kind, each.a) for each in change.cases] == [(Kind.ADDED, None)]


def test_what_a_partial_selection_left_out_is_not_compared():
    a = statement(clause("a.b", case(1), violation(2)), clause("a.c", violation(3)))
    b = statement(clause("a.b", case(1)), clause("a.c"), partial=True)

    found = compare(a, b)
    assert (found.changes, found.omitted, found.same) == ((), ("a.c",), 1)
    assert found.remarks[0] == "B is a partial selection: 1 case."


def test_a_case_that_both_have_counts_in_a_partial_selection():
    a = statement(clause("a.b", case(1), case(2)))
    b = statement(clause("a.b", violation(1)), partial=True)

    assert compare(a, b).is_regression


def test_a_rule_broken_in_passing_is_a_regression():
    a = statement(clause("watch.ids", case(1), sightings=3))
    b = statement(clause("watch.ids", case(1), violation(9, in_passing=True), sightings=3))

    assert compare(a, b).is_regression


def test_a_scenario_beyond_the_default_ones_is_not_compared():
    """Another run need not have played it; one of the default ones is compared like any case."""
    extra, default = (f"test_explore.py::explore.messages[{number}]" for number in (DEFAULT, 1))
    a = statement(clause("c2d.delivered", case(1)))
    by_extra = statement(clause("c2d.delivered", case(1), violation(9, id=extra, in_passing=True)))
    by_default = statement(clause("c2d.delivered", case(1), violation(9, id=default, in_passing=True)))

    assert compare(a, by_extra).changes == ()
    assert compare(a, by_default).is_regression


def test_another_suite_other_claims_and_figures_are_said_first():
    a = holding()
    b = holding(
        suite={"version": "2027.1.0", "digest": "e" * 64},
        claims={"capabilities": ["telemetry", "twin"], "timing": {}},
    )

    assert compare(a, b).remarks == (
        "The suites differ (2026.11.0 dddddddddddd, 2027.1.0 eeeeeeeeeeee): a difference may be the suite's.",
        "Claimed in B alone: twin.",
        "The profiles state other figures of time.",
    )


# -- formats

A = statement(
    clause("d2c.qos2", case(1)),
    clause("twin.get", case(2, reading="200"), level="disputed", accepted=["200", "204"], readings=["200"]),
    clause("twin.gone", case(3)),
    clause("twin.same", case(4)),
)
B = statement(
    clause("d2c.qos2", violation(1)),
    clause("twin.get", case(2, reading="204"), level="disputed", accepted=["200", "204"], readings=["204"]),
    clause("twin.same", case(4)),
    clause("twin.new", case(5)),
    target={"edition": "current"},
)
HEADLINE = "Regression: 1 clause worse in B"
COUNTS = "3 clauses compared: 1 worse in B, 1 different, 1 only in A, 1 only in B, 1 the same"


def test_the_terminal_tells_both_sides_in_full():
    assert as_terminal(compare(A, B)).splitlines() == [
        "A  pretended hub at hub.example",
        "   profile small, suite 2026.11.0 dddddddddddd",
        "   2026-11-23T02:00:00+00:00, 4 cases, exit code 0",
        "B  pretended hub at hub.example, edition current",
        "   profile small, suite 2026.11.0 dddddddddddd",
        "   2026-11-23T02:00:00+00:00, 4 cases, exit code 1",
        "",
        "worse in B:",
        "  d2c.qos2  The hub does what d2c.qos2 says.",
        "      A  pass",
        "      B  violation: pubrec",
        "    test_small.py::test_rule[1] (worse in B)",
        "      A  pass",
        "      B  violation: pubrec",
        "         expected closed; actual PUBREC packet=1",
        "",
        "different:",
        "  twin.get  The hub does what twin.get says.",
        "      A  pass: 200",
        "      B  pass: 204",
        "    test_small.py::test_rule[2] (different)",
        "      A  pass: 200",
        "      B  pass: 204",
        "",
        "only in A:",
        "  twin.gone  The hub does what twin.gone says.",
        "      A  pass",
        "      B  none",
        "",
        "only in B:",
        "  twin.new  The hub does what twin.new says.",
        "      A  none",
        "      B  pass",
        "",
        COUNTS,
        HEADLINE,
    ]


def test_markdown_has_a_row_for_each_clause_and_case():
    lines = as_markdown(compare(A, B)).splitlines()

    assert (lines[0], lines[2]) == (f"# {HEADLINE}", f"{COUNTS}.")
    assert "## Worse in B (1)" in lines
    assert "| `d2c.qos2` The hub does what d2c.qos2 says. | pass | violation: pubrec |" in lines
    assert (
        "| `test_small.py::test_rule[1]` (worse in B) | pass | "
        r"violation: pubrec \(expected closed; actual PUBREC packet=1\) |"
    ) in lines


def test_the_page_has_verdicts_readings_and_evidence_side_by_side():
    page = read(render(compare(A, B)))

    assert page.one("h1").text == HEADLINE
    first, *_ = page.all("article")
    sides = [[part.text for part in pair.children] for pair in first.all("div", class_="pair")]
    assert sides[1] == ["A✓ pass", "B✕ violationExpectedclosedActualPUBREC packet=1In a wordpubrec"]
    assert next(first.all("table", class_="sequence")).one("caption").text.startswith("Sequence")
    assert [node["href"] for node in page.one("nav").all("a")] == [
        "#worse-in-b", "#different", "#only-in-a", "#only-in-b",
    ]  # fmt: skip


def test_nothing_in_a_statement_becomes_markup_or_moves_the_cursor():
    wild = "<script>x</script> \x1b[2J | `"
    found = compare(
        statement(clause("a.b", case(1, observed=wild), says=wild)),
        statement(
            clause("a.b", violation(1, observed=wild, expected=wild, actual=wild, title=wild), says=wild)
        ),
    )

    assert list(read(render(found)).all("script")) == []
    assert "\x1b" not in as_terminal(found) + as_markdown(found) + render(found)
    assert "<script>" not in as_markdown(found).replace("\\<script\\>", "")


def test_two_alike_say_so():
    assert as_terminal(compare(mixed(), mixed())).splitlines()[-2:] == [
        "11 clauses compared: 11 the same",
        "No difference",
    ]


def test_a_difference_that_is_no_regression_is_called_one():
    assert compare(B, A).headline == "No regression, but 4 differences"


# -- the command


@pytest.fixture
def files(tmp_path):
    for name, made in (("a", A), ("b", B)):
        json_report.write(made, tmp_path / f"{name}.json")
    return tmp_path


def test_a_regression_ends_with_code_1_and_any_other_difference_with_0(files, capsys):
    assert main(["compare", str(files / "a.json"), str(files / "b.json")]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == HEADLINE
    assert main(["compare", str(files / "b.json"), str(files / "a.json")]) == 0
    assert main(["compare", str(files / "a.json"), str(files / "a.json")]) == 0


@pytest.mark.parametrize(
    ("form", "begins"),
    [("terminal", "A  pretended"), ("markdown", "# Regression"), ("html", "<!doctype html>")],
)
def test_a_comparison_comes_in_three_formats_and_into_a_file(files, capsys, form, begins):
    arguments = ["compare", str(files / "a.json"), str(files / "b.json"), "--format", form]

    assert main(arguments) == 1
    said = capsys.readouterr().out
    assert said.startswith(begins)
    assert main([*arguments, "--output", str(files / "out")]) == 1
    assert (files / "out").read_text().strip() == said.strip()
    assert capsys.readouterr().out.splitlines() == [HEADLINE, str(files / "out")]


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        pytest.param("", "the file", id="empty"),
        pytest.param("{", "the file", id="half"),
        pytest.param("[]", "the file", id="list"),
        pytest.param("{}", "suite", id="no-fields"),
        pytest.param('{"schema": 2}', "schema", id="another-schema"),
        pytest.param("\x00", "the file", id="zero"),
        pytest.param(json.dumps({"schema": 1, "clauses": []}), "suite", id="half-a-statement"),
    ],
)
def test_what_is_no_statement_is_refused_in_one_line(files, capsys, content, wrong):
    (files / "bad.json").write_text(content)

    assert main(["compare", str(files / "a.json"), str(files / "bad.json")]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"ERROR: {files / 'bad.json'}: no statement of a run that this version reads "
        f"(wrong or missing: {wrong}). Give the conformance.json of a report."
    )


def test_a_start_that_is_no_moment_is_refused_in_one_line(files, capsys):
    """Merging puts runs on one clock."""
    bad = files / "a.json"
    text = bad.read_text()
    bad.write_text(text.replace(json.loads(text)["run"]["started"], "yesterday"))

    assert main(["merge", str(bad), "-o", str(files / "merged")]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert "(wrong or missing: run.started)" in line


def test_files_that_cannot_be_read_or_written_are_refused_in_one_line(files, capsys):
    a = str(files / "a.json")

    assert main(["compare", a, str(files / "none.json")]) == 4
    assert main(["compare", a, str(files)]) == 4
    assert main(["compare", a, a, "--output", str(files / "no" / "such")]) == 4
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3
    assert all(line.startswith("ERROR: ") for line in errors)
