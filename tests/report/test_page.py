"""conformance.html: everything a reader needs is there, and nothing a text could smuggle in."""

import re
from collections import Counter

import pytest
from sample import DOCUMENT, WIRE, case, clause, holding, mixed, statement, violation
from tree import read

from conformance.report import summary
from conformance.report.html.page import render
from conformance.report.html.sequence import LONGEST, steps
from conformance.verdict.verdicts import Verdict

HOSTILE = "<script>alert('x')</script><img src=x onerror=y>&amp; \"quoted\" \x1b[31m \u202e </style> {{7*7}}"


@pytest.fixture(scope="module")
def page():
    return read(render(mixed()))


def article(page, clause_id):
    return page.one(id=f"clause-{clause_id}")


def wires(page):
    """Return the tables that have the whole sequence of a case."""
    return [each for each in page.all("table", class_="sequence") if "excerpt" not in each["class"]]


def test_the_claim_stands_first_and_is_bounded(page):
    header = page.one("header")

    assert header.one("h1").text == "2 claimed clauses are violated on pretended hub"
    assert "Not part of the claim: 1 not claimed; 1 only observed" in header.text
    assert "pretended hub at hub.example, profile small" in header.text


def test_the_matrix_counts_clauses_by_section_and_verdict(page):
    rows = {
        row.one(role="rowheader").text: {cell["data-verdict"]: int(cell.text) for cell in row.all("td")}
        for row in page.one("table", class_="matrix").all("tr")
        if list(row.all("td"))
    }

    assert rows["All about d2c"] | {} == {
        "pass": 2, "known deviation": 0, "violation": 1, "stale deviation": 0, "broken": 0, "not tested": 0,
        "observed": 1, "not claimed": 0, "untestable": 0,
    }  # fmt: skip
    assert rows["All sections"] == {
        "pass": 2, "known deviation": 1, "violation": 2, "stale deviation": 1, "broken": 1, "not tested": 1,
        "observed": 1, "not claimed": 1, "untestable": 1,
    }  # fmt: skip
    assert rows["Cases"]["violation"] == 2
    assert rows["Cases"]["pass"] == 5


def test_each_own_case_is_there_once_with_its_verdict(page):
    """Pitfall 10: what is broken in passing is shown, and counts as no case."""
    cases = [each for each in page.all("li", class_="case") if "data-in-passing" not in each.attributes]

    assert Counter(each["data-verdict"] for each in cases) == {
        "pass": 5, "violation": 2, "observed": 1, "known deviation": 1, "stale deviation": 1, "broken": 1,
        "not tested": 1, "not claimed": 1,
    }  # fmt: skip
    assert len({each["data-case"] for each in cases}) == len(cases) == mixed().run.cases


def test_a_clause_says_rule_level_source_and_place_in_the_document(page):
    found = article(page, "d2c.qos2")

    assert found.one("p", class_="rule").text == "The hub does what d2c.qos2 says."
    assert found.one("p", class_="source").text.startswith(
        "must · stated by the document · S1 · [MQTT-4.3.2-2]"
    )
    assert found.one("a", class_="document")["href"] == f"{DOCUMENT}#small-things"


def test_a_violated_case_shows_both_sides_and_the_sequence(page):
    bad = next(article(page, "d2c.qos2").all("li", class_="violation"))

    said = {row.one("dt").text: row.one("dd").text for row in bad.one("dl").all("div")}
    assert said == {
        "Expected": "closed",
        "Actual": "PUBREC packet=1",
        "In a word": "pubrec",
        "Case": "test_small.py::test_rule[2]",
    }
    rows = [
        [cell.text for cell in row.all("td")]
        for row in bad.one("table", class_="sequence").one("tbody").all("tr")
    ]
    assert rows[1] == ["1.2", "c1 → sent CONNECT client=conf-1 password=(redacted)", ""]
    assert rows[2] == ["2.0", "c1 ← received CONNACK accepted, session_present=0", ""]
    assert rows[5] == ["12.0", "", "telemetry of conf-1: 3 bytes, properties: none"]


def test_evidence_of_what_is_wrong_is_open_and_the_rest_folded(page):
    assert "open" in next(article(page, "d2c.qos2").all("details")).attributes
    assert "open" not in next(article(page, "d2c.topic").all("details")).attributes


@pytest.mark.parametrize("clause_id", ["d2c.qos2", "d2c.topic", "twin.broken"])
def test_a_clause_says_how_to_run_it_again(page, clause_id):
    command = article(page, clause_id).one("p", class_="reproduce").one("code").text

    assert command == f"pytest --pyargs conformance --profile=small --same-hub=c0ffee --clause={clause_id}"


SENTENCES = [
    {"id": "S1", "lines": "67", "says": "The hub does small things."},
    {"id": "S2", "lines": "69-73", "says": "Devices are rebooted.", "untestable": "it is about devices"},
]


