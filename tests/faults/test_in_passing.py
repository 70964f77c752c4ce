"""What no reading allows is seen by each case that meets it, whatever the case is about."""

import pytest
from run import run_suite_on

CASES = [
    ("expired_token_ends_the_session", "sas.expired", "session.refused-leaves-it"),
    ("token_for_another_resource_empties_the_queue", "sas.wrong-resource", "session.refused-leaves-it"),
    ("expired_token_bars_from_messages", "sas.expired", "session.refused-leaves-it"),
    ("expired_token_makes_all_twins_silent", "sas.expired", "watch.others"),
    ("silence_takes_desired_properties_away", "connection.keep-alive", "twin.untouched"),
    ("disabled_device_is_left_to_wait", "module.of-disabled-device", "connect.answered"),
    ("replaced_connection_sends_its_will_twice", "will.on-takeover", "will.once"),
    ("bag_behind_a_question_mark_is_lost", "bag.leading-question-mark", "d2c.acknowledged-delivered"),
]


@pytest.mark.parametrize(("load", "clause", "broken"), CASES, ids=[load for load, _, _ in CASES])
def test_a_case_of_another_clause_sees_it(load, clause, broken, tmp_path):
    """The clause that names the loss is violated; the one that the case is about holds, or is observed."""
    statement = run_suite_on(f"in_passing:{load}", tmp_path, [clause])

    verdicts = {each["id"]: each["verdict"] for each in statement["clauses"]}
    assert verdicts[clause] in {"pass", "observed"}
    assert verdicts[broken] == "violation", statement["output"][-3000:]
