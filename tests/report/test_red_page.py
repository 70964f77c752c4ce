"""The page of a red run: what fails alike is one, the rest is folded, and all of it is soon read through."""

import os

import pytest
from browser import browser, executable
from sample import case, clause, statement, violation
from tree import read

from conformance.evidence.transcript import RAW
from conformance.report.html.page import render

PROGRAM = executable()
if PROGRAM is None and os.environ.get("CI"):
    pytest.fail("no Chromium on this machine: install it, or name one in CHROMIUM", pytrace=False)

# A transcript as a case of twins has it, with the bytes of its packets.
WIRE = "\n".join(
    f"{number:>6} ms  c1 {'→' if number % 2 else '←'} PUBLISH  qos=0 $iothub/twin/res/200/?$rid={number} "
    f"(512 bytes) \"{{'desired':{{'interval':{number},'$version':{number}}},'reported':{{}}}}\"\n"
    f"{RAW}{' '.join(['30'] * 64)} … (540 bytes)"
    for number in range(40)
)
SECTIONS, CLAUSES_OF_EACH, CASES_OF_EACH = 27, 18, 6
EXPECTED = "properties of the answer to GET: {'interval': 5, 'limits': [1, 2, 3]}; and 12 more"


def red(number):
    """Return a clause of which eight cases fail in two ways, and six hold."""
    names = [f"{number}-{letter}" for letter in "abcdefgh"]
    cases = [
        violation(
            name,
            expected=EXPECTED,
            actual=f"'{name}'",
            observed=f"'{place % 2}' {place % 2}",
            transcript=WIRE,
        )
        for place, name in enumerate(names)
    ]
    return clause(
        f"s{number}.red",
        *cases,
        *(case(f"{number}-{each}") for each in range(6)),
        says="The hub answers. " * 8,
    )


def green(section, number):
    cases = [case(f"{section}-{number}-{each}") for each in range(CASES_OF_EACH)]
    return clause(f"s{section}.clause-{number}", *cases, says="The hub does what is said. " * 4)


def observed(section):
    seen = case(f"{section}-seen", "observed", observed="closed, after a while", transcript=WIRE)
    return clause(f"s{section}.seen", seen, level="observe")


@pytest.fixture(scope="module")
def text():
    clauses = [
        each
        for section in range(SECTIONS)
        for each in [
            *([red(section)] if section % 5 == 0 and section < 25 else []),
            observed(section),
            *(green(section, number) for number in range(CLAUSES_OF_EACH - 1)),
        ]
    ]
    sentences = [{"id": f"S{n}", "lines": str(n), "says": "The hub does so. " * 6} for n in range(1, 68)]
    return render(statement(*clauses, document={"sentences": sentences}))


@pytest.fixture(scope="module")
def page(text):
    return read(text)


def article(page):
    return page.one(id="clause-s5.red")


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium: install it, or name one in CHROMIUM")
@pytest.mark.parametrize("width", [390, 1280])
def test_five_violations_among_five_hundred_clauses_are_soon_read_through(text, tmp_path, width):
    file = tmp_path / "red.html"
    file.write_text(text)
    with browser(PROGRAM) as running:
        opened = running.page()
        opened.look(width=width)
        opened.open(file)

        assert opened.evaluate("document.documentElement.scrollHeight") <= 20_000
        assert opened.evaluate("document.documentElement.scrollWidth") == width


def test_of_cases_that_fail_alike_one_is_open_and_the_others_are_folded(page):
    summaries = [next(each.all("summary")).text for each in article(page).all("li", class_="folded")]

    assert summaries[:2] == [
        "3 more cases alike: [5-c] [5-e] [5-g]",
        "4 cases in another way: [5-b] [5-d] [5-f] [5-h]",
    ]


def test_what_holds_beside_it_is_folded_too(page):
    (others,) = [each for each in article(page).all("summary") if "other case" in each.text]

    assert others.text == "6 other cases: pass 6"


def test_clauses_with_which_nothing_is_wrong_are_folded_by_section(page):
    section = page.one("section", aria_labelledby="section-s5")
    rest = section.one("details", class_="rest")

    assert "open" not in rest.attributes
    assert next(rest.all("summary")).text == "18 other clauses: pass 17, observed 1"
    assert len(list(rest.all("article"))) == 18


def test_a_long_sequence_is_shown_by_what_matters_and_folded_whole(page):
    first = next(article(page).all("li", class_="case"))
    excerpt = first.one("table", class_="excerpt")
    rows = [row.text for row in excerpt.one("tbody").all("tr")]

    assert len(rows) == 7
    assert rows[-1] == "… 34 lines more below …"
    (whole,) = first.all("details")
    assert whole.one("summary").text == "Sequence, 40 steps"
    assert len(list(whole.one("tbody").all("tr"))) == 40


def test_the_bytes_of_a_packet_stand_below_what_they_mean(page):
    first = next(article(page).all("li", class_="case"))
    raw = [each.text for each in next(first.all("details")).all("div", class_="raw")]

    assert raw[0] == f"{' '.join(['30'] * 64)} … (540 bytes)"
    assert len(raw) == 40


def test_every_clause_is_in_the_index_by_name(page):
    links = [each["href"] for each in page.one("dl", class_="index").all("a")]

    assert len(links) == SECTIONS * CLAUSES_OF_EACH + 5
    assert "#clause-s5.red" in links
    assert links == sorted(links, key=lambda each: (each.partition(".")[0], each))


def test_every_page_has_a_way_back_to_the_top(page):
    assert page.one("a", class_="to-top")["href"] == f"#{page.one('main')['id']}"
