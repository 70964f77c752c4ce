"""One statement of several runs: the whole is what one run would have said, or there is none."""

import errno
import json
import xml.etree.ElementTree as ET
from collections import Counter

import pytest
from sample import case, clause, mixed, statement, violation
from tree import read

from conformance.__main__ import main
from conformance.commands import reports
from conformance.errors import UsageError
from conformance.report import formats, json_report
from conformance.report.merging import merge

WHOLE = mixed()
EVERY_CASE = {each.id for one in WHOLE.clauses for each in one.cases if not each.in_passing}


def shard(made, chosen, **run):
    """Return what a run of some cases of a statement alone would have said."""
    clauses = []
    for one in made.clauses:
        kept = [each for each in one.cases if each.id in chosen]
        unclaimed = one.verdict in {"not claimed", "untestable"}
        values = one.model_dump(mode="json") | {"cases": [each.model_dump(mode="json") for each in kept]}
        values["sightings"] = 5 if one.sightings and chosen else 0
        values["readings"] = [each.reading for each in kept if each.reading]
        if not unclaimed:
            worst = min((list(type(one.verdict)).index(each.verdict) for each in kept), default=3)
            values["verdict"] = str(list(type(one.verdict))[worst])
            values["reason"] = "" if kept else "no case of it ran"
        clauses.append(values)
    deviations = [
        each.model_dump(mode="json")
        | ({} if set(each.cases) & chosen else {"state": "unmatched", "cases": []})
        for each in made.deviations
    ]
    return statement(*clauses, partial=True, deviations=deviations, run=run)


def halves():
    first = {f"test_small.py::test_rule[{n}]" for n in (1, 2, 4, 6, 8, 10, "known")}
    return shard(WHOLE, first), shard(WHOLE, EVERY_CASE - first)


def test_the_shards_of_a_run_give_its_statement_back():
    merged = merge(halves(), ["a", "b"], every_case=EVERY_CASE)

    assert merged.summary == WHOLE.summary
    assert [one.verdict for one in merged.clauses] == [one.verdict for one in WHOLE.clauses]
    assert [one.readings for one in merged.clauses] == [one.readings for one in WHOLE.clauses]
    assert {one.id: {each.id for each in one.cases} for one in merged.clauses} == {
        one.id: {each.id for each in one.cases} for one in WHOLE.clauses
    }
    assert [(each.state, each.cases) for each in merged.deviations] == [
        (each.state, each.cases) for each in WHOLE.deviations
    ]
    assert (merged.run.partial, merged.run.cases, merged.run.shards) == (False, WHOLE.run.cases, 2)
    assert merged.run.exit_code == WHOLE.run.exit_code == 1


def test_the_times_of_the_shards_are_added():
    one, other = (
        statement(clause("a.b", case(1)), clause("a.c"), partial=True, run={"seconds": 2.0, "workers": 4}),
        statement(
            clause("a.b"), clause("a.c", case(2)), partial=True,
            run={"seconds": 3.5, "workers": 1, "started": "2026-11-23T01:00:00+00:00"},
        ),
    )  # fmt: skip
    run = merge([one, other], ["a", "b"], every_case=None).run

    assert (run.seconds, run.workers, run.started) == (5.5, 4, "2026-11-23T01:00:00+00:00")
    assert run.slept_seconds == 0.2


def test_the_costs_of_the_shards_are_added_and_their_cases_stand_on_one_clock():
    def part(number, started, **cost):
        slow = {"id": f"test_small.py::test_rule[{number}]", "clause": "a.b", "seconds": number}
        run = {"started": started, "seconds": 10.0, "remarks": ["a hub ended early"]}
        run["cost"] = cost | {"slowest": [slow]}
        return statement(clause("a.b", case(number, began=1.5)), partial=True, run=run)

    merged = merge(
        [
            part(1, "2026-11-23T02:00:10+00:00", seconds_by_section={"a": 1.0}, slept_share=0.2, messages=3),
            part(2, "2026-11-23T02:00:00+00:00", seconds_by_section={"a": 2.0, "b": 1.0}, identities=4),
        ],
        ["a", "b"],
        every_case=None,
    )
    cost = merged.run.cost
    assert cost.seconds_by_section == {"a": 3.0, "b": 1.0}
    assert [each.seconds for each in cost.slowest] == [2.0]
    assert (cost.slept_share, cost.messages, cost.identities) == (0.1, 3, 4)
    assert [each.began for each in merged.clauses[0].cases] == [11.5, 1.5]
    assert merged.run.remarks == ["a hub ended early"]


