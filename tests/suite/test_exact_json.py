"""JSON is compared by type and by literal, and read as RFC 8259 has it."""

import pytest

from conformance.corpora.exact_json import Number, difference, read, text_difference, write

DIFFERENT = [
    "1",
    "1.0",
    "-1",
    "1e0",
    "0",
    "-0",
    "0.0",
    "true",
    "false",
    "null",
    '"1"',
    '""',
    '"true"',
    "[]",
    "{}",
]


@pytest.mark.parametrize("sent", DIFFERENT)
def test_a_value_is_the_same_as_itself_and_as_no_other(sent):
    assert [came for came in DIFFERENT if difference(read(sent), read(came)) is None] == [sent]


@pytest.mark.parametrize(
    ("sent", "came"),
    [
        pytest.param('{"a":1,"b":2}', ' { "b" : 2 , "a" : 1 } ', id="order-of-members-and-spaces"),
        pytest.param(r'"A\/\u00e9\ud83d\ude00"', '"A/é😀"', id="escapes"),
    ],
)
def test_what_json_gives_no_meaning_is_no_difference(sent, came):
    assert difference(read(sent), read(came)) is None


@pytest.mark.parametrize(
    ("sent", "came", "words"),
    [
        pytest.param('{"a":{"b":1}}', '{"a":{"b":1.0}}', "a.b: 1.0 for 1", id="literal"),
        pytest.param('{"a":true}', '{"a":1}', "a: the number 1 for true", id="type"),
        pytest.param('{"a":"1"}', '{"a":1}', "a: the number 1 for the text '1'", id="text"),
        pytest.param('{"a":1}', "{}", "a: not there", id="lost"),
        pytest.param('{"a":1}', '{"a":1,"A":1}', "'A' besides", id="besides"),
        pytest.param('{"a":[1,2]}', '{"a":[2,1]}', "a[0]: 2 for 1", id="order"),
        pytest.param('{"a":[1,2]}', '{"a":[1]}', "a: 1 items for 2", id="shorter"),
        pytest.param('{"a":{}}', '{"a":[]}', "a: an array for an empty object", id="empty"),
        pytest.param('{"a\\nb":1}', '{"a\\nb":2}', "['a\\nb']: 2 for 1", id="name-with-a-line-feed"),
        pytest.param('"abc"', '"abd"', "'abd' for 'abc'", id="short-text"),
    ],
)
def test_a_difference_says_where_and_what(sent, came, words):
    assert difference(read(sent), read(came)) == words


def test_long_texts_are_shown_where_they_differ():
    assert text_difference("x" * 500 + "y", "x" * 500) == (
        f"at 500, {'x' * 8!r} for {'x' * 8 + 'y'!r}, 500 long for 501"
    )


def test_a_text_is_no_body():
    assert text_difference("a", b"a") == "b'a' for 'a'"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("NaN", id="nan"),
        pytest.param("-Infinity", id="infinity"),
        pytest.param('{"a":1,"a":2}', id="a-name-twice"),
        pytest.param('{"a":1,}', id="comma-behind"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte-order-mark"),
        pytest.param(b'"\xff"', id="no-utf-8"),
        pytest.param("[" * 100_000, id="too-deep"),
        pytest.param("", id="empty"),
    ],
)
def test_what_is_no_json_is_not_read(text):
    with pytest.raises(ValueError, match=r"."):
        read(text)


def test_a_number_is_written_as_it_was_read():
    text = '{"a":[1.0,-0,1E+2],"b":"é","c":null,"d":{}}'

    assert write(read(text)) == text
    assert read("1.50") == Number("1.50")
