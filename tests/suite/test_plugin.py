"""The plugin, tested by running pytest inside pytest, on a pretended hub."""

import os

import pytest
from small_suite import SmallSuite, run_pytest

from conformance.plugin import workers_for

BOTH_WAYS = pytest.mark.parametrize("distribution", [[], ["-n", "2"]], ids=["one-process", "n-2"])

ALL_GOOD = '''
@clause("small.holds")
@pytest.mark.parametrize("x", ["one", "two"])
def test_holds(x):
    """The hub holds."""

@clause("small.other")
def test_other():
    pass

@clause("small.disputed")
def test_disputed(readings):
    assert readings.match("suback 128") == "answered"

@clause("small.observed")
def test_observed(observed):
    observed("closed")

@clause("small.needs-c2d")
def test_c2d(fixture_that_does_not_exist):
    raise AssertionError("never runs")
'''


@pytest.fixture
def small(tmp_path):
    return SmallSuite(tmp_path)


# -- a whole run


@pytest.fixture(scope="module", params=[[], ["-n", "2"]], ids=["one-process", "n-2"])
def whole(request, tmp_path_factory):
    """One run for the tests that only look at what it said and left."""
    suite = SmallSuite(tmp_path_factory.mktemp("whole"))
    suite.cases(ALL_GOOD)
    suite.result = suite.run(*request.param)
    return suite


def test_a_run_judges_every_clause(whole):
    assert whole.result.ret == 0, whole.result.stdout.str()
    assert whole.verdicts() == {
        "small.holds": "pass",
        "small.other": "pass",
        "small.disputed": "pass",
        "small.observed": "observed",
        "small.needs-c2d": "not claimed",
        "small.never": "untestable",
    }
    assert whole.clause("small.disputed")["readings"] == ["answered"]
    assert whole.clause("small.needs-c2d")["reason"] == "needs c2d, which the profile does not claim"


def test_no_case_that_passes_carries_a_transcript(whole):
    assert "transcript" not in whole.clause("small.holds")["cases"][0]


def test_the_whole_package_is_not_partial(whole):
    assert whole.statement()["run"]["partial"] is False


def test_the_header_names_profile_target_and_claims_and_no_secret(whole):
    whole.result.stdout.fnmatch_lines(
        [
            "conformance: suite *; 6 clauses of 'Communicate with your IoT hub*' (2018-10-12, pt-BR)",
            "profile: small; target: pretended hub at hub.example:8883",
            "claims: telemetry; timing: none; large cases: no",
        ]
    )
    assert "c2VjcmV0" not in whole.result.stdout.str() + whole.result.stderr.str()


def test_the_target_is_opened_once_and_closed(whole):
    assert (whole.path / "closed").read_text() == "closed\n"


def test_workers_steal_work(small):
    small.cases(ALL_GOOD)

    result = small.run("-n", "2", "-v")

    result.stdout.fnmatch_lines(["scheduling tests via WorkStealingScheduling"])


def test_auto_is_two_workers_for_each_processor(small):
    """Half of a worker's time is waiting."""
    small.cases(ALL_GOOD)

    result = small.run("-n", "auto")

    result.stdout.fnmatch_lines([f"*6 cases in * on {workers_for(len(os.sched_getaffinity(0)))} workers*"])


@pytest.mark.parametrize(("processors", "workers"), [(1, 2), (2, 4), (8, 16), (12, 16), (64, 64)])
def test_more_than_16_workers_want_as_many_processors(processors, workers):
    assert workers_for(processors) == workers


# -- verdicts of cases


