"""JSON to the letter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iothub_emulator.hub import json_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b'{"a":',
        b'{"a":1',
        b"a",
        b"}",
        b"\xff\x00",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1} // why',
        b'{"a":1}{"a":1}',
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b'{"a":01}',
        b'{"a":"\t"}',
        b"\xef\xbb\xbf{}",
        b"[" * 65 + b"]" * 65,
        b"[" * 100_000,
        b"1" * 5000,
    ],
)
def test_what_is_not_json(text):
    with pytest.raises(json_text.NotJson):
        json_text.parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"{}", {}),
        (b' {"a" : [1, 2.5, true, null]} ', {"a": [1, 2.5, True, None]}),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b"[" * 64 + b"]" * 64, None),
    ],
)
def test_what_is_json(text, value):
    read = json_text.parse(text)

    assert value is None or read == value


@given(VALUES)
def test_what_is_written_can_be_read(value):
    assert json_text.parse(json_text.dump(value)) == value


@given(st.binary() | st.text(alphabet='{}[]",:0123456789.eE+-\\u truefalsn').map(str.encode))
def test_reading_raises_nothing_else(text):
    try:
        value = json_text.parse(text)
    except json_text.NotJson:
        return
    json_text.dump(value)
