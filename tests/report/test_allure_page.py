"""Allure's page of two runs in headless Chromium: it asks for nothing, complains of nothing, counts right."""

import json
import os
import shutil
import sys
from collections import Counter

import pytest
from allure_rendering import judged, rendered
from browser import browser, executable
from sample import DOCUMENT, holding

from conformance.report.allure import STATUS
from conformance.report.allure_environment import CATEGORY
from conformance.report.counts import case_counts
from conformance.verdict.verdicts import Verdict

PROGRAM = executable()
WANTED = {"Chromium": PROGRAM, "node": shutil.which("node"), "npm": shutil.which("npm")}
MISSING = ", ".join(name for name, found in WANTED.items() if not found)
if MISSING and os.environ.get("CI"):
    pytest.fail(f"not on this machine, and wanted for Allure's page: {MISSING}", pytrace=False)
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not on this machine: {MISSING}")

RUNS = {"one hub": judged(), "other hub": holding()}
# As Allure's own address of them; "" is all.
KEYS = {"one hub": "default", "other hub": "run-2", "all": ""}
PARTS = {
    "results": ("", 'Environment: "other hub"'),
    "categories": ("#categories", "Known deviations"),
    "resolutions": ("#resolutionCategories", "Accepted"),
    "errors": ("#globalErrors", "SyntaxError"),
    "attachments": ("#globalAttachments", "conformance.html of other hub"),
    "charts": ("#charts", "Durations histogram"),
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    return rendered(sys.executable, base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


@pytest.fixture(scope="module")
def tab():
    with browser(PROGRAM) as running:
        page = running.page()
        page.call("Accessibility.disable")  # it doubles the time that a large page takes
        yield page


@pytest.fixture
def opened(tab, pages, tmp_path):
    """Open a part of a page, of one run or of all, and wait until a text is there."""
    blank = tmp_path / "blank.html"
    blank.touch()

    def opening(fragment, awaited, *, run="all", name="both", width=1280):
        tab.look(width=width)
        tab.open(blank)
        # Where the page keeps the choice of a run.
        tab.evaluate(f"localStorage.setItem('currentEnvironment', JSON.stringify({KEYS[run]!r}))")
        tab.requests.clear()
        tab.complaints.clear()
        tab.open(pages / f"{name}.html", fragment)
        tab.wait_for(f"document.body.innerText.includes({json.dumps(awaited)})")
        return tab

    return opening


@pytest.fixture
def case_of(opened):
    """Open the result that has a name in the tree."""

    def opening(name, awaited, **choices):
        tree = opened("", name, **choices)
        number = tree.evaluate(
            "[...document.querySelectorAll('[data-testid=tree-leaf]')]"
            f".find((each) => each.innerText.includes({json.dumps(name)})).id"
        )
        return opened(f"#{number}", awaited, **choices)

    return opening


def shown(page):
    """Return the lines of a page, white space aside."""
    return [" ".join(line.split()) for line in page.evaluate("document.body.innerText").splitlines()]


def number_of(page, testid):
    """Return the number in a place of the page, 0 where the page leaves the place out."""
    found = page.evaluate(f"document.querySelector('[data-testid={testid}]')?.innerText ?? ''")
    return int(found.split()[-1]) if found else 0


@pytest.mark.parametrize(("fragment", "awaited"), PARTS.values(), ids=PARTS)
def test_the_page_asks_for_nothing_and_complains_of_nothing(opened, pages, fragment, awaited):
    """Pitfall 12."""
    page = opened(fragment, awaited)

    asked = [each for each in page.requests if not each.startswith(("data:", "blob:"))]
    assert asked == [(pages / "both.html").as_uri()]
    assert page.complaints == []


def test_what_a_program_asks_of_others_is_refused(opened):
    page = opened("", "Results")

    page.evaluate("fetch('https://example.invalid/').catch(() => { window.refused = true })")
    page.wait_for("window.refused")
    assert not [each for each in page.requests if each.startswith("http")]
    assert any("Content Security Policy" in each for each in page.complaints)


def test_the_generator_leaves_no_file_behind(pages):
    assert list((pages / "elsewhere").iterdir()) == []
    assert sorted(each.name for each in pages.iterdir()) == [
        "both.html",
        "elsewhere",
        "large.html",
        "one hub",
        "one.html",
        "other hub",
        "six hundred",
    ]


def test_six_hundred_cases_are_at_most_ten_megabytes(opened, pages):
    assert (pages / "large.html").stat().st_size <= 10 * 1000 * 1000
    assert number_of(opened("", "01 All about s0", name="large"), "tab-all") == 600


@pytest.mark.parametrize("name", ["both", "one", "large"])
def test_the_page_opens_at_its_top(opened, name):
    """It goes to the first failed result by itself, which would hide the claim."""
    page = opened("", "All about", name=name)
    page.wait_for("document.querySelector('[data-testid=tree-leaf]')")
    scrolled = "[...document.querySelectorAll('*')].filter((each) => each.scrollTop > 0).length"

    assert page.evaluate(f"new Promise((told) => setTimeout(() => told({scrolled}), 1000))", later=True) == 0
    top = page.evaluate("document.querySelector('[data-testid=report-title]').getBoundingClientRect().top")
    assert 0 < top < 200


def test_it_scrolls_when_its_reader_does(opened):
    page = opened("", "All about", name="large")
    page.press("Tab")
    page.evaluate("document.querySelector('[data-tree-scroll-container]').scrollTop = 400")

    page.wait_for("document.querySelector('[data-tree-scroll-container]').scrollTop === 400")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["both", "one"])
def test_each_claim_can_be_read_whole(opened, name, width):
    page = opened("", "Metadata", name=name, width=width)

    cut = page.evaluate(
        "[...document.querySelectorAll('[data-testid=metadata-item-value] *')]"
        ".filter((each) => each.clientWidth && each.scrollWidth > each.clientWidth + 1)"
        ".map((each) => each.innerText)"
    )
    assert cut == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["both", "one"])
