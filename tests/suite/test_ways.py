"""Ways: how a case meets the hub follows from its test's name; each clause is asked on every axis."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
from sections import OF_THE_BACK_END
from small_suite import environment_of_a_run

from conformance.documents import catalogue
from conformance.verdict.clause import Case, fold, judge
from conformance.verdict.needs import Claims, shut
from conformance.verdict.run import exit_code
from conformance.verdict.verdicts import Verdict
from conformance.ways.dealing import chosen, further_ways
from conformance.ways.depth import kept
from conformance.ways.way import FIRST, IMPOSSIBLE, VALUES, Way, entrances, only_in

CHECKOUT = Path(__file__).parents[2]
WRITES_DOWN = """
import json
import os
from pathlib import Path

from conformance.run.cases import CASE

def pytest_collection_finish(session):
    cases = [item.stash[CASE] for item in session.items]
    ways = [(case.clause.id, case.id, dict(case.way)) for case in cases]
    Path(os.environ["COLLECTED"]).write_text(json.dumps(ways))
"""
# Sections in which the back end acts: a device stands by, if there is one, and its way bears on nothing.
TESTS = tuple(f"test_letters.py::test_{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")


@pytest.fixture(scope="module")
def dealt(tmp_path_factory):
    """Clause, id and way of every case."""
    folder = tmp_path_factory.mktemp("ways")
    (folder / "writes_down.py").write_text(WRITES_DOWN)
    environment = environment_of_a_run(folder) | {
        "PYTHONPATH": str(folder),
        "COLLECTED": str(folder / "ways.json"),
    }
    options = ["--profile=emulator", "--collect-only", "-qq", "-p", "writes_down"]
    command = [sys.executable, "-m", "pytest", *options]
    subprocess.run(command, cwd=CHECKOUT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return json.loads((folder / "ways.json").read_text())


def ways_by(dealt, key):
    ways = {}
    for clause, _, way in dealt:
        ways.setdefault(key(clause), []).append(way)
    return ways


def test_every_test_is_shown_every_value_of_every_axis():
    """Together with the first way, in which each of its cases runs."""
    shown = {
        test: {(axis, value) for way in (FIRST, *further_ways(test)) for axis, value in way} for test in TESTS
    }

    assert set(map(frozenset, shown.values())) == {
        frozenset((axis, value) for axis, values in VALUES.items() for value in values)
    }


@pytest.mark.parametrize("axis", VALUES)
def test_an_axis_that_a_clause_takes_out_keeps_to_its_first_value(axis):
    assert {getattr(way, axis) for test in TESTS for way in further_ways(test, {axis})} == {VALUES[axis][0]}


def test_a_clause_without_an_axis_has_no_further_way():
    assert further_ways("test_letters.py::test_a", VALUES) == ()


def test_a_test_keeps_its_ways():
    """An id bears its way, and stays what it is."""
    assert list(map(str, further_ways("test_d2c.py::test_a_qos_1_publish_is_acknowledged_once"))) == [
        "websocket-persistent-later",
        "x509-module-later-secondary",
    ]


def test_a_case_that_is_not_chosen_changes_nothing():
    way = Way(transport="websocket")
    one = chosen(["a", "b", "c", "d"], way)

    assert {chosen([case for case in "abcd" if case in {one, other}], way) for other in "abcd"} == {one}


def test_every_clause_is_asked_on_every_axis(dealt):
    """But for the axes that its record takes out, and for clauses whose tests ask for no device."""
    clauses = catalogue.load()
    missing = {
        (clause, axis): set(VALUES[axis]) - {way[axis] for way in ways}
        for clause, ways in ways_by(dealt, str).items()
        for axis in VALUES.keys() - clauses[clause].fixed.keys()
    }

    assert {key for key, values in missing.items() if values and key[0] != "connect.service-name"} == set()


def test_every_section_sees_every_pair_of_values(dealt):
    clauses = catalogue.load().clauses
    fixed = {
        section: set.intersection(*(set(each.fixed) for each in clauses.values() if each.section == section))
        for section in {clause.section for clause in clauses.values()}
    }
    missing = {
        section: [
            (one, first, other, second)
            for one, other in itertools.combinations(sorted(VALUES.keys() - fixed[section]), 2)
            for first in VALUES[one]
            for second in VALUES[other]
            if not any((way[one], way[other]) == (first, second) for way in ways)
        ]
        for section, ways in ways_by(dealt, lambda clause: clause.partition(".")[0]).items()
    }

    assert {section: pairs for section, pairs in missing.items() if pairs} == {}


def test_few_axes_are_taken_out(dealt):
    """At most 15 % of clause and axis, beyond what no clause of that kind, or section, can be asked."""
    clauses = catalogue.load()
    asked = {clause for clause, _, _ in dealt if clauses[clause].section not in OF_THE_BACK_END}
    taken = [
        axis
        for clause in asked
        for axis in clauses[clause].fixed
        if not any(IMPOSSIBLE.get(need, ("",))[0] == axis for need in clauses[clause].needs)
    ]

    assert len(taken) <= 0.15 * len(asked) * len(VALUES)


def test_a_first_way_has_no_name(dealt):
    """So that the ids of before ways were are the ids of now."""
    assert {case_id for _, case_id, way in dealt if ("@" in case_id) != (way != dict(FIRST))} == set()


@pytest.mark.parametrize(
    ("way", "clause", "needs"),
    [
        pytest.param(FIRST, ("twin",), ("twin",), id="first"),
        pytest.param(Way(transport="websocket"), ("twin",), ("twin", "websocket"), id="WebSocket"),
        pytest.param(
            Way(transport="websocket"),
            ("x509",),
            ("x509", "websocket", "registry", "x509-over-websocket"),
            id="WebSocket-of-a-clause-about-certificates",
        ),
        pytest.param(
            Way(credential="x509", kind="module"),
            (),
            ("x509", "registry", "modules", "x509-modules"),
            id="module-with-certificate",
        ),
    ],
)
def test_a_way_has_needs_of_its_own(way, clause, needs):
    """What no source promises together is claimed by itself."""
    assert way.needs(clause) == needs


@pytest.mark.parametrize(
    ("failed", "passed", "words"),
    [
        pytest.param(["@websocket", "@websocket-module"], [""], "over WebSocket only", id="one-axis"),
        pytest.param(
            ["@x509-module"],
            ["", "@module"],
            "with a certificate only",
            id="what-passed-as-well",
        ),
        pytest.param(["@x509-module"], [""], "with a certificate and as a module only", id="two-axes"),
        pytest.param(["", "@websocket"], ["@module"], "", id="the-first-way-too"),
        pytest.param(["@websocket"], [], "", id="nothing-passed"),
    ],
)
def test_what_failed_in_some_ways_alone_is_told_in_words(failed, passed, words):
    def ids(ways):
        return [f"test_x.py::test_y{way}[a-@b]" for way in ways]

    assert only_in(ids(failed), ids(passed)) == words


def test_at_depth_live_each_value_is_seen_once_a_section(dealt):
    """Every case runs in its first way, and few in others: a live hub costs money and time."""
    cases = [(case_id, clause.partition(".")[0], Way(**way)) for clause, case_id, way in dealt]
    runs = kept(cases, "live")

    def values(ids):
        return {(section, *value) for case_id, section, way in cases if case_id in ids for value in way}

    assert {case_id for case_id, _, way in cases if way == FIRST} <= runs
    assert values(runs) == values({case_id for case_id, _, _ in cases})
    assert sum("@" in case_id for case_id in runs) <= 4 * len({section for _, section, _ in cases})


def test_at_depth_whole_all_cases_run(dealt):
    cases = [(case_id, clause.partition(".")[0], Way(**way)) for clause, case_id, way in dealt]

    assert kept(cases, "whole") == {case_id for case_id, _, _ in cases}


def test_each_way_to_open_a_session_that_is_claimed_is_tried_once():
    """A certificate over WebSocket, and a module's, are claims of their own."""
    claimed = {"registry", "x509", "websocket", "modules", "x509-modules"}

    assert list(map(str, entrances(claimed))) == [
        "module",
        "x509",
        "x509-module",
        "websocket",
        "websocket-module",
    ]


