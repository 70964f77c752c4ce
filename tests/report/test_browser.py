"""The page in headless Chromium: it asks for nothing, complains of nothing, and can be read by anyone."""

import os

import pytest
from browser import browser, executable
from sample import case, clause, holding, mixed, statement, violation

from conformance.report.comparison import compare
from conformance.report.html import comparison
from conformance.report.html.page import render

PROGRAM = executable()
if PROGRAM is None and os.environ.get("CI"):
    pytest.fail("no Chromium on this machine: install it, or name one in CHROMIUM", pytrace=False)
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium: install it, or name one in CHROMIUM")

# Contrast as WCAG 2.2 defines it: 4.5 for text. The browser says which colours are in force.
CONTRASTS = """
(() => {
  const channels = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const [r, g, b, a = 1] = channels(getComputedStyle(node).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const node of document.querySelectorAll("main *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || !node.checkVisibility() || node.closest("td.none")) continue;
    const [one, other] = [light(channels(getComputedStyle(node).color)), light(ground(node))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) poor.push(`${node.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return poor;
})()
"""


UNFOLD = "document.querySelectorAll('details').forEach((each) => each.open = true)"


@pytest.fixture(scope="module")
def chromium():
    with browser(PROGRAM) as running:
        yield running


@pytest.fixture
def page(chromium, tmp_path):
    (tmp_path / "conformance.html").write_text(render(mixed()), encoding="utf-8")
    opened = chromium.page()
    opened.look(width=1200)
    opened.open(tmp_path / "conformance.html")
    return opened


PAGES = {
    "mixed": render(mixed()),
    "holding": render(holding()),
    "comparison": comparison.render(compare(holding(), mixed())),
}


@pytest.mark.parametrize("made", PAGES.values(), ids=PAGES)
def test_the_page_asks_for_nothing_and_complains_of_nothing(chromium, tmp_path, made):
    """Pitfall 12."""
    file = tmp_path / "conformance.html"
    file.write_text(made, encoding="utf-8")
    opened = chromium.page()

    opened.open(file)
    assert opened.requests == [file.as_uri()]
    assert opened.complaints == []


def test_a_page_that_asks_and_complains_is_noticed(chromium, tmp_path):
    """The two checks above can fail."""
    file = tmp_path / "bad.html"
    file.write_text("<img src='missing.png'><script>console.error('no')</script>")
    opened = chromium.page()

    opened.open(file)
    assert opened.requests[1].endswith("missing.png")
    assert opened.complaints


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1200])
def test_nothing_is_wider_than_the_window(page, width, dark):
    page.look(width=width, dark=dark)

    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_every_text_stands_out_from_its_ground(page, width, dark):
    page.look(width=width, dark=dark)
    page.evaluate(UNFOLD)

    assert page.evaluate(CONTRASTS) == []


@pytest.mark.parametrize("width", [360, 1200])
def test_a_word_without_end_is_broken(chromium, tmp_path, width):
    word = "devices/{device}/modules/" + "m" * 120
    bad = violation(1, title=word, expected=word, actual=word, observed=word, message=word, id=word)
    made = statement(
        clause(
            f"a.{'b' * 60}", bad, says=word, note=word, accepted=[word], readings=[word], level="disputed"
        ),
        clause("a.observed", case(2, "observed", observed=word, transcript=f"   0.0 ms  c1 → {word}")),
        clause("a.unclaimed", case(3, "not claimed", message=word), reason=word),
        target={"name": word, "host": word},
        profile={"name": word},
    )
    for name, text in (("page", render(made)), ("comparison", comparison.render(compare(holding(), made)))):
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
        opened = chromium.page()
        opened.look(width=width)
        opened.open(tmp_path / f"{name}.html")
        opened.evaluate(UNFOLD)
        assert opened.evaluate("document.documentElement.scrollWidth") == width, name


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_comparison_can_be_read_on_a_phone(page, tmp_path, dark):
    (tmp_path / "comparison.html").write_text(PAGES["comparison"], encoding="utf-8")
    page.look(width=360, dark=dark)

    page.open(tmp_path / "comparison.html")
    page.evaluate(UNFOLD)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate(CONTRASTS) == []


def test_dark_is_dark_and_light_is_light(page):
    grounds = []
    for dark in (False, True):
        page.look(width=800, dark=dark)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert grounds == ["rgb(252, 252, 250)", "rgb(22, 24, 27)"]


