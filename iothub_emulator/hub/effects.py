"""What the rules want done: values, carried out by the runtime in their order."""

import enum
from dataclasses import dataclass

from iothub_emulator.hub.json_text import Object
from iothub_emulator.hub.methods import Answered
from iothub_emulator.hub.packets import FromServer, Publish
from iothub_emulator.hub.telemetry import TelemetryEvent
from iothub_emulator.hub.twin import Change


@dataclass(frozen=True, slots=True)
class Send:
    """Send a packet to the device."""

    packet: FromServer


@dataclass(frozen=True, slots=True)
class Forward:
    """Pass a device's message on to others, as a broker would; only a replaced rule asks for it."""

    packet: Publish


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Append an event to the log."""

    event: TelemetryEvent


@dataclass(frozen=True, slots=True)
class Admit:
    """Make this the identity's connection."""

    identity_key: str
    silence: float
    """Seconds without a packet after which it is dropped."""
    ends_at: float | None
    """Unix seconds at which it is dropped, whatever it does."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the network connection. `because`, for the log, is a clause id or an MQTT rule."""

    because: str


@dataclass(frozen=True, slots=True)
class Serve:
    """Ask the session what may be sent now: the connection is accepted, or its subscriptions changed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Give the caller of a direct method what it waits for."""

    answered: Answered[object]


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell whoever it concerns about a change of a twin."""

    identity_key: str
    notification: Object


@dataclass(frozen=True, slots=True)
class AnswerOther:
    """Send the answer to a twin request over the connection of another identity; no rule of a hub has it."""

    identity_key: str
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Reported:
    """A device changed the reported properties of its twin."""

    identity_key: str
    change: Change


Effect = Send | Forward | Telemetry | Admit | Close | Serve | Answer | Notify | AnswerOther | Reported


class End(enum.Enum):
    """How a connection came to its end."""

    DISCONNECT = "the client sent DISCONNECT"
    LOST = "the network connection was lost"
    RESET = "the network connection was reset"
    ERROR = "the client broke a rule"
    DEAF = "the client did not read what it was sent"
    KEEP_ALIVE = "the client was silent for too long"
    TAKE_OVER = "the identity connected again"
    TOKEN_EXPIRED = "the token expired"  # noqa: S105 - a reason
    IDENTITY_CHANGED = "the identity was disabled, deleted or given other keys"
    HUB_STOPS = "the hub stops"
