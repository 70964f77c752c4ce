"""The service's error answers.

One shape for all: `{"Message": "ErrorCode:<name>;<text>", "ExceptionMessage": "Tracking ID:…"}`, and the
name again in the header `iothub-errorcode`, which is what clients look at (Microsoft, service SDKs for .NET
and Java). No text repeats what the caller sent beyond a valid device id, and none holds a trace.
"""

import time
import uuid

from aiohttp import web

from iothub_emulator.hub.service_errors import ErrorCode, Refused


def error_response(code: ErrorCode, message: str, now: float) -> web.Response:
    """Return the answer for an error; `now` is unix seconds."""
    stamp = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime(now))
    return web.json_response(
        {
            "Message": f"ErrorCode:{code.name};{message}",
            "ExceptionMessage": f"Tracking ID:{uuid.uuid4().hex}-G:0-TimeStamp:{stamp}",
        },
        status=code.status,
        headers={"iothub-errorcode": code.name},
    )


def code_for(status: int) -> ErrorCode:
    """Return the error that stands for an HTTP status which aiohttp chose."""
    return _BY_STATUS.get(status, ErrorCode.IotHubFormatError if status < 500 else ErrorCode.ServerError)  # noqa: PLR2004 - HTTP


def malformed(message: str) -> Refused:
    """Return the refusal of a request that cannot be read."""
    return Refused(ErrorCode.IotHubFormatError, message)


_BY_STATUS = {
    401: ErrorCode.IotHubUnauthorizedAccess,
    404: ErrorCode.GenericNotFound,
    405: ErrorCode.GenericMethodNotAllowed,
    413: ErrorCode.MessageTooLarge,
}
