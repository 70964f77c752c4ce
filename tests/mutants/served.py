"""Whom the hub serves at this moment: which connection, which identity, which packet.

A mutant that acts only for some of them has to know, and the hub has no place that tells it. So the functions
by which everything comes in are wrapped, from outside, when all of the hub is imported.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Final
from weakref import WeakKeyDictionary

from iothub_emulator.connections import Connections
from iothub_emulator.effect_desk import EffectDesk
from iothub_emulator.hub import packets
from iothub_emulator.hub.effects import Close, Send
from iothub_emulator.hub.session import Session
from iothub_emulator.messaging import CloudToDevice
from iothub_emulator.method_desk import MethodDesk
from iothub_emulator.mqtt.endpoint import MqttEndpoint
from iothub_emulator.runtime import Runtime

_TURNS = itertools.count(1)


@dataclass
class Connection:
    """What is remembered of one connection of a device."""

    endpoint: MqttEndpoint
    number: int = field(default_factory=itertools.count(1).__next__)
    """Its own: an address in memory may be another one's before."""
    is_open: bool = False
    """The network said where it comes from."""
    clean_session: bool | None = None
    """Of its CONNECT; None before it."""
    took_over: bool = False
    packets_in_read: int = 0


@dataclass
class Known:
    """What is remembered of one identity."""

    sessions: int = 0
    errors: int = 0


@dataclass(frozen=True)
class Moment:
    """What is served now. `turn` counts what came in: a packet, a call of the service, an alarm."""

    turn: int = 0
    runtime: Runtime | None = None
    connection: Connection | None = None
    identity: str | None = None
    packet: Any = None

    @property
    def session(self) -> Session | None:
        """The session of the connection."""
        return None if self.connection is None else self.connection.endpoint.session

    def kinds(self) -> int:
        """Return, as bits, what is known of the moment: `KINDS` has their names."""
        connection, packet = self.connection, self.packet
        has = (
            connection is not None and connection.is_open,
            connection is not None and connection.clean_session is not None,
            self.identity is not None,
            packet is not None,
            isinstance(packet, packets.Publish),
            isinstance(packet, packets.Subscribe | packets.Unsubscribe),
        )
        return sum(1 << bit for bit, each in enumerate(has) if each)


KINDS: Final = ("connection", "session", "identity", "packet", "message", "filters")


@dataclass
class Served:
    """All that is remembered. One for a process: the hub has one thread."""

    connections: WeakKeyDictionary[Session, Connection] = field(default_factory=WeakKeyDictionary)
    identities: dict[str, Known] = field(default_factory=dict)
    open: dict[str, Connection] = field(default_factory=dict)
    """Of each identity the connection that it has, or had last."""

    def identity(self, key: str) -> Known:
        """Return what is remembered of an identity."""
        return self.identities.setdefault(key, Known())


SERVED = Served()
_NOTHING: Final = Moment()
_NOW: ContextVar[Moment] = ContextVar("moment")


def now() -> Moment:
    """Return what is served now."""
    return _NOW.get(_NOTHING)


@contextmanager
def _serving(**changes: Any) -> Iterator[None]:
    token = _NOW.set(replace(now(), **changes))
    try:
        yield
    finally:
        _NOW.reset(token)


def install() -> None:
    """Wrap the hub's functions. Once, before it starts."""
    _wrap(MqttEndpoint, "connection_made", _connection_made)
    for name in ("data_received", "connection_lost", "drop", "resume_writing", "eof_received"):
        _wrap(MqttEndpoint, name, _of_endpoint)
    _wrap(Session, "receive", _receive)
    for name in ("malformed", "ended", "serve", "request", "notified", "answered"):
        _wrap(Session, name, _of_session)
    _wrap(EffectDesk, "perform", _perform)
    _wrap(Connections, "add", _add)
    for owner, name in (
        *((Runtime, name) for name in ("patch_twin", "replace_twin", "identity_created", "identity_changed")),
        *((owner, "_rings") for owner in (CloudToDevice, MethodDesk)),
        *((CloudToDevice, name) for name in ("purge", "forget")),
    ):
        _wrap(owner, name, _of_identity)
    _wrap(CloudToDevice, "send", _to_device)
    real = MethodDesk.call

    async def call(self: MethodDesk, identity_key: str, *rest: Any) -> Any:
        with _serving(turn=next(_TURNS), **_of(identity_key)):
            return await real(self, identity_key, *rest)

    MethodDesk.call = call


