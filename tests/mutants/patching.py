"""A module's syntax tree with one node changed, or with a probe at each node that may be.

Nothing moves: what takes a node's place has that node's line.
"""

import ast
import copy
from collections.abc import Iterable
from typing import Final

from sites import Site

# What the changed module calls; the program that runs the hub puts both among the built-in names.
TRIGGER: Final = "__mutant_trigger__"
PROBE: Final = "__mutant_probe__"


def mutated(source: str, site: Site, change: int) -> ast.Module:
    """Return the tree with one mutation of one node, in force where `TRIGGER` says so; it is asked each time.

    A plain mutant is one whose trigger is always true.
    """
    tree = ast.parse(source)
    node = list(ast.walk(tree))[site.number]
    new = copy.deepcopy(site.mutations[change].node)
    if isinstance(node, ast.match_case):
        never = ast.UnaryOp(ast.Not(), _call(TRIGGER))
        node.guard = never if node.guard is None else ast.BoolOp(ast.And(), [node.guard, never])
        _place(node.guard, node.pattern)
        return ast.fix_missing_locations(tree)
    old = copy.deepcopy(node)
    both: ast.AST
    if isinstance(node, ast.stmt):
        both = ast.If(_call(TRIGGER), [new], [old])
    else:
        both = ast.IfExp(_call(TRIGGER), new, old)
    _replace(_parents(tree), node, both)
    return ast.fix_missing_locations(tree)


def probed(source: str, found: Iterable[Site], numbers: dict[int, int]) -> ast.Module:
    """Return the tree with a call of `PROBE` before each node that may be mutated.

    `numbers` gives the number that the probe says for each site's own. The probe returns True.
    """
    tree = ast.parse(source)
    nodes, parents = list(ast.walk(tree)), _parents(tree)
    for site in found:
        node = nodes[site.number]
        call = _call(PROBE, ast.Constant(numbers[site.number]))
        if isinstance(node, ast.match_case):
            node.guard = ast.BoolOp(ast.And(), [call, node.guard or ast.Constant(True)])
            _place(node.guard, node.pattern)
        elif isinstance(node, ast.stmt):
            _replace(parents, node, ast.If(call, [node], []))
        else:
            _replace(parents, node, ast.BoolOp(ast.And(), [call, node]))
    return ast.fix_missing_locations(tree)


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])


def _parents(tree: ast.Module) -> dict[int, ast.AST]:
    return {id(child): parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}


def _replace(parents: dict[int, ast.AST], old: ast.AST, new: ast.AST) -> None:
    parent = parents[id(old)]
    # Inside a formatted text a constant stands bare; an expression stands in braces.
    put = ast.FormattedValue(new, -1) if isinstance(parent, ast.JoinedStr) else new
    for field, value in ast.iter_fields(parent):
        if value is old:
            setattr(parent, field, put)
        elif isinstance(value, list):
            value[:] = [put if each is old else each for each in value]
    _place(put, old)


def _place(new: ast.AST, old: ast.AST) -> None:
    """Give what is new the line of what was there."""
    for node in ast.walk(new):
        if not hasattr(node, "lineno") and "lineno" in node._attributes:
            ast.copy_location(node, old)
