"""The right hubs that differ, as a list: enough of them, each with what it does and what allows it."""

import re

import pytest
from latitude import all_variants

from conformance.documents import catalogue

VARIANTS = all_variants()


def test_there_are_at_least_twenty_five():
    assert len({variant.load for variant in VARIANTS}) == len(VARIANTS) >= 25


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_each_says_in_one_line_what_it_does_and_what_allows_it(variant):
    assert re.fullmatch(r"[A-Z`][^\n]*\.", variant.says)
    assert all(source.strip() for source in variant.sources)


def test_each_disputed_clause_is_named_by_a_hub_that_reads_it_otherwise():
    named = " ".join(source for variant in VARIANTS for source in variant.sources)
    disputed = [clause.id for clause in catalogue.load().clauses.values() if clause.level == "disputed"]
    assert [clause for clause in disputed if clause not in named] == []
