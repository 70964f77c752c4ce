"""The ids of all cases: what deviations, comparisons and Allure's history know a case by (pitfall 8)."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from small_suite import SmallSuite, environment_of_a_run

CHECKOUT = Path(__file__).parents[2]
WRITES_DOWN = """
import json
import os
from pathlib import Path

from conformance.run.cases import CASE

def pytest_collection_finish(session):
    calls = [(item.stash[CASE].id, getattr(item, "callspec", None)) for item in session.items]
    cases = [(case_id, list(call.params) if call else []) for case_id, call in calls]
    Path(os.environ["COLLECTED"]).write_text(json.dumps(cases))
"""


def collected(folder, where, *arguments, seed):
    """Id and names of the parameters of each case, as another process collects them."""
    (folder / "writes_down.py").write_text(WRITES_DOWN)
    notes = folder / f"collected-{seed}.json"
    environment = environment_of_a_run(folder) | {
        "PYTHONHASHSEED": str(seed),
        "PYTHONPATH": str(folder),
        "COLLECTED": str(notes),
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--profile=emulator",
        "--collect-only",
        "-qq",
        "-p",
        "writes_down",
    ]
    subprocess.run([*command, *arguments], cwd=where, env=environment, check=True, stdout=subprocess.DEVNULL)
    return json.loads(notes.read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ids")


@pytest.fixture(scope="module")
def cases(folder):
    return collected(folder, CHECKOUT, seed=1)


@pytest.fixture(scope="module")
def ids(cases):
    return [case_id for case_id, _ in cases]


def test_every_id_can_be_printed_typed_and_told_from_the_others(ids):
    assert len(ids) > 450
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not name.isascii() or not name.isprintable() or len(name) > 160] == []


@pytest.mark.parametrize(
    "odd",
    [
        r"0x[0-9a-f]{6,}",
        r"\bb['\"]",
        r"\\x[0-9a-f]{2}",
        r" object at ",
        r"<[a-z]+",
        r"conf-[0-9a-f]{8}",
        r"lambda",
    ],
    ids=["address", "bytes", "escape", "object", "repr", "device-of-a-run", "function"],
)
def test_no_id_holds_what_nobody_can_read(ids, odd):
    assert [name for name in ids if re.search(odd, name)] == []


def test_every_parameter_has_words_of_its_own(cases):
    """Where pytest finds none, it takes the parameter's name and counts."""
    counted = [
        case_id
        for case_id, parameters in cases
        for name in parameters
        if re.search(rf"[\[-]{re.escape(name)}\d+(?=[-\]])", case_id)
    ]
    assert counted == []


def test_the_ids_are_the_same_in_another_process_and_from_another_place(folder, tmp_path, ids):
    again = collected(folder, tmp_path, "--pyargs", "conformance", seed=2)

    assert [case_id for case_id, _ in again] == ids


# -- what Allure makes of them

TWO_CASES = """
@clause("small.holds")
@pytest.mark.parametrize("x", ["one", "two"])
def test_holds(x):
    pass
"""


@pytest.fixture
def runs(tmp_path):
    """Four runs of the same cases: twice, with workers, and of another profile."""
    made = []
    for number, (profile, options) in enumerate(
        [("small", []), ("small", []), ("small", ["-n", "2"]), ("other", [])]
    ):
        place = tmp_path / str(number)
        place.mkdir()
        suite = SmallSuite(place)
        suite.cases(TWO_CASES)
        suite.run(*options, profile=profile)
        results = sorted((place / "reports" / profile / "allure-results").glob("*-result.json"))
        made.append({file.name: json.loads(file.read_text()) for file in results})
    return made


def labels(result, name):
    return [label["value"] for label in result["labels"] if label["name"] == name]


def test_a_case_has_one_history_whatever_run_it_is_of(runs):
    histories = [
        {result["fullName"]: (result["historyId"], result["testCaseId"]) for result in run.values()}
        for run in runs
    ]

    assert len(set(histories[0].values())) == 2
    assert histories == histories[:1] * 4


def test_the_labels_of_a_case_stand_in_one_order(runs):
    orders = [[label["name"] for label in result["labels"]] for run in runs for result in run.values()]

    assert orders == orders[:1] * 8


def test_results_of_two_profiles_lie_beside_each_other_and_say_whose_they_are(runs):
    """Pitfall 5: what a folder of both holds can be told apart, and nothing replaces anything."""
    together = runs[0] | runs[3]

    assert len(together) == 4
    assert sorted(profile for result in together.values() for profile in labels(result, "profile")) == [
        "other", "other", "small", "small",
    ]  # fmt: skip


def test_a_case_keeps_its_id(ids):
    """Whoever stated a deviation, or compares with an older report, knows a case by it.

    Two cases have another clause since: `topics.device-wildcard` and `methods.request-null` took over what
    they asked.
    """
    published = (Path(__file__).parent / "data" / "case_ids_32195c2.txt").read_text().splitlines()

    assert set(published) - set(ids) == {
        "test_topics.py::test_a_wildcard_for_subtopics[any-device]",
        "test_methods_request.py::test_a_call_without_payload_has_nothing_in_its_body[null]",
    }
