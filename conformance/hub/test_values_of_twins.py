"""What twins hold: every type, literal and text of JSON as a value, every text as a name.

Document: #update-device-twins-reported-properties and the sections beside it.
Clauses: clauses/twin.toml, desired.toml, module.toml. Values: conformance/corpora.

Values are compared by type and by literal: 1, 1.0, true and "1" are four. What has to be kept travels
together, as members of one object; what is announced is also what both sides then read.
"""

import pytest

from conformance.corpora.alike import turns
from conformance.corpora.corpus import load
from conformance.corpora.whole import as_member_names, as_members, number_in_words

clause = pytest.mark.clause
large = pytest.mark.large

VALUES = load("json_values")
NAMES = load("json_names")

FORMS = pytest.mark.parametrize("number", VALUES.alone("twin", "disputed"), ids=str)


@clause("twin.values-kept")
def test_every_value_is_reported_and_got_back(reported):
    """In its type, and as it was written; of a ready-made device an object stands around all of them."""
    sent = as_members(VALUES.must("member"))

    sent.expect_same(reported(sent))


@clause("twin.values-kept")
def test_a_value_takes_the_place_of_one_that_is_nearly_equal(reported_in_turn):
    """1, true and "1" are three values: the newer one is kept, whatever a language makes of them."""
    reported_in_turn(turns(VALUES.must("member")))


@clause("twin.values-kept")
def test_the_back_end_reads_every_value_that_is_reported(reported_to_back_end):
    """Likewise."""
    sent = as_members(VALUES.must("twin"))

    sent.expect_same(reported_to_back_end(sent))


@clause("twin.within-limits")
@large
@pytest.mark.needs("registry")  # a twin that holds nothing else
def test_a_section_of_nearly_32_kb_is_got_back(reported):
    """Eight texts of 4000 bytes, each as it was reported."""
    sent = as_members(VALUES.must("twin", large=True))

    sent.expect_same(reported(sent))


@clause("twin.names-kept")
def test_every_name_is_reported_and_got_back(reported):
    """Each is another member, also where they differ in letter case alone, or look alike."""
    sent = as_member_names(NAMES.must("twin"))

    sent.expect_same(reported(sent))


@clause("twin.names-kept")
def test_the_back_end_reads_every_name_that_is_reported(reported_to_back_end):
    """Likewise."""
    sent = as_member_names(NAMES.must("twin"))

    sent.expect_same(reported_to_back_end(sent))


@clause("twin.number-forms")
@FORMS
def test_the_form_of_a_number_that_is_reported(reported, readings, number):
    """As it was written, or the same number in another form; never another number, or a text."""
    came = reported(as_members([number]))

    readings.match(number_in_words(number.text, came.values()))


@clause("twin.tags-kept")
def test_the_back_end_reads_every_tag_that_it_set(tags_at_the_back_end):
    """In its type, and as it was written."""
    sent = as_members(VALUES.must("tags"))

    sent.expect_everywhere(tags_at_the_back_end(sent))


@clause("desired.values-kept")
def test_every_desired_value_is_told_and_read(desired_everywhere):
    """What is announced is what the device gets, and what the back end was told and reads."""
    sent = as_members(VALUES.must("twin"))

    sent.expect_everywhere(desired_everywhere(sent))


@clause("desired.values-kept")
@large
def test_desired_properties_of_nearly_32_kb_are_told_and_read(desired_everywhere):
    """Eight texts of 4000 bytes."""
    sent = as_members(VALUES.must("twin", large=True))

    sent.expect_everywhere(desired_everywhere(sent))


@clause("desired.names-kept")
def test_every_name_that_is_desired_is_told_and_read(desired_everywhere):
    """Each is another member, also where they differ in letter case alone, or look alike."""
    sent = as_member_names(NAMES.must("twin"))

    sent.expect_everywhere(desired_everywhere(sent))


@clause("desired.number-forms")
@FORMS
def test_the_form_of_a_number_that_is_desired(desired_everywhere, readings, number):
    """As it was written, or the same number in another form, wherever it is told or read."""
    came = desired_everywhere(as_members([number]))

    readings.match(number_in_words(number.text, [view[number.id] for view in came.values()]))


@clause("module.twin")
def test_every_value_is_reported_by_a_module_and_got_back(modules_reported):
    """A module's twin keeps what a device's keeps."""
    sent = as_members(VALUES.must("twin"))

    sent.expect_same(modules_reported(sent))


@clause("module.twin")
def test_every_name_is_reported_by_a_module_and_got_back(modules_reported):
    """Likewise."""
    sent = as_member_names(NAMES.must("twin"))

    sent.expect_same(modules_reported(sent))


@clause("module.desired")
def test_every_value_that_is_desired_of_a_module_is_told_and_read(desired_of_module_everywhere):
    """What is announced is what the module gets, and what the back end was told and reads."""
    sent = as_members(VALUES.must("twin"))

    sent.expect_everywhere(desired_of_module_everywhere(sent))