def test_a_whole_that_lacks_a_case_stays_partial():
    one, other = halves()

    assert merge([one, other], ["a", "b"], every_case=EVERY_CASE | {"test_small.py::test_more"}).run.partial
    assert merge([one, other], ["a", "b"], every_case=None).run.partial


def test_a_clause_in_which_one_shard_saw_a_violation_is_violated():
    good, bad = (
        statement(clause("a.b", case(1)), partial=True),
        statement(clause("a.b", violation(2)), partial=True),
    )

    (found,) = merge([good, bad], ["a", "b"], every_case=None).clauses
    assert (found.verdict, found.reason) == ("violation", "PUBREC instead of a close")


def test_a_watched_rule_counts_the_packets_of_every_shard():
    """The shard that holds the clause's own case may see no packet of it, and another shard many."""
    unseen = clause("watch.ids", case(1), verdict="not tested", reason="no packet")
    seen = clause("watch.ids", verdict="not tested", reason="no case of it ran", sightings=7)
    shards = [statement(each, clause("a.b", case(n)), partial=True) for n, each in ((2, unseen), (3, seen))]

    found = merge(shards, ["a", "b"], every_case=None).clauses[0]
    assert (found.verdict, found.sightings) == ("pass", 7)


def test_a_large_case_that_was_not_asked_for_does_not_hide_what_ran():
    """A clause can be unclaimed in one shard by its single large case, and judged in another."""
    large = clause("a.b", case(1, "not claimed", message="a large case: run with --large"))
    shards = [statement(each, partial=True) for each in (large, clause("a.b", case(2)))]

    (found,) = merge(shards, ["a", "b"], every_case=None).clauses
    assert found.verdict == "pass"


@pytest.mark.parametrize("code", [2, 3, 12])
def test_a_shard_that_came_to_no_end_or_leaked_decides_for_the_whole(code):
    one, other = (
        statement(clause("a.b", violation(1)), partial=True),
        statement(clause("a.b", case(2)), partial=True, run={"exit_code": code}),
    )

    assert merge([one, other], ["a", "b"], every_case=None).run.exit_code == code


def test_ports_that_differ_from_run_to_run_are_left_out():
    one, other = (
        statement(clause("a.b", case(1)), target={"ports": {"mqtt": 8883, "https": 1}}),
        statement(clause("a.b", case(2)), target={"ports": {"mqtt": 8883, "https": 2}}),
    )

    assert merge([one, other], ["a", "b"], every_case=None).target.ports == {"mqtt": 8883}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"target": {"name": "other hub"}}, "target: other hub is not pretended hub"),
        ({"target": {"host": "x.example"}}, "host: x.example is not hub.example"),
        ({"target": {"edition": "current"}}, "edition: current is not None"),
        ({"profile": {"name": "large"}}, "profile: large is not small"),
        ({"suite": {"version": "2027.1.0"}}, "suite: 2027.1.0 is not 2026.11.0"),
        ({"suite": {"digest": "e" * 64}}, f"digest of the suite: {'e' * 64} is not {'d' * 64}"),
        ({"claims": {"capabilities": []}}, "claims: [] is not ['telemetry']"),
        ({"claims": {"large": True}}, "large cases: True is not False"),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(change, says):
    one, other = statement(clause("a.b", case(1))), statement(clause("a.b", case(2)), **change)

    with pytest.raises(UsageError) as refused:
        merge([one, other], ["a.json", "b.json"], every_case=None)
    assert str(refused.value) == (
        f"b.json cannot be merged with a.json: {says}. Merge runs of one target, profile and suite."
    )


def test_runs_with_a_case_in_common_are_refused():
    made = [statement(clause("a.b", case(1), case(n)), partial=True) for n in (2, 3)]

    with pytest.raises(UsageError) as refused:
        merge(made, ["a.json", "b.json"], every_case=None)
    assert str(refused.value) == (
        "b.json overlaps a.json: both ran test_small.py::test_rule[1]. Select each case in one run alone."
    )


# -- the command


@pytest.fixture
def files(tmp_path, monkeypatch):
    for name, made in zip("ab", halves(), strict=True):
        json_report.write(made, tmp_path / f"{name}.json")
    monkeypatch.setattr(reports, "_every_case", lambda statement: EVERY_CASE)
    return tmp_path


