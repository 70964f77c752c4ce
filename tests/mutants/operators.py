"""What a mutation may do to one node of a syntax tree: the operators, and where each applies.

A mutation never edits a file. It is a new expression or statement that takes the node's place when the hub
imports the module, at the node's own line, so that a traceback still names the line that a reader knows.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

OPERATORS: Final = {
    "boundary": "< and <=, > and >= change places",
    "comparison": "a comparison becomes its opposite",
    "negation": "`not` is dropped, or a minus",
    "and/or": "`and` and `or` change places, or one operand is dropped",
    "condition": "a condition is always true, never true, or negated",
    "branches": "the two branches of a conditional expression change places",
    "constant": "a number is one more or one less, a truth value is the other",
    "text": "a text or bytes lose their contents, or have another first character",
    "arithmetic": "an operator becomes its opposite, or one operand is dropped",
    "argument": "an argument is dropped, or two neighbours change places",
    "call": "a conversion is left out: what it was given, or was called on, stands in its place",
    "element": "a display loses an element",
    "slice": "a bound of a slice is one more, one less, or dropped",
    "loop": "a loop ends after its first round, or leaves out the last",
    "return": "a function returns nothing, or the empty value of its type",
    "statement": "a statement is dropped: a call, an assignment to a member, `del`, `raise`, `break`",
    "case": "a case of a `match` never matches",
}

_BOUNDARY: Final = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_OPPOSITE: Final = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ARITHMETIC: Final = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
# Without them a value of the same kind is left; anywhere else the hub would only crash.
_CONVERSIONS: Final = frozenset(
    {
        "bytes",
        "list",
        "tuple",
        "sorted",
        "reversed",
        "set",
        "frozenset",
        "dict",
        "str",
        "int",
        "float",
        "quote",
        "unquote",
    }
)
_METHODS: Final = frozenset(
    {
        "strip",
        "lstrip",
        "rstrip",
        "lower",
        "upper",
        "casefold",
        "copy",
        "removeprefix",
        "removesuffix",
        "replace",
    }
)
_EMPTY: Final = {"list": "[]", "tuple": "()", "dict": "{}", "set": "set()", "frozenset": "frozenset()"} | {
    "str": "''",
    "bytes": "b''",
    "int": "0",
    "float": "0.0",
    "Iterator": "iter(())",
    "Mapping": "{}",
    "Object": "{}",
    "Sequence": "()",
    "Iterable": "()",
}


@dataclass(frozen=True)
class Mutation:
    """One change of one node. `node` takes its place: an expression, or, for a statement, another statement.

    For a case of a `match`, `node` is its new guard. `words` say it to a reader, before → after.
    """

    operator: str
    node: ast.AST
    words: str


@dataclass(frozen=True)
class Place:
    """Where a node stands: its parent, the parent's field, and the function around it."""

    parent: ast.AST
    field: str
    function: ast.FunctionDef | ast.AsyncFunctionDef | None


def mutations(node: ast.AST, place: Place) -> list[Mutation]:
    """Return every mutation of a node, in a fixed order; none where no operator applies."""
    if isinstance(node, ast.match_case):
        return [Mutation("case", _constant(False), f"case {ast.unparse(node.pattern)} → never")]
    if isinstance(node, ast.stmt):
        return list(_of_statement(node, place))
    if not isinstance(node, ast.expr):
        return []
    found = [*_of_expression(node, place), *_by_place(node, place)]
    return [each for each in found if ast.dump(each.node) != ast.dump(node)]


def _of_expression(node: ast.expr, place: Place) -> Iterator[Mutation]:  # noqa: C901 - a case for each kind
    match node:
        case ast.Compare():
            yield from _of_comparison(node)
        case ast.BoolOp():
            yield from _of_bool(node)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield _mutation("negation", node, operand)
        case ast.IfExp(test, body, orelse):
            yield _mutation("branches", node, ast.IfExp(test, orelse, body))
        case ast.Constant(value):
            yield from (_mutation(name, node, new) for name, new in _of_constant(value))
        case ast.BinOp():
            yield from _of_arithmetic(node)
        case ast.Call():
            yield from _of_call(node)
        case ast.List(elts) | ast.Set(elts):
            yield from _without_an_element(node, elts)
        case ast.Tuple(elts) if not _is_unpacked(place):
            yield from _without_an_element(node, elts)
        case ast.Dict(keys, values):
            for at in range(len(keys)):
                yield _mutation("element", node, ast.Dict(_without(keys, at), _without(values, at)))


