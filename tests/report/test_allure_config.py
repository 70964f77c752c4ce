"""What Allure is told of some runs, and what is mended in its page: values in, values out."""

import base64
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from allure_rendering import DEVIATION, judged
from sample import WIRE, case, clause, holding, statement, violation

from conformance.report import allure, allure_environment, allure_page, limits
from conformance.report.allure_page import UnknownPageError, configuration, mended, runs, surroundings, title
from conformance.report.counts import own_cases
from conformance.verdict.verdicts import Verdict


def told(*shown):
    """Return the values of a configuration, without the function that a module adds to them."""
    text = configuration(shown, Path("/somewhere"))
    return json.loads(text.removeprefix("const values = ").partition(";\nfor ")[0])


def two():
    return runs({Path("reports/emulator"): judged(), Path("reports/real-hub"): holding()})


def results(made, folder):
    allure.write_for_page(made, folder, "run-2")
    return [json.loads(file.read_text()) for file in sorted(folder.glob("*-result.json"))]


def label(result, name):
    return next(each["value"] for each in result["labels"] if each["name"] == name)


def test_each_run_is_an_environment_of_its_own():
    environments = told(*two())["environments"]

    assert {key: value["name"] for key, value in environments.items()} == {
        "default": "emulator",
        "run-2": "real-hub",
    }
    facts = environments["run-2"]["variables"]
    assert facts["Claim"] == "Every claimed clause holds on pretended hub"
    assert facts["Held"] == "2 of 2 claimed clauses"
    assert facts["Profile"] == "small"


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["a/emulator", "b/emulator"], ["emulator", "2 emulator"]),
        (["a/with\nline", "a/tab\there"], ["with line", "tab here"]),
        (["a/back\\slash"], ["back slash"]),
        (["a/" + "long" * 20], ["long" * 16]),
        (["a/\x1b[31m"], ["x1b[31m"]),
    ],
    ids=["same", "white space", "backslash", "long", "control"],
)
def test_a_name_is_one_that_allure_takes(folders, names):
    shown = runs({Path(folder): holding() for folder in folders})

    assert [run.name for run in shown] == names


def test_the_title_is_the_claim_of_one_run_and_names_several():
    one, other = two()

    assert title([one]) == "3 claimed clauses are violated on pretended hub"
    assert title([one, other]) == "Conformance: emulator, real-hub"


def test_the_first_screen_names_what_each_run_claims():
    assert allure_page.first_screen(two()).splitlines() == [
        "emulator=3 claimed clauses are violated on pretended hub",
        "real-hub=Every claimed clause holds on pretended hub",
    ]


def test_properties_keep_what_ends_a_name():
    text = allure_environment.properties({"a b:c=d#e!": "x\\y\nz = 1"})

    assert text == "a\\ b\\:c\\=d\\#e\\!=x\\\\y z = 1\n"


def test_nothing_is_written_outside_the_named_folder():
    values = told(*two())

    assert values["output"] == "/somewhere/page"
    assert values["resolutions"]["knownIssuesPath"] == "/somewhere/known-issues.json"
    assert "historyPath" not in values
    assert values["plugins"]["agent"] == {"enabled": False}


def test_a_stated_deviation_is_accepted_with_its_reason_and_dates():
    rules = told(*two())["resolutions"]["rules"]

    assert [rule["comment"] for rule in rules] == [
        "twin.get: the table says 200 (and [so] does $ the hub) (since 2026-01-01, until 2027-01-01)",
        "twin.patch: it was so once (since 2026-01-01, until 2027-01-01)",
    ]
    assert {rule["resolution"] for rule in rules} == {"accepted"}
    assert {tuple(rule["environment"]) for rule in rules} == {("emulator",)}


def test_a_rule_accepts_known_deviations_and_nothing_else(tmp_path):
    made = judged()
    rule = told(*runs({tmp_path: made}))["resolutions"]["rules"][0]
    accepted = [
        label(result, "verdict")
        for result in results(made, tmp_path)
        if result["testCaseId"] in rule["testCaseId"]
        and re.search(rule["messageRegexp"], result.get("statusDetails", {}).get("message", ""))
    ]

    assert accepted == ["known deviation"]


def test_a_deviation_of_no_case_is_no_rule():
    unmatched = DEVIATION | {"state": "unmatched", "cases": []}
    made = statement(clause("twin.get", case(1)), deviations=[unmatched])
    (run,) = runs({Path("x"): made})

    assert told(run)["resolutions"]["rules"] == []
    assert surroundings(run, "page.html")["errors"] == [
        {"message": "twin.get (*known*): stated deviation is unmatched", "environment": "x"}
    ]


