"""Links for cloud-to-device messages and their feedback: where they attach, and what is said on them.

Sources: Microsoft, "Understand cloud-to-device messaging"; the conditions that the service SDKs for .NET and
Node translate into errors. Nothing here knows how AMQP is encoded.
"""

import base64
import contextlib
import math
import struct
from decimal import Decimal

from iothub_emulator.hub.host_names import without_port
from iothub_emulator.hub.refusals import iso
from iothub_emulator.hub.service_errors import ErrorCode
from iothub_emulator.settings import Settings

DEVICEBOUND, FEEDBACK, EVENTS = "messages/devicebound", "messages/servicebound/feedback", "messages/events"

_CONDITIONS = {
    ErrorCode.ArgumentInvalid: "com.microsoft:argument-error",
    ErrorCode.IotHubUnauthorizedAccess: "amqp:unauthorized-access",
    ErrorCode.DeviceMaximumQueueDepthExceeded: "amqp:resource-limit-exceeded",
    ErrorCode.DeviceNotFound: "amqp:not-found",
    ErrorCode.MessageTooLarge: "amqp:link:message-size-exceeded",
    ErrorCode.ThrottlingException: "com.microsoft:device-container-throttled",
}


class Milliseconds(int):
    """A point in time: milliseconds since 1970, UTC. A timestamp on the wire; other numbers are longs."""


class SingleFloat(float):
    """A number that has 32 bits on the wire."""


Plain = str | bytes | bool | int | float | Decimal | None
"""A property's value without its wire type, but for `Milliseconds` and `SingleFloat`."""


class CloudLinkRules:
    """Each decision about these links. Paths come without scheme and host."""

    settings: Settings

    def is_devicebound(self, path: str) -> bool:
        """Tell whether a sender at `path` sends to devices. Letter case is ignored, as SDKs differ in it."""
        return path.casefold() == DEVICEBOUND

    def is_feedback(self, path: str) -> bool:
        """Tell whether a receiver at `path` takes feedback: SDKs write `serviceBound` and `servicebound`."""
        return path.casefold() == FEEDBACK

    def redirected(self, path: str) -> str | None:
        """Return where events are read instead of `messages/events`; None for any other path.

        partitions.redirect, partitions.redirect-forms: a hub leads to its Event Hubs-compatible endpoint,
        which takes what stands behind, a last slash included (Microsoft, "Communicate with your IoT hub by
        using the AMQP protocol"; azure-event-hubs issue 167). So it does with requests to
        `messages/events/$management` (azure-event-hubs 0.2.11).
        """
        beginning, rest = path[: len(EVENTS)], path[len(EVENTS) :]
        if beginning.casefold() != EVENTS or (rest and not rest.startswith("/")):
            return None
        return self.settings.entity + rest

    def sends_under_way(self) -> int:
        """Return the credit of a sender: messages that it may have sent ahead."""
        return 100

    def condition_for(self, code: ErrorCode) -> str:
        """c2d.queue-depth: return the AMQP condition of a rejected message."""
        return _CONDITIONS.get(code, "amqp:internal-error")

    def expires_at(self, absolute: int | None, time_to_live: int | None, now: float) -> float | None:
        """Return when a message expires, from its absolute-expiry-time or its header's ttl, milliseconds.

        None: the sender names neither. SDKs send the former; the latter is AMQP's own (part 3, 3.2.1).
        """
        if absolute is not None:
            return absolute / 1000
        return None if time_to_live is None else now + time_to_live / 1000

    def text_of(self, value: Plain) -> str | None:
        """c2d.null-and-empty: return a property's value as a device reads it; None stays null.

        unspecified: SDKs send text. What else AMQP can say is written as the service's runtime would,
        in its invariant culture; times as in `$.ctime`.
        """
        match value:
            case None | str():
                return value
            case bytes():
                return self.text_of_binary(value)
            case Milliseconds():
                return iso(value / 1000)
            case float() | Decimal():
                return self.text_of_real(value)
        return str(value)  # a whole number, or True or False as the service writes them

    def text_of_binary(self, value: bytes) -> str:
        """Return a binary as text: UTF-8, as user-ids are read; base64 where it is none."""
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()

    def text_of_real(self, value: float | Decimal) -> str:
        """Return a number with a fraction as text, in as few digits as still mean it."""
        if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        if isinstance(value, Decimal):
            return format(value, "f")
        text = _shortest_single(value) if isinstance(value, SingleFloat) else repr(value)
        return text.removesuffix(".0").replace("e", "E")

    def feedback_settles(self, outcome: str | None) -> bool:
        """c2d.feedback: an accepted or rejected batch is done with; any other one waits again.

        `outcome` is the AMQP one, such as `accepted`; None: the receiver is gone, or settled without a word.
        """
        return outcome in {"accepted", "rejected"}

    def feedback_user_id(self) -> bytes:
        """c2d.feedback: the hub's name, which is the first label of its host name."""
        return without_port(self.settings.host_names[0]).partition(".")[0].encode()


def _shortest_single(value: float) -> str:
    """Return the fewest digits that still mean this 32-bit number."""
    for digits in range(1, 9):
        text = f"{value:.{digits}g}"
        # Rounded up, the largest ones are no 32-bit numbers any more.
        with contextlib.suppress(OverflowError):
            if struct.unpack("!f", struct.pack("!f", float(text)))[0] == value:
                return text
    return f"{value:.9g}"
