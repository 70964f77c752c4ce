"""A reading with which a known client cannot work says so, wherever the reading is shown."""

import json

import pytest
from json_schema import problems
from sample import case, clause, statement
from test_json import SCHEMA
from tree import read

from conformance.report import json_report, summary
from conformance.report.comparison import compare
from conformance.report.comparison_text import as_markdown, as_terminal
from conformance.report.html import comparison as comparison_page
from conformance.report.html.page import render
from conformance.report.merging import merge
from conformance.report.summary_line import headline

DEAF = "Microsoft's embedded SDK hears nothing"
REFUSED = clause(
    "topics.wild",
    case(1, reading="refused", consequence=DEAF),
    case(2, reading="granted"),
    level="disputed",
    accepted=["refused", "granted"],
    readings=["granted", "refused"],
    consequences={"refused": [DEAF]},
)
GRANTED = clause(
    "topics.wild",
    case(1, reading="granted"),
    case(2, reading="granted"),
    level="disputed",
    accepted=["refused", "granted"],
    readings=["granted"],
)
A, B = statement(REFUSED, clause("d2c.topic", case(3))), statement(GRANTED, clause("d2c.topic", case(3)))


@pytest.fixture(scope="module")
def page():
    return read(render(A))


def test_the_claim_is_bounded_by_it():
    assert headline(A).bounds[1:3] == (
        "1 of them is disputed: any accepted reading counts.",
        "In 1 of these the reading seen keeps known clients from working.",
    )
    assert not [bound for bound in headline(B).bounds if "known clients" in bound]


def test_a_table_of_its_own_stands_at_the_top_of_the_page(page):
    section = page.one("section", aria_labelledby="kept-out")

    assert section.one("h2").text == "Known clients that cannot work here"
    rows = [[cell.text for cell in row.all("td")] for row in section.one("tbody").all("tr")]
    assert rows == [["topics.wild", "refused", DEAF]]
    assert section.one("a")["href"] == "#clause-topics.wild"


def test_without_any_there_is_no_such_table():
    assert list(read(render(B)).all(id="kept-out")) == []


def test_the_page_says_it_beside_each_mention_of_the_reading(page):
    article = page.one(id="clause-topics.wild")
    said = {
        row.one("dt").text: row.one("dd").text
        for row in next(article.all("dl")).all("div")
        if list(row.all("dt"))
    }
    seen = [row.all("td") for row in page.one("table", aria_labelledby="readings").one("tbody").all("tr")]
    cases = [each for each in article.all("li", class_="case") if DEAF in each.text]

    assert (said["Reading seen"], said["Known clients"]) == ("granted · refused", DEAF)
    assert [[cell.text for cell in row][-1] for row in seen] == [f"granted · refused{DEAF}"]
    assert [each["data-case"] for each in cases] == ["test_small.py::test_rule[1]"]


def test_a_sentence_of_the_document_has_it_too():
    sentences = [{"id": "S1", "lines": "67", "says": "The hub does small things."}]
    page = read(render(statement(REFUSED, document={"sentences": sentences})))

    assert f"disputed: granted · refused ({DEAF})" in page.one("table", aria_labelledby="sentences").text


def test_the_summary_has_a_table_and_says_it_behind_the_reading():
    lines = summary.render(A).splitlines()

    at = lines.index("## Known clients that cannot work here")
    assert lines[at + 2 : at + 5] == [
        "| Clause | Reading seen | Known clients |",
        "| --- | --- | --- |",
        f"| `topics.wild` | refused | {DEAF} |",
    ]
    assert f"- `topics.wild` granted · refused \\({DEAF}\\)" in lines
    assert "Known clients" not in summary.render(B)


def test_the_statement_keeps_it_apart_from_the_readings_name(tmp_path):
    json_report.write(A, tmp_path / "a.json")
    written = json.loads((tmp_path / "a.json").read_text())

    (found,) = [each for each in written["clauses"] if each["id"] == "topics.wild"]
    assert (found["readings"], found["consequences"]) == (["granted", "refused"], {"refused": [DEAF]})
    assert [each.get("consequence") for each in found["cases"]] == [DEAF, None]
    assert problems(written, SCHEMA) == []
    assert json_report.read(tmp_path / "a.json") == A


def test_a_statement_from_before_there_were_any_reads_back(tmp_path):
    json_report.write(B, tmp_path / "b.json")
    values = json.loads((tmp_path / "b.json").read_text())
    for each in values["clauses"]:
        del each["consequences"]
    (tmp_path / "b.json").write_text(json.dumps(values))

    assert json_report.read(tmp_path / "b.json") == B


def test_a_comparison_tells_it_on_its_side():
    found = compare(A, B)

    terminal = as_terminal(found).splitlines()
    assert f"      A  pass: granted · refused ({DEAF})" in terminal
    assert "      B  pass: granted" in terminal
    assert f"      A  pass: refused ({DEAF})" in terminal
    assert f"pass: granted · refused \\({DEAF}\\)" in as_markdown(found)
    sides = [each.text for each in read(comparison_page.render(found)).all("div", class_="pair")]
    assert f"A✓ passgranted · refused ({DEAF})B✓ passgranted" in sides
    assert f"A✓ passReadingrefusedKnown clients{DEAF}B✓ passReadinggranted" in sides


def test_another_consequence_alone_is_no_difference():
    """Words for people may be mended; what a hub did has not changed by that."""
    other = json.loads(json.dumps(REFUSED).replace(DEAF, "Embedded C hears nothing"))

    assert compare(A, statement(other, clause("d2c.topic", case(3)))).changes == ()


def test_merged_runs_have_those_of_both():
    one = statement(REFUSED | {"cases": REFUSED["cases"][:1], "readings": ["refused"]}, partial=True)
    other = statement(
        REFUSED | {"cases": REFUSED["cases"][1:], "readings": ["granted"], "consequences": {}}, partial=True
    )

    (merged,) = merge([one, other], ["one", "other"], every_case=None).clauses
    assert (merged.readings, merged.consequences) == (["granted", "refused"], {"refused": [DEAF]})
