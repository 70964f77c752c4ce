"""Twins: /twins/{id} and /twins/{id}/modules/{module}."""

from aiohttp import web

from iothub_emulator.hub import json_text
from iothub_emulator.hub.identity import Identity
from iothub_emulator.hub.policies import Right
from iothub_emulator.rest import calls, envelope
from iothub_emulator.rest.calls import Call, Route
from iothub_emulator.rest.owners import document, owner
from iothub_emulator.runtime import Runtime


async def get_twin(call: Call) -> web.Response:
    """GET: the whole twin."""
    return _answer(call.runtime, owner(call))


async def patch_twin(call: Call) -> web.Response:
    """PATCH: merge tags and desired properties; If-Match makes it depend on the twin's etag."""
    identity = owner(call)
    call.runtime.patch_twin(identity.key, call.json(envelope.TWIN), call.if_match)
    return _answer(call.runtime, identity)


async def replace_twin(call: Call) -> web.Response:
    """PUT: replace tags and desired properties; If-Match as with PATCH."""
    identity = owner(call)
    call.runtime.replace_twin(identity.key, call.json(envelope.TWIN), call.if_match)
    return _answer(call.runtime, identity)


def _answer(runtime: Runtime, identity: Identity) -> web.Response:
    return web.Response(
        body=json_text.dump(document(runtime, identity)),
        content_type="application/json",
        charset="utf-8",
        headers={"ETag": f'"{runtime.twin(identity.key).etag}"'},
    )


_OPERATIONS = {
    "GET": calls.Operation(Right.SERVICE_CONNECT, get_twin),
    "PATCH": calls.Operation(Right.SERVICE_CONNECT, patch_twin),
    "PUT": calls.Operation(Right.SERVICE_CONNECT, replace_twin),
}

ROUTES = (Route(("twins", "*"), _OPERATIONS), Route(("twins", "*", "modules", "*"), _OPERATIONS))
