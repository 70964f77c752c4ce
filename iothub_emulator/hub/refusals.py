"""How a refused request about messages, twins or methods is described, to devices and to the back end."""

from datetime import UTC, datetime

from iothub_emulator.hub.json_text import Object
from iothub_emulator.hub.service_errors import ErrorCode, Refused

NEVER = "0001-01-01T00:00:00Z"
"""What the service writes for a time that has not come yet."""


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