def test_text_and_links_are_there(page):
    assert (
        page.evaluate("document.querySelector('h1').innerText")
        == "2 claimed clauses are violated on pretended hub"
    )
    assert "PUBREC packet=1" in page.evaluate("document.body.innerText")
    links = page.evaluate("[...document.querySelectorAll('a.document')].map((each) => each.href)")
    assert len(links) == 11
    assert set(links) == {
        "https://learn.microsoft.com/azure/iot-hub/iot-mqtt-connect-to-iot-hub#small-things"
    }


def test_a_screen_reader_meets_headings_tables_and_words(page):
    page.evaluate(UNFOLD)
    outline = page.outline()

    headings = [name for role, name in outline if role == "heading"]
    assert headings[0] == "2 claimed clauses are violated on pretended hub"
    assert "✕ violation d2c.qos2" not in headings  # the sign is for the eye alone
    assert "violation d2c.qos2" in headings
    for role, name in [
        ("columnheader", "stale deviation"),
        ("rowheader", "All sections"),
        ("radio", "violation 2"),
        ("group", "Show"),
        ("navigation", "Parts of this page"),
        ("table", "Disputed readings seen (1)"),
    ]:
        assert (role, name) in outline, (role, name)


@pytest.mark.parametrize("width", [360, 1200])
def test_tables_stay_tables_at_every_width(page, width):
    page.look(width=width)
    page.evaluate(UNFOLD)

    roles = {role for role, _ in page.outline()}
    assert {"table", "columnheader", "rowheader", "cell"} <= roles


def test_the_keyboard_reaches_links_choices_and_evidence(page):
    page.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the content"
    page.press("Enter")
    assert page.evaluate("location.hash") == "#content"

    page.evaluate("document.getElementById('show-all').focus()")
    page.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "show-violation"
    page.evaluate("document.getElementById('show-all').click()")
    page.evaluate("document.querySelector('[id=\"clause-d2c.topic\"]').closest('details').open = true")
    page.evaluate("document.querySelector('[id=\"clause-d2c.topic\"]').scrollIntoView()")
    page.evaluate("document.querySelector('[id=\"clause-d2c.topic\"] summary').focus()")
    page.press("Enter")
    assert page.evaluate("document.querySelector('[id=\"clause-d2c.topic\"] details').open") is True


def test_the_choice_of_a_verdict_hides_the_rest(page):
    page.evaluate("document.getElementById('show-broken').click()")

    visible = "[...document.querySelectorAll('.clause')].filter((each) => each.checkVisibility())"
    shown = f"{visible}.map((each) => each.id)"
    assert page.evaluate(shown) == ["clause-twin.broken"]
    page.evaluate("location.hash = 'clause-d2c.qos2'")
    assert page.evaluate(shown) == ["clause-d2c.qos2", "clause-twin.broken"]


@pytest.mark.parametrize(
    ("choice", "seen"),
    [
        ("show-pass", ["d2c.topic", "d2c.retain"]),
        ("show-observed", ["d2c.order"]),
        ("show-all", ["d2c.qos2"]),
    ],
)
def test_a_verdict_that_is_chosen_unfolds_its_clauses(page, choice, seen):
    page.evaluate(f"document.getElementById('{choice}').click()")

    visible = "[...document.querySelectorAll('.clause')].filter((each) => each.checkVisibility())"
    shown = page.evaluate(f"{visible}.map((each) => each.id.replace('clause-', ''))")
    assert [each for each in shown if each.startswith("d2c.")] == seen


def test_the_index_of_clauses_finds_one_that_is_folded(page):
    """Without a script: a browser unfolds what holds the target of a link."""
    clause = "document.querySelector('[id=\"clause-d2c.topic\"]')"
    assert page.evaluate(f"{clause}.checkVisibility({{ contentVisibilityAuto: true }})") is False

    page.evaluate("document.querySelector('#index + details').open = true")
    page.evaluate("document.querySelector('.index a[href=\"#clause-d2c.topic\"]').click()")

    page.wait_for(f"{clause}.checkVisibility() && {clause}.matches(':target')")
    assert page.evaluate(f"{clause}.getBoundingClientRect().top") < 900


def test_the_way_back_to_the_top_is_always_there(page):
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for("scrollY > 0")
    place = page.evaluate("JSON.stringify(document.querySelector('.to-top').getBoundingClientRect().bottom)")
    assert 0 < float(place) <= 900

    page.evaluate("document.querySelector('.to-top').click()")
    page.wait_for("document.querySelector('h1').getBoundingClientRect().top >= 0")


def test_print_shows_the_folded_evidence_too(page):
    page.look(width=800, media="print")

    folded = "document.querySelector('[id=\"clause-d2c.topic\"] .case')"
    assert page.evaluate(f"{folded}.getBoundingClientRect().height > 0 && {folded}.checkVisibility()") is True
    assert page.evaluate("document.querySelector('nav').checkVisibility()") is False
