"""What a run costs: told before it by --dry-run, held to a budget, and measured in the statement."""

import json
import re
from pathlib import Path

import pytest
from small_suite import SmallSuite, run_pytest

from conformance.evidence.asked import Asked
from conformance.run import dry_run
from conformance.run.dependencies import Stated
from conformance.verdict.clause import Case
from conformance.verdict.verdicts import Verdict

CHECKOUT = Path(__file__).resolve().parents[2]
BOTH_WAYS = pytest.mark.parametrize("distribution", [[], ["-n", "2"]], ids=["one-process", "n-2"])

CASES = """
@pytest.fixture
def device(): pass

@clause("small.holds")
@pytest.mark.parametrize("x", range(6))
def test_holds(device, x): pass

@clause("small.needs-c2d")
def test_c2d(device): pass

@clause("small.other")
@pytest.mark.large
def test_large(device): pass
"""


@pytest.fixture
def small(tmp_path):
    suite = SmallSuite(tmp_path)
    suite.cases(CASES)
    return suite


# -- the dry run


@pytest.mark.parametrize(
    ("distribution", "workers"), [((), "1 worker"), (("-n", "2"), "2 workers")], ids=["one-process", "n-2"]
)
def test_a_dry_run_tells_what_would_run_and_reaches_no_hub(small, distribution, workers):
    """Each of the three tests is dealt two further ways, which the profile does not claim."""
    result = small.run("--dry-run", *distribution)

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "section  clauses  cases  not claimed  identities  messages  connections",
            "small          1      6            8           6         3           12",
            "total          1      6            8           6         3           12",
            "",
            "profile small, depth whole: 6 cases would run, with 6 identities",
            "with preflight and clearing up roughly 3 messages in blocks of 4 KB, 0 registry operations, *",
            "on a hub of the free edition roughly 3 messages, in blocks of 0.5 KB, of 8000 a day",
            f"roughly 0.1 minutes on {workers}",
        ]
    )
    assert not (small.path / "opened").exists()
    assert not (small.path / "reports").exists()


def test_a_dry_run_of_a_hub_in_the_cloud_needs_no_secrets():
    """It says how many devices there are at once, and which variables a run needs."""
    unset = {"IOTHUB_SERVICE_CONNECTION_STRING": "", "IOTHUB_EVENTS_CONNECTION_STRING": ""}

    result = run_pytest(CHECKOUT, "--profile=real-hub", "-n", "4", "--section=connect", "--dry-run", **unset)

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "profile real-hub, depth live: * cases would run, with * identities, at most * devices at once",
            "with preflight and clearing up roughly * messages in blocks of 4 KB, * registry operations, *",
            "on a hub of the free edition roughly * messages, in blocks of 0.5 KB, of 8000 a day",
            "roughly * minutes on 4 workers of 3 processes each, on a hub that is 80 ms away, *real-hub.toml",
            "not set, and a run needs it: IOTHUB_SERVICE_CONNECTION_STRING, IOTHUB_EVENTS_CONNECTION_STRING",
        ]
    )


def test_a_run_needs_its_secrets():
    result = run_pytest(CHECKOUT, "--profile=real-hub", IOTHUB_SERVICE_CONNECTION_STRING="")

    assert result.ret == 4
    assert "reads env:IOTHUB_SERVICE_CONNECTION_STRING, which is not set" in result.stderr.str()


def test_a_dry_run_takes_the_selection(small):
    result = small.run("--dry-run", "--clause", "small.other", "--large", "-v")

    result.stdout.fnmatch_lines(
        [
            "test_small.py::test_large: 1 identities",
            "",
            "*",
            "small          1      1            2           1        35            2",
        ]
    )


def test_a_dry_run_of_nothing_is_not_green(small):
    assert small.run("--dry-run", "--clause", "small.never").ret == 5


def test_a_dry_run_finds_a_test_that_cannot_be_collected(small):
    small.cases("def test_x(", name="test_wrong.py")

    assert small.run("--dry-run").ret == 2


# -- the budget

TOO_MUCH = (
    "ERROR: this run would cost roughly 3 messages, and [limits] messages admits 2. "
    "Raise it, or choose fewer cases: --clause, --section."
)


@BOTH_WAYS
def test_a_run_above_its_budget_does_not_begin(small, distribution):
    result = small.run(*distribution, profile="poor")

    assert (result.ret, [line for line in result.stderr.lines if line.startswith("ERROR")]) == (4, [TOO_MUCH])
    assert not (small.path / "benches-closed").exists()
    assert not (small.path / "reports" / "poor").exists()