def test_every_verdict_but_pass_has_a_category_of_its_own():
    rules = told(*two())["categories"]["rules"]
    matched = [rule["matchers"][0]["labels"]["verdict"] for rule in rules]

    verdicts = [verdict for verdict in Verdict if verdict not in {Verdict.PASS, Verdict.UNTESTABLE}]
    for verdict in verdicts:
        assert sum(bool(re.search(pattern, verdict)) for pattern in matched) == 1, verdict


def test_what_went_wrong_in_a_run_stands_beside_its_results():
    (run,) = runs({Path("emulator"): judged()})
    beside = surroundings(run, "run-1-attachment.html")

    assert [error["message"] for error in beside["errors"]] == [
        "test_half.py: SyntaxError: '(' was never closed",
        "twin.patch (*known*): stated deviation is stale",
        "watch.ids: PUBREC instead of a close (seen in test_small.py::test_rule[3])",
    ]
    assert beside["attachments"] == [
        {
            "name": "conformance.html of emulator",
            "source": "run-1-attachment.html",
            "type": "text/html",
            "environment": "emulator",
        }
    ]


def test_an_accepted_deviation_and_a_note_are_no_errors():
    """Not a deviating case, nor a watched rule that deviates in passing, nor what the report leaves out."""
    known = violation("known", deviation=DEVIATION, observed="status 200") | {"verdict": "known deviation"}
    other = DEVIATION | {"clause": "watch.ids", "case": "*", "observed": "pubrec"}
    seen = violation(3, in_passing=True, deviation=other, observed="pubrec") | {"verdict": "known deviation"}
    note = next(iter(limits.fitted(huge()).run.remarks))
    made = statement(
        clause("d2c.qos2", case(3)),
        clause("twin.get", known),
        clause("watch.ids", case(11), seen, sightings=3),
        deviations=[
            DEVIATION | {"state": "known", "cases": [known["id"]]},
            other | {"state": "known", "cases": [seen["id"]]},
            DEVIATION | {"clause": "d2c.qos2", "state": "not run", "cases": []},
        ],
        run={"remarks": [note]},
    )
    (run,) = runs({Path("x"): made})

    assert surroundings(run, "page.html")["errors"] == []
    assert told(run)["environments"]["default"]["variables"]["Notes"] == note


def huge():
    """Return a statement with more packets than a report may hold."""
    wire = "   0.0 ms  c1 → PINGREQ\n" * 100_000
    return statement(clause("a.b", violation(1, transcript=wire)))


# -- the results of a page


def test_a_red_case_has_its_packets_as_steps_and_an_observed_one_as_an_attachment(tmp_path):
    """Each once, and a case that passed none: the page has to open in a browser."""
    made = statement(
        clause("a.red", violation(1)),
        clause("a.seen", case(2, "observed", observed="closed", transcript=WIRE), level="observe"),
        clause("a.pass", case(3, transcript=WIRE)),
    )

    found = [
        (len(each.get("steps", [])), len(each.get("attachments", []))) for each in results(made, tmp_path)
    ]
    assert found == [(6, 0), (0, 1), (0, 0)]


def test_of_more_packets_than_steps_the_attachment_has_all(tmp_path):
    wire = "\n".join(f"{number:>6}.0 ms  c1 → PINGREQ  " for number in range(allure.MOST_STEPS + 9))
    (result,) = results(statement(clause("a.b", violation(1, transcript=wire))), tmp_path)

    assert len(result["attachments"]) == 1
    assert "… 9 more in the attachment …" in [step["name"] for step in result["steps"]]


def test_the_page_inside_has_the_packets_of_red_cases_alone():
    made = statement(
        clause("a.red", violation(1)), clause("a.seen", case(2, "observed", transcript=WIRE), level="observe")
    )

    inside = allure_page.page_inside(made)
    assert [case.transcript for clause in inside.clauses for case in clause.cases] == [WIRE, None]
    assert inside.run.remarks == [
        "The packets of cases that are not red are left out here: see conformance.json."
    ]


def test_results_stand_in_the_statements_order_and_count_the_same(tmp_path):
    made = judged()
    found = results(made, tmp_path)

    assert [result["fullName"] for result in found] == [each.id for each in own_cases(made)]
    assert Counter(label(result, "verdict") for result in found) == Counter(
        str(each.verdict) for each in own_cases(made)
    )
    assert {label(result, "run") for result in found} == {"run-2"}


