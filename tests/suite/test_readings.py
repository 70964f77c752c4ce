"""Disputed outcomes against the readings of a clause."""

import pytest

from conformance.errors import HarnessError, Violation
from conformance.verdict.readings import Readings

RECORD = {"closed": ("closed",), "refused": ("connack [1-5]",), "answered": ("puback", "suback *")}


@pytest.mark.parametrize(
    ("word", "reading"),
    [("closed", "closed"), ("connack 5", "refused"), ("puback", "answered"), ("suback 128", "answered")],
)
def test_a_listed_reading_is_remembered(word, reading):
    readings = Readings("d2c.qos2", RECORD)

    assert readings.match(word) == reading
    assert readings.seen == reading


@pytest.mark.parametrize("word", ["pubrec", "connack 6", "CLOSED", "closed ", ""])
def test_anything_else_is_a_violation(word):
    readings = Readings("d2c.qos2", RECORD)

    with pytest.raises(Violation) as violation:
        readings.match(word)

    assert (violation.value.observed, violation.value.expected) == (word, "closed | refused | answered")
    assert readings.seen is None


def test_a_hub_that_wavers_within_one_case_is_a_violation():
    readings = Readings("d2c.qos2", RECORD)
    readings.match("closed")
    readings.match("closed")

    with pytest.raises(Violation, match="saw 'closed' before"):
        readings.match("puback")


def test_a_clause_that_is_not_disputed_has_no_readings():
    with pytest.raises(HarnessError, match=r"d2c\.dup is not disputed"):
        Readings("d2c.dup", {}).match("puback")


def test_a_word_that_is_nearly_one_of_a_readings_is_told_which():
    """A reading's name need not look like the words that belong to it."""
    readings = Readings(
        "will.retain-property",
        {"x-opt-retain": ["iothub-MessageType=Will, x-opt-retain=*"], "none": ["iothub-MessageType=Will"]},
    )

    with pytest.raises(Violation) as violation:
        readings.match("iothub-MessageType=will, x-opt-retain=true")

    assert (
        violation.value.expected == "x-opt-retain | none (nearest: iothub-MessageType=Will, x-opt-retain=*)"
    )
