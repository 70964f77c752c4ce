"""What travels over AMQP links between the suite and the hub's back end, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from conformance.target.credentials import ConnectionString

Outcome = Literal["accepted", "rejected", "released", "modified", "detached"]


@dataclass(frozen=True, kw_only=True)
class AmqpEndpoint:
    """The hub's AMQP port; `timeout` is for opening a connection or a link, in seconds.

    `clock_ahead` is by how many seconds the hub's clock is ahead of ours.
    """

    access: ConnectionString
    port: int
    ca_file: str | None
    timeout: float
    clock_ahead: float = 0.0

    @property
    def what(self) -> str:
        """The endpoint as a message names it."""
        return f"AMQP at {self.access.host}:{self.port}"

    @property
    def if_refused(self) -> str:
        """What to do where the hub does not know the credentials."""
        return "Check the key and the rights of the connection string in [service]."

    @property
    def if_silent(self) -> str:
        """What to do where nobody answers."""
        return "Is the hub's AMQP port right?"


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
