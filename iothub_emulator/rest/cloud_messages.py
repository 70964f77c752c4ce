"""Cloud-to-device messages over REST: /devices/{id}/messages/deviceBound.

The REST reference has no such call and SDKs send by AMQP; Azure IoT Explorer and other tools use it, with the
names of headers that the interface for devices over HTTPS has. Inferred are the status and all headers but
`iothub-app-*`.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from aiohttp import web

from iothub_emulator.hub.mailbox_rules import ACKNOWLEDGE, CloudMessage
from iothub_emulator.hub.policies import Right
from iothub_emulator.hub.refusals import invalid
from iothub_emulator.rest import calls
from iothub_emulator.rest.calls import Call, Route, valid_ids
from iothub_emulator.rest.errors import malformed

APPLICATION = "iothub-app-"
"""What the header of an application's property begins with; names of headers keep the case they came in."""


async def send_message(call: Call) -> web.Response:
    """POST: put the body and what the headers say of it in the device's mailbox."""
    (device_id,) = valid_ids(call)
    refused = call.runtime.send_to_device(_message(call, device_id), device_id)
    if refused is not None:
        raise refused
    return web.Response(status=204)


def _message(call: Call, device_id: str) -> CloudMessage:
    headers = {name: _text(name, value) for name, value in call.headers.items()}
    system = {name.lower(): value for name, value in headers.items()}
    properties: dict[str, str | None] = {
        name[len(APPLICATION) :]: value
        for name, value in headers.items()
        if name.lower().startswith(APPLICATION) and len(name) > len(APPLICATION)
    }
    if ACKNOWLEDGE in system:
        properties[ACKNOWLEDGE] = system[ACKNOWLEDGE]
    return CloudMessage(
        to=f"/devices/{quote(device_id, safe='')}/messages/deviceBound",
        body=call.body,
        message_id=system.get("iothub-messageid"),
        correlation_id=system.get("iothub-correlationid"),
        user_id=system.get("iothub-userid"),
        content_type=system.get("iothub-contenttype"),
        content_encoding=system.get("iothub-contentencoding"),
        creation_time=_moment(system, "iothub-creationtimeutc"),
        expires_at=_moment(system, "iothub-expiry"),
        properties=properties,
    )


def _text(name: str, value: str) -> str:
    """Return the value of a header; `Refused` where its bytes are not UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise malformed(f"The header {name} is not UTF-8.") from None
    return value


def _moment(headers: Mapping[str, str], name: str) -> float | None:
    """Return a time in unix seconds, None without the header; `Refused` unless it is ISO 8601 with a zone."""
    if name not in headers:
        return None
    try:
        moment = datetime.fromisoformat(headers[name])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise invalid(f"{name} is not a time such as 2026-01-31T12:00:00Z.")
    return moment.timestamp()


ROUTES = (
    Route(
        ("devices", "*", "messages", "devicebound"),
        {"POST": calls.Operation(Right.SERVICE_CONNECT, send_message)},
    ),
)
