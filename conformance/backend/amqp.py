"""What travels over AMQP links between the suite and the hub's back end, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from conformance.errors import ServiceError
from conformance.mqtt.route import PLAIN, Route
from conformance.target.credentials import ConnectionString

Outcome = Literal["accepted", "rejected", "released", "modified", "detached"]


@dataclass(frozen=True, kw_only=True)
class AmqpEndpoint:
    """The hub's AMQP port; `timeout` is for opening a connection or a link, in seconds.

    `clock_ahead` is by how many seconds the hub's clock is ahead of ours; `route` is how to come there.
    `plain_for` is the part of the hub, as ``/messages/events``, for which a token is shown by SASL PLAIN, or
    empty for all of it; None where the token is put to `$cbs`.
    """

    access: ConnectionString
    port: int
    ca_file: str | None
    timeout: float
    clock_ahead: float = 0.0
    route: Route = PLAIN
    plain_for: str | None = None

    @property
    def what(self) -> str:
        """The endpoint as a message names it."""
        return f"AMQP at {self.access.host}:{self.port}{self.route.said}"

    @property
    def if_refused(self) -> str:
        """What to do where the hub does not know the credentials."""
        return "Check the key and the rights of the connection string in [service]."

    @property
    def if_silent(self) -> str:
        """What to do where nobody answers."""
        return "Is the hub's AMQP port right?"


class LinkRedirected(ServiceError):  # noqa: N818 - says what is the case
    """A link that the hub does not serve itself: what is asked for is at `address` [AMQP 1.0, 2.8.18]."""

    def __init__(self, message: str, address: str) -> None:
        super().__init__(message)
        self.address = address


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A message to send: `properties` by AMQP's names for them, with `_` for `-`."""

    body: bytes
    properties: Mapping[str, Any] = field(default_factory=dict)
    application_properties: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What became of a message at the hub; `condition` is AMQP's name for the error, if there was one."""

    outcome: Outcome
    condition: str = ""
    description: str = ""

    def __str__(self) -> str:
        return f"{self.outcome} {self.condition}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A message that came in and is not settled yet; `number` and `tag` identify it on its link."""

    body: bytes
    number: int
    tag: bytes
    properties: Mapping[str, Any] = field(default_factory=dict)
    """AMQP's own, by its names with `_` for `-`."""