def test_sections_are_numbered_in_the_documents_order(tmp_path):
    many = statement(*(clause(f"{name}.x", case(name)) for name in "zyxwvutsrq"))
    found = results(many, tmp_path)

    assert [label(result, "feature") for result in found][:2] == ["01 All about z", "02 All about y"]
    assert label(found[9], "feature") == "10 All about q"


def test_a_known_deviation_is_failed_on_the_page_and_passed_elsewhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    made = judged()
    allure.write(made, tmp_path / "elsewhere")
    elsewhere = [json.loads(file.read_text()) for file in (tmp_path / "elsewhere").glob("*-result.json")]

    def statuses(found):
        return [result["status"] for result in found if label(result, "verdict") == "known deviation"]

    assert statuses(results(made, tmp_path)) == ["failed"]
    assert statuses(elsewhere) == ["passed"]


def test_a_name_says_the_verdict_where_the_status_does_not(tmp_path):
    names = {result["name"].rpartition("] ")[2] for result in results(judged(), tmp_path)}

    said = {name for name in names if name.startswith("(")}
    assert said == {"(known deviation)", "(stale deviation)", "(observed)", "(not tested)", "(not claimed)"}


def test_the_wire_is_told_once(tmp_path):
    (result,) = results(statement(clause("a.b", violation(1))), tmp_path)

    trace = result["statusDetails"]["trace"]
    assert "  Expected  closed\n  Actual    PUBREC packet=1" in trace
    assert "CONNACK" not in trace
    assert sum("CONNACK" in step["name"] for step in result["steps"]) == 1
    assert result.get("attachments", []) == []


def test_a_step_lasts_until_the_next(tmp_path):
    wire = "     0 ms  c1 = opened\n   1.2 ms  c1 → CONNECT\n            user name\n    41 ms  c1 ← CONNACK"
    made = statement(clause("a.b", violation(1, transcript=wire)))
    (result,) = results(made, tmp_path)

    steps = [(step["name"], step["stop"] - step["start"]) for step in result["steps"]]
    assert steps == [("0 ms  c1 = opened", 1), ("1.2 ms  c1 → CONNECT", 40), ("41 ms  c1 ← CONNACK", 0)]


# -- the page

HEAD = "<html>\n<head>\n  <title>x</title></head><body>\n    "
APP = '<script   src="data:text/javascript;base64,QUJD"></script>\n    '
ANALYTICS = (
    '<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>\n'
    "    <script>gtag('config', 'G-1');</script>\n    "
)
DATA = (
    "<script async>\n      window.allureReportDataReady = false;\n    </script>\n"
    '    <script defer>\n      Promise.allSettled([d("widgets/x.json","e30=")])\n    </script>\n'
)


def test_the_mended_page_has_no_analytics_and_its_data_first():
    page = mended(f"{HEAD}{APP}{ANALYTICS}{DATA}</body></html>")

    assert "google" not in page
    assert "gtag" not in page
    assert page.index("e30=") < page.index("QUJD") < page.index("</body></html>")
    assert page.index("Content-Security-Policy") < page.index("<title>")


def test_what_a_page_holds_twice_stands_once():
    """Two values that differ in order alone are one; a text is itself."""
    one, other = ([{"id": number} for number in order] for order in (range(50), reversed(range(50))))
    data = "".join(f'd("{name}","{encoded(value)}"),' for name, value in [("a", one), ("b", list(other))])
    text = f'd("c","{base64.b64encode(b"no JSON" * 50).decode()}")'
    page = mended(f"{HEAD}{APP}{ANALYTICS}{DATA.replace('[d', f'[{data}{text},d')}</body></html>")

    assert f'd("a","{encoded(one)}"),d("b",window.allureReportData["a"]),{text}' in page


def encoded(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "page",
    [
        "",
        f"{HEAD}{APP}{ANALYTICS}</body>",
        f"{HEAD}{APP}{DATA}</body>",
        f"{HEAD}{ANALYTICS}{DATA}</body>",
        f"{HEAD}{DATA}{APP}{ANALYTICS}</body>",
        f"{APP}{ANALYTICS}{DATA}</body>",
    ],
    ids=["empty", "no data", "no analytics", "no program", "another order", "no head"],
)
def test_a_page_of_another_make_is_refused(page):
    with pytest.raises(UnknownPageError, match="where it is expected"):
        mended(page)
