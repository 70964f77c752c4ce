"""allure-pytest in one run with the suite: it writes the other tests, and each case is written once."""

import json

import pytest
from small_suite import SmallSuite, run_pytest

from conformance.documents.catalogue import DOCUMENT_TITLE

BOTH_WAYS = pytest.mark.parametrize("distribution", [[], ["-n", "2"]], ids=["one-process", "n-2"])
KEY = "Y2FuYXJ5IGluIHRoZSBjb2FsIG1pbmU="

# Fixtures of every scope, each of which would have a file of its own for each test that it is set up for.
FIXTURES = """
import allure
import pytest

@pytest.fixture(scope="session", autouse=True)
def for_the_session():
    yield

@pytest.fixture(scope="module", autouse=True)
def for_the_module():
    yield

@pytest.fixture(autouse=True)
def for_the_test():
    yield
"""

CASES = '''
import allure

@clause("small.holds")
@pytest.mark.parametrize("number", range(20))
def test_holds(number):
    """The hub holds."""

@clause("small.other")
@allure.severity("trivial")
def test_says_much(evidence):
    """The hub does the other thing."""
    evidence.transcript.add("c1", "←", "PUBREC   packet=1")
    allure.dynamic.title("another title")
    allure.dynamic.parameter("another", "parameter")
    allure.attach("of a case", "an attachment")
    allure.attach.file(__file__, "a file")
    with allure.step("a step"):
        allure.attach("of a step", "an attachment")
    raise Violation("PUBREC instead", observed="pubrec", expected="closed", actual="PUBREC packet=1")
'''

OTHERS = '''
import allure
import pytest

@pytest.fixture
def prepared():
    yield

@pytest.mark.parametrize("colour", ["red", "green"])
def test_paints(prepared, colour):
    allure.dynamic.title(f"paints in {colour}")
    with allure.step("mix"), allure.step("stir"):
        allure.attach(f"a bucket of {colour}", "bucket")

@allure.feature("painting")
@allure.severity("minor")
def test_dries():
    """It dries."""
    assert 1 == 2
'''


@pytest.fixture
def small(tmp_path):
    """The suite, and other tests beside it."""
    suite = SmallSuite(tmp_path)
    suite.cases(CASES)
    (suite.path / "cases" / "conftest.py").write_text(FIXTURES)
    others(suite, OTHERS)
    return suite


def others(suite, source, name="test_others.py"):
    folder = suite.path / "others"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(source)


def results(folder):
    return [json.loads(file.read_text()) for file in sorted(folder.glob("*-result.json"))]


def by_name(folder):
    return {result["name"]: result for result in results(folder)}


def texts(folder):
    return [file.read_text() for file in sorted(folder.iterdir())]


def labels(result):
    return {label["name"]: label["value"] for label in result["labels"]}


def kinds(folder):
    """How many files there are of each kind."""
    names = [file.name.rpartition("-")[2] for file in folder.iterdir()]
    return {name: names.count(name) for name in sorted(set(names))}


ABOUT_THE_RUN = {"categories.json": 1, "environment.properties": 1}
OF_CASES = {"result.json": 21, "attachment.txt": 1}


# -- the tests beside the suite


@BOTH_WAYS
def test_other_tests_are_written_by_allure_pytest_itself(small, distribution):
    result = small.run("others", "--alluredir=results", *distribution)

    assert result.ret == 1, result.stdout.str()
    written = by_name(small.path / "results")
    red = written["paints in red"]
    assert (red["status"], red["parameters"]) == ("passed", [{"name": "colour", "value": "'red'"}])
    (mix,) = red["steps"]
    assert (mix["name"], mix["steps"][0]["name"]) == ("mix", "stir")
    (bucket,) = mix["steps"][0]["attachments"]
    assert (small.path / "results" / bucket["source"]).read_text() == "a bucket of red"
    assert written["test_dries"]["status"] == "failed"
    assert labels(written["test_dries"])["feature"] == "painting"


@pytest.mark.parametrize("distribution", [[], ["-n", "1"]], ids=["one-process", "n-1"])
def test_a_fixture_of_other_tests_is_heard_to_its_end_behind_the_last_case(small, distribution):
    others(
        small,
        """
import allure
import pytest

@pytest.fixture(scope="session", autouse=True)
def workshop():
    yield
    allure.attach("swept", "floor")

def test_paints():
    pass
""",
    )

    result = small.run("cases", "--alluredir=results", *distribution, where="others")

    assert result.ret == 1, result.stdout.str()
    (file,) = (small.path / "results").glob("*-container.json")
    container = json.loads(file.read_text())
    (before,) = container["befores"]
    (attached,) = [each for after in container["afters"] for each in after.get("attachments", ())]
    assert (before["name"], before["status"]) == ("workshop", "passed")
    assert (small.path / "results" / attached["source"]).read_text() == "swept"
    assert container["children"] == [by_name(small.path / "results")["test_paints"]["uuid"]]


