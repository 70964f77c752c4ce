"""What the hub's own text calls a clause is one: a rule names the clauses that it decides about."""

import io
import re
import tokenize
from pathlib import Path

import pytest

import iothub_emulator
from conformance.documents import catalogue

CATALOGUE = catalogue.load()
HERE = Path(iothub_emulator.__file__).parent
FILES = sorted(file for file in HERE.rglob("*.py"))

_SECTIONS = "|".join(sorted((section.name for section in CATALOGUE.sections), key=len, reverse=True))
_WORD = r"[a-z0-9]+(?:-[a-z0-9]+)*"
# "connect.session-present, .clean-session-present": the section may be left out in a list.
_NAMED = re.compile(rf"(?<![\w./@{{`-])({_SECTIONS})((?:(?:, )?\.{_WORD})+)(?![\w(])")
_TEXT = {getattr(tokenize, name, None) for name in ("COMMENT", "STRING", "FSTRING_MIDDLE")}


def named_in(source):
    """Return the ids of clauses in the strings and comments of a module."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    text = "\n".join(token.string for token in tokens if token.type in _TEXT)
    return {
        f"{section}.{name}"
        for section, names in _NAMED.findall(text)
        for name in re.findall(rf"\.({_WORD})", names)
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(HERE)))
def test_each_named_clause_is_in_the_catalogue(file):
    assert sorted(named_in(file.read_text(encoding="utf-8")) - CATALOGUE.clauses.keys()) == []


def test_ids_are_found_wherever_they_are_named():
    text = '"""connect.client-id, .no-such: as `twin.get` says.\n\nd2c.nothing"""\n'
    code = 'x = f"sas.bad: {module.etag}"  # will.once\n'
    assert named_in(f'{text}{code}call(session.open, "hub/session.py", "{{p}}@sas.root.{{hub}}")') == {
        "connect.client-id",
        "connect.no-such",
        "d2c.nothing",
        "sas.bad",
        "will.once",
    }


def test_most_clauses_are_named_by_the_rule_that_decides_them():
    """A pattern that finds nothing would pass for ever."""
    named = set().union(*(named_in(file.read_text(encoding="utf-8")) for file in FILES))
    assert len(named) > len(CATALOGUE.clauses) / 2