@BOTH_WAYS
def test_each_way_to_end_has_its_verdict(small, distribution):
    small.watch()
    small.cases(
        """
@pytest.fixture
def unset_stage():
    raise Violation("no CONNACK", observed="silence")

@pytest.fixture
def stage_without_session(stage):
    def connect():
        raise Violation("no CONNACK", observed="silence")
    stage(connect)

@pytest.fixture
def uncleared():
    yield
    raise OSError("cannot close")

@clause("small.holds")
def test_compares():
    properties = {"a": "1"}
    assert properties == {"a": "2"}

@clause("small.holds")
def test_violation():
    raise Violation("PUBREC instead", observed="pubrec", expected="closed", actual="PUBREC packet=1")

@clause("small.holds")
def test_trouble():
    raise OSError("no route to host")

@clause("small.holds")
def test_stage(unset_stage):
    pass

@clause("small.holds")
def test_named_stage(stage_without_session):
    pass

@clause("small.holds")
def test_teardown(uncleared):
    pass

@clause("small.holds")
def test_not_tested():
    raise NotTested("no burst was throttled")

@pytest.fixture
def nothing_to_see():
    raise NotTested("nobody is there")

@clause("small.holds")
def test_not_tested_in_setup(nothing_to_see):
    pass

@clause("small.holds")
def test_skipped():
    pytest.skip("not today")

@clause("small.holds")
@pytest.mark.xfail
def test_xfail():
    raise Violation("a known one", observed="x")

@clause("small.disputed")
def test_says_nothing():
    pass

@clause("small.disputed")
def test_outside(readings):
    readings.match("pubrec")

@clause("small.observed")
def test_observes_a_violation():
    raise Violation("still open", observed="still open")

@clause("watch.ids")
def test_watch(watch):
    watch.expect_clean("watch.ids")
"""
    )

    result = small.run()

    assert result.ret == 1
    cases = {
        case["id"].partition("::")[2]: case
        for clause in small.statement()["clauses"]
        for case in clause["cases"]
    }
    assert {name: (case["verdict"], case["message"]) for name, case in cases.items()} == {
        "test_compares": ("violation", "properties: expected {'a': '2'}, got {'a': '1'}"),
        "test_violation": ("violation", "PUBREC instead"),
        "test_trouble": ("broken", "OSError: no route to host"),
        "test_stage": ("broken", "setting the stage: no CONNACK"),
        "test_named_stage": ("broken", "needs connect.client-id: no CONNACK"),
        "test_teardown": ("broken", "clearing the stage: OSError: cannot close"),
        "test_not_tested": ("not tested", "no burst was throttled"),
        "test_not_tested_in_setup": ("not tested", "nobody is there"),
        "test_skipped": ("not tested", "not today"),
        "test_xfail": ("not tested", "marked xfail: a known difference belongs into the profile"),
        "test_says_nothing": ("broken", "the case compared no outcome with the readings of its clause"),
        "test_outside": ("violation", "pubrec is none of the readings of small.disputed: closed | answered"),
        "test_observes_a_violation": ("observed", "still open"),
        "test_watch": ("not tested", "no packet that watch.ids is about was seen"),
    }
    compared = cases["test_compares"]
    assert (compared["observed"], compared["expected"], compared["actual"]) == (
        "{'a': '1'}",
        "properties: {'a': '2'}",
        "properties: {'a': '1'}",
    )
    violated = cases["test_violation"]
    assert (violated["observed"], violated["expected"], violated["actual"]) == (
        "pubrec",
        "closed",
        "PUBREC packet=1",
    )
    assert "transcript" in violated


@BOTH_WAYS
def test_a_breach_counts_for_the_watch_and_leaves_its_case_alone(small, distribution):
    small.watch()
    small.cases(
        """
from conformance.evidence.watch import Breach, Judgement

@clause("watch.ids")
def test_watch(watch, evidence):
    evidence.watch.note(Judgement(clauses=["watch.ids"]))
    watch.expect_clean("watch.ids")

@clause("small.holds")
def test_holds(evidence):
    evidence.transcript.add("c1", "←", "PUBACK   packet=7")
    evidence.watch.note(Judgement(
        clauses=["watch.ids"], breaches=[Breach("watch.ids", "PUBACK 7 was not asked for", "puback 7")]
    ))
"""
    )

    result = small.run(*distribution)

    assert result.ret == 1
    assert (small.verdicts()["watch.ids"], small.verdicts()["small.holds"]) == ("violation", "pass")
    evidence = small.clause("watch.ids")["cases"][-1]
    assert evidence["id"] == "test_small.py::test_holds"
    assert (evidence["count"], evidence.get("transcript")) == (1, None)
    (own,) = small.clause("small.holds")["cases"]
    assert "PUBACK   packet=7" in own["transcript"]
    result.stdout.fnmatch_lines(
        ["violation:", "  watch.ids  The hub acknowledges only *: PUBACK 7 was not asked for"]
    )
    assert any(
        "PUBACK 7 was not asked for (seen in test_small.py::test_holds)" in error
        for error in small.allure_errors()
    )


def test_what_the_watch_saw_can_be_told_in_words(small):
    small.watch()
    small.cases(
        """
from conformance.evidence.watch import Breach, Judgement

@clause("small.observed")
def test_nothing_seen(watch, observed):
    observed(watch.in_words("watch.ids"))

@clause("small.observed")
def test_clean(watch, evidence, observed):
    evidence.watch.note(Judgement(clauses=["watch.ids"]))
    observed(watch.in_words("watch.ids"))

@clause("small.observed")
def test_more(watch, evidence, observed):
    breaches = [Breach("watch.ids", "odd", word) for word in ("status 412", "status 403", "status 412")]
    evidence.watch.note(Judgement(clauses=["watch.ids"], breaches=breaches))
    observed(watch.in_words("watch.ids"))
"""
    )

    small.run()

    cases = {case["id"].partition("::")[2]: case for case in small.clause("small.observed")["cases"]}
    assert cases["test_nothing_seen"]["verdict"] == "not tested"
    assert cases["test_clean"]["observed"] == "only what it names"
    assert cases["test_more"]["observed"] == "besides those it names: status 412, status 403"


