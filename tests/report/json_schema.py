"""Validates JSON against the part of JSON Schema 2020-12 that our schema uses, and refuses any other part."""

from typing import Any

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
SAYS_NOTHING = {"title", "description", "default", "$schema", "$defs"}


def problems(
    value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, place: str = "$"
) -> list[str]:
    """Return one line for each way in which a value does not fit."""
    root = schema if root is None else root
    found: list[str] = []
    for keyword, expected in schema.items():
        found += (
            _KEYWORDS[keyword](value, expected, schema, root, place) if keyword not in SAYS_NOTHING else []
        )
    return found


def _type(value, expected, schema, root, place):
    fits = isinstance(value, TYPES[expected]) and (expected == "boolean" or not isinstance(value, bool))
    return [] if fits else [f"{place}: {value!r} is no {expected}"]


def _enum(value, expected, schema, root, place):
    return [] if value in expected else [f"{place}: {value!r} is none of {expected}"]


def _const(value, expected, schema, root, place):
    return [] if value == expected and type(value) is type(expected) else [f"{place}: is not {expected!r}"]


def _reference(value, expected, schema, root, place):
    *_, name = expected.split("/")
    return problems(value, root["$defs"][name], root, place)


def _any_of(value, expected, schema, root, place):
    tried = [problems(value, each, root, place) for each in expected]
    return [] if [] in tried else [f"{place}: fits none of {len(expected)}", *tried[0]]


def _properties(value, expected, schema, root, place):
    if not isinstance(value, dict):
        return []
    return [
        line
        for name, own in expected.items()
        if name in value
        for line in problems(value[name], own, root, f"{place}.{name}")
    ]


def _additional(value, expected, schema, root, place):
    if not isinstance(value, dict):
        return []
    rest = value.keys() - schema.get("properties", {}).keys()
    if expected is False:
        return [f"{place}: {name!r} is no field of it" for name in sorted(rest)]
    return [line for name in rest for line in problems(value[name], expected, root, f"{place}.{name}")]


def _names(value, expected, schema, root, place):
    return [line for name in value for line in problems(name, expected, root, f"{place} key")]


def _required(value, expected, schema, root, place):
    return [
        f"{place}: {name} is missing" for name in expected if isinstance(value, dict) and name not in value
    ]


def _items(value, expected, schema, root, place):
    return [
        line
        for number, each in enumerate(value)
        for line in problems(each, expected, root, f"{place}[{number}]")
    ]


_KEYWORDS = {
    "type": _type, "enum": _enum, "const": _const, "$ref": _reference, "anyOf": _any_of, "items": _items,
    "properties": _properties, "additionalProperties": _additional, "propertyNames": _names,
    "required": _required,
}  # fmt: skip
