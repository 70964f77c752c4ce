"""A clause that no wrong device turns red proves nothing: each that can fail is named by one."""

import pytest
from wrong import all_wrong

from conformance.documents import catalogue

CAN_FAIL = {
    clause.id
    for clause in catalogue.load(catalogue.DEVICE_CLAUSES).clauses.values()
    if clause.level in {"must", "disputed"}
}
NAMED = {clause for wrong in all_wrong() for clause in wrong.breaks}


@pytest.mark.parametrize("clause", sorted(CAN_FAIL))
def test_a_clause_that_can_fail_has_a_wrong_device(clause):
    assert clause in NAMED


def test_a_wrong_device_names_clauses_that_can_fail():
    """An observation never turns red, and a name that does not exist breaks nothing."""
    assert not NAMED - CAN_FAIL
