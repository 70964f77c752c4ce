"""Reading JSON documents field by field: absent and null mean the default, another type is malformed."""

from typing import Any

from iothub_emulator.rest.errors import malformed


def object_of(value: Any, what: str) -> dict[str, Any]:
    """Return a JSON object; `Refused` names `what` if it is none."""
    if not isinstance(value, dict):
        raise malformed(f"{what} is not a JSON object.")
    return value


def part(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object inside another; absent and null mean empty."""
    value = fields.get(name)
    return {} if value is None else object_of(value, name)


def text(fields: dict[str, Any], name: str) -> str | None:
    """Return a string of an object; absent and null mean None."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise malformed(f"{name} is not a string.")
    return value


def texts(fields: dict[str, Any], name: str) -> tuple[str, ...] | None:
    """Return a list of strings of an object; absent and null mean None."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise malformed(f"{name} is not an array of strings.")
    return tuple(value)


def flag(fields: dict[str, Any], name: str) -> bool:
    """Return a boolean of an object; absent and null mean False."""
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise malformed(f"{name} is neither true nor false.")
    return bool(value)
