"""Nothing of the document is forgotten: statements, clauses and tests are held against each other."""

import dataclasses

import pytest

from conformance.commands import listing
from conformance.documents import catalogue, document
from conformance.documents.document import uncovered
from conformance.errors import CatalogueError
from conformance.verdict.deviation import fits


@pytest.fixture(scope="module")
def tests():
    """The tests of each clause, as pytest really collects them."""
    return {row["id"]: row["tests"] for row in listing.clauses()["clauses"]}


@pytest.fixture(scope="module")
def the_document():
    return document.load()


@pytest.fixture(scope="module")
def clauses():
    return catalogue.load()


def without(clauses, clause_id):
    """The same catalogue without one clause."""
    return dataclasses.replace(
        clauses,
        sections=tuple(
            dataclasses.replace(
                section, clauses=tuple(each for each in section.clauses if each.id != clause_id)
            )
            for section in clauses.sections
        ),
    )


def test_every_statement_has_a_clause_and_every_clause_a_test(the_document, clauses, tests):
    assert list(uncovered(the_document, clauses, tests)) == []


def test_the_document_is_all_there(the_document):
    assert [each.id for each in the_document.statements] == [f"S{number}" for number in range(1, 68)]
    assert [each.lines for each in the_document.asides] == [
        "26",
        "32-37",
        "41-55",
        "84-104",
        "140-156",
        "339",
    ]


def test_a_test_that_is_removed_is_missed(the_document, clauses, tests):
    rest = {clause: cited for clause, cited in tests.items() if clause != "d2c.qos2"}

    assert "d2c.qos2: no test cites it. Write one, or say why it is untestable." in list(
        uncovered(the_document, clauses, rest)
    )


def test_a_clause_that_is_removed_is_missed(the_document, clauses, tests):
    """S31 rests on this clause alone."""
    assert [
        line for line in uncovered(the_document, without(clauses, "d2c.qos2"), tests) if "S31" in line
    ] == ["S31: no clause names it (QoS 2 publish closes the connection). Add it to a clause's statements."]


def test_a_statement_that_does_not_exist_is_told(the_document, clauses, tests):
    shorter = dataclasses.replace(the_document, statements=the_document.statements[:-1])

    assert any(
        "names statement S67, which does not exist" in line for line in uncovered(shorter, clauses, tests)
    )


def test_a_reason_and_a_clause_exclude_each_other(the_document, clauses, tests):
    first = dataclasses.replace(the_document.statements[0], untestable="nobody can see it")
    changed = dataclasses.replace(the_document, statements=(first, *the_document.statements[1:]))

    assert any(
        line.startswith("S1: untestable, and yet named by ") for line in uncovered(changed, clauses, tests)
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[S1]\nlines = '1'\n", "S1.says: Field required; correct it."),
        ("[X]\nlines = '1'\nsays = 'x'\n", "String should match pattern"),
        ("[S1\n", "not TOML"),
    ],
    ids=["missing", "name", "toml"],
)
def test_a_malformed_record_is_refused(tmp_path, text, problem):
    file = tmp_path / "document.toml"
    file.write_text(text)

    with pytest.raises(CatalogueError, match=problem):
        document.load(file)


def test_a_consequence_is_of_a_case_that_there_is(clauses, tests):
    """A pattern that fits no case of its clause would leave a known client unnamed."""
    idle = [
        f"{clause.id}: {each.case}"
        for clause in clauses.clauses.values()
        for each in clause.consequences
        if not any(fits(test, each.case) for test in tests[clause.id])
    ]
    assert idle == []
