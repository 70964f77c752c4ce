"""A clause asks for what none of its cases can do without: a device alone shows one side of many a rule."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sections import OF_THE_BACK_END
from small_suite import environment_of_a_run

from conformance.documents import catalogue

CHECKOUT = Path(__file__).parents[2]
WRITES_DOWN = """
import json
import os
from pathlib import Path

from conformance.run.case_needs import of_test
from conformance.run.cases import CASE

def pytest_collection_finish(session):
    cases = [(item, item.stash[CASE]) for item in session.items]
    needs = [(case.clause.id, case.id, of_test(item)) for item, case in cases if not str(case.way)]
    Path(os.environ["COLLECTED"]).write_text(json.dumps(needs))
"""
# What the service side is there for.
SERVICE = frozenset({"registry", "telemetry"})
# Clauses whose own tests do not say all that they need, or say more, with the reason.
OTHERWISE = {
    "watch.others": "the two devices that no case is about are made beside it",
    "twin.new-versions": "it is about a twin that nobody has written",
    "twin.reported-not-object": "such a patch cannot be kept to one member of somebody's twin",
    "watch.identity": "it is watched in each case; the service side only sees to it that a message comes",
    "watch.packet-ids": "likewise",
    **dict.fromkeys(
        ("explore.messages", "explore.twins", "explore.methods", "explore.registry"),
        "a scenario's actions need it",
    ),
    **dict.fromkeys(("explore.modules", "explore.certificates", "explore.mixed"), "likewise"),
}


@pytest.fixture(scope="module")
def tests_need(tmp_path_factory):
    """What each case takes for granted in the first way beside its clause's own needs, by clause."""
    folder = tmp_path_factory.mktemp("needs")
    (folder / "writes_down.py").write_text(WRITES_DOWN)
    environment = environment_of_a_run(folder) | {
        "PYTHONPATH": str(folder),
        "COLLECTED": str(folder / "needs.json"),
    }
    options = ["--profile=emulator", "--collect-only", "-qq", "-p", "writes_down"]
    command = [sys.executable, "-m", "pytest", *options]
    subprocess.run(command, cwd=CHECKOUT, env=environment, check=True, stdout=subprocess.DEVNULL)
    needs = {}
    for clause, _, of_test in json.loads((folder / "needs.json").read_text()):
        needs.setdefault(clause, []).append(SERVICE & set(of_test))
    return needs


def test_a_clause_needs_of_the_service_side_what_all_of_its_cases_need(tests_need):
    """Neither more, which would leave out cases of devices alone, nor less, which the listing would hide."""
    said = {clause.id: SERVICE & set(clause.needs) for clause in catalogue.load().clauses.values()}

    differs = {
        clause: (said[clause], common)
        for clause, needs in tests_need.items()
        if clause not in OTHERWISE
        and clause.partition(".")[0] not in OF_THE_BACK_END | {"presence"}
        and said[clause] != (common := set.intersection(*map(set, needs)))
    }
    assert differs == {}


def test_an_exception_is_one(tests_need):
    assert OTHERWISE.keys() - tests_need.keys() == set()
