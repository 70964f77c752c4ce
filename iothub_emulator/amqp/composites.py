"""Described lists with named fields: what all performatives, termini, outcomes and two sections are.

A subclass states its descriptor and, field by field, the wire type, so that reading one is also checking it.
Every field is written, trailing nulls too: azure-eventhub picks fields by position and fails on a short list.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Self

from iothub_emulator.amqp.encoding import encode_described
from iothub_emulator.amqp.errors import DECODE_ERROR, INVALID_FIELD, NOT_IMPLEMENTED, AmqpError
from iothub_emulator.amqp.values import Array, Described, Symbol, Ulong, Value


class Wire(NamedTuple):
    """How one field travels."""

    kind: type
    required: bool
    multiple: bool
    other: "type[Composite] | None"


def wire(
    kind: type,
    *,
    required: bool = False,
    multiple: bool = False,
    default: Any = None,
    other: "type[Composite] | None" = None,
) -> Any:
    """Declare a field. `kind` is a wire type, a composite, or `object` for any value.

    A null stands for `default`. A `multiple` field is a tuple of `kind`, on the wire an array or one value.
    `other` is a composite that may stand in place of another.
    """
    metadata = {"wire": Wire(kind, required, multiple, other)}
    if required:
        return field(metadata=metadata)
    return field(default=() if multiple else default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Composite:
    """A described list."""

    descriptor: ClassVar[int]
    symbol: ClassVar[str]
    """The other form of the descriptor, which a peer may use."""

    def encode(self) -> bytes:
        """Return the bytes, each field in its place."""
        return encode_described(self.descriptor, self._values())

    def described(self) -> Described:
        """Return the same as a value, to be a field of another composite."""
        return Described(Ulong(self.descriptor), self._values())

    def _values(self) -> list[Value]:
        return [_to_wire(spec, getattr(self, name)) for name, spec in _specs(type(self))]

    @classmethod
    def from_value(cls, value: Value) -> Self:
        """Return the composite that a decoded value stands for; `AmqpError` if it is none of this class."""
        if not isinstance(value, Described) or not is_descriptor_of(value.descriptor, cls):
            raise AmqpError(INVALID_FIELD, f"expected {cls.symbol}")
        return cls.from_fields(value.value)

    @classmethod
    def from_fields(cls, fields: Value) -> Self:
        """Return the composite with these fields, as decoded; those missing at the end are null."""
        if not isinstance(fields, list):
            raise AmqpError(DECODE_ERROR, f"{cls.symbol} is not a list")
        specs = _specs(cls)
        if len(fields) > len(specs):
            raise AmqpError(DECODE_ERROR, f"{cls.symbol} has {len(specs)} fields, not {len(fields)}")
        arguments = {}
        for (name, spec), value in zip(specs, fields, strict=False):
            if value is not None:
                arguments[name] = _from_wire(cls, name, spec, value)
        missing = [name for name, spec in specs if spec.required and name not in arguments]
        if missing:
            raise AmqpError(INVALID_FIELD, f"{cls.symbol} lacks {missing[0]}")
        return cls(**arguments)


_SPECS: dict[type[Composite], tuple[tuple[str, Wire], ...]] = {}


def _specs(cls: type[Composite]) -> tuple[tuple[str, Wire], ...]:
    if cls not in _SPECS:
        _SPECS[cls] = tuple((item.name, item.metadata["wire"]) for item in dataclasses.fields(cls))
    return _SPECS[cls]


def is_descriptor_of(descriptor: Value, cls: type[Composite]) -> bool:
    """Tell whether a descriptor, numeric or symbolic, is that of `cls`."""
    if isinstance(descriptor, Ulong):
        return descriptor == cls.descriptor
    return isinstance(descriptor, Symbol) and descriptor == cls.symbol


def _to_wire(spec: Wire, value: Value) -> Value:
    if value is None or spec.kind is object:
        return value
    if spec.multiple:
        return Array(tuple(spec.kind(item) for item in value)) if value else None
    if isinstance(value, Composite):
        return value.described()
    # bool and dict are what they are; a number or a text takes the field's wire type.
    return value if spec.kind in {bool, dict} else spec.kind(value)


def _from_wire(cls: type[Composite], name: str, spec: Wire, value: Value) -> Value:
    if spec.multiple:
        items = value.items if isinstance(value, Array) else value if isinstance(value, list) else (value,)
        if all(isinstance(item, spec.kind) for item in items):
            return tuple(items)
    elif spec.kind is object or type(value) is spec.kind:
        return value
    elif issubclass(spec.kind, Composite):
        if spec.other and isinstance(value, Described) and is_descriptor_of(value.descriptor, spec.other):
            return spec.other.from_value(value)
        return spec.kind.from_value(value)
    raise AmqpError(INVALID_FIELD, f"{cls.symbol}: {name} has the wrong type")


def composite_from(value: Value, classes: dict[int, type[Composite]]) -> Composite:
    """Return `value` as whichever of `classes` (by descriptor) it is; `AmqpError` if it is none."""
    if not isinstance(value, Described):
        raise AmqpError(DECODE_ERROR, "expected a described list")
    for cls in classes.values():
        if is_descriptor_of(value.descriptor, cls):
            return cls.from_fields(value.value)
    raise AmqpError(NOT_IMPLEMENTED, f"nothing here has the descriptor {str(value.descriptor)[:64]}")