def test_pauses_are_counted_with_the_case(small):
    small.cases(
        """
from conformance.run.sleeping import pause

@clause("small.holds")
def test_pauses():
    pause(0.03)

@clause("small.other")
def test_does_not():
    pass
"""
    )
    small.run()

    assert small.statement()["run"]["slept_seconds"] >= 0.03


# -- what stays out


def test_large_cases_run_only_when_asked_for(small):
    small.cases(ALL_GOOD.replace('@clause("small.other")', '@pytest.mark.large\n@clause("small.other")'))

    small.run()
    assert small.verdicts()["small.other"] == "not claimed"
    assert small.clause("small.other")["cases"][0]["message"] == "a large case: run with --large"

    small.run("--large")
    assert small.verdicts()["small.other"] == "pass"


def test_a_run_that_names_no_profile_and_collects_elsewhere_is_untouched(small):
    small.cases("def test_mine(): pass")

    result = small.run(profile=None)

    assert result.ret == 0
    assert "conformance:" not in result.stdout.str()
    assert not (small.path / "opened").exists()
    assert not (small.path / "reports").exists()


def test_collecting_from_the_package_is_enough(tmp_path):
    result = run_pytest(tmp_path, "--pyargs", "conformance", "--collect-only", "-q")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["*test_d2c.py::test_telemetry_reaches_the_back_end*"])


@pytest.mark.parametrize(
    "options",
    [
        ["--collect-only"],
        ["--collect-only", "-n", "2"],
        ["--dry-run"],
        ["--dry-run", "-n", "2"],
        ["--help"],
        ["--version"],
    ],
    ids=" ".join,
)
def test_what_runs_nothing_starts_no_hub_and_touches_no_report(small, options):
    """Pitfall 4."""
    small.cases(ALL_GOOD)
    small.report.mkdir(parents=True)
    (small.report / "conformance.json").write_text("yesterday's")

    result = small.run(*options)

    assert result.ret == 0
    assert not (small.path / "opened").exists()
    assert not (small.path / "step.md").exists()
    assert [file.name for file in (small.path / "reports").iterdir()] == ["small"]
    assert [(file.name, file.read_text()) for file in small.report.iterdir()] == [
        ("conformance.json", "yesterday's")
    ]


# -- partial selections


@BOTH_WAYS
def test_stopping_at_the_first_failure_is_partial(small, distribution):
    small.cases(
        """
@clause("small.holds")
def test_a():
    raise Violation("no", observed="no")

@clause("small.other")
def test_b():
    raise Violation("no", observed="no")
"""
    )

    result = small.run("-x")

    assert result.ret == 1
    assert small.statement()["run"]["partial"] is True


# -- whole runs that leave something out


def test_a_claimed_clause_without_a_case_is_a_breach_of_policy(small):
    """Pitfall 9."""
    small.cases(ALL_GOOD.replace("def test_other", "def nothing_that_pytest_collects"))

    result = small.run()

    assert result.ret == 11
    assert small.clause("small.other")["reason"] == "no case of it ran"
    result.stdout.fnmatch_lines(["not tested:", "  small.other  no case of it ran"])


@BOTH_WAYS
def test_an_all_skipped_run_is_not_green(small, distribution):
    """Pitfall 1."""
    small.cases(
        """
pytestmark = pytest.mark.skip(reason="hub is down")

@clause("small.holds")
def test_a(): pass
"""
    )

    result = small.run(*distribution)

    assert result.ret == 11
    assert small.verdicts()["small.holds"] == "not tested"
    assert "hub is down" in small.clause("small.holds")["reason"]
    result.stdout.fnmatch_lines(["6 clauses: not tested *"])


def test_what_a_right_hub_need_not_show_is_not_claimed_and_fails_no_run(small):
    small.cases(
        """
from conformance.errors import NotOffered

@clause("small.holds")
def test_a():
    raise NotOffered("no burst was throttled")

@clause("small.other")
def test_b():
    pass

@clause("small.disputed")
def test_c(readings):
    readings.match("closed")

@clause("small.observed")
def test_d(observed):
    observed("closed")
"""
    )

    assert small.run().ret == 0
    clause = small.clause("small.holds")
    assert (clause["verdict"], clause["reason"]) == ("not claimed", "no burst was throttled")


def test_a_partial_run_in_which_nothing_was_seen_is_not_green(small):
    small.cases(
        """
@clause("small.holds")
def test_a():
    raise NotTested("no burst was throttled")
"""
    )

    assert small.run("-k", "test_a").ret == 11
