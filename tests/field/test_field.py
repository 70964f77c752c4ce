"""A hub that is as public reports say is green: one hub for each set of them that can be true at once.

Sources differ, and any of them may be right. Readings and what is observed differ then.
"""

import pytest
from latitude import all_variants
from latitude_run import run_suite_on

HUBS = all_variants("field")


@pytest.mark.parametrize("hub", HUBS, ids=str)
def test_a_hub_of_public_reports_has_no_violation(hub, tmp_path):
    """And it did differ: its own code acted."""
    run = run_suite_on(hub, tmp_path)

    assert (run.red, run.code) == ({}, 0), run.output[-12_000:]
    assert run.acts > 0
