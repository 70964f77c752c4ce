"""The end of a red run: a case fails in a dozen lines, and of cases that fail alike one is shown."""

import re

import pytest
from small_suite import SmallSuite

RED = '''
class Device:
    """A fixture whose address nobody wants to see."""

@pytest.fixture
def device():
    return Device()

@clause("small.other")
@pytest.mark.parametrize("name", ["a", "b", "c", "d"])
def test_alike(device, evidence, name):
    """What arrives is what was sent."""
    evidence.transcript.add("c1", "→", f"PUBLISH  qos=1 packet=1 {name} (1 byte)")
    assert {"name": f"{name}!"} == {"name": name}

@clause("small.other")
def test_another(device):
    raise Violation("PUBREC instead", observed="pubrec", expected="closed", actual="PUBREC packet=1")

@clause("small.other")
def test_claim(device):
    assert not device

@clause("small.holds")
@pytest.mark.parametrize("count", range(14))
def test_two_of_fourteen(count):
    """The hub holds."""
    assert count < 12

@clause("small.observed")
def test_trouble(device):
    raise OSError("the suite itself")
'''


@pytest.fixture(scope="module", params=[[], ["-n", "2"]], ids=["one-process", "n-2"])
def shown(request, tmp_path_factory):
    suite = SmallSuite(tmp_path_factory.mktemp("red"))
    suite.cases(RED)
    suite.result = suite.run(*request.param)
    return suite


def failures(suite):
    """Return what stands between the headings of the failures and the suite's own table."""
    text = suite.result.stdout.str()
    return text[text.index("= FAILURES =") : text.index("= conformance =")]


def block(suite, name):
    """Return the lines below the heading of one case, up to the next heading."""
    _, said = re.split(rf"^_+ {re.escape(name)} _+\n", failures(suite), flags=re.MULTILINE)
    return re.split(r"^_{3,} .* _+$|^=+$", said, flags=re.MULTILINE)[0].rstrip("\n=").splitlines()


def test_a_case_fails_in_a_dozen_lines(shown):
    said = block(shown, "test_another")

    assert [said[0], *said[2:5]] == [
        "small.other  The hub does the other thing.",
        "  Case      test_another",
        "  Expected  closed",
        "  Actual    PUBREC packet=1",
    ]
    assert said[1].startswith("  Source    mqtt, level must  https://")
    assert len(said) <= 12


def test_no_object_has_an_address_and_no_assertion_is_rewritten(shown):
    said = "\n".join(
        [*block(shown, "test_another"), *block(shown, "test_alike[a]"), *block(shown, "test_claim")]
    )

    assert "0x" not in said
    assert "Device object>" in said
    assert "assert" not in said.lower()
    assert said.count("{'name': 'a'}") == 1


def test_cases_that_fail_alike_are_one_and_a_count(shown):
    said = block(shown, "test_alike[a]")

    assert failures(shown).count("_ test_alike") == 1
    assert re.fullmatch(r"  Alike     \d more cases: \[b\] \[c\] \[d\].*", said[-1])
    assert len(said) <= 12
    assert re.search(r"FAILED .*test_alike\[a\] - \d cases", shown.result.stdout.str())


def test_each_of_them_counts(shown):
    cases = [case["verdict"] for clause in shown.statement()["clauses"] for case in clause["cases"]]
    violated, broken = cases.count("violation"), cases.count("broken")

    assert violated >= 4 + 1 + 1 + 2
    assert len(shown.junit().findall(".//testcase/failure")) == violated
    assert f"= {violated + broken} failed," in shown.result.stdout.str()
    assert shown.statement()["summary"]["violation"] == 2


def test_the_end_says_how_many_clauses_and_how_many_of_their_cases(shown):
    shown.result.stdout.fnmatch_lines(["*-> 2 clauses are violated (exit code 1)"])
    assert re.search(r"^  small\.holds .*\(2 of 14 cases\)$", shown.result.stdout.str(), re.MULTILINE)


def test_an_error_of_the_suite_itself_keeps_its_traceback(shown):
    assert "E       OSError: the suite itself" in block(shown, "test_trouble")


def test_junit_names_expected_and_actual_in_its_message(shown):
    messages = {failure.get("message") for failure in shown.junit().findall(".//testcase/failure")}

    assert "expected closed; actual PUBREC packet=1" in messages


def test_tb_long_is_pytests_own_view(tmp_path):
    suite = SmallSuite(tmp_path)
    suite.cases(RED)
    text = suite.run("--tb=long", "-k", "test_alike").stdout.str()

    assert text.count("AssertionError: assert {'name': ") >= 4
    assert text.count("small.other: violation") >= 4
