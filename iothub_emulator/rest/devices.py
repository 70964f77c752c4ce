"""Device identities: /devices and /devices/{id}."""

from typing import Any

from aiohttp import web

from iothub_emulator.hub.identity import DeviceIdentity
from iothub_emulator.hub.policies import Right
from iothub_emulator.hub.registry_bulk import Failure, Operation, carry_out
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.rest import calls
from iothub_emulator.rest.calls import Call, Route
from iothub_emulator.rest.errors import malformed
from iothub_emulator.rest.identity_document import (
    failure_document,
    identity_document,
    read_bulk_entry,
    read_bulk_id,
    read_identity,
)
from iothub_emulator.runtime import Runtime


async def list_identities(call: Call) -> web.Response:
    """GET /devices?top=: the first identities, with their keys."""
    identities = call.runtime.registry.list(call.whole_number("top"))
    return web.json_response([_document(call.runtime, identity) for identity in identities])


async def get_identity(call: Call) -> web.Response:
    """GET /devices/{id}."""
    return _answer(call.runtime, call.runtime.registry.require(_device_id(call)))


async def put_identity(call: Call) -> web.Response:
    """PUT /devices/{id}: create, or with If-Match replace."""
    runtime = call.runtime
    wanted = read_identity(call.json(), _device_id(call))
    before = runtime.registry.get(wanted.device_id)
    after = runtime.registry.put(wanted, call.if_match, runtime.fresh())
    _tell(runtime, before, after)
    return _answer(runtime, after)


async def delete_identity(call: Call) -> web.Response:
    """DELETE /devices/{id} with If-Match."""
    before = call.runtime.registry.delete(_device_id(call), call.if_match)
    _tell(call.runtime, before, None)
    return web.Response(status=204)


async def change_many(call: Call) -> web.Response:
    """POST /devices: up to a hundred changes, each answered for by itself; 400 if one failed."""
    runtime = call.runtime
    entries = call.json()
    if not isinstance(entries, list) or not entries:
        raise malformed("The body is not a JSON array with at least one entry.")
    if not runtime.rules.registry.accepts_bulk_of(len(entries)):
        raise Refused(ErrorCode.TooManyDevices, "More devices than one call may change.")
    ids = [read_bulk_id(entry) for entry in entries]
    before = {device_id: runtime.registry.get(device_id) for device_id in ids}
    read = [_read(entry, device_id) for entry, device_id in zip(entries, ids, strict=True)]
    failures = carry_out(runtime.registry, read, runtime.fresh)
    for device_id, identity in before.items():
        _tell(runtime, identity, runtime.registry.get(device_id))
    result = {
        "isSuccessful": not failures,
        "errors": [failure_document(failure) for failure in failures],
        "warnings": [],
    }
    return web.json_response(result, status=400 if failures else 200)


def _read(entry: dict[str, Any], device_id: str) -> Operation | Failure:
    try:
        mode, wanted, etag = read_bulk_entry(entry, device_id)
    except Refused as refused:
        return Failure(device_id=device_id, code=refused.code, message=refused.message)
    return Operation(wanted=wanted, mode=mode, etag=etag)


def _device_id(call: Call) -> str:
    """Return the id of the path; `Refused` if no device can have it."""
    (device_id,) = call.ids
    problem = call.runtime.rules.registry.problem_with_id(device_id)
    if problem is not None:
        raise Refused(ErrorCode.ArgumentInvalid, problem)
    return device_id


def _tell(runtime: Runtime, before: DeviceIdentity | None, after: DeviceIdentity | None) -> None:
    """Let the runtime drop the connection of an identity that may no longer hold one."""
    if before is None or before is after:
        return
    if runtime.rules.registry.ends_connection(before, after):
        runtime.identity_changed(before.device_id)


def _document(runtime: Runtime, identity: DeviceIdentity) -> dict[str, Any]:
    return identity_document(
        identity,
        connected=runtime.is_connected(identity.device_id),
        last_activity=runtime.last_activity(identity.device_id),
    )


def _answer(runtime: Runtime, identity: DeviceIdentity) -> web.Response:
    return web.json_response(_document(runtime, identity), headers={"ETag": f'"{identity.etag}"'})


_READ = Right.REGISTRY_READ
# Answers to a write hold the keys, so writing asks for both rights.
_WRITE = Right.REGISTRY_READ | Right.REGISTRY_WRITE

ROUTES = (
    Route(
        ("devices",),
        {"GET": calls.Operation(_READ, list_identities), "POST": calls.Operation(_WRITE, change_many)},
    ),
    Route(
        ("devices", "*"),
        {
            "GET": calls.Operation(_READ, get_identity),
            "PUT": calls.Operation(_WRITE, put_identity),
            "DELETE": calls.Operation(_WRITE, delete_identity),
        },
    ),
)
