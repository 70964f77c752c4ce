"""What calls of methods carry: every type, literal and text of JSON, in the payload and in the answer.

Document: #respond-to-a-direct-method. Clauses: clauses/methods.toml. Values: conformance/corpora.

Values are compared by type and by literal: 1, 1.0, true and "1" are four. They travel together, as members of
one object.
"""

import pytest

from conformance.corpora.corpus import load
from conformance.corpora.whole import as_member_names, as_members, number_in_words

clause = pytest.mark.clause
large = pytest.mark.large

VALUES = load("json_values")
NAMES = load("json_names")

FORMS = pytest.mark.parametrize("number", VALUES.alone("method", "disputed"), ids=str)


@clause("methods.request-body")
def test_every_value_reaches_the_device(payload_to_device):
    """In its type, and as it was written."""
    sent = as_members(VALUES.must("method"))

    sent.expect_same(payload_to_device(sent))


@clause("methods.request-body")
def test_every_name_reaches_the_device(payload_to_device):
    """Nothing is excepted: a payload is any JSON."""
    sent = as_member_names(NAMES.must("method"))

    sent.expect_same(payload_to_device(sent))


@clause("methods.request-body")
@large
def test_a_payload_of_127_kb_reaches_the_device(payload_to_device):
    """Microsoft names 128 KB as the most."""
    sent = as_members(VALUES.must("method", large=True))

    sent.expect_same(payload_to_device(sent))


@clause("methods.response-body")
def test_every_value_reaches_the_caller(payload_to_caller):
    """In its type, and as the device wrote it."""
    sent = as_members(VALUES.must("method"))

    sent.expect_same(payload_to_caller(sent))


@clause("methods.response-body")
def test_every_name_reaches_the_caller(payload_to_caller):
    """Nothing is excepted: an answer is any JSON."""
    sent = as_member_names(NAMES.must("method"))

    sent.expect_same(payload_to_caller(sent))


@clause("methods.response-body")
@large
def test_an_answer_of_127_kb_reaches_the_caller(payload_to_caller):
    """Microsoft names 128 KB as the most."""
    sent = as_members(VALUES.must("method", large=True))

    sent.expect_same(payload_to_caller(sent))


@clause("methods.number-forms")
@FORMS
def test_the_form_of_a_number_in_a_payload(payload_to_device, readings, number):
    """As it was written, or the same number in another form; never another number, or a text."""
    came = payload_to_device(as_members([number]))

    readings.match(number_in_words(number.text, came.values()))


@clause("methods.number-forms")
@FORMS
def test_the_form_of_a_number_in_an_answer(payload_to_caller, readings, number):
    """Likewise, from the device to the caller."""
    came = payload_to_caller(as_members([number]))

    readings.match(number_in_words(number.text, came.values()))
