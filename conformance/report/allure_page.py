"""What Allure 3 is told when it renders runs as one page, and what is mended in the page that it writes.

Pure: statements in, values and text out. The runs stand side by side as Allure's environments; what a profile
states as a known deviation is an accepted resolution there.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conformance.report.allure import RED, RUN, accepted_as, allure_id, broken_in_passing
from conformance.report.allure_environment import CATEGORY, facts, properties
from conformance.report.counts import CLAIMED, clause_counts, unheld
from conformance.report.counts import shown as clauses_shown
from conformance.report.limits import is_a_note
from conformance.report.printable import plural, visible
from conformance.report.statement import CasePart, Statement
from conformance.report.summary_line import headline
from conformance.verdict.verdicts import Verdict

# What every reader of the page knows anyway, or finds elsewhere on it.
HIDDEN_LABELS: Final = ("epic", "framework", "language", "thread", "profile", RUN)
# Allure always has an environment of this id, and offers it though it is empty: the first run takes it.
_DEFAULT: Final = "default"
# Allure refuses a longer name of an environment, and a slash in it.
_LONGEST_NAME: Final = 64


class UnknownPageError(Exception):
    """The page is not made as the generator's locked version makes it; the text says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as the page shows it: `key` names it in files, `name` is for people."""

    key: str
    name: str
    statement: Statement


def runs(statements: Mapping[Path, Statement]) -> Sequence[Run]:
    """Return the runs of some report folders, each named after its folder; no two have one name."""
    found: list[Run] = []
    taken: set[str] = set()
    for number, (folder, statement) in enumerate(statements.items(), 1):
        words = visible(folder.absolute().name).replace("\\", " ").split()
        name = " ".join(words)[:_LONGEST_NAME] or statement.profile.name
        if name in taken:
            name = f"{number} {name}"[:_LONGEST_NAME]
        taken.add(name)
        found.append(Run(key=f"run-{number}" if found else _DEFAULT, name=name, statement=statement))
    return found


def title(shown: Sequence[Run]) -> str:
    """Return the heading: the claim of one run, or the names of several, of which each has its own claim."""
    if len(shown) == 1:
        return headline(shown[0].statement).title
    return f"Conformance: {', '.join(run.name for run in shown)}"


def configuration(shown: Sequence[Run], folder: Path) -> str:
    """Return the text of `allurerc.mjs`: the page and all else that Allure writes goes below a folder.

    A module and not JSON, since Allure tells environments apart by a function.
    """
    values: dict[str, Any] = {
        "name": title(shown),
        "output": str(folder / "page"),
        "plugins": {"awesome": {"options": _OPTIONS}, "agent": {"enabled": False}},
        "environments": {run.key: {"name": run.name, "variables": _facts(run.statement)} for run in shown},
        "hideLabels": list(HIDDEN_LABELS),
        "categories": {"rules": list(_categories())},
        "resolutions": {
            "knownIssuesPath": str(folder / "known-issues.json"),
            "rules": [rule for run in shown for rule in _resolutions(run)],
        },
    }
    return _MODULE.format(values=json.dumps(values, indent=1), run=json.dumps(RUN))


def first_screen(shown: Sequence[Run]) -> str:
    """Return the text of `environment.properties`: the facts of one run, or what each of several claims."""
    if len(shown) == 1:
        return properties(_facts(shown[0].statement))
    return properties({run.name: headline(run.statement).title for run in shown})


def surroundings(run: Run, attachment: str) -> Mapping[str, Any]:
    """Return what belongs to a whole run: what went wrong in it, and its own page, a file of this name."""
    made = run.statement
    remarks = [remark for remark in made.run.remarks if not is_a_note(remark)]
    errors = [*remarks, *_unheld(made), *broken_in_passing(made)]
    page = {"name": f"conformance.html of {run.name}", "source": attachment, "type": "text/html"}
    return {
        "errors": [{"message": error, "environment": run.name} for error in errors],
        "attachments": [page | {"environment": run.name}],
    }


def page_inside(statement: Statement) -> Statement:
    """Return what the page of a run shows that is carried by Allure's: the packets of red cases alone."""
    clauses = [
        clause.model_copy(update={"cases": [_without_packets(case) for case in clause.cases]})
        for clause in statement.clauses
    ]
    remarks = [
        *statement.run.remarks,
        "The packets of cases that are not red are left out here: see conformance.json.",
    ]
    run = statement.run.model_copy(update={"remarks": remarks})
    return statement.model_copy(update={"clauses": clauses, "run": run})


def mended(page: str) -> str:
    """Return the generator's page without its analytics, with its data ahead of its program, and each once.

    As Allure writes it, the program may start before the browser has read the data that stand behind it:
    then it looks for files beside the page, and stays empty. It also scrolls to the first failed result, past
    the claim: here it stays at its top until its reader does something, unless its address names a result.
    Raises UnknownPageError for any other page.
    """
    head = _place(page, "<head>", 0) + len("<head>")
    app = _place(page, _APP, head)
    analytics = _place(page, _ANALYTICS, app)
    data = _place(page, _DATA, analytics)
    end = _place(page, "</body>", data)
    shell = f"{page[:head]}\n    {_POLICY}\n    {_STYLE}\n    {_AT_ITS_TOP}{page[head:app]}"
    return shell + _each_once(page[data:end]) + page[app:analytics] + page[end:]


