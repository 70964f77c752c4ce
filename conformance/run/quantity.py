"""What an assertion compares, in words, read from the test's own source. Pure.

A test of the suite reads as its requirement: ``assert telemetry.next(sent_by=device).body == b"21.5"`` speaks
of the body of the message at the back end. These words stand in front of both sides of what differs, so that
a reader of a report need not open the test.
"""

import ast
from collections.abc import Mapping
from functools import cache, singledispatchmethod
from pathlib import Path
from typing import Final

# What the verbs of the suite return, where their names alone would not say it.
NOUNS: Final = {
    "arrivals": "what reached the back end of the Will",
    "at_the_back_end": "the twin at the back end",
    "answer": "what the hub answered",
    "attempt": "what came of CONNECT",
    "complete_exchanges": "request ids",
    "connect": "the session",
    "expect_accepted": "the session",
    "expect_message": "the message that the device got",
    "expect": "the feedback",
    "first_refusal": "the first answer that is a refusal",
    "get": "the answer to GET",
    "get_since": "the answer to GET",
    "get_all": "the answers to GET",
    "heard": "what the device heard",
    "heard_until": "what the device heard",
    "messages_until": "the messages that the device got",
    "next": "the message at the back end",
    "next_answer": "the answer about the twin",
    "next_change": "the notification of desired properties",
    "next_changes": "the notifications of desired properties",
    "next_request": "the request that the called device got",
    "now": "what is there now",
    "outcome": "what came next",
    "outcome_within": "what the caller got in time",
    "payloads_until": "the messages that the device got",
    "pending": "the messages that waited",
    "poll": "the message at the back end",
    "probe": "what came of it",
    "received_for": "the feedback",
    "report_each": "the answers to the updates of reported properties",
    "report": "the answer to the update of reported properties",
    "result": "the answer that the caller got",
    "subscribe": "the QoS granted",
    "take": "the packets that came",
    "take_messages": "the messages at the back end",
    "until_fence": "what reached the back end",
    "until_no_will_is_due": "what reached the back end",
}
# The same verb, of another fixture.
NOUNS_OF: Final = {
    "connection_events": {"next": "the event of a connection"},
    "contents": {"now": "the twin from both sides", "since": "the twin from both sides"},
    "events": {"next": "the event"},
    "methods": {"outcome": "what the caller of the method got"},
    "registry": {"get": "the identity in the registry"},
    "telemetry": {"take": "the messages at the back end"},
    "twins": {"get": "the twin at the back end", "patch": "the update of the twin by the back end"},
}
# What these attributes hold, where their names alone would not say it.
ATTRIBUTES: Final = {
    "application": "application properties",
    "desired": "desired properties",
    "document": "body",
    "dup": "DUP",
    "qos": "QoS",
    "reported": "reported properties",
    "reported_members": "reported properties",
    "retain": "RETAIN",
    "system": "system properties",
}
# They change the form of a value, not what it is.
FORMS: Final = frozenset({"abs", "dict", "list", "repr", "set", "sorted", "str", "tuple"})
FORMS_OF: Final = frozenset(
    {"items", "lower", "partition", "replace", "rpartition", "split", "strip", "values"}
)
# Claims about a text, as verbs of a sentence.
CLAIMS: Final = {"startswith": "begins with", "endswith": "ends with", "isdecimal": "is a number"}
LONGEST: Final = 120


class Source:
    """The assertion that stands at a line of a test, and what its names stand for."""

    def __init__(self, statement: ast.Assert, names: Mapping[str, ast.expr]) -> None:
        self._test = statement.test
        self._names = names

    @property
    def quantities(self) -> list[str]:
        """What the hub did, in words; several where the test compares several values at once."""
        match self._test:
            case ast.Compare(left=ast.Tuple(elts=parts)) | ast.Compare(left=ast.List(elts=parts)):
                return [self._words(part) for part in parts]
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[right]):
                return [self._words(left if self.is_choice else right)]
            case ast.Compare(left=left, comparators=others):
                return [" and ".join(dict.fromkeys(map(self._words, (left, *others[:-1]))))]
            case test:
                return [self._words(test)]

    @property
    def is_choice(self) -> bool:
        """Whether it asks for one of several values: ``code in (4, 5)``, and not ``"tags" in body``."""
        match self._test:
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()]):
                return not isinstance(left, ast.Constant | ast.JoinedStr)
            case _:
                return False

    @property
    def claim(self) -> tuple[str, str] | None:
        """Of an assertion without comparison: what it asks about, and the claim; None of any other."""
        match self._test:
            case ast.Compare():
                return None
            case ast.Call(func=ast.Attribute(value=value, attr=verb), args=arguments):
                return self._words(value), claimed(verb, arguments)
            case test:
                return self._words(test), "is true"

    @property
    def subjects(self) -> list[str]:
        """The names of the test's own that it speaks of, in the order of the text."""
        return list(dict.fromkeys(each.id for each in ast.walk(self._test) if isinstance(each, ast.Name)))

    def _words(self, node: ast.expr) -> str:
        if _is_literal(node):
            return ""  # it is its own name
        words = _Words(self._names).of(node)
        return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


