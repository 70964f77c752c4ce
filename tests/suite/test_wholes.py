"""What a whole says of differences, and how the part of it is found that a hub refuses."""

import pytest

from conformance.corpora.corpus import Value
from conformance.corpora.exact_json import Number
from conformance.corpora.halves import MOST_SENDS, refused_part
from conformance.corpora.whole import (
    as_member_names,
    as_members,
    as_several_values,
    as_values,
    number_in_words,
    written_object,
)
from conformance.errors import Violation

REFUSAL = Violation("no PUBACK", observed="closed", expected="PUBACK", actual="closed")


def value(name, content):
    return Value(id=name, level="must", source="S29", content=content, on=frozenset({"value"}))


def values(count):
    return as_values(value(f"v{number}", f"text {number}") for number in range(count))


def refuses(*names):
    """Return a hub that refuses whatever holds one of these, and what was sent to it."""
    sent = []

    def send(part):
        sent.append(list(part.parts))
        if set(names) & part.parts.keys():
            raise REFUSAL

    return send, sent


# -- differences


def test_a_message_names_three_values_and_counts_the_others():
    whole = values(5)

    with pytest.raises(Violation) as raised:
        whole.expect_same({"v0": "text 0", "v1": "TEXT 1", "v2": "", "v3": None, "w": "1"})

    assert str(raised.value) == (
        "v1: 'TEXT 1' for 'text 1'; v2: '' for 'text 2'; v3: null for 'text 3'; and 2 more"
    )
    assert raised.value.observed == "other: v1, v2, v3, v4, ?"
    assert raised.value.expected == "5 values as they were sent"


def test_each_place_where_it_differs_is_said():
    whole = as_members([value("one", "1")])

    with pytest.raises(Violation) as raised:
        whole.expect_everywhere({"GET": {"one": Number("1")}, "notification": {"one": Number("1.0")}})

    assert str(raised.value) == "one (notification): 1.0 for 1"


def test_several_properties_of_one_value_are_held_against_it():
    whole = as_several_values([value("m", "007")], ["message-id", "user-id"])

    assert whole.differences({"m": {"message-id": "007", "user-id": "7"}}) == {"m": "user-id: '7' for '007'"}


def test_an_object_is_written_as_its_members_are():
    whole = as_members([value("one", "1.0"), value("two", r'"\u0041"')])

    assert written_object(whole) == rb'{"one":1.0,"two":"\u0041"}'
    assert written_object(as_member_names([value("one", 'a"b')])) == rb'{"a\"b":"one"}'


@pytest.mark.parametrize(
    ("came", "words"),
    [
        ([Number("1.0")], "as written"),
        ([Number("1")], "in another form"),
        ([Number("1.0"), Number("1.0")], "as written"),
        ([Number("1.0"), Number("1e0")], "as written and in another form"),
        ([Number("1.5")], "1.5 for 1.0"),
        (["1.0"], "the text '1.0' for the number 1.0"),
        ([True], "true for the number 1.0"),
    ],
)
def test_the_form_of_a_number_is_told_in_words(came, words):
    assert number_in_words("1.0", came) == words


# -- refusals


@pytest.mark.parametrize("culprit", [0, 1, 63, 64, 126, 127])
def test_the_value_that_is_refused_is_found_in_eight_sends(culprit):
    send, sent = refuses(f"v{culprit}")

    refusal = refused_part(values(128), REFUSAL, send)

    assert len(sent) <= MOST_SENDS
    assert refusal.observed == f"closed: v{culprit}"
    assert str(refusal) == f"refused: v{culprit} by itself, of 128 values: no PUBACK"


def test_of_more_than_can_be_halved_in_time_a_part_is_found():
    send, sent = refuses("v300")

    refusal = refused_part(values(512), REFUSAL, send)

    assert len(sent) == MOST_SENDS
    assert refusal.observed == "closed: v300, v301, v302, v303"


def test_values_that_are_refused_together_alone_are_said_to_be():
    def send(part):
        if len(part) > 8:
            raise REFUSAL

    refusal = refused_part(values(16), REFUSAL, send)

    assert refusal.observed == "closed"
    assert str(refusal) == "refused: 16 values, and no part of them that was tried: no PUBACK"


def test_no_part_is_looked_for_when_the_time_is_over():
    send, sent = refuses("v1")

    refusal = refused_part(values(16), REFUSAL, send, in_time=lambda: not sent)

    assert len(sent) == 1
    assert refusal.observed == "closed"
