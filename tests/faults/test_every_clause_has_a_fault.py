"""A clause that no wrong hub turns red proves nothing: each that can fail is named by a fault."""

import pytest
from fault import all_faults

from conformance.documents import catalogue

# A clause that can fail and that no fault names, with the reason.
WITHOUT_FAULT: dict[str, str] = {}

CAN_FAIL = {
    clause.id: clause for clause in catalogue.load().clauses.values() if clause.level in {"must", "disputed"}
}
NAMED = {clause for fault in all_faults() for clause in fault.breaks}


@pytest.mark.parametrize("clause", CAN_FAIL)
def test_a_clause_that_can_fail_has_a_fault(clause):
    assert clause in NAMED or clause in WITHOUT_FAULT


def test_a_fault_names_clauses_that_can_fail():
    """An observation never turns red, and a name that does not exist breaks nothing."""
    assert NAMED - CAN_FAIL.keys() == set()


def test_an_exception_is_one():
    assert [clause for clause in WITHOUT_FAULT if clause in NAMED or clause not in CAN_FAIL] == []