class _Words:
    """Puts an expression into words; `names` are those that are not yet on the way to it."""

    def __init__(self, names: Mapping[str, ast.expr]) -> None:
        self._names = names

    @singledispatchmethod
    def of(self, node: ast.expr) -> str:
        """Return the words; the source itself where there are none."""
        return ast.unparse(node)

    @of.register
    def _(self, node: ast.Name) -> str:
        meant = self._names.get(node.id)
        if meant is None or _is_literal(meant) or _says_less(meant):
            return node.id.replace("_", " ")
        return _Words({other: what for other, what in self._names.items() if other != node.id}).of(meant)

    @of.register
    def _(self, node: ast.Attribute) -> str:
        if node.attr.startswith("__") or node.attr == "values":
            return self.of(node.value)
        return f"{ATTRIBUTES.get(node.attr, node.attr.replace('_', ' '))} of {self.of(node.value)}"

    @of.register
    def _(self, node: ast.Subscript) -> str:
        match node.slice:
            case ast.Constant(value=str() as name):
                return f"`{name}` in {self.of(node.value)}"
            case _:
                return self.of(node.value)

    @of.register
    def _(self, node: ast.Starred) -> str:
        return self.of(node.value)

    @of.register(ast.ListComp | ast.SetComp | ast.GeneratorExp)
    def _(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> str:
        return self._of_each(node.elt, node.generators)

    @of.register
    def _(self, node: ast.DictComp) -> str:
        return self._of_each(node.value, node.generators)

    @of.register(ast.Tuple | ast.List | ast.Set)
    def _(self, node: ast.Tuple | ast.List | ast.Set) -> str:
        return " and ".join(dict.fromkeys(map(self.of, node.elts))) or ast.unparse(node)

    @of.register
    def _(self, node: ast.Dict) -> str:
        return " and ".join(dict.fromkeys(map(self.of, node.values))) or ast.unparse(node)

    @of.register
    def _(self, node: ast.JoinedStr) -> str:
        parts = [each.value for each in node.values if isinstance(each, ast.FormattedValue)]
        return "; ".join(map(self.of, parts)) or ast.unparse(node)

    @of.register
    def _(self, node: ast.BinOp) -> str:
        return self.of(node.right if isinstance(node.left, ast.Constant | ast.Set) else node.left)

    @of.register
    def _(self, node: ast.Compare) -> str:
        return f"that {ast.unparse(node)}"

    @of.register
    def _(self, node: ast.Call) -> str:
        match node.func, node.args:
            case ast.Name(id="stage"), [step, *arguments]:
                return self.of(ast.Call(step, arguments, []))
            case ast.Name(id="len"), [value]:
                is_set = isinstance(value, ast.SetComp) or ast.unparse(value).startswith("set(")
                return f"the number of {'different ' if is_set else ''}{self.of(value).removeprefix('the ')}"
            case ast.Name(id=name), [value, *_] if name in FORMS:
                return self.of(value)
            case ast.Name(id=name), arguments:
                of = f" of {self.of(arguments[0])}" if arguments else ""
                return NOUNS.get(name) or name.removesuffix("_of").replace("_", " ") + of
            case ast.Attribute(value=value, attr=verb), arguments:
                return self._of_verb(value, verb, arguments)
            case _:
                return ast.unparse(node)

    def _of_each(self, element: ast.expr, rows: list[ast.comprehension]) -> str:
        each = {row.target.id: row.iter for row in rows if isinstance(row.target, ast.Name)}
        return _Words({**self._names, **each}).of(element)

    def _of_verb(self, value: ast.expr, verb: str, arguments: list[ast.expr]) -> str:
        fixture = value.id if isinstance(value, ast.Name) else ""
        match verb, arguments:
            case "get", [ast.Constant(value=str() as name), *_]:
                return f"`{name}` in {self.of(value)}"
            case _ if verb in CLAIMS:
                return f"that {self.of(value)} {claimed(verb, arguments)}"
            case _ if verb.startswith("attempt_to_"):
                return f"what came of the {verb.replace('_', ' ')}"
            case _ if verb in NOUNS_OF.get(fixture, {}):
                return NOUNS_OF[fixture][verb]
            case _ if verb in FORMS_OF or (verb == "get" and arguments):
                return self.of(value)
            case _:
                return NOUNS.get(verb) or f"{verb.replace('_', ' ')} of {self.of(value)}"


def _says_less(node: ast.expr) -> bool:
    """Tell whether an expression says less than the name that a test gave to its value."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=fixture), attr=verb)):
            known = verb in NOUNS or verb in NOUNS_OF.get(fixture, {}) or verb in FORMS_OF or verb in CLAIMS
            return not known and not verb.startswith("attempt_to_")
        case _:
            return False


def _is_literal(node: ast.expr) -> bool:
    return not any(isinstance(each, ast.Name) for each in ast.walk(node))


def claimed(verb: str, arguments: list[ast.expr]) -> str:
    """Return a claim about a text as the rest of a sentence: ``begins with 'http 4'``."""
    return " ".join([CLAIMS.get(verb, verb.replace("_", " ")), *map(ast.unparse, arguments)])


def source_at(file: str, line: int) -> Source | None:
    """Return the assertion at a line of a file; None where there is none, or no source."""
    for function in _functions(file):
        found = next(
            (
                each
                for each in ast.walk(function)
                if isinstance(each, ast.Assert) and each.lineno <= line <= (each.end_lineno or each.lineno)
            ),
            None,
        )
        if found is not None:
            return Source(found, _names(function, found.lineno))
    return None


@cache
def _functions(file: str) -> list[ast.FunctionDef]:
    try:
        module = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    return [each for each in ast.walk(module) if isinstance(each, ast.FunctionDef)]


def _names(function: ast.FunctionDef, line: int) -> dict[str, ast.expr]:
    """Return what each name of a test was set to last before a line."""
    names: dict[str, ast.expr] = {}
    for each in ast.walk(function):
        if isinstance(each, ast.Assign) and each.lineno < line and isinstance(each.targets[0], ast.Name):
            names[each.targets[0].id] = each.value
    return names
