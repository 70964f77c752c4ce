"""The hubs of public reports, as a list: each says what it does, and which reports it is made of."""

import re

import pytest
from latitude import all_variants

HUBS = all_variants("field")


def test_there_is_one_for_each_kind_of_source():
    """Microsoft's suites, users' issues, its SDKs in C, and what the hub descends from."""
    assert len({hub.load for hub in HUBS}) == 4


@pytest.mark.parametrize("hub", HUBS, ids=str)
def test_each_says_in_one_line_what_it_does_and_which_reports_say_so(hub):
    assert re.fullmatch(r"[A-Z`][^\n]*\.", hub.says)
    assert all(re.match(r"F[0-9]|T[0-9]|hub facts [0-9]|edition ", source) for source in hub.sources)
