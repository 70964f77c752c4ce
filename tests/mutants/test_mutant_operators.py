"""Each operator, shown on a line of code."""

import ast

import pytest
from operators import OPERATORS
from patching import mutated, probed
from sites import sites

FUNCTION = "def f(a, b, c) -> {returns}:\n    {line}\n"


def made(line, operator, returns="object"):
    """Return what an operator makes of a function's only line."""
    source = FUNCTION.format(line=line, returns=returns)
    return [
        change.words
        for site in sites("m.py", source)
        for change in site.mutations
        if change.operator == operator
    ]


@pytest.mark.parametrize(
    ("operator", "line", "words"),
    [
        ("boundary", "g(a < b)", ["a < b → a <= b"]),
        ("comparison", "g(a in b)", ["a in b → a not in b"]),
        ("negation", "g(not a)", ["not a → a"]),
        ("and/or", "g(a and b)", ["a and b → a or b", "a and b → b", "a and b → a"]),
        ("condition", "return a if b else c", ["b → True", "b → False", "b → not b"]),
        ("branches", "return a if b else c", ["a if b else c → c if b else a"]),
        ("constant", "g(5, True)", ["5 → 6", "5 → 4", "True → False"]),
        ("text", "g('ab', b'')", ["'ab' → ''", "'ab' → '`b'", "b'' → b'x'"]),
        ("arithmetic", "g(a - b)", ["a - b → a + b", "a - b → a", "a - b → b"]),
        ("argument", "g(a, b)", ["g(a, b) → g(a)", "g(a, b) → g(b, a)"]),
        ("argument", "g(a, c=c)", ["g(a, c=c) → g(a)"]),
        ("call", "g(a.lower(), tuple(b))", ["a.lower() → a", "tuple(b) → b"]),
        ("element", "g([a, *b])", ["[a, *b] → [*b]", "[a, *b] → [a]"]),
        ("slice", "g(a[b:])", ["b → b + 1", "b → b - 1", "b → None"]),
        ("loop", "g(a for a in b)", ["b → list(b)[:1]", "b → list(b)[:-1]"]),
        ("statement", "a.b = c", ["a.b = c → nothing"]),
        ("statement", "raise a", ["raise a → nothing"]),
    ],
)  # fmt: skip
def test_an_operator_changes_what_it_says(operator, line, words):
    assert made(line, operator) == words


@pytest.mark.parametrize(
    ("returns", "words"),
    [
        ("bool", ["a → not a"]),
        ("list[int]", ["a → []"]),
        ("str | None", ["a → ''", "a → None"]),
        ("Session", []),
    ],
)
def test_a_result_is_emptied_by_its_type(returns, words):
    """None where the type has no empty value: a caller would only crash."""
    assert made("return a", "return", returns) == words


def test_a_case_of_a_match_is_dropped():
    source = "match a:\n    case 1:\n        b()\n    case _:\n        c()\n"

    words = [
        change.words
        for site in sites("m.py", source)
        for change in site.mutations
        if change.operator == "case"
    ]

    assert words == ["case 1 → never", "case _ → never"]


def test_every_operator_has_its_line_here():
    """So that one that is listed cannot be without effect."""
    (mark,) = test_an_operator_changes_what_it_says.pytestmark
    shown = {operator for operator, _, _ in mark.args[1]}

    assert shown | {"return", "case"} == set(OPERATORS)


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""\n',
        "def f(a: 'str') -> 'int': ...\n",
        "@dataclass(frozen=True)\nclass A: ...\n",
        "Either = A | B\n",
        "Word = Literal['a', 'b']\n",
        "log.info('%s', a + 1)\n",
        "if is_traced:\n    log.debug('%s', a)\n",
        "from a import b\n",
    ],
)
def test_what_has_no_effect_for_a_client_is_not_mutated(source):
    """Docstrings, types, decorators, the log."""
    assert sites("m.py", source) == []


SOURCE = "def f(a):\n    b = a + 1\n    if b > 5:\n        return f'{b}!'\n    return 'few'\n"


def values(tree, **names):
    """Run the module and return what its function makes of some numbers."""
    space = dict(names)
    exec(compile(tree, "m.py", "exec"), space)
    return [space["f"](number) for number in (3, 4, 5)]


def change(words):
    """Return the site and the number of the change that is described so."""
    return next(
        (site, number)
        for site in sites("m.py", SOURCE)
        for number, change in enumerate(site.mutations)
        if change.words == words
    )


def test_a_mutant_acts_where_its_trigger_holds():
    tree = mutated(SOURCE, *change("b > 5 → b >= 5"))

    assert values(tree, __mutant_trigger__=lambda: True) == ["few", "5!", "6!"]
    assert values(tree, __mutant_trigger__=lambda: False) == ["few", "few", "6!"]


def test_a_text_inside_a_formatted_one_is_mutated_too():
    tree = mutated(SOURCE, *change("'!' → ''"))

    assert values(tree, __mutant_trigger__=lambda: True) == ["few", "few", "6"]


def test_a_probe_tells_which_nodes_were_reached_and_changes_nothing():
    found = sites("m.py", SOURCE)
    seen = set()
    tree = probed(SOURCE, found, {site.number: site.number for site in found})

    assert values(tree, __mutant_probe__=lambda number: seen.add(number) is None) == ["few", "few", "6!"]
    assert seen == {site.number for site in found}


def test_what_a_mutant_changes_keeps_its_line():
    """A traceback of the hub names the line that a reader knows."""
    site, number = change("b > 5 → b >= 5")
    tree = mutated(SOURCE, site, number)

    lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.If | ast.IfExp | ast.Return)]
    assert (site.line, sorted(lines)) == (3, [3, 3, 4, 5])