def test_each_sentence_of_the_document_says_which_clauses_check_it_and_what_they_found():
    made = statement(
        clause("d2c.qos2", violation(1)),
        clause("d2c.topic", case(2), level="disputed", readings=["closed"]),
        document={"sentences": SENTENCES},
    )
    page = read(render(made))

    rows = [
        [cell.text for cell in row.all("td")]
        for row in page.one("table", aria_labelledby="sentences").all("tr")
    ]
    assert rows[1:] == [
        ["S1", "67", "The hub does small things.", "d2c.qos2 ✕ violationd2c.topic ✓ passdisputed: closed"],
        ["S2", "69-73", "Devices are rebooted.", "None: it is about devices"],
    ]
    assert page.one(id="S1").text == "S1"
    assert article(page, "d2c.qos2").one("a", href="#S1").text == "S1"


def test_a_partial_selection_says_which_clauses_of_a_sentence_it_left_out():
    made = statement(
        clause("d2c.qos2", violation(1)), clause("d2c.topic"), partial=True, document={"sentences": SENTENCES}
    )

    table = read(render(made)).one("table", aria_labelledby="sentences")
    assert "d2c.topic not in this selection" in table.text


def test_what_stands_beside_the_claim_is_listed(page):
    beside = page.one("section", aria_labelledby="beside")

    tables = {
        table["aria-labelledby"]: [
            [cell.text for cell in row.all("td")] for row in table.one("tbody").all("tr")
        ]
        for table in beside.all("table")
    }
    says = "The hub does what {} says.".format
    assert tables == {
        "readings": [["d2c.retain", says("d2c.retain"), "x-opt-retain · mqtt-retain", "x-opt-retain"]],
        "observations": [["d2c.order", says("d2c.order"), "in order"]],
        "deviations": [
            ["twin.get", "known", "*", "status 200", "the table says 200", "2026-01-01", "2027-01-01"],
            ["twin.patch", "stale", "*", "status 200", "the table says 200", "2026-01-01", "2027-01-01"],
        ],
        "not-claimed": [["c2d.deliver", says("c2d.deliver"), "needs c2d"]],
        "not-tested": [["twin.unseen", says("twin.unseen"), "the hub never asked"]],
        "untestable": [["c2d.inside", says("c2d.inside"), "no one can provoke it"]],
    }


def test_a_rule_that_was_watched_says_against_how_many_packets(page):
    assert "12 packets of all cases held against the rule" in article(page, "watch.ids").text


def test_what_went_wrong_beside_the_cases_stands_under_the_claim():
    remark = "test_x.py: SyntaxError: '(' was never closed"
    made = statement(clause("a.b", case(1)), partial=True, run={"exit_code": 2, "remarks": [remark]})

    header = read(render(made)).one("header")
    assert header.one("h1").text == "Interrupted: no claim about pretended hub"
    assert header.one("p", class_="remark").text == remark
    assert "SyntaxError" in summary.render(made)


def test_the_cost_of_the_run_is_among_its_facts():
    slow = {"id": "test_small.py::test_rule[1]", "clause": "a.b", "seconds": 2.25}
    made = statement(
        clause("a.b", case(1)), run={"cost": {"messages": 812, "identities": 1, "slowest": [slow]}}
    )

    run = read(render(made)).one("section", aria_labelledby="run").text
    assert "Asked of the target812 messages, 1 identity" in run
    assert "Slowest cases2.2 s a.b" in run


def test_a_partial_selection_says_so_and_hides_what_it_left_out():
    made = statement(
        clause("d2c.qos2", case(1)),
        clause("d2c.topic"),
        partial=True,
        run={"selection": ["--clause=d2c.qos2"]},
    )
    page = read(render(made))

    assert page.one("header").one("p", class_="partial").text == "Partial selection: no claim of conformance"
    assert page.one("h1").text == "Partial: what was selected holds on pretended hub"
    assert "partial: 1 case" in page.one("section", aria_labelledby="run").text
    assert "--clause=d2c.qos2" in page.one("section", aria_labelledby="run").text
    assert list(page.all(id="clause-d2c.topic")) == []
    assert "Left out of this partial selection (1)" in page.text


@pytest.mark.parametrize("made", [mixed(), holding(), statement(clause("a.b", case(1)), partial=True)])
def test_every_link_within_the_page_leads_somewhere_and_every_name_is_unique(made):
    page = read(render(made))

    names = [node["id"] for node in page.all() if "id" in node.attributes]
    inside = {node["href"][1:] for node in page.all("a") if node["href"].startswith("#")}
    labels = {node["aria-labelledby"] for node in page.all() if "aria-labelledby" in node.attributes}
    assert len(names) == len(set(names))
    assert inside | labels <= set(names)