def test_nothing_is_wider_than_the_window(opened, name, width):
    page = opened("", "All about d2c", name=name, width=width)

    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("run", RUNS)
def test_the_page_counts_the_cases_of_the_statement(opened, run):
    """Pitfalls 5 and 10: each run keeps all its results. A known deviation is failed, and accepted."""
    counts = case_counts(RUNS[run])
    expected = Counter({"passed": 0, "failed": 0, "broken": 0, "skipped": 0})
    for verdict, count in counts.items():
        expected["failed" if verdict is Verdict.KNOWN_DEVIATION else str(STATUS[verdict])] += count
    page = opened("", "All about d2c", run=run)

    assert {status: number_of(page, f"tab-{status}") for status in expected} == expected
    assert number_of(page, "tab-all") == sum(counts.values())


@pytest.mark.parametrize("run", RUNS)
def test_the_categories_count_the_verdicts_of_the_statement(opened, run):
    page = opened("#categories", "Not claimed", run=run)

    lines = shown(page)
    found = {name: int(lines[lines.index(name) + 1]) for name in CATEGORY.values() if name in lines}
    assert found == {
        CATEGORY[verdict]: count for verdict, count in case_counts(RUNS[run]).items() if verdict in CATEGORY
    }


def test_sections_and_clauses_stand_in_the_documents_order(opened):
    lines = shown(opened("", "watch", run="one hub"))
    titles = [line for line in lines if "All about" in line or line.startswith("twin.")]

    assert titles == [
        "1 All about d2c",
        "2 All about twin",
        "twin.broken (must): The hub does what twin.broken says.",
        "twin.get (must): The hub does what twin.get says.",
        "twin.patch (must): The hub does what twin.patch says.",
        "twin.unseen (must): The hub does what twin.unseen says.",
        "3 All about c2d",
        "4 All about watch",
    ]


def test_a_known_deviation_is_accepted_with_its_reason(opened):
    page = opened("#resolutionCategories", "Accepted")
    lines = shown(page)
    accepted = lines.index("Accepted")

    assert [line for line in lines[accepted:] if line][:4] == [
        "Accepted",
        "twin.get: the table says 200 (and [so] does $ the hub) (since 2026-01-01, until 2027-01-01)",
        "1",
        "The hub keeps the rule. [known] (known deviation)",
    ]
    assert sum("The hub keeps" in line for line in lines) == 1


def test_a_violation_shows_what_was_expected_where_it_is_stated_and_what_went_over_the_wire(case_of):
    page = case_of("The hub keeps the rule. [2]", "Show difference", run="one hub")
    lines = shown(page)

    assert "violation: expected closed; actual PUBREC packet=1" in lines
    assert {"Failed", "Critical", "Category: Violations"} <= set(lines)
    assert "9.5 ms c1 ← PUBREC packet=1" in lines
    links = page.evaluate("[...document.querySelectorAll('a')].map((each) => each.href)")
    assert f"{DOCUMENT}#small-things" in links

    page.evaluate(
        "[...document.querySelectorAll('button')]"
        ".find((each) => each.innerText === 'Show difference').click()"
    )
    page.wait_for("document.body.innerText.includes('Expected')")
    assert page.complaints == []


def test_a_known_deviation_links_to_its_tracker(case_of):
    page = case_of("The hub keeps the rule. [known]", "known deviation", run="one hub")

    links = page.evaluate("[...document.querySelectorAll('a')].map((each) => each.href)")
    assert "https://tracker.example/12" in links
    assert any(line.startswith("known deviation: expected closed;") for line in shown(page))


def test_a_worker_that_died_and_a_half_test_file_are_there(opened, case_of):
    """Pitfalls 2 and 3."""
    page = case_of("The hub keeps the rule. [crash]", "worker gw1", run="one hub")
    assert "broken: worker gw1 died: Not properly terminated" in shown(page)

    lines = shown(opened("#globalErrors", "SyntaxError"))
    assert "test_half.py: SyntaxError: '(' was never closed" in lines
    assert "watch.ids: PUBREC instead of a close (seen in test_small.py::test_rule[3])" in lines


def test_each_run_says_what_it_claims(opened):
    lines = shown(opened("", "Metadata"))
    assert lines[lines.index("one hub") + 1] == "3 claimed clauses are violated on pretended hub"
    assert lines[lines.index("other hub") + 1] == "Every claimed clause holds on pretended hub"

    lines = shown(opened("", "Variables", run="other hub"))
    assert lines[lines.index("Held") + 1] == "2 of 2 claimed clauses"


def test_a_page_of_one_run_is_headed_by_its_claim(opened):
    page = opened("", "Metadata", name="one")
    lines = shown(page)

    assert "3 claimed clauses are violated on pretended hub" in lines
    assert lines[lines.index("Profile") + 1] == "small"
    assert "Environment:" not in lines  # there is nothing to choose


def test_the_own_page_of_a_run_opens_inside(opened):
    page = opened("#globalAttachments", "conformance.html of one hub")

    name = "conformance.html of one hub"
    page.evaluate(
        "[...document.querySelectorAll('*')]"
        f".find((each) => !each.children.length && each.innerText === '{name}').click()"
    )
    height = page.wait_for("document.querySelector('iframe')?.getBoundingClientRect().height")
    assert height >= 700
    assert page.complaints == []