def test_a_dry_run_above_the_budget_says_so(small):
    result = small.run("--dry-run", profile="poor")

    assert result.ret == 4
    assert TOO_MUCH in result.stderr.lines
    assert "messages in blocks of 4 KB, of 2 that [limits] messages admits" in result.stdout.str()


def test_a_part_within_the_budget_runs(small):
    small.cases(CASES.replace("range(6)", "range(3)"))

    assert small.run("--clause", "small.holds", profile="poor").ret == 0


# -- what was measured


def case(name, seconds, **more):
    return Case(id=name, clause=f"{name}.x", verdict=Verdict.PASS, seconds=seconds, **more)


def test_the_statement_tells_where_the_time_went():
    cases = [case("a", 1.0, slept=0.5, messages=3), case("b", 3.0, identities=2), case("c", 0.0)]

    asked = Asked(messages=7, free_messages=8, registry_operations=4, connections=9)
    part = dry_run.measured(cases, {"a.x": "a", "b.x": "b", "c.x": "c"}, asked, seconds=5.0, workers=2)

    assert part.seconds_by_section == {"a": 1.0, "b": 3.0}
    assert [each.id for each in part.slowest] == ["b", "a"]
    assert (part.slept_share, part.identities) == (0.05, 2)
    assert (part.messages, part.free_messages) == (7, 8)
    assert (part.registry_operations, part.connections) == (4, 9)


def test_the_slowest_cases_are_named_on_request(small):
    result = small.run("--slowest", "2")

    lines = result.stdout.lines
    assert len([line for line in lines if " s  test_small.py::" in line]) == 2
    assert lines.index("slowest cases:") > 0


def test_nobody_asked_for_the_slowest_cases(small):
    assert "slowest cases:" not in small.run().stdout.lines


def estimated(*options):
    """Return what a dry run says: messages, registry operations, connections, with preflight and all."""
    line = run_pytest(CHECKOUT, *options, "--dry-run").stdout.str()
    numbers = re.search(r"roughly (\d+) messages.*, (\d+) registry operations, (\d+) connections", line)
    return [int(number) for number in numbers.groups()]


def asked(folder, *options):
    """Return what a run asked of its hub, in the same order."""
    run_pytest(CHECKOUT, *options, f"--report-dir={folder}")
    cost = json.loads((folder / "conformance.json").read_text())["run"]["cost"]
    return [cost["messages"], cost["registry_operations"], cost["connections"]]


def test_the_estimate_is_within_a_quarter_of_what_a_run_asks(tmp_path):
    """Of a hub whose devices are ready-made. `make isolation` holds it against whole runs, at both depths."""
    options = ("--profile=device-only", "-n", "2")

    assert estimated(*options) == pytest.approx(asked(tmp_path / "report", *options), rel=0.25)


# -- the order


def orders(small, seed, *distribution):
    result = small.run("--shuffle", str(seed), "--collect-only", "-q", *distribution)
    return [line for line in result.stdout.lines if "::" in line]


def test_a_seed_is_an_order(small):
    assert orders(small, 1) == orders(small, 1)
    assert sorted(orders(small, 1)) == sorted(orders(small, 2))
    assert orders(small, 1) != orders(small, 2)


def test_workers_come_to_one_order(small):
    small.run("--shuffle", "1", "-n", "2")

    run = small.statement()["run"]
    assert (run["cases"], run["partial"]) == (14, False)


# -- several processes for each worker


@pytest.mark.parametrize(("workers", "processes"), [(1, 1), (2, 6), (4, 12), (6, 12), (8, 16), (20, 20)])
def test_a_worker_on_a_hub_in_the_cloud_is_up_to_three_processes(workers, processes):
    """But for the only one: there are sixteen in all, or as many as were asked for."""
    assert workers * Stated(named=True).lanes(workers) == processes
    assert Stated().lanes(workers) == 1


def test_each_worker_on_a_hub_in_the_cloud_is_three_processes(small):
    """All cases run once, and the run says how many processes there are."""
    result = small.run("-n", "2", profile="far")

    run = small.statement_of(small.path / "reports" / "far")["run"]
    assert "2 workers of 3 processes each, which wait most of their time" in result.stdout.lines
    assert (run["workers"], run["cases"], run["partial"]) == (6, 14, False)


@pytest.mark.parametrize("workers", ["1", "4", "16"])
def test_a_run_on_a_hub_in_the_cloud_has_three_hundred_devices_at_once_at_most(workers):
    unset = {"IOTHUB_SERVICE_CONNECTION_STRING": "", "IOTHUB_EVENTS_CONNECTION_STRING": ""}
    output = run_pytest(CHECKOUT, "--profile=real-hub", "-n", workers, "--dry-run", **unset).stdout.str()

    assert int(re.search(r"at most (\d+) devices at once", output)[1]) <= 300
