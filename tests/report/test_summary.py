"""summary.md: the same numbers, within GitHub's limit, and as text."""

import pytest
from sample import case, clause, holding, mixed, statement, violation

from conformance.report import summary
from conformance.report.markdown import code, escape


def rows(text):
    """Return the cells of every table, line by line."""
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in text.splitlines()
        if line.startswith("|")
    ]


def test_the_summary_begins_with_the_claim_and_its_bounds():
    lines = summary.render(holding()).splitlines()

    assert lines[0] == "# Every claimed clause holds on pretended hub"
    assert lines[2] == (
        "2 of 2 claimed clauses held, judged in 3 cases. "
        "Not part of the claim: 1 not claimed; 1 only observed, without judgement."
    )


def test_the_table_has_the_counts_of_the_statement():
    found = rows(summary.render(mixed()))

    assert found[0] == [
        "Section", "pass", "known deviation", "violation", "stale deviation", "broken", "not tested",
        "observed", "not claimed", "untestable",
    ]  # fmt: skip
    assert ["All about d2c", "2", "0", "1", "0", "0", "0", "1", "0", "0"] in found
    assert ["**All sections**", "2", "1", "2", "1", "1", "1", "1", "1", "1"] in found
    assert ["**Cases**", "5", "1", "2", "1", "1", "1", "1", "1", "0"] in found


def test_what_needs_attention_is_listed_with_both_sides():
    found = rows(summary.render(mixed()))

    assert [
        "`d2c.qos2`",
        "violation (2 of 3 cases)",
        "The hub does what d2c.qos2 says.",
        "closed",
        "PUBREC packet=1",
    ] in found
    assert [
        "`twin.unseen`",
        "not tested",
        "The hub does what twin.unseen says.",
        "",
        "the hub never asked",
    ] in found
    assert (
        "Reproduce one: `pytest --pyargs conformance --profile=small --same-hub=c0ffee --clause=d2c.qos2`"
        in summary.render(mixed())
    )


@pytest.mark.parametrize(
    "line",
    [
        "- `d2c.retain` x-opt-retain",
        "- `d2c.order` in order",
        "- `c2d.deliver` needs c2d",
        "- `c2d.inside` no one can provoke it",
        "- `twin.get` known: the table says 200 (expires 2027-01-01)",
    ],
)
def test_what_stands_beside_the_claim_is_there(line):
    assert line in summary.render(mixed()).splitlines()


def test_a_partial_selection_says_so():
    text = summary.render(statement(clause("a.b", case(1)), clause("a.c"), partial=True))

    assert "**Partial selection: no claim of conformance.**" in text
    assert "`a.c`" not in text


def test_nothing_in_a_statement_becomes_markdown():
    wild = "a|b `c` <b>d</b> [e](http://f) *g* \x1b[0m\n| h | i |\n# j"
    text = summary.render(statement(clause("a.b", violation(1, expected=wild, actual=wild), says=wild)))

    (row,) = [line for line in text.splitlines() if line.startswith("| `a.b`")]
    assert row.count(" | ") == 4
    assert r"a\|b \`c\` \<b\>d\</b\> \[e\]\(http://f\) \*g\* \\x1b\[0m" in row
    assert "\x1b" not in text
    assert not [line for line in text.splitlines() if line in {"| h | i |", "# j"}]


def test_code_is_fenced_with_more_backticks_than_it_holds():
    assert code("a`b``c|d") == "```a`b``c\\|d```"
    assert code("`a") == "`` `a ``"
    assert escape("a\n  b") == "a b"


def test_a_summary_is_cut_at_a_line_within_the_limit():
    whole = summary.render(statement(*(clause(f"a.c{number}", violation(number)) for number in range(400))))

    text = summary.cut(whole, 10_000)
    assert 9_500 < len(text.encode()) <= 10_000
    kept = text.partition("\n\n*Cut here")[0]
    assert whole.startswith(kept + "\n")
    assert text.endswith("The rest is in conformance.html.*\n")


def test_a_summary_of_thousands_of_violations_stays_within_githubs_limit():
    long = "x" * 150
    made = statement(*(clause(f"a.c{n}", violation(n, expected=long, actual=long)) for n in range(3000)))

    assert len(summary.render(made).encode()) <= summary.LIMIT_BYTES


@pytest.fixture
def written(tmp_path):
    (tmp_path / "summary.md").write_text(summary.render(holding()))
    return tmp_path / "summary.md"


def test_a_step_summary_is_appended_to(tmp_path, written):
    file = tmp_path / "step.md"
    file.write_text("before\n")

    assert summary.publish(written, {"GITHUB_STEP_SUMMARY": str(file)}) == []
    assert file.read_text() == "before\n" + written.read_text()


def test_what_a_step_has_written_before_counts_against_the_limit(tmp_path, written):
    file = tmp_path / "step.md"
    file.write_text("x" * (summary.LIMIT_BYTES - 500))

    summary.publish(written, {"GITHUB_STEP_SUMMARY": str(file)})
    assert summary.LIMIT_BYTES - 500 < file.stat().st_size <= summary.LIMIT_BYTES


def test_without_the_variable_nothing_is_published(written):
    assert summary.publish(written, {}) == []


def test_a_step_summary_that_cannot_be_written_is_a_warning(tmp_path, written):
    (warning,) = summary.publish(written, {"GITHUB_STEP_SUMMARY": str(tmp_path)})

    assert "Is a directory" in warning