@pytest.mark.parametrize("plugin", [[], ["-p", "no:conformance.plugin"]], ids=["installed", "without"])
def test_a_run_that_is_not_the_suites_is_as_ever(tmp_path, plugin):
    (tmp_path / "conftest.py").write_text(FIXTURES)
    (tmp_path / "test_others.py").write_text(OTHERS)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "old-result.json").write_text("{}")

    result = run_pytest(tmp_path, "--alluredir=results", "--clean-alluredir", *plugin)

    assert result.ret == 1, result.stdout.str()
    assert kinds(tmp_path / "results") == {"attachment.attach": 2, "container.json": 9, "result.json": 3}
    assert by_name(tmp_path / "results").keys() == {"paints in red", "paints in green", "test_dries"}


def test_a_run_with_workers_that_is_not_the_suites_is_as_ever(tmp_path):
    (tmp_path / "test_others.py").write_text(OTHERS)

    result = run_pytest(tmp_path, "--alluredir=results", "-n", "2")

    assert result.ret == 1, result.stdout.str()
    assert kinds(tmp_path / "results") == {"attachment.attach": 2, "container.json": 4, "result.json": 3}
    assert by_name(tmp_path / "results")["paints in red"]["steps"][0]["name"] == "mix"


# -- the cases


@BOTH_WAYS
def test_a_case_is_written_once_and_its_fixtures_never(small, distribution):
    """What a case says through Allure is heard by nobody, and does it no harm."""
    result = small.run("others", "--alluredir=results", *distribution)

    assert result.ret == 1, result.stdout.str()
    of_others = {"attachment.attach": 2, "container.json": 4}  # of `prepared`, and of the parameter
    assert kinds(small.path / "results") == ABOUT_THE_RUN | OF_CASES | of_others | {"result.json": 24}
    case = by_name(small.path / "results")["The hub does the other thing."]
    assert case["statusDetails"]["message"] == "violation: expected closed; actual PUBREC packet=1"
    assert [step["name"] for step in case["steps"]] == [case["steps"][0]["name"]]
    assert labels(case)["severity"] == "critical"


@BOTH_WAYS
def test_where_no_folder_is_named_the_report_has_the_cases_alone(small, distribution):
    result = small.run("others", *distribution)

    assert result.ret == 1, result.stdout.str()
    assert kinds(small.report / "allure-results") == ABOUT_THE_RUN | OF_CASES
    assert list(small.path.rglob("*-container.json")) == []


@BOTH_WAYS
def test_a_folder_in_the_report_comes_into_place_with_it(small, distribution):
    first = small.run("others", "--alluredir=reports/small/allure-results", *distribution)
    second = small.run("others", "--alluredir=reports/small/allure-results", *distribution)

    assert (first.ret, second.ret) == (1, 1), second.stdout.str()
    assert kinds(small.whole / "allure-results")["result.json"] == 24


# -- secrets

TELLS = f"""
import allure
from conformance.target.credentials import Secret

def test_tells():
    with allure.step("show"):
        allure.attach("the key is " + Secret("{KEY}").reveal(), "key")
"""


@BOTH_WAYS
@pytest.mark.parametrize("where", [["cases", "others"], ["others"]], ids=["mixed", "no-case"])
def test_what_another_test_attaches_is_searched_for_secrets(small, where, distribution):
    """Pitfall 7: also where no case ran, and so nothing is reported."""
    others(small, TELLS)

    result = small.run(*where[1:], "--alluredir=results", *distribution, where=where[0])

    assert result.ret == 12, result.stdout.str()
    result.stdout.fnmatch_lines(["a secret was found, and blackened, in *-attachment.attach: this run is *"])
    assert "the key is ***" in texts(small.path / "results")
    assert [text for text in texts(small.path / "results") if KEY in text] == []


def test_what_another_test_attaches_is_searched_though_there_is_no_report(small):
    others(
        small, TELLS + "    import shutil\n    shutil.rmtree('reports')\n    open('reports', 'w').close()\n"
    )

    result = small.run("others", "--alluredir=results")

    assert result.ret == 12, result.stdout.str()
    result.stdout.fnmatch_lines(
        ["a secret was found, and blackened, in *", "the report could not be written *"]
    )
    assert [text for text in texts(small.path / "results") if KEY in text] == []


# -- cleaning

DIES = """
import os
import pytest

@pytest.mark.parametrize("number", range(12))
def test_works(number):
    pass

def test_dies():
    os._exit(1)

@pytest.mark.parametrize("number", range(12))
def test_works_on(number):
    pass
"""


@pytest.fixture
def old(small):
    """A result of an earlier run."""
    (small.path / "results").mkdir()
    old = small.path / "results" / "old-result.json"
    old.write_text("{}")
    return old


@BOTH_WAYS
def test_the_folder_is_cleaned_once(small, old, distribution):
    result = small.run("others", "--alluredir=results", "--clean-alluredir", *distribution)

    assert result.ret == 1, result.stdout.str()
    assert not old.exists()
    assert kinds(small.path / "results")["result.json"] == 24