def _of_comparison(node: ast.Compare) -> Iterator[Mutation]:
    for at, operator in enumerate(node.ops):
        for name, table in (("boundary", _BOUNDARY), ("comparison", _OPPOSITE)):
            if type(operator) in table:
                ops = [*node.ops[:at], table[type(operator)](), *node.ops[at + 1 :]]
                yield _mutation(name, node, ast.Compare(node.left, ops, node.comparators))


def _of_bool(node: ast.BoolOp) -> Iterator[Mutation]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield _mutation("and/or", node, ast.BoolOp(other, node.values))
    for at in range(len(node.values)):
        left = _without(node.values, at)
        yield _mutation("and/or", node, left[0] if len(left) == 1 else ast.BoolOp(node.op, left))


def _of_constant(value: object) -> Iterator[tuple[str, ast.AST]]:
    match value:
        case bool():
            yield "constant", _constant(not value)
        case int() | float():
            yield from (("constant", _constant(value + step)) for step in (1, -1))
        case "" | b"":
            yield "text", _constant("x" if value == "" else b"x")
        case str():
            yield from (("text", _constant(new)) for new in ("", chr(ord(value[0]) ^ 1) + value[1:]))
        case bytes():
            yield from (("text", _constant(new)) for new in (b"", bytes((value[0] ^ 1,)) + value[1:]))


def _of_arithmetic(node: ast.BinOp) -> Iterator[Mutation]:
    sides = (node.left, node.right)
    joins = isinstance(node.op, ast.Add) and any(map(_is_text_or_display, sides))
    formats = isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant)
    # `|` of two mappings has no opposite; of two numbers it has one.
    merges = isinstance(node.op, ast.BitOr) and not any(map(_is_number, sides))
    if type(node.op) in _ARITHMETIC and not (joins or formats or merges):
        yield _mutation("arithmetic", node, ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right))
    yield from (_mutation("arithmetic", node, side) for side in sides)


def _of_call(node: ast.Call) -> Iterator[Mutation]:
    args, keywords = node.args, node.keywords
    name = _name(node.func)
    for at in range(len(keywords)):
        yield _mutation("argument", node, ast.Call(node.func, args, _without(keywords, at)))
    is_class = name.lstrip("_")[:1].isupper()
    if len(args) > 1 and not is_class:
        yield _mutation("argument", node, ast.Call(node.func, args[:-1], keywords))
    for at in range(len(args) - 1):
        swapped = [*args[:at], args[at + 1], args[at], *args[at + 2 :]]
        yield _mutation("argument", node, ast.Call(node.func, swapped, keywords))
    if name in _CONVERSIONS and args and not isinstance(args[0], ast.Starred | ast.GeneratorExp):
        yield _mutation("call", node, args[0])
    if name in _METHODS and isinstance(node.func, ast.Attribute):
        yield _mutation("call", node, node.func.value)


def _without_an_element(node: ast.List | ast.Set | ast.Tuple, elements: list[ast.expr]) -> Iterator[Mutation]:
    for at in range(len(elements)):
        left = _without(elements, at)
        if left or not isinstance(node, ast.Set):
            display = ast.Set(left) if isinstance(node, ast.Set) else type(node)(left, ast.Load())
            yield _mutation("element", node, display)


