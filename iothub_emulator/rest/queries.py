"""Queries over twins: /devices/query."""

from collections.abc import Iterator

from aiohttp import web

from iothub_emulator.hub import json_text, query
from iothub_emulator.hub.identity import Identity, ModuleIdentity
from iothub_emulator.hub.policies import Right
from iothub_emulator.hub.refusals import invalid
from iothub_emulator.rest import calls, envelope
from iothub_emulator.rest.calls import Call, Route
from iothub_emulator.rest.owners import document
from iothub_emulator.runtime import Runtime


async def run_query(call: Call) -> web.Response:
    """POST /devices/query: one page of what a query finds; what is not understood is `Refused`."""
    body = call.json(envelope.QUERY)
    text = body.get("query") if isinstance(body, dict) else None
    if not isinstance(text, str):
        raise invalid("The body has no query.")
    continuation = call.headers.get("x-ms-continuation")
    size = call.whole_number_header("x-ms-max-item-count")
    try:
        wanted = query.parse(text)
        page = query.run(wanted, _sources(call.runtime, wanted), continuation, size)
    except query.QueryRefused as refused:
        raise invalid(str(refused)) from None
    headers: dict[str, str] = {"x-ms-item-type": page.item_type}
    if page.continuation is not None:
        headers["x-ms-continuation"] = page.continuation
    return web.Response(
        body=json_text.dump(page.items), content_type="application/json", charset="utf-8", headers=headers
    )


def _sources(runtime: Runtime, wanted: query.Query) -> Iterator[query.Source]:
    needed = query.tags_needed(wanted.condition)
    for identity in _collection(runtime, wanted.source):
        if not needed or needed <= runtime.twin(identity.key).tags.keys():
            yield _source(runtime, identity)


def _collection(runtime: Runtime, collection: str) -> Iterator[Identity]:
    for device in runtime.registry:
        if collection == "devices":
            yield device
        else:
            yield from runtime.registry.modules.of_device(device.device_id)


def _source(runtime: Runtime, identity: Identity) -> query.Source:
    module_id = identity.module_id if isinstance(identity, ModuleIdentity) else ""
    return query.Source(identity.device_id, module_id, lambda: document(runtime, identity))


ROUTES = (Route(("devices", "query"), {"POST": calls.Operation(Right.SERVICE_CONNECT, run_query)}),)
