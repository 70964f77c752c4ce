"""What peers say to each other: performatives, SASL, termini and outcomes (OASIS AMQP 1.0 parts 2, 3 and 5).

Fields are in the order and with the defaults of the specification; numbers are plain `int` to the reader.
"""

# ruff: noqa: RUF009 - `wire` returns a dataclass field

from dataclasses import dataclass
from typing import ClassVar

from iothub_emulator.amqp.composites import Composite, wire
from iothub_emulator.amqp.values import Described, Symbol, Ubyte, Uint, Ulong, Ushort, Value

MAX_UINT = 2**32 - 1

SENDER, RECEIVER = False, True
"""Values of `role`."""

SETTLE_UNSETTLED, SETTLE_SETTLED, SETTLE_MIXED = 0, 1, 2
"""Values of `snd_settle_mode`."""
SETTLE_FIRST = 0
"""The one `rcv_settle_mode` that the hub has: the receiver settles first."""


@dataclass(frozen=True, kw_only=True)
class Error(Composite):
    """Why something was refused or ended (2.8.14)."""

    descriptor: ClassVar[int] = 0x1D
    symbol: ClassVar[str] = "amqp:error:list"
    condition: str = wire(Symbol, required=True)
    description: str | None = wire(str)
    info: dict[Value, Value] | None = wire(dict)


@dataclass(frozen=True, kw_only=True)
class Source(Composite):
    """Where a link's messages come from (3.5.3)."""

    descriptor: ClassVar[int] = 0x28
    symbol: ClassVar[str] = "amqp:source:list"
    address: str | None = wire(str)
    durable: int = wire(Uint, default=0)
    expiry_policy: str = wire(Symbol, default="session-end")
    timeout: int = wire(Uint, default=0)
    dynamic: bool = wire(bool, default=False)
    dynamic_node_properties: dict[Value, Value] | None = wire(dict)
    distribution_mode: str | None = wire(Symbol)
    filter: dict[Value, Value] | None = wire(dict)
    default_outcome: Described | None = wire(object)
    outcomes: tuple[str, ...] = wire(Symbol, multiple=True)
    capabilities: tuple[str, ...] = wire(Symbol, multiple=True)


@dataclass(frozen=True, kw_only=True)
class Target(Composite):
    """Where a link's messages go (3.5.4)."""

    descriptor: ClassVar[int] = 0x29
    symbol: ClassVar[str] = "amqp:target:list"
    address: str | None = wire(str)
    durable: int = wire(Uint, default=0)
    expiry_policy: str = wire(Symbol, default="session-end")
    timeout: int = wire(Uint, default=0)
    dynamic: bool = wire(bool, default=False)
    dynamic_node_properties: dict[Value, Value] | None = wire(dict)
    capabilities: tuple[str, ...] = wire(Symbol, multiple=True)


@dataclass(frozen=True, kw_only=True)
class Coordinator(Composite):
    """The target of a link that begins and ends transactions (part 4, 4.5.1)."""

    descriptor: ClassVar[int] = 0x30
    symbol: ClassVar[str] = "amqp:coordinator:list"
    capabilities: tuple[str, ...] = wire(Symbol, multiple=True)


@dataclass(frozen=True, kw_only=True)
class Open(Composite):
    """The first performative of either side (2.7.1). `idle_time_out` is milliseconds."""

    descriptor: ClassVar[int] = 0x10
    symbol: ClassVar[str] = "amqp:open:list"
    container_id: str = wire(str, required=True)
    hostname: str | None = wire(str)
    max_frame_size: int = wire(Uint, default=MAX_UINT)
    channel_max: int = wire(Ushort, default=65535)
    idle_time_out: int | None = wire(Uint)
    outgoing_locales: tuple[str, ...] = wire(Symbol, multiple=True)
    incoming_locales: tuple[str, ...] = wire(Symbol, multiple=True)
    offered_capabilities: tuple[str, ...] = wire(Symbol, multiple=True)
    desired_capabilities: tuple[str, ...] = wire(Symbol, multiple=True)
    properties: dict[Value, Value] | None = wire(dict)


