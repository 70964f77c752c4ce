"""Clause records: what is accepted, and how a malformed one is refused."""

import pytest

from conformance.documents import catalogue
from conformance.documents.catalogue import Consequence
from conformance.errors import CatalogueError

RECORD = """
title = "Small things"
anchor = "small-things"
needs = ["telemetry"]

[clause.one]
level = "must"
source = "document"
statements = ["S1"]
needs = ["timing.sas-skew", "telemetry"]
says = "The hub does it."

[clause.two]
level = "disputed"
source = "mqtt"
mqtt = ["MQTT-3.1.0-1"]
anchor = "elsewhere"
says = "The hub does either."
[clause.two.readings]
"it closes" = ["closed"]
"it answers" = ["puback", "suback *"]
[[clause.two.consequence]]
reading = "it closes"
means = "old clients cannot connect"
[[clause.two.consequence]]
reading = "it answers"
case = "*[filter]"
means = "new clients hear nothing"

[clause.three]
level = "untestable"
source = "document"
says = "The hub fails inside."
untestable = "cannot be provoked from outside"
"""


@pytest.fixture
def folder(tmp_path):
    clauses = tmp_path / "clauses"
    clauses.mkdir()
    return clauses


def refusal(folder):
    with pytest.raises(CatalogueError) as refused:
        catalogue.load(folder)
    return str(refused.value).splitlines()


def test_a_record_becomes_a_clause(folder):
    (folder / "small.toml").write_text(RECORD)

    loaded = catalogue.load(folder)

    assert list(loaded.clauses) == ["small.one", "small.two", "small.three"]
    assert loaded["small.one"].needs == ("telemetry", "timing.sas-skew")
    assert loaded["small.one"].link.endswith("#small-things")
    assert loaded["small.two"].link.endswith("#elsewhere")
    assert loaded["small.two"].readings == {"it closes": ("closed",), "it answers": ("puback", "suback *")}
    assert loaded["small.two"].consequences == (
        Consequence(reading="it closes", case="*", means="old clients cannot connect"),
        Consequence(reading="it answers", case="*[filter]", means="new clients hear nothing"),
    )
    assert loaded["small.three"].untestable == "cannot be provoked from outside"


def test_sections_come_in_the_documents_order(folder):
    for name in ("watch", "d2c", "transport", "of-my-own"):
        (folder / f"{name}.toml").write_text(RECORD)

    sections = [section.name for section in catalogue.load(folder).sections]

    assert sections == ["transport", "d2c", "watch", "of-my-own"]


def test_every_problem_of_every_file_is_one_line(folder):
    (folder / "d2c.toml").write_text(
        'title = "x"\nanchor = "x"\n[clause.qos2]\nlevel = "shall"\nsource = "document"\nsay = "y"\n'
    )
    (folder / "bag.toml").write_text(
        'title = "x"\nanchor = "x"\n[clause.a]\nlevel = "must"\nsource = "rumour"\nsays = "y"\n'
    )

    assert refusal(folder) == [
        (
            "clauses/d2c.toml: clause d2c.qos2: "
            "level: 'shall' is none of must, disputed, observe, untestable; correct it."
        ),
        "clauses/d2c.toml: clause d2c.qos2: says: is missing; add it.",
        "clauses/d2c.toml: clause d2c.qos2: say: no such field; remove it or correct its spelling.",
        (
            "clauses/bag.toml: clause bag.a: "
            "source: 'rumour' is none of document, mqtt, rfc6455, microsoft, seen, inferred; correct it."
        ),
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("[clause.two.readings]", "[clause.two.other]"), "clause small.two: other: no such field"),
        (('level = "disputed"', 'level = "must"'), "only a disputed clause has readings"),
        (('["closed"]', "[]"), "clause small.two: readings.it closes"),
        (
            ('reading = "it closes"', 'reading = "it shuts"'),
            "a consequence of 'it shuts', which is no reading",
        ),
        (
            ('case = "*[filter]"', 'cases = "*[filter]"'),
            "clause small.two: consequence.1.cases: no such field",
        ),
        (('untestable = "cannot be provoked from outside"', ""), "go together"),
        (('level = "untestable"', 'level = "observe"'), "go together"),
        (('"timing.sas-skew"', '"weather"'), "'weather' has not the form"),
        (('"S1"', '"1"'), "'1' has not the form"),
        (("[clause.one]", "[clause.One]"), "clause small.One"),
        (('says = "The hub does it."', 'says = "a\\nb"'), "has not the form"),
        (('title = "Small things"', ""), "title: is missing"),
        (('level = "must"', "level = 3"), "level: 3 is none of"),
        (("title =", "title"), "not TOML"),
    ],
)
def test_a_malformed_record_is_refused_in_one_line(folder, change, problem):
    (folder / "small.toml").write_text(RECORD.replace(*change))

    (line,) = refusal(folder)

    assert line.startswith("clauses/small.toml:")
    assert problem in line


def test_a_file_that_is_not_utf_8_is_refused(folder):
    (folder / "small.toml").write_bytes(b'title = "\xff"')

    assert refusal(folder) == ["clauses/small.toml: not UTF-8 (byte 9). Save it as UTF-8."]


def test_a_folder_without_clauses_is_refused(folder):
    assert "no clause file" in refusal(folder)[0]


def test_the_digest_shows_any_change(folder):
    (folder / "small.toml").write_text(RECORD)
    before = catalogue.load(folder).digest
    (folder / "small.toml").write_text(RECORD.replace("The hub does it.", "The hub does it!"))

    assert catalogue.load(folder).digest != before


def test_the_suites_own_clauses_load():
    loaded = catalogue.load()

    assert "d2c.qos2" in loaded
    assert loaded["d2c.qos2"].readings
