"""Every user error: one clear line, the designed exit code, the same with and without -n."""

import html
import json

import pytest
from small_suite import SmallSuite

BOTH_WAYS = pytest.mark.parametrize("distribution", [[], ["-n", "2"]], ids=["one-process", "n-2"])

ONE_CASE = '''
@clause("small.holds")
def test_holds():
    """The hub holds."""
'''


@pytest.fixture
def small(tmp_path):
    return SmallSuite(tmp_path)


def errors(result):
    return [line for line in result.stderr.lines if line.startswith("ERROR")]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (
            '@clause("small.no-such")\ndef test_a(): pass',
            (
                "ERROR: cases/test_small.py::test_a: cites clause 'small.no-such', which does not exist. "
                "List them with: python -m conformance clauses"
            ),
        ),
        (
            "def test_a(): pass",
            'ERROR: cases/test_small.py::test_a: cites no clause. Add @pytest.mark.clause("section.name").',
        ),
        (
            '@clause("small.holds")\n@clause("small.other")\ndef test_a(): pass',
            (
                "ERROR: cases/test_small.py::test_a: cites 2 clauses (small.other, small.holds). "
                "One test checks one clause: split it."
            ),
        ),
        (
            "@clause()\ndef test_a(): pass",
            (
                "ERROR: cases/test_small.py::test_a: cites a clause without naming it. "
                "One test checks one clause: split it."
            ),
        ),
        (
            '@clause("small.never")\ndef test_a(): pass',
            (
                "ERROR: cases/test_small.py::test_a: cites small.never, which is untestable. "
                "Give the clause another level."
            ),
        ),
        (
            '@clause("small.holds")\n@pytest.mark.lrage\ndef test_a(): pass',
            "ERROR: cases/test_small.py::test_a: marker 'lrage' is not declared. Correct its spelling.",
        ),
    ],
    ids=["unknown", "none", "two", "empty", "untestable", "misspelt-marker"],
)
def test_a_wrong_citation_stops_the_run(small, source, line):
    """Pitfall 13."""
    small.cases(ONE_CASE + source)

    result = small.run()

    assert (result.ret, errors(result)) == (4, [line])
    assert not small.report.exists()
    assert "INTERNALERROR" not in result.stdout.str()


@BOTH_WAYS
def test_every_wrong_citation_is_named_once(small, distribution):
    small.cases(
        '@clause("a.b")\n@pytest.mark.parametrize("x", [1, 2])\ndef test_a(x): pass\n\ndef test_b(): pass'
    )

    result = small.run(*distribution)

    assert (result.ret, len(errors(result))) == (4, 2)


@pytest.mark.parametrize(
    ("profile", "code", "line"),
    [
        ("no-such", 4, "ERROR: no profile named 'no-such'. Known: small."),
        (
            "unreachable",
            10,
            "ERROR: hub.example:8883 refuses connections. Start the hub, or correct [target].",
        ),
        ("refused", 10, "ERROR: hub.example refuses the service key. Correct env:HUB."),
    ],
)
@BOTH_WAYS
def test_a_target_that_cannot_be_had_stops_the_run(small, profile, code, line, distribution):
    small.cases(ONE_CASE)

    result = small.run(*distribution, profile=profile)

    assert (result.ret, errors(result)) == (code, [line])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert not (small.path / "reports" / profile).exists()
    assert not list(small.path.glob("reports/.*"))


@BOTH_WAYS
def test_a_malformed_clause_record_stops_the_run(small, distribution):
    small.cases(ONE_CASE)
    (small.path / "clauses" / "small.toml").write_text(
        'title = "x"\nanchor = "x"\n[clause.holds]\nlevel = "must"\nsays = "y"\n'
    )

    result = small.run(*distribution)

    assert (result.ret, errors(result)) == (
        4,
        ["ERROR: clauses/small.toml: clause small.holds: source: is missing; add it."],
    )


@BOTH_WAYS
def test_no_case_selected_is_never_green(small, distribution):
    """Pitfall 1."""
    small.cases(ONE_CASE)

    result = small.run("-k", "nothing_like_it", *distribution)

    assert (result.ret, errors(result)) == (
        5,
        [
            (
                "ERROR: no case is selected by -k nothing_like_it. "
                "Clauses and their tests: python -m conformance clauses"
            )
        ],
    )
    assert not small.report.exists()


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("--profile=", "ERROR: --profile: empty. Give it a value, or leave the option out."),
        ("--report-dir=", "ERROR: --report-dir: empty. Give it a value, or leave the option out."),
        ("--slowest=-1", "ERROR: --slowest -1: less than none. Give the number of cases to name."),
    ],
)
@BOTH_WAYS
def test_an_option_without_its_value_never_means_another_hub(small, option, line, distribution):
    """A script that forgot to set a variable would be green about the embedded hub."""
    small.cases(ONE_CASE)

    result = small.run(option, *distribution)

    assert (result.ret, errors(result)) == (4, [line])


