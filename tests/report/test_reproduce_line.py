"""The line that runs on the hub of a report again, as a report prints it."""

import shlex

import pytest
from sample import case, clause, statement, violation

from conformance.report import reproduce

QOS2 = clause("d2c.qos2", violation(1))
SMALL = "pytest --pyargs conformance --profile=small --same-hub=c0ffee"


def line(*clauses, **command):
    """Return the line for the first clause of a statement that was run so."""
    made = statement(*clauses, command=command)
    return reproduce.command(made, made.clauses[0])


def test_a_clause_is_run_on_the_same_hub_beside_the_whole_report():
    """A part goes to reports/small.partial by itself."""
    assert line(QOS2) == f"{SMALL} --clause=d2c.qos2"


def test_the_whole_run_goes_beside_the_report_too():
    assert reproduce.command(statement(QOS2)) == f"{SMALL} --report-dir=reports/small.again"


@pytest.mark.parametrize(
    ("report", "part", "whole"),
    [
        ("reports/small.partial", "reports/small.again.partial", "reports/small.again"),
        ("/hubs/out", "/hubs/out.again.partial", "/hubs/out.again"),
        ("/hubs/out.partial", "/hubs/out.again.partial", "/hubs/out.again"),
        ("/hubs/out.again.partial", "/hubs/out.again.again.partial", "/hubs/out.again.again"),
    ],
)
def test_no_line_writes_where_the_report_lies(report, part, whole):
    made = statement(QOS2, command={"report": report})

    assert f"--report-dir={part}" in shlex.split(reproduce.command(made, made.clauses[0]))
    assert f"--report-dir={whole}" in shlex.split(reproduce.command(made))


def test_what_a_profile_starts_from_its_folder_is_started_there():
    assert line(QOS2, folder="/my hubs").startswith("cd '/my hubs' && pytest ")


def test_a_suite_that_is_not_installed_is_named_by_its_path():
    assert line(QOS2, cases=["/suite/conformance"]).startswith("pytest /suite/conformance --profile=small")


def test_a_rule_that_a_case_of_another_clause_broke_is_reproduced_by_that_case():
    """Its own cases held: to run them again shows nothing."""
    watched = clause("watch.ids", case(1), violation("a b", in_passing=True))

    assert line(watched) == (
        "pytest --pyargs 'conformance.test_small::test_rule[a b]' --profile=small --same-hub=c0ffee"
    )
    assert line(watched, cases=["/suite/cases"]).startswith(
        "pytest '/suite/cases/test_small.py::test_rule[a b]' --profile=small"
    )


def test_a_rule_that_its_own_case_broke_is_reproduced_by_its_cases():
    watched = clause("watch.ids", violation(1), violation(2, in_passing=True))

    assert line(watched) == f"{SMALL} --clause=watch.ids"


def test_what_has_to_be_so_is_said():
    attached = statement(QOS2, command={"words": ["--attach=/r.json"], "variables": ["HUB", "EVENTS"]})

    assert reproduce.conditions(attached) == [
        "In the suite's environment each line judges the hub of this report, or says why not.",
        "The profile reads HUB, EVENTS: set them as they were.",
        (
            "The hub must still run: started anew it is another one, unless it keeps its certificate "
            "authority. To judge that one, leave out --same-hub."
        ),
    ]


def test_a_statement_that_does_not_say_how_it_was_run_has_no_line():
    older = statement(QOS2).model_copy(update={"command": None})

    assert (reproduce.command(older, older.clauses[0]), reproduce.conditions(older)) == (None, [])
