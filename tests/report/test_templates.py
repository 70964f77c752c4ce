"""The templates of pages: no text becomes markup, whatever it holds, and nothing that is missing is empty."""

import re
from pathlib import Path

import pytest
from jinja2 import StrictUndefined, UndefinedError

from conformance.report.html import templating
from conformance.report.html.templating import ENVIRONMENT, TEMPLATES
from conformance.verdict.verdicts import Verdict

FILES = sorted(TEMPLATES.glob("*.html"))
SOURCES = sorted(Path(templating.__file__).parent.glob("*.py"))
# What stands in a tag, Jinja's own parts taken out.
TAG = re.compile(r"<[a-z][^<>]*>")
JINJA = re.compile(r"{%.*?%}|{#.*?#}", re.DOTALL)


def unquoted(markup):
    """Return the tags in which a sign of equality is left without the values that stand in quotes."""
    tags = TAG.findall(re.sub(r"{{.*?}}", "x", JINJA.sub("", markup)))
    return [tag for tag in tags if "=" in re.sub(r'="[^"]*"', "", tag)]


@pytest.mark.parametrize("file", [*FILES, *SOURCES], ids=lambda file: file.name)
def test_no_text_is_declared_to_be_markup(file):
    assert re.findall(r"\|\s*safe\b|Markup|autoescape\s+false|__html__\(", file.read_text()) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_attribute_stands_in_quotes(file):
    assert unquoted(file.read_text()) == []


@pytest.mark.parametrize("tag", ["<a href={{ x }}>", '<a class="y" href={{ x }}>', "<a href='{{ x }}'>"])
def test_an_attribute_without_them_would_be_noticed(tag):
    assert unquoted(tag) == [tag.replace("{{ x }}", "x")]


def test_templates_escape_and_are_strict():
    assert ENVIRONMENT.autoescape is True
    assert ENVIRONMENT.undefined is StrictUndefined


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>&'\"", "&lt;b&gt;&amp;&#39;&#34;"),
        ("\x1b[31m \u202e", "\\x1b[31m \\u202e"),
        (Verdict.STALE_DEVIATION, "stale deviation"),
    ],
)
def test_what_is_shown_is_escaped_and_visible(text, shown):
    assert ENVIRONMENT.from_string("{{ text }}").render(text=text) == shown


def test_what_a_macro_made_is_escaped_once():
    made = ENVIRONMENT.from_string("{% macro m(x) %}<b>{{ x }}</b>{% endmacro %}{{ m(text) }}")

    assert made.render(text="<\x1b>") == "<b>&lt;\\x1b&gt;</b>"


def test_what_is_missing_is_an_error():
    with pytest.raises(UndefinedError):
        ENVIRONMENT.from_string("{{ nowhere }}").render()
    with pytest.raises(TypeError, match="None"):
        ENVIRONMENT.from_string("{{ nothing }}").render(nothing=None)


def test_line_breaks_of_a_template_are_no_text():
    assert ENVIRONMENT.from_string("<p>\n    {{ x }} y\n</p>").render(x="a\nb") == "<p>a\nb y</p>"


def test_the_style_sheet_stands_in_the_page_as_it_is():
    style = (TEMPLATES / "style.css").read_text()

    assert f"<style>{style}</style>" in ENVIRONMENT.get_template("frame.html").render()
