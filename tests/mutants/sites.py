"""Which nodes of the hub may be mutated: the modules, the parts that are left out, and each node's place.

A node is known by its module and its number in `ast.walk`. Both are the same on every machine with one
version of Python and one commit.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from operators import Mutation, Place, mutations

HUB: Final = "iothub_emulator"
# The back end's protocols, the start, and the log: what a device meets is elsewhere.
LEFT_OUT: Final = (
    "amqp/",
    "rest/",
    "mqtt/wire_log.py",
    "__main__.py",
    "banner.py",
    "command_line.py",
    "event_document.py",  # of `monitor`, a program of its own
    "loading.py",
    "monitor.py",
    "options.py",
    "ready.py",
    "serving.py",
    "settings.py",
)
_LOG: Final = "log"
# What names a type for a checker and has no effect at run time.
_TYPES: Final = frozenset({"TypeVar", "Literal", "cast", "Generic", "Callable"})
# Types, patterns, names that are bound, and what a definition is made of.
_WITHOUT_EFFECT: Final[dict[type[ast.AST], tuple[str, ...]]] = {
    ast.FunctionDef: ("decorator_list", "returns"),
    ast.AsyncFunctionDef: ("decorator_list", "returns"),
    ast.ClassDef: ("decorator_list", "bases", "keywords"),
    ast.arg: ("annotation",),
    ast.AnnAssign: ("annotation", "target"),
    ast.Assign: ("targets",),
    ast.AugAssign: ("target",),
    ast.For: ("target",),
    ast.comprehension: ("target",),
    ast.match_case: ("pattern",),
    ast.FormattedValue: ("format_spec",),
}


@dataclass(frozen=True)
class Site:
    """A node that may be mutated.

    `module` is its file below the hub's folder, `number` its own in `ast.walk`.
    """

    module: str
    number: int
    line: int
    function: str
    """Dotted; empty for what runs when the module is imported."""
    mutations: tuple[Mutation, ...]


def modules(checkout: Path) -> list[str]:
    """Return the files of the hub that may be mutated, below its folder."""
    folder = checkout / HUB
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.py"))
    return [file for file in files if not file.startswith(LEFT_OUT) and not file.endswith("__init__.py")]


def sites(module: str, source: str) -> list[Site]:
    """Return what may be mutated in a module."""
    tree = ast.parse(source)
    places = {id(node): (place, name) for node, place, name in _walk(tree, Place(tree, "body", None), "")}
    found = []
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in places:
            place, name = places[id(node)]
            changes = tuple(mutations(node, place))
            if changes:
                found.append(Site(module, number, _line(node), name, changes))
    return found


def _line(node: ast.AST) -> int:
    return node.pattern.lineno if isinstance(node, ast.match_case) else getattr(node, "lineno", 0)


def _walk(node: ast.AST, place: Place, name: str) -> Iterator[tuple[ast.AST, Place, str]]:
    """Yield each node that has an effect while the hub runs, with its place and the name of its function."""
    if _has_no_effect(node, place):
        return
    yield node, place, name
    function, inside = place.function, name
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        inside = f"{name}.{node.name}".lstrip(".")
        function = None if isinstance(node, ast.ClassDef) else node
    for field, value in ast.iter_fields(node):
        if field in _WITHOUT_EFFECT.get(type(node), ()):
            continue
        # Defaults are made where the function is defined, once.
        outside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and field == "args"
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                at = Place(node, field, place.function if outside else function)
                yield from _walk(child, at, name if outside else inside)


def _has_no_effect(node: ast.AST, place: Place) -> bool:
    match node:
        case ast.Expr(ast.Constant(str())) | ast.If(ast.Name("TYPE_CHECKING")):
            return True
        case ast.Call(ast.Name(name)) | ast.Subscript(ast.Name(name)) if name in _TYPES:
            return True
        case ast.BinOp(op=ast.BitOr()) if place.function is None and isinstance(place.parent, ast.Assign):
            return _is_type(node)  # `Effect = Send | Close`
    return _only_logs(node)


def _only_logs(node: ast.AST) -> bool:
    match node:
        case ast.Call(ast.Attribute(ast.Name(name))) | ast.Expr(ast.Call(ast.Attribute(ast.Name(name)))):
            return name in {_LOG, "logging"}
        case ast.If(body=body, orelse=[]):
            return all(map(_only_logs, body))
    return False


def _is_type(node: ast.expr) -> bool:
    match node:
        case ast.BinOp(left, ast.BitOr(), right):
            return _is_type(left) and _is_type(right)
        case ast.Name() | ast.Attribute() | ast.Subscript() | ast.Constant(None):
            return True
    return False