@dataclass(frozen=True, kw_only=True)
class Begin(Composite):
    """Opens a session on a channel (2.7.2). Windows count transfer frames."""

    descriptor: ClassVar[int] = 0x11
    symbol: ClassVar[str] = "amqp:begin:list"
    remote_channel: int | None = wire(Ushort)
    next_outgoing_id: int = wire(Uint, required=True)
    incoming_window: int = wire(Uint, required=True)
    outgoing_window: int = wire(Uint, required=True)
    handle_max: int = wire(Uint, default=MAX_UINT)
    offered_capabilities: tuple[str, ...] = wire(Symbol, multiple=True)
    desired_capabilities: tuple[str, ...] = wire(Symbol, multiple=True)
    properties: dict[Value, Value] | None = wire(dict)


@dataclass(frozen=True, kw_only=True)
class Attach(Composite):
    """Opens a link (2.7.3). `role` is that of the side which says so."""

    descriptor: ClassVar[int] = 0x12
    symbol: ClassVar[str] = "amqp:attach:list"
    name: str = wire(str, required=True)
    handle: int = wire(Uint, required=True)
    role: bool = wire(bool, required=True)
    snd_settle_mode: int = wire(Ubyte, default=SETTLE_MIXED)
    rcv_settle_mode: int = wire(Ubyte, default=SETTLE_FIRST)
    source: Source | None = wire(Source)
    target: Target | Coordinator | None = wire(Target, other=Coordinator)
    unsettled: dict[Value, Value] | None = wire(dict)
    incomplete_unsettled: bool = wire(bool, default=False)
    initial_delivery_count: int | None = wire(Uint)
    max_message_size: int | None = wire(Ulong)
    offered_capabilities: tuple[str, ...] = wire(Symbol, multiple=True)
    desired_capabilities: tuple[str, ...] = wire(Symbol, multiple=True)
    properties: dict[Value, Value] | None = wire(dict)


@dataclass(frozen=True, kw_only=True)
class Flow(Composite):
    """Windows of a session, and credit of a link where there is a handle (2.7.4)."""

    descriptor: ClassVar[int] = 0x13
    symbol: ClassVar[str] = "amqp:flow:list"
    next_incoming_id: int | None = wire(Uint)
    incoming_window: int = wire(Uint, required=True)
    next_outgoing_id: int = wire(Uint, required=True)
    outgoing_window: int = wire(Uint, required=True)
    handle: int | None = wire(Uint)
    delivery_count: int | None = wire(Uint)
    link_credit: int | None = wire(Uint)
    available: int | None = wire(Uint)
    drain: bool = wire(bool, default=False)
    echo: bool = wire(bool, default=False)
    properties: dict[Value, Value] | None = wire(dict)


@dataclass(frozen=True, kw_only=True)
class Transfer(Composite):
    """A message, or a part of one (2.7.5). The bytes follow it in the frame."""

    descriptor: ClassVar[int] = 0x14
    symbol: ClassVar[str] = "amqp:transfer:list"
    handle: int = wire(Uint, required=True)
    delivery_id: int | None = wire(Uint)
    delivery_tag: bytes | None = wire(bytes)
    message_format: int | None = wire(Uint)
    settled: bool | None = wire(bool)
    more: bool = wire(bool, default=False)
    rcv_settle_mode: int | None = wire(Ubyte)
    state: Described | None = wire(object)
    resume: bool = wire(bool, default=False)
    aborted: bool = wire(bool, default=False)
    batchable: bool = wire(bool, default=False)


@dataclass(frozen=True, kw_only=True)
class Disposition(Composite):
    """What became of deliveries `first` to `last` (2.7.6)."""

    descriptor: ClassVar[int] = 0x15
    symbol: ClassVar[str] = "amqp:disposition:list"
    role: bool = wire(bool, required=True)
    first: int = wire(Uint, required=True)
    last: int | None = wire(Uint)
    settled: bool = wire(bool, default=False)
    state: Described | None = wire(object)
    batchable: bool = wire(bool, default=False)