def test_the_merged_report_has_every_format_with_the_same_counts(files, capsys):
    output = files / "whole"

    assert main(["merge", str(files / "a.json"), str(files / "b.json"), "-o", str(output)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said == ["2 claimed clauses are violated on pretended hub", str(output / "conformance.html")]
    made = json_report.read(output / "conformance.json")
    expected = Counter(
        str(each.verdict) for one in WHOLE.clauses for each in one.cases if not each.in_passing
    )
    in_json = Counter(str(each.verdict) for one in made.clauses for each in one.cases if not each.in_passing)
    page = read((output / "conformance.html").read_text())
    in_page = Counter(
        each["data-verdict"]
        for each in page.all("li", class_="case")
        if "data-in-passing" not in each.attributes
    )
    junit = ET.parse(output / "junit.xml").getroot()
    in_junit = Counter(each.get("value") for each in junit.findall(".//property[@name='verdict']"))
    summary = (output / "summary.md").read_text()
    in_allure = Counter(
        label["value"]
        for file in (output / "allure-results").glob("*-result.json")
        for label in json.loads(file.read_text())["labels"]
        if label["name"] == "verdict"
    )
    assert in_json == in_page == in_junit == in_allure == expected
    assert "| **Cases** | 5 | 1 | 2 | 1 | 1 | 1 | 1 | 1 | 0 |" in summary
    suite = junit.find("testsuite")
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "13", "failures": "3", "errors": "1", "skipped": "2",
    }  # fmt: skip


def test_a_merged_run_can_be_merged_again(files):
    first = merge([json_report.read(files / "a.json")], ["a"], every_case=None)

    merged = merge([first, json_report.read(files / "b.json")], ["a", "b"], every_case=EVERY_CASE)
    assert (merged.summary, merged.run.shards) == (WHOLE.summary, 2)


@pytest.mark.parametrize("names", [["a.json", "a.json"], ["a.json", "none.json"]], ids=["overlap", "missing"])
def test_a_refused_merge_says_one_line_and_leaves_nothing(files, capsys, names):
    before = sorted(files.iterdir())

    assert main(["merge", *(str(files / name) for name in names), "-o", str(files / "whole")]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ERROR: ")
    assert sorted(files.iterdir()) == before


def test_a_folder_that_is_no_report_is_left_alone(files, capsys):
    (files / "thesis").mkdir()
    (files / "thesis" / "chapter.txt").write_text("one")

    assert main(["merge", str(files / "a.json"), str(files / "b.json"), "-o", str(files / "thesis")]) == 4
    assert "holds something that is no report" in capsys.readouterr().err


def test_a_part_of_a_run_does_not_replace_the_report_of_a_whole_one(files, capsys):
    both = [str(files / "a.json"), str(files / "b.json")]
    json_report.write(WHOLE, files / "whole.json")
    assert main(["merge", *both, "-o", str(files / "whole")]) == WHOLE.run.exit_code
    before = (files / "whole" / "conformance.json").read_bytes()
    capsys.readouterr()

    assert main(["merge", both[0], "-o", str(files / "whole")]) == 4
    assert "holds the report of a whole run, and these runs are only a part" in capsys.readouterr().err
    assert (files / "whole" / "conformance.json").read_bytes() == before


def test_a_merged_report_that_cannot_be_written_is_code_13(files, capsys, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(formats, "write_all", full)

    assert main(["merge", str(files / "a.json"), "-o", str(files / "whole")]) == 13
    assert capsys.readouterr().err == (
        f"ERROR: --output {files / 'whole'}: No space left on device. "
        "Free some space, or name another folder.\n"
    )
    assert not list(files.glob("*whole*"))


def test_the_line_of_a_merged_report_writes_beside_it(files):
    main(["merge", str(files / "a.json"), "-o", str(files / "whole")])

    merged = json_report.read(files / "whole" / "conformance.json")
    assert merged.command.report == str(files / "whole")


def test_runs_on_hubs_that_were_named_otherwise_have_no_line_in_common(files):
    other = json_report.read(files / "b.json").model_copy(update={"command": None})

    assert merge([json_report.read(files / "a.json"), other], ["a", "b"], every_case=None).command is None


def test_all_cases_are_known_only_of_the_suite_that_is_here(monkeypatch):
    monkeypatch.setattr(reports, "suite_digest", lambda: "e" * 64)

    assert reports._every_case(WHOLE) is None


def test_all_cases_are_those_that_the_suite_collects(monkeypatch):
    monkeypatch.setattr(reports, "suite_digest", lambda: WHOLE.suite.digest)

    found = reports._every_case(WHOLE)
    assert len(found) > 200
    assert all(each.startswith("test_") and "::" in each for each in found)