def _wrap(owner: type, name: str, around: Callable[..., Any]) -> None:
    real = getattr(owner, name)

    @functools.wraps(real)
    def wrapped(self: Any, *args: Any, **named: Any) -> Any:
        return around(functools.partial(real, self), self, *args, **named)

    setattr(owner, name, wrapped)


def _connection_of(session: Session, endpoint: MqttEndpoint | None = None) -> Connection | None:
    connection = SERVED.connections.get(session)
    if connection is None and endpoint is not None:
        connection = SERVED.connections[session] = Connection(endpoint)
    return connection


def _of_connection(endpoint: MqttEndpoint) -> dict[str, Any]:
    session = endpoint.session
    return {
        "runtime": endpoint._runtime,
        "connection": _connection_of(session, endpoint),
        "identity": session.identity_key,
    }


def _connection_made(real: Callable[..., Any], endpoint: MqttEndpoint, transport: Any) -> Any:
    about = _of_connection(endpoint)
    about["connection"].is_open = True
    with _serving(turn=next(_TURNS), packet=None, **about):
        return real(transport)


def _of_endpoint(real: Callable[..., Any], endpoint: MqttEndpoint, *args: Any) -> Any:
    about = _of_connection(endpoint)
    about["connection"].packets_in_read = 0
    with _serving(turn=next(_TURNS), packet=None, **about):
        return real(*args)


def _receive(real: Callable[..., Any], session: Session, packet: Any, at: float) -> Any:
    connection = _connection_of(session)
    if connection is not None:
        connection.packets_in_read += 1
        if isinstance(packet, packets.Connect) and connection.clean_session is None:
            connection.clean_session = packet.clean_session
    identity = session.identity_key or _named_by(packet)
    with _serving(turn=next(_TURNS), connection=connection, identity=identity, packet=packet):
        effects = real(packet, at)
        if identity is not None and any(map(_is_refusal, effects)):
            SERVED.identity(identity).errors += 1
        return effects


def _named_by(packet: Any) -> str | None:
    return (packet.client_id or None) if isinstance(packet, packets.Connect) else None


def _is_refusal(effect: Any) -> bool:
    match effect:
        case Close() | Send(packets.Connack(code=1 | 2 | 3 | 4 | 5)):
            return True
        case Send(packets.Suback(codes=codes)):
            return any(code > 2 for code in codes)
        case Send(packets.Publish(topic=topic)):
            return topic.startswith(("$iothub/twin/res/4", "$iothub/twin/res/5"))
    return False


def _of_session(real: Callable[..., Any], session: Session, *args: Any) -> Any:
    with _serving(connection=_connection_of(session), identity=session.identity_key):
        effects = real(*args)
        if session.identity_key is not None and any(map(_is_refusal, effects or ())):
            SERVED.identity(session.identity_key).errors += 1
        return effects


def _perform(real: Callable[..., Any], desk: EffectDesk, connection: Any, effects: Iterable[Any]) -> Any:
    with _serving(**_of_connection(connection)):
        return real(connection, effects)


def _add(real: Callable[..., Any], connections: Connections, identity_key: str, connection: Any) -> Any:
    known = _connection_of(connection.session, connection)
    SERVED.identity(identity_key).sessions += 1
    if known is not None:
        known.took_over = connections.get(identity_key) is not None
        SERVED.open[identity_key] = known
    return real(identity_key, connection)


def _of(identity_key: str) -> dict[str, Any]:
    """Return what is known where the back end, or a timer, is about an identity: also how it is connected."""
    connection = SERVED.open.get(identity_key)
    runtime = None if connection is None else connection.endpoint._runtime
    return {"identity": identity_key, "connection": connection, "packet": None, "runtime": runtime}


def _of_identity(real: Callable[..., Any], owner: Any, identity_key: str, *args: Any) -> Any:
    with _serving(turn=next(_TURNS), **_of(identity_key)):
        return real(identity_key, *args)


def _to_device(real: Callable[..., Any], owner: Any, message: Any, device_id: str) -> Any:
    with _serving(turn=next(_TURNS), **_of(device_id)):
        return real(message, device_id)