@dataclass(frozen=True, kw_only=True)
class Detach(Composite):
    """Ends a link (2.7.7); for good if `closed`."""

    descriptor: ClassVar[int] = 0x16
    symbol: ClassVar[str] = "amqp:detach:list"
    handle: int = wire(Uint, required=True)
    closed: bool = wire(bool, default=False)
    error: Error | None = wire(Error)


@dataclass(frozen=True, kw_only=True)
class End(Composite):
    """Ends a session (2.7.8)."""

    descriptor: ClassVar[int] = 0x17
    symbol: ClassVar[str] = "amqp:end:list"
    error: Error | None = wire(Error)


@dataclass(frozen=True, kw_only=True)
class Close(Composite):
    """Ends the connection (2.7.9)."""

    descriptor: ClassVar[int] = 0x18
    symbol: ClassVar[str] = "amqp:close:list"
    error: Error | None = wire(Error)


@dataclass(frozen=True, kw_only=True)
class Accepted(Composite):
    """The message was taken (3.4.2)."""

    descriptor: ClassVar[int] = 0x24
    symbol: ClassVar[str] = "amqp:accepted:list"


@dataclass(frozen=True, kw_only=True)
class Rejected(Composite):
    """The message is invalid or unwanted (3.4.3)."""

    descriptor: ClassVar[int] = 0x25
    symbol: ClassVar[str] = "amqp:rejected:list"
    error: Error | None = wire(Error)


@dataclass(frozen=True, kw_only=True)
class Received(Composite):
    """How much of the message has come (3.4.1): no outcome, only a state on the way to one."""

    descriptor: ClassVar[int] = 0x23
    symbol: ClassVar[str] = "amqp:received:list"
    section_number: int = wire(Uint, required=True)
    section_offset: int = wire(Ulong, required=True)


@dataclass(frozen=True, kw_only=True)
class Released(Composite):
    """The message was not touched and may be sent again (3.4.4)."""

    descriptor: ClassVar[int] = 0x26
    symbol: ClassVar[str] = "amqp:released:list"


@dataclass(frozen=True, kw_only=True)
class Modified(Composite):
    """The message was changed and may be sent again (3.4.5)."""

    descriptor: ClassVar[int] = 0x27
    symbol: ClassVar[str] = "amqp:modified:list"
    delivery_failed: bool = wire(bool, default=False)
    undeliverable_here: bool = wire(bool, default=False)
    message_annotations: dict[Value, Value] | None = wire(dict)


@dataclass(frozen=True, kw_only=True)
class SaslMechanisms(Composite):
    """What the server offers (5.3.3.1). Always an array, one mechanism or many: uamqp reads nothing else."""

    descriptor: ClassVar[int] = 0x40
    symbol: ClassVar[str] = "amqp:sasl-mechanisms:list"
    sasl_server_mechanisms: tuple[str, ...] = wire(Symbol, required=True, multiple=True)


@dataclass(frozen=True, kw_only=True)
class SaslInit(Composite):
    """What the client picks (5.3.3.2)."""

    descriptor: ClassVar[int] = 0x41
    symbol: ClassVar[str] = "amqp:sasl-init:list"
    mechanism: str = wire(Symbol, required=True)
    initial_response: bytes | None = wire(bytes)
    hostname: str | None = wire(str)


@dataclass(frozen=True, kw_only=True)
class SaslOutcome(Composite):
    """How it ended (5.3.3.6): 0 is ok, 1 a failed authentication."""

    descriptor: ClassVar[int] = 0x44
    symbol: ClassVar[str] = "amqp:sasl-outcome:list"
    code: int = wire(Ubyte, required=True)
    additional_data: bytes | None = wire(bytes)


def _by_descriptor(*classes: type[Composite]) -> dict[int, type[Composite]]:
    return {cls.descriptor: cls for cls in classes}


PERFORMATIVES = _by_descriptor(Open, Begin, Attach, Flow, Transfer, Disposition, Detach, End, Close)
DELIVERY_STATES = _by_descriptor(Received, Accepted, Rejected, Released, Modified)
SASL_PERFORMATIVES = _by_descriptor(SaslInit, SaslMechanisms, SaslOutcome)