def test_the_page_can_load_nothing():
    """Pitfall 12: no source, no import, no script; and a policy that forbids them."""
    text = render(mixed())
    page = read(text)

    assert [node for node in page.all() if {"src", "srcset", "data", "action"} & node.attributes.keys()] == []
    assert [node["href"] for node in page.all("link")] == ["data:,"]
    assert list(page.all("script")) == []
    assert re.search(r"url\(|@import", page.one("style").raw) is None
    assert page.one("meta", http_equiv="Content-Security-Policy")["content"].startswith("default-src 'none';")


def test_nothing_in_a_statement_becomes_markup():
    sent = violation(
        1,
        expected=HOSTILE,
        actual=HOSTILE,
        message=HOSTILE,
        observed=HOSTILE,
        title=HOSTILE,
        transcript=f"{WIRE}\n{HOSTILE}",
    )
    wild = clause(
        "a.b",
        sent,
        says=HOSTILE,
        note=HOSTILE,
        reason=HOSTILE,
        accepted=[HOSTILE],
        level="disputed",
        readings=[HOSTILE],
    )
    made = statement(
        wild,
        profile={"name": HOSTILE},
        target={"name": HOSTILE, "host": HOSTILE},
        suite={"version": HOSTILE},
        run={"selection": [HOSTILE]},
    )
    text = render(made)

    page = read(text)
    assert list(page.all("script")) == list(page.all("img")) == []
    assert "\x1b" not in text
    assert "\u202e" not in text
    shown = HOSTILE.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
    assert page.one("p", class_="rule").raw == shown
    assert page.one("span", class_="expected").raw == shown


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", " https://x.example", "//x.example"]
)
def test_an_address_that_is_none_is_shown_as_text(address):
    page = read(render(statement(clause("a.b", case(1), link=address))))

    found = article(page, "a.b")
    assert "Open the document at this place" in found.text
    assert list(found.all("a")) == []


def test_a_rule_broken_in_passing_leads_to_the_case_with_the_packets():
    """The case may be a pass; its packets are there, folded, and nowhere else on the page."""
    seen = case(9, "violation", message="PUBACK 7 was not asked for", in_passing=True, count=12)
    page = read(
        render(statement(clause("watch.ids", case(1), seen), clause("d2c.order", case(9, transcript=WIRE))))
    )

    entry = next(article(page, "watch.ids").all("li", class_="violation"))
    assert entry.text == (
        "✕ violation seen in test_small.py::test_rule[9] 12 packetsPUBACK 7 was not asked for"
    )
    (own,) = article(page, "d2c.order").all("li", class_="case")
    assert entry.one("a")["href"] == f"#{own['id']}"
    assert "packet=1 devices/conf-1" in own.one("details").one("table", class_="sequence").text
    assert len(list(page.all("table", class_="sequence"))) == 1


def test_a_text_of_half_characters_can_be_written():
    render(statement(clause("a.b", violation(1, actual="\ud800 half", transcript=WIRE)))).encode("utf-8")


def test_a_transcript_is_taken_apart_line_by_line():
    found = list(steps(f"{WIRE}\nsecond line\n… 12 lines left out …\n  99.0 ms  c2 = closed by the hub"))

    assert [step.glyph for step in found] == ["=", "→", "←", "→", "←", "=", "", "="]
    assert found[5].text == "telemetry of conf-1: 3 bytes, properties: none\nsecond line"
    assert found[6].text == "… 12 lines left out …"
    assert (found[7].who, found[7].milliseconds) == ("c2", "99.0")


def test_a_flood_is_cut_in_the_middle_and_says_so():
    flood = "\n".join(f"{number:>6}.0 ms  c1 → PINGREQ  " for number in range(5000))
    page = read(render(statement(clause("a.b", violation(1, transcript=flood)))))

    (wire,) = wires(page)
    rows = list(wire.one("tbody").all("tr"))
    assert len(rows) == LONGEST + 1
    assert rows[LONGEST // 2].text == "… 4600 lines more in conformance.json …"


def test_every_verdict_has_its_word_sign_and_meaning_in_the_page(page):
    glossary = page.one("section", aria_labelledby="glossary")

    words = [badge.text for badge in glossary.all("span", class_="badge")]
    assert [word.partition(" ")[2] for word in words] == [str(verdict) for verdict in Verdict]


def test_the_choice_of_a_verdict_has_a_rule_of_style_for_each(page):
    choices = [node["id"] for node in page.one("fieldset").all("input")]
    style = page.one("style").raw

    assert choices[0] == "show-all"
    assert [
        choice for choice in choices[1:] if f":root:has(#{choice}:checked) .clause:not(" not in style
    ] == []


def test_the_release_of_the_hub_is_named_with_it():
    text = read(render(statement(clause("a.b", case(1)), target={"version": "1.4.2"}))).one("header").text

    assert "pretended hub, version 1.4.2 at hub.example" in text