def _by_place(node: ast.expr, place: Place) -> Iterator[Mutation]:
    """Yield what is changed because of where an expression stands: as a condition, a bound, a result."""
    match place.parent, place.field:
        case (ast.If() | ast.IfExp() | ast.While() | ast.match_case(), "test" | "guard") | (
            ast.comprehension(),
            "ifs",
        ):
            if not isinstance(place.parent, ast.While):  # it would never end
                yield _mutation("condition", node, _constant(True))
            yield _mutation("condition", node, _constant(False))
            yield _mutation("condition", node, ast.UnaryOp(ast.Not(), node))
        case ast.Slice(), "lower" | "upper":
            yield _mutation("slice", node, ast.BinOp(node, ast.Add(), _constant(1)))
            yield _mutation("slice", node, ast.BinOp(node, ast.Sub(), _constant(1)))
            yield _mutation("slice", node, _constant(None))
        case (ast.For(), "iter") | (ast.comprehension(is_async=0), "iter"):
            for rounds in ("[:1]", "[:-1]"):
                listed = ast.parse(f"list(_){rounds}", mode="eval").body
                assert isinstance(listed, ast.Subscript)
                assert isinstance(listed.value, ast.Call)
                listed.value.args[:] = [node]
                yield _mutation("loop", node, listed)
        case ast.Return(), "value":
            yield from (_mutation("return", node, empty) for empty in _empty_results(node, place.function))


def _empty_results(
    node: ast.expr, function: ast.FunctionDef | ast.AsyncFunctionDef | None
) -> Iterator[ast.expr]:
    """Yield what the function may return in place of a value, by its annotation."""
    annotation = None if function is None else function.returns
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    for kind in _alternatives(annotation):
        name = _name(kind.value if isinstance(kind, ast.Subscript) else kind)
        if isinstance(kind, ast.Constant) and kind.value is None:
            yield _constant(None)
        elif name == "bool":
            yield ast.UnaryOp(ast.Not(), node)
        elif name in _EMPTY:
            yield ast.parse(_EMPTY[name], mode="eval").body


def _alternatives(annotation: ast.expr | None) -> Iterator[ast.expr]:
    match annotation:
        case ast.BinOp(left, ast.BitOr(), right):
            yield from (*_alternatives(left), *_alternatives(right))
        case ast.expr():
            yield annotation


def _of_statement(node: ast.stmt, place: Place) -> Iterator[Mutation]:
    match node:
        case ast.Expr(value) if not isinstance(value, ast.Constant):
            yield _dropped(node)
        case (
            ast.Assign(targets=[ast.Attribute() | ast.Subscript()])
            | ast.AnnAssign(target=ast.Attribute() | ast.Subscript(), value=ast.expr())
        ):
            # A member that was never set is a crash, not a mistake.
            if place.function is not None and place.function.name != "__init__":
                yield _dropped(node)
        case ast.AugAssign(target, operator, value):
            yield _dropped(node)
            if (
                type(operator) in _ARITHMETIC
                and not isinstance(operator, ast.BitOr)
                and not _is_text_or_display(value)
            ):
                other = ast.AugAssign(target, _ARITHMETIC[type(operator)](), value)
                yield _mutation("arithmetic", node, other)
        case ast.Delete() | ast.Raise() | ast.Break() | ast.Continue():
            yield _dropped(node)


def _dropped(node: ast.stmt) -> Mutation:
    # It stays behind a condition: a generator without its only `yield` would be another thing altogether.
    return Mutation("statement", ast.If(_constant(False), [node], []), f"{_line(node)} → nothing")


def _mutation(operator: str, before: ast.AST, after: ast.AST) -> Mutation:
    return Mutation(operator, after, f"{_line(before)} → {_line(after)}")


def _line(node: ast.AST) -> str:
    text = " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split())
    return text if len(text) <= 90 else f"{text[:87]}..."


def _constant(value: object) -> ast.Constant:
    return ast.Constant(value)


def _without(items: list, at: int) -> list:
    return [*items[:at], *items[at + 1 :]]


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
    return ""


def _is_text_or_display(node: ast.expr) -> bool:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    return is_text or isinstance(node, ast.JoinedStr | ast.List | ast.Tuple | ast.ListComp)


def _is_number(node: ast.expr) -> bool:
    is_shift = isinstance(node, ast.BinOp) and isinstance(node.op, ast.LShift | ast.RShift | ast.BitAnd)
    return is_shift or (isinstance(node, ast.Constant) and isinstance(node.value, int))


def _is_unpacked(place: Place) -> bool:
    """Tell whether as many names wait for a tuple's elements, or a caller does."""
    parent = place.parent
    unpacks = isinstance(parent, ast.Assign) and any(isinstance(each, ast.Tuple) for each in parent.targets)
    return (
        unpacks or place.field in {"slice", "targets", "target"} or isinstance(parent, ast.Return | ast.Yield)
    )
