"""Turn what pydantic says about a TOML file into lines that a person can act on.

One line for each problem: file, key in TOML's own spelling, what is wrong, the next step. No value is quoted,
because a value in the wrong place may be a secret; keys and the words of a closed list are.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

_KINDS = {
    "missing": "missing; profiles/README.md explains every key",
    "too_short": "must not be empty",
    "string_type": "must be a text, in quotes",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number, without quotes",
    "bool_type": "must be true or false, without quotes",
    "date_type": "must be a date without quotes, such as 2027-06-30",
    "date_from_datetime_inexact": "must be a date without a time, such as 2027-06-30",
    "list_type": "must be a list: [...]",
    "tuple_type": "must be a list: [...]",
    "frozen_set_type": "must be a list: [...]",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
}
_BOUNDS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
_BOUND_WORDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}


def lines(file: str, error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return one line for each problem of a file that was validated as `model`."""
    return [
        f"{file}: {_place(problem['loc'], model)}: {_sentence(problem, model)}"
        for problem in error.errors(include_url=False, include_input=False)
    ]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` where a known word is close, or the list of known words."""
    choices = sorted(known)
    close = difflib.get_close_matches(word, choices, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known are: {', '.join(choices)}."


def _place(path: Sequence[int | str], model: type[BaseModel]) -> str:
    """Write a path as TOML does: ``[target] host``, ``[[identity]] number 2 secondary-key``, ``schema``."""
    head, *rest = path or ("the file",)
    if not rest and not isinstance(_table_at((head,), model), type):
        return str(head)
    if rest and isinstance(rest[0], int):
        head_text, rest = f"[[{head}]] number {rest[0] + 1}", rest[1:]
    else:
        head_text = f"[{head}]"
    words = [f"entry {part + 1}" if isinstance(part, int) else str(part) for part in rest]
    return " ".join([head_text, *words])


def _sentence(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    kind, context = str(problem["type"]), problem.get("ctx", {})
    if kind == "extra_forbidden":
        *table, key = problem["loc"]
        return f"unknown key; {did_you_mean(str(key), _keys(_table_at(table, model)))}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"must be {context['expected']}; this version reads no other."
    if kind in _BOUNDS:
        bound = _BOUNDS[kind]
        return f"must be {_BOUND_WORDS[bound]} {context[bound]:g}."
    return _KINDS.get(kind, str(problem["msg"])) + "."


def _keys(table: object) -> list[str]:
    if isinstance(table, type) and issubclass(table, BaseModel):
        return [field.alias or name for name, field in table.model_fields.items()]
    return []


def _table_at(path: Sequence[int | str], model: type[BaseModel]) -> object:
    """Return the model that validates the table at this path, or None where there is no table."""
    table: object = model
    for part in path:
        if isinstance(part, int):
            continue
        if not (isinstance(table, type) and issubclass(table, BaseModel)):
            return None
        field = next((f for name, f in table.model_fields.items() if part in {name, f.alias}), None)
        table = None if field is None else _model_in(field.annotation)
    return table


def _model_in(annotation: object) -> object:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found is not None:
            return found
    return None
