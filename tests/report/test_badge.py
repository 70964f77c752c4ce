"""A badge says no more than the statement: the claim in a few words, whether it is partial, and the day."""

import xml.etree.ElementTree as ET

import pytest
from sample import case, clause, holding, mixed, statement, violation

from conformance.__main__ import main
from conformance.report import json_report
from conformance.report.badge import as_svg, badge

PART = statement(
    clause("d2c.qos2", case(1)),
    clause("d2c.topic"),
    partial=True,
    run={"selection": ["--clause d2c.qos2", "--explore 0"]},
)
BROKEN = statement(clause("d2c.qos2", case(1, "broken", message="no CONNACK")))


@pytest.mark.parametrize(
    ("made", "says", "tone"),
    [
        (holding(), "2 of 2 clauses held, 2026-11-23", "good"),
        (mixed(), "2 of 8 clauses violated, 2026-11-23", "bad"),
        (PART, "partial: 1 of 1 clauses held, 2026-11-23", "unsure"),
        (BROKEN, "no claim, 0 of 1 clauses held, 2026-11-23", "unsure"),
        (holding(run={"exit_code": 12}), "invalid, 2026-11-23", "bad"),
    ],
    ids=["holding", "violated", "partial", "broken", "secret"],
)
def test_a_badge_says_the_claim_and_the_day(made, says, tone):
    found = badge(made)

    assert (found.says, found.tone) == (says, tone)


def test_the_picture_has_these_words_and_loads_nothing():
    drawn = as_svg(badge(PART))
    picture = ET.fromstring(drawn)

    assert picture.get("aria-label") == "IoT Hub MQTT: partial: 1 of 1 clauses held, 2026-11-23"
    assert [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")] == [
        "IoT Hub MQTT",
        "partial: 1 of 1 clauses held, 2026-11-23",
    ]
    assert {each.tag.partition("}")[2] for each in picture.iter()} == {
        "svg",
        "title",
        "rect",
        "path",
        "g",
        "text",
    }


def test_nothing_in_a_statement_becomes_markup():
    wild = statement(clause("a.b", violation(1)), target={"name": '"><script>', "host": "<&>"})

    assert "<script" not in as_svg(badge(wild))
    ET.fromstring(as_svg(badge(wild)))


def test_the_command_prints_what_shows_it_with_the_run_that_reproduces_it(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    json_report.write(PART, tmp_path / "conformance.json")

    assert main(["badge", "conformance.json", "-o", "badge.svg"]) == 0
    picture, between, line = capsys.readouterr().out.splitlines()
    assert picture == (
        "[![IoT Hub MQTT: partial: 1 of 1 clauses held, 2026-11-23](badge.svg)](conformance.html)"
    )
    assert not between
    assert line == (
        f"Reproduce with suite 2026.11.0, digest {'d' * 12}, on a hub of your own: "
        "`pytest --pyargs conformance --profile=small --clause=d2c.qos2 --explore=0`"
    )
    assert (tmp_path / "badge.svg").read_text().startswith("<svg ")


def test_a_place_that_cannot_be_written_is_one_line(tmp_path, capsys):
    json_report.write(holding(), tmp_path / "conformance.json")

    assert main(["badge", str(tmp_path / "conformance.json"), "-o", str(tmp_path)]) == 4
    assert capsys.readouterr().err == (
        f"ERROR: --output {tmp_path}: Is a directory. Name a file that can be written.\n"
    )
