"""Direct methods: /twins/{id}/methods and /twins/{id}/modules/{module}/methods."""

import asyncio
import uuid
from typing import Any

from aiohttp import web

from iothub_emulator.hub import json_text
from iothub_emulator.hub.method_rules import MethodResult
from iothub_emulator.hub.policies import Right
from iothub_emulator.hub.refusals import error_body
from iothub_emulator.hub.service_errors import Refused
from iothub_emulator.rest import calls, envelope
from iothub_emulator.rest.calls import Call, Route
from iothub_emulator.rest.owners import owner
from iothub_emulator.runtime import Runtime


async def call_method(call: Call) -> web.Response:
    """POST: call a method, and answer when the device has, or when its time is over."""
    runtime = call.runtime
    try:
        identity = owner(call)
    except Refused as refused:
        raise runtime.rules.methods.nobody(refused) from None
    asked = runtime.rules.methods.read_call(call.json(envelope.METHOD_CALL))
    outcome = await _unless_left(
        asyncio.ensure_future(runtime.call_method(identity.key, asked)), call.caller_left
    )
    if outcome is None:
        return web.Response(status=204)  # nobody reads it
    if isinstance(outcome, Refused):
        return _failure(runtime, outcome)
    body = runtime.rules.methods.result_document(outcome)
    return web.Response(body=body, content_type="application/json", charset="utf-8")


async def _unless_left(
    calling: asyncio.Future[MethodResult | Refused], caller_left: asyncio.Future[None]
) -> MethodResult | Refused | None:
    """Wait for the end of a call; a caller that goes away calls it off: None."""
    try:
        either: set[asyncio.Future[Any]] = {calling, caller_left}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return calling.result() if calling.done() else None
    finally:
        calling.cancel()


def _failure(runtime: Runtime, refused: Refused) -> web.Response:
    """Return the answer for a call that did not come to its end; its message is JSON in text (C# SDK)."""
    described = error_body(refused, runtime.now(), uuid.uuid4().hex)
    return web.json_response(
        {"Message": json_text.dump(described).decode(), "ExceptionMessage": ""},
        status=refused.code.status,
        headers={"iothub-errorcode": refused.code.name},
    )


_OPERATIONS = {"POST": calls.Operation(Right.SERVICE_CONNECT, call_method)}

ROUTES = (
    Route(("twins", "*", "methods"), _OPERATIONS),
    Route(("twins", "*", "modules", "*", "methods"), _OPERATIONS),
)