@pytest.mark.parametrize(
    ("way", "clause"),
    [
        (Way(transport="websocket"), "websocket.mqtt"),
        (Way(credential="x509"), "x509.no-password"),
        (Way(transport="websocket", credential="x509"), "websocket.x509"),
        (Way(credential="x509", kind="module"), "x509.module"),
        (Way(kind="module", session="later"), "module.connect"),
    ],
    ids=str,
)
def test_a_clause_judges_whether_a_session_opens_in_a_way(way, clause):
    assert (way.judge, clause in catalogue.load()) == (clause, True)


SHUT = Case(
    id="test_x.py::test_y@websocket",
    clause="d2c.puback",
    verdict=Verdict.NOT_TESTED,
    message=shut("http 400", "websocket.mqtt"),
)
FINE = Case(id="test_x.py::test_y", clause="d2c.puback", verdict=Verdict.PASS)


def test_a_clause_keeps_what_its_other_ways_say_where_one_opens_no_session():
    assert fold([FINE, SHUT], watched=False, sightings=0) == (Verdict.PASS, "")


def test_a_clause_all_of_whose_ways_are_shut_is_not_tested():
    assert fold([SHUT], watched=False, sightings=0)[0] is Verdict.NOT_TESTED


@pytest.mark.parametrize(("partial", "code"), [(False, 11), (True, 0)])
def test_a_way_that_is_claimed_and_opens_no_session_is_not_green(partial, code):
    """Where the clause that judges it only observes, the exit code says that something was not tested."""
    clauses = catalogue.load()
    judgements = judge(clauses, [FINE, SHUT], Claims())

    assert exit_code([each for each in judgements if each.cases], [FINE, SHUT], partial=partial) == code
