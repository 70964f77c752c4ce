"""What the hub answers to a request about messages, twins, methods or queries that it does not carry out.

Each error has a number whose first three digits are the HTTP status (Microsoft, "IoT Hub API common error
codes", and `ErrorCode` of the service SDK for .NET). The same numbers reach devices in the body of a twin
answer.
"""

import enum
from datetime import UTC, datetime

from iothub_emulator.hub.json_text import Object

NEVER = "0001-01-01T00:00:00Z"
"""What the service writes for a time that has not come yet."""


class ErrorCode(enum.IntEnum):
    """A named error; the member's name is the one in the header `iothub-errorcode`."""

    ArgumentInvalid = 400004
    DeviceMaximumQueueDepthExceeded = 403004
    TwinSectionTooLarge = 403100
    """The number was seen (iotedge issue 7035); the name was not, and is ours."""
    DeviceNotFound = 404001
    ModuleNotFound = 404010
    DeviceNotOnline = 404103
    PreconditionFailed = 412001
    MessageTooLarge = 413001
    ThrottlingException = 429001
    GatewayTimeout = 504101

    @property
    def status(self) -> int:
        """The HTTP status: the first three digits."""
        return self.value // 1000


class Refused(Exception):  # noqa: N818 - an answer, not a malfunction
    """A request the hub does not carry out: the error's code and a message for the caller, without secrets.

    `info` is what the service adds for some errors, such as the time it waited.
    """

    def __init__(self, code: ErrorCode, message: str, info: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.info = info


def invalid(message: str) -> Refused:
    """Return the refusal of a request whose content breaks a rule."""
    return Refused(ErrorCode.ArgumentInvalid, message)


def error_body(refused: Refused, now: float, tracking_id: str) -> Object:
    """Return the object that describes an error: the body of a twin answer, `Message` of a method call.

    `now` is unix seconds; a tracking id is opaque text.
    """
    body: Object = {
        "errorCode": int(refused.code),
        "trackingId": tracking_id,
        "message": refused.message,
    }
    if refused.info is not None:
        body["info"] = refused.info
    body["timestampUtc"] = iso(now)
    return body


def iso(when: float | None) -> str:
    """Return unix seconds as ISO 8601 in UTC, as the service writes times; None: never."""
    if when is None:
        return NEVER
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