def test_a_worker_that_takes_the_place_of_a_dead_one_cleans_nothing(small, old):
    """The case that died is broken; the other test that did is an error of the run."""
    others(small, DIES)
    small.cases(CASES + '\n@clause("small.holds")\ndef test_dies():\n    """It dies."""\n    os._exit(1)\n')

    result = small.run("others", "--alluredir=results", "--clean-alluredir", "-n", "2")

    assert result.ret == 1, result.stdout.str()
    assert not old.exists()
    assert kinds(small.path / "results")["result.json"] == 22 + 24
    assert by_name(small.path / "results")["It dies."]["status"] == "broken"
    (file,) = (small.path / "results").glob("*-globals.json")
    (error,) = json.loads(file.read_text())["errors"]
    assert error["message"].startswith("others/test_others.py::test_dies: worker 'gw")


def test_an_older_result_stays_where_nobody_cleans(small, old):
    assert small.run("others", "--alluredir=results").ret == 1

    assert old.exists()


@pytest.mark.parametrize("option", ["--dry-run", "--collect-only"])
@BOTH_WAYS
def test_what_runs_nothing_writes_and_cleans_nothing(small, old, option, distribution):
    """Pitfall 4."""
    result = small.run("others", "--alluredir=results", "--clean-alluredir", option, *distribution)
    elsewhere = small.run("others", "--alluredir=elsewhere", option, *distribution)

    assert (result.ret, elsewhere.ret) == (0, 0), result.stdout.str()
    assert [file.name for file in (small.path / "results").iterdir()] == [old.name]
    assert not (small.path / "elsewhere").exists()


def test_a_folder_that_holds_the_report_is_not_cleaned(small):
    assert small.run().ret == 1

    result = small.run("--alluredir=reports", "--clean-alluredir")

    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: --alluredir reports: --clean-alluredir would remove it with *"])
    assert small.whole.exists()


@BOTH_WAYS
def test_a_folder_that_cannot_be_made_is_one_line(small, distribution):
    result = small.run("--alluredir=conftest.py", *distribution)

    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: --alluredir: conftest.py: File exists.*"])
    assert "Traceback" not in result.stderr.str()
    assert list(small.path.glob("reports/*")) == []


# -- selection

LEVELS = """
@clause("small.holds")
def test_must():
    pass

@clause("small.disputed")
def test_disputed(readings):
    readings.match("closed")

@clause("small.observed")
def test_observed(observed):
    observed("silence")
"""

SELECTIONS = {
    "--allure-severities critical": ["test_must"],
    "--allure-severities critical,minor": ["test_must", "test_observed"],
    f"--allure-epics {DOCUMENT_TITLE}": ["test_must", "test_disputed", "test_observed"],
    "--allure-features Small things": ["test_must", "test_disputed", "test_observed"],
    "--allure-features small": ["test_must", "test_disputed", "test_observed"],
    "--allure-stories small.disputed": ["test_disputed"],
    "--allure-stories small.holds (must): The hub holds.": ["test_must"],
    "--allure-label clause=small.observed": ["test_observed"],
    "--allure-label level=disputed,must": ["test_must", "test_disputed"],
}


def ran(small):
    cases = [case["id"] for clause in small.statement()["clauses"] for case in clause["cases"]]
    return [case.partition("::")[2] for case in cases]


@pytest.mark.parametrize("words", SELECTIONS, ids=[f"option-{number}" for number in range(len(SELECTIONS))])
def test_the_labels_of_allure_select_cases_and_make_the_run_partial(small, words):
    small.cases(LEVELS)

    result = small.run(*words.split(" ", 1))

    assert result.ret == 0, result.stdout.str()
    assert ran(small) == SELECTIONS[words]
    run = small.statement()["run"]
    assert (run["partial"], run["selection"]) == (True, [words])
    assert (small.part.exists(), small.whole.exists()) == (True, False)


@BOTH_WAYS
def test_a_selection_by_labels_replaces_no_whole_report(small, distribution):
    """Other tests are selected as ever: one without a severity counts as normal."""
    small.cases(LEVELS)
    others(small, OTHERS.replace("1 == 2", "1 == 1"))
    assert small.run().ret == 11
    whole = texts(small.whole / "allure-results"), (small.whole / "conformance.json").read_text()

    result = small.run("others", "--alluredir=results", "--allure-severities=normal,minor", *distribution)

    assert result.ret == 0, result.stdout.str()
    assert (texts(small.whole / "allure-results"), (small.whole / "conformance.json").read_text()) == whole
    assert ran(small) == ["test_must", "test_disputed", "test_observed"]
    partial = small.statement_of(small.part)["run"]
    assert (partial["cases"], partial["selection"]) == (2, ["--allure-severities minor,normal"])
    assert by_name(small.path / "results").keys() == {
        "test_disputed",
        "test_observed",
        "paints in red",
        "paints in green",
        "test_dries",
    }


def test_a_label_of_no_case_is_one_line(small):
    result = small.run("--allure-features=no such section")

    assert result.ret == 5
    result.stderr.fnmatch_lines(["ERROR: no case is selected by --allure-features no such section.*"])