def _each_once(data: str) -> str:
    """Let what the page holds twice stand once: a page of one run has all data of its environment again.

    Nothing but the order may differ, which the page makes anew.
    """
    first: dict[str, str] = {}

    def replaced(found: re.Match[str]) -> str:
        name, value = found[1], found[2]
        held = first.setdefault(_regardless_of_order(value), name)
        return found[0] if held == name else f'd("{name}",window.allureReportData["{held}"])'

    return _ENTRY.sub(replaced, data)


def _regardless_of_order(encoded: str) -> str:
    """Return a text that is the same for two JSON values, in Base64, that differ in order alone."""
    try:
        return _ordered(json.loads(base64.b64decode(encoded)))
    except ValueError:  # no JSON: a text is itself
        return encoded


def _ordered(value: object) -> str:
    match value:
        case dict():
            members = sorted(f"{json.dumps(name)}:{_ordered(each)}" for name, each in value.items())
            return f"{{{','.join(members)}}}"
        case list():
            return f"[{','.join(sorted(map(_ordered, value)))}]"
        case _:
            return json.dumps(value)


def _without_packets(case: CasePart) -> CasePart:
    return case if case.verdict in RED else case.model_copy(update={"transcript": None})


_OPTIONS: Final = {
    "singleFile": True,
    "reportLanguage": "en",
    "groupBy": ["feature", "story"],
    "defaultSortBy": "name,asc",
    # The other charts want a history or other labels, or colour red what was not claimed.
    "sections": ["charts"],
    "charts": [
        {
            "type": "testResultSeverities",
            "title": "By level: critical is must, normal disputed, minor observe",
        },
        {"type": "durations"},
    ],
}
_MODULE: Final = """\
const values = {values};
for (const [key, environment] of Object.entries(values.environments)) {{
  environment.matcher = ({{ labels }}) => labels.some(({{ name, value }}) => name === {run} && value === key);
}}
export default values;
"""
_APP: Final = '<script   src="data:text/javascript;base64,'
_ANALYTICS: Final = '<script async src="https://www.googletagmanager.com/'
_DATA: Final = "<script async>\n      window.allureReportDataReady = false;"
# The page holds all it needs. Whatever a later version of its program asks of others, the browser refuses.
_POLICY: Final = (
    '<meta http-equiv="Content-Security-Policy" content="default-src data: blob:; '
    "script-src 'unsafe-inline' data: blob:; style-src 'unsafe-inline' data: blob:\">"
)
# A page opened from a file cannot measure what it frames, and gives it the height of a few lines.
# What it knows of a run it cuts at some 35 letters: a claim is read whole, or not at all.
_STYLE: Final = """\
<style>[data-testid="html-attachment-preview"] iframe { min-height: 80vh }
    [data-testid="metadata-item-value"], [data-testid="metadata-item-value"] * {
      white-space: normal !important; overflow-wrap: anywhere; height: auto !important; }</style>"""
_AT_ITS_TOP: Final = """\
<script>
      if (!location.hash) {
        const stay = ({ target }) => { (target.scrollingElement ?? target).scrollTop = 0; };
        const acts = ["wheel", "pointerdown", "keydown", "touchstart", "hashchange"];
        addEventListener("scroll", stay, true);
        for (const act of acts) addEventListener(act, () => removeEventListener("scroll", stay, true), true);
      }
    </script>"""
# One entry of the page's data, where it is long enough to be worth a reference.
_ENTRY: Final = re.compile(r'd\("([^"]+)","([A-Za-z0-9+/=]{200,})"\)')


def _facts(statement: Statement) -> Mapping[str, str]:
    """Return what names and bounds a run's claim."""
    notes = [remark for remark in statement.run.remarks if is_a_note(remark)]
    counts = clause_counts(clauses_shown(statement))
    held, claimed = counts.get(Verdict.PASS, 0), sum(counts.get(verdict, 0) for verdict in CLAIMED)
    return {
        "Claim": headline(statement).title,
        "Held": f"{held} of {plural(claimed, 'claimed clause')}",
        **facts(statement),
        "Exit code": str(statement.run.exit_code),
        **({"Notes": " ".join(notes)} if notes else {}),
    }


def _categories() -> Iterator[Mapping[str, Any]]:
    for verdict, name in CATEGORY.items():
        yield {
            "name": name,
            "matchers": [{"labels": {"verdict": f"^{verdict}$"}}],
            "groupBy": [{"label": "clause"}],
            "groupByMessage": False,
        }


def _resolutions(run: Run) -> Iterator[Mapping[str, Any]]:
    """Accept what the statement calls known, and nothing else: its tests, by the text that ends a message."""
    for deviation in run.statement.deviations:
        tests = sorted({allure_id(case) for case in deviation.cases})
        if not tests:
            continue
        yield {
            "resolution": "accepted",
            "environment": [run.name],
            "testCaseId": tests,
            "messageRegexp": rf"^known deviation\b[\s\S]*{_escaped(accepted_as(deviation))}$",
            "comment": f"{deviation.clause}: {deviation.reason} (since {deviation.since}, "
            f"until {deviation.expires})",
        }


def _unheld(statement: Statement) -> Iterator[str]:
    for deviation in unheld(statement):
        yield f"{deviation.clause} ({deviation.case}): stated deviation is {deviation.state}"


def _escaped(text: str) -> str:
    """Escape what has a meaning in a regular expression of JavaScript."""
    return re.sub(r"[\\^$.*+?()\[\]{}|/]", r"\\\g<0>", text)


def _place(page: str, text: str, start: int) -> int:
    found = page.find(text, start)
    if found < 0:
        raise UnknownPageError(f"no {text!r} where it is expected")
    return found