@pytest.mark.parametrize(
    ("selection", "message"),
    [("cases -k (", "Wrong expression"), ("cases/test_small.py::test_gone", "not found")],
    ids=["expression", "node-id"],
)
@BOTH_WAYS
def test_a_wrong_selection_is_a_usage_error(small, selection, message, distribution):
    small.cases(ONE_CASE)

    where, *selection = selection.split()
    result = small.run(*selection, *distribution, where=where)

    assert result.ret == 4
    assert message in errors(result)[0]
    assert "INTERNALERROR" not in result.stdout.str()


@BOTH_WAYS
def test_a_run_to_which_nothing_applies_is_a_usage_error(small, distribution):
    small.cases('@clause("small.needs-c2d")\ndef test_a(): pass')

    result = small.run(*distribution)

    assert (result.ret, errors(result)) == (
        4,
        [
            (
                "ERROR: no case applies to what profile small claims. "
                "Add to [claims] capabilities, or choose other cases."
            )
        ],
    )


def test_a_folder_of_somebody_else_is_never_replaced(small):
    small.cases(ONE_CASE)
    (small.path / "precious").mkdir()
    (small.path / "precious" / "letters.txt").write_text("dear")

    result = small.run("--report-dir", "precious")

    assert result.ret == 4
    assert "holds something that is no report" in errors(result)[0]
    assert (small.path / "precious" / "letters.txt").read_text() == "dear"


@pytest.mark.parametrize("options", [[], ["-n", "2"], ["--continue-on-collection-errors"]], ids=" ".join)
def test_a_collection_error_is_visible_everywhere(small, options):
    """Pitfall 3: also where the other cases ran, and nothing of them is wrong."""
    small.cases(ONE_CASE)
    small.cases("import no_such_module", name="test_gone.py")

    result = small.run(*options)

    assert result.ret == 2
    assert small.statement()["run"] | {"partial": True, "exit_code": 2} == small.statement()["run"]
    error = "No module named 'no_such_module'"
    assert error in " ".join(small.statement()["run"]["remarks"])
    assert any(error in each for each in small.allure_errors())
    assert "no_such_module" in "".join(small.junit().find(".//error").itertext())
    page, summary = (
        html.unescape((small.report / name).read_text()) for name in ("conformance.html", "summary.md")
    )
    for text in (page, summary.replace("\\", "")):
        assert "Interrupted: no claim about pretended hub" in text
        assert error in text
    assert error in result.stdout.str()
    result.stdout.fnmatch_lines(["partial selection, no claim of conformance: *interrupted (exit code 2)"])


def test_a_worker_that_dies_leaves_a_broken_case_in_every_report(small):
    """Pitfall 2."""
    small.cases(
        ONE_CASE
        + '\n@clause("small.other")\ndef test_dies():\n    """The hub does the other thing."""\n'
        + "    os._exit(1)\n"
    )

    result = small.run("-n", "2")

    assert result.ret == 11, result.stdout.str()  # the rest of the small catalogue has no case here
    assert (small.verdicts()["small.holds"], small.verdicts()["small.other"]) == ("pass", "broken")
    (case,) = small.clause("small.other")["cases"]
    assert "crashed while running" in case["message"]
    by_status = {each["status"]: each for each in small.allure()}
    assert {status: each["name"] for status, each in by_status.items()} == {
        "passed": "The hub holds.",
        "broken": "The hub does the other thing.",
    }
    assert "crashed while running" in by_status["broken"]["statusDetails"]["message"]
    assert len(small.junit().findall(".//testcase")) == 2
    properties = [p.get("value") for p in small.junit().findall(".//property[@name='verdict']")]
    assert sorted(properties) == ["broken", "pass"]
    for name in ("conformance.html", "summary.md"):
        assert "crashed while running" in (small.report / name).read_text(), name
    result.stdout.fnmatch_lines(["broken:", "  small.other  *crashed while running*"])


def test_cases_of_a_worker_that_is_not_replaced_are_broken(small):
    source = "".join(f'\n@clause("small.other")\ndef test_{n}():\n    os._exit(1)\n' for n in range(6))
    small.cases(source)

    result = small.run("-n", "1", "--max-worker-restart", "0")

    assert result.ret == 11
    cases = small.clause("small.other")["cases"]
    assert [case["verdict"] for case in cases] == ["broken"] * 6
    assert json.dumps(cases).count("the worker that was to run it died") == 5


def test_a_path_behind_a_space_is_not_taken_for_the_tests(small, tmp_path_factory):
    """Else pytest would look for its ini file and its tests around that path."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "ready.json"
    elsewhere.write_text("{}")
    small.cases(ONE_CASE)

    result = small.run("--attach", str(elsewhere))

    assert result.ret == 4
    (line,) = errors(result)
    assert line.endswith(f"Write --attach={elsewhere}")
