"""The corpora are read as if a stranger wrote them, and each line says what it is, how sure, and why."""

import pytest

from conformance.corpora.corpus import HERE, load, parse
from conformance.errors import CatalogueError

FILES = sorted(file.stem for file in HERE.glob("*.toml"))
GOOD = {"id": "a-b", "level": "must", "source": "S29", "text": "x"}


def corpus(*entries):
    return parse("some.toml", {"paths": ["value", "name"], "values": list(entries)})


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_something_that_must_arrive_on_each_of_its_paths(name):
    loaded = load(name)

    assert [path for path in loaded.paths if not loaded.must(path)] == []


@pytest.mark.parametrize("name", FILES)
def test_no_two_small_values_of_a_path_are_the_same(name):
    """As names, or among members, they could not be told apart."""
    loaded = load(name)

    for path in loaded.paths:
        contents = [value.content for value in loaded.must(path)]
        assert [each for each in contents if contents.count(each) > 1] == []


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        pytest.param({"id": "A b"}, "id is not words joined by dashes", id="id"),
        pytest.param({"level": "should"}, "level is none of must, disputed, observe", id="level"),
        pytest.param({"source": "somebody"}, "source is in no known form", id="source"),
        pytest.param({"source": "S29; hearsay"}, "source is in no known form", id="second-source"),
        pytest.param({"json": "1"}, "needs one of text, hex, json", id="two-kinds"),
        pytest.param({"on": ["topic"]}, "on names a path that the file does not", id="path"),
        pytest.param({"lenght": 3}, "unknown key ['lenght']", id="key"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_in_one(wrong, problem):
    with pytest.raises(CatalogueError) as raised:
        corpus({**GOOD, **wrong})

    assert str(raised.value) == f"some.toml: value {wrong.get('id', 'a-b')}: {problem}"


def test_an_id_stands_once():
    with pytest.raises(CatalogueError, match=r"^some\.toml: value a-b: stands twice$"):
        corpus(GOOD, {**GOOD, "text": "y"})


def test_a_path_without_values_is_an_error():
    with pytest.raises(CatalogueError, match=r"^some\.toml: has no value of level 'observe' for 'name'$"):
        corpus(GOOD).alone("name", "observe")


def test_a_value_is_repeated_as_its_kind_has_it():
    loaded = corpus(
        {**GOOD, "id": "text", "text": "ab", "times": 2},
        {"id": "body", "level": "must", "source": "S27", "hex": "00ff", "times": 2},
        {"id": "json", "level": "must", "source": "S53", "json": '"ab"', "times": 2, "on": ["value"]},
    )

    assert [value.content for value in loaded.values] == ["abab", b"\x00\xff\x00\xff", '"abab"']
    assert [str(value) for value in loaded.must("name")] == ["text", "body"]
