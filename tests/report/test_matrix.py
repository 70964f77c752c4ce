"""Several statements side by side: verdicts and readings of each clause, with the way to the evidence."""

import os
import re

import pytest
from browser import browser, executable
from sample import case, clause, statement, violation
from tree import read

from conformance.__main__ import main
from conformance.report import json_report
from conformance.report.html import matrix as page
from conformance.report.html.page import render
from conformance.report.matrix import matrix
from conformance.report.matrix_text import as_markdown

PROGRAM = executable()
HOSTILE = "<script>x</script> | [a](javascript:b) \x1b[31m"


def disputed(reading, **fields):
    told = {"level": "disputed", "accepted": ["closed", "answered"], "readings": [reading]}
    return clause("d2c.retain", case(3, reading=reading), **(told | fields))


ONE = statement(
    clause("d2c.qos2", case(1)),
    disputed("closed"),
    clause("twin.seen", case(4, "observed", observed="at once"), level="observe"),
    target={"name": "one hub", "version": "1.0"},
)
OTHER = statement(
    clause("d2c.qos2", violation(1)),
    disputed("answered"),
    clause("twin.seen", case(4, "observed", observed="at once"), level="observe"),
    clause("twin.new", case(5)),
    target={"name": "other hub"},
    suite={"digest": "e" * 64},
)
PART = statement(
    clause("d2c.qos2", case(1)),
    clause("d2c.retain"),
    partial=True,
    target={"name": "one hub", "version": "2.0"},
)


@pytest.fixture
def folders(tmp_path):
    """Three reports as runs leave them."""
    for name, made in {"one": ONE, "other hub": OTHER, "part": PART}.items():
        (tmp_path / name).mkdir()
        json_report.write(made, tmp_path / name / "conformance.json")
        (tmp_path / name / "conformance.html").write_text(render(made))
    return tmp_path


def rows(node):
    cells = ([each for each in row.all() if each.name in {"td", "th"}] for row in node.one("tbody").all("tr"))
    return [[cell.text for cell in row] for row in cells]


def test_targets_that_differ_in_verdict_or_reading_are_told_first():
    found = read(page.render(matrix([(ONE, ""), (OTHER, "")])))

    assert found.one("h1").text == "4 clauses on 2 targets"
    assert rows(found.one("section", aria_labelledby="differing")) == [
        ["d2c.qos2The hub does what d2c.qos2 says.", "✓ pass", "✕ violation"],
        ["d2c.retainThe hub does what d2c.retain says.", "✓ passclosed", "✓ passanswered"],
    ]


def test_what_a_target_was_not_asked_is_said_and_is_no_difference():
    made = matrix([(ONE, ""), (OTHER, ""), (PART, "")])

    assert {row.about.id: [cell.why for cell in row.cells] for row in made.rows} == {
        "d2c.qos2": ["", "", ""],
        "d2c.retain": ["", "", "not in this selection"],
        "twin.seen": ["", "", "not in this suite"],
        "twin.new": ["not in this suite", "", "not in this suite"],
    }
    assert made.found == "They differ in 2, and do the same in 2."
    assert list(made.remarks) == [
        f"{made.columns[2].name} is a partial selection, which claims no conformance.",
        "Not all were judged by the same suite: a difference may be the suite's.",
    ]


def test_no_two_targets_have_one_name():
    names = [column.name for column in matrix([(ONE, ""), (PART, ""), (ONE, "")]).columns]

    assert len(set(names)) == 3


def test_each_cell_leads_to_the_evidence_in_the_page_beside_its_statement(folders, capsys):
    output = folders / "site" / "matrix.html"
    output.parent.mkdir()
    names = [str(folders / name / "conformance.json") for name in ("one", "other hub")]

    assert main(["matrix", *names, "-o", str(output)]) == 0
    assert capsys.readouterr().out.startswith("4 clauses on 2 targets. They differ in 2")
    differing = read(output.read_text()).one("section", aria_labelledby="differing")
    links = [each["href"] for each in differing.all("a")]
    assert links == [
        "../one/conformance.html#clause-d2c.qos2",
        "../other%20hub/conformance.html#clause-d2c.qos2",
        "../one/conformance.html#clause-d2c.retain",
        "../other%20hub/conformance.html#clause-d2c.retain",
    ]
    assert f'id="{links[1].partition("#")[2]}"' in (folders / "other hub" / "conformance.html").read_text()


def test_markdown_says_the_same(folders, capsys, monkeypatch):
    monkeypatch.chdir(folders)

    assert main(["matrix", "one/conformance.json", "other hub/conformance.json"]) == 0
    said = capsys.readouterr().out
    assert (
        "| `d2c.retain` | The hub does what d2c.retain says. | "
        "[✓ pass](one/conformance.html#clause-d2c.retain): closed | "
        "[✓ pass](other%20hub/conformance.html#clause-d2c.retain): answered |"
    ) in said.splitlines()


def test_a_statement_without_a_page_has_no_links():
    assert "](" not in as_markdown(matrix([(ONE, ""), (OTHER, "")]))


def test_nothing_in_a_statement_becomes_markup():
    wild = statement(
        disputed(HOSTILE, says=HOSTILE),
        target={"name": HOSTILE, "host": HOSTILE},
        profile={"name": HOSTILE},
        sections=[{"name": "d2c", "title": HOSTILE, "link": "https://x"}],
    )
    found = matrix([(wild, ""), (ONE, "")])

    assert list(read(page.render(found)).all("script")) == []
    assert "\x1b" not in page.render(found) + as_markdown(found)
    assert re.search(r"(?<!\\)<script", as_markdown(found)) is None


def test_a_file_that_is_no_statement_is_one_line(tmp_path, capsys):
    (tmp_path / "x.json").write_text("{}")

    assert main(["matrix", str(tmp_path / "x.json")]) == 4
    assert capsys.readouterr().err.startswith(f"ERROR: {tmp_path / 'x.json'}: no statement of a run")


@pytest.mark.skipif(PROGRAM is None and not os.environ.get("CI"), reason="no Chromium")
@pytest.mark.parametrize("width", [390, 1280])
def test_six_targets_fit_into_the_window(tmp_path, width):
    file = tmp_path / "matrix.html"
    file.write_text(page.render(matrix([(ONE, "x/y.html"), (OTHER, "")] * 3)))
    with browser(PROGRAM) as running:
        opened = running.page()
        opened.look(width=width)
        opened.open(file)
        opened.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")

        assert opened.evaluate("document.documentElement.scrollWidth") == width
        assert (opened.requests, opened.complaints) == ([file.as_uri()], [])
