"""Device identities: /devices, /devices/{id}, their counts, and the queue of messages to one of them."""

from typing import Any

from aiohttp import web

from iothub_emulator.hub.identity import DeviceIdentity
from iothub_emulator.hub.policies import Right
from iothub_emulator.hub.registry_bulk import Failure, Operation, carry_out
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.rest import calls, envelope
from iothub_emulator.rest.calls import Call, Route, valid_ids
from iothub_emulator.rest.errors import malformed
from iothub_emulator.rest.identity_document import (
    Presence,
    failure_document,
    identity_document,
    read_bulk_entry,
    read_bulk_ids,
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
    wanted = read_identity(call.json(envelope.IDENTITY), _device_id(call))
    before = runtime.registry.get(wanted.device_id)
    after = runtime.registry.put(wanted, call.if_match, runtime.fresh(wanted.device_id))
    runtime.registry_changed(before, after)
    return _answer(runtime, after)


async def delete_identity(call: Call) -> web.Response:
    """DELETE /devices/{id} with If-Match."""
    runtime, device_id = call.runtime, _device_id(call)
    modules = runtime.registry.modules.of_device(device_id)
    before = runtime.registry.delete(device_id, call.if_match)
    for module in modules:
        runtime.registry_changed(module, None)
    runtime.registry_changed(before, None)
    return web.Response(status=204)


async def purge_messages(call: Call) -> web.Response:
    """DELETE /devices/{id}/commands: empty the device's queue of cloud-to-device messages."""
    device_id = _device_id(call)
    purged = call.runtime.messages.purge(device_id)
    return web.json_response({"deviceId": device_id, "moduleId": None, "totalMessagesPurged": purged})


async def device_statistics(call: Call) -> web.Response:
    """GET /statistics/devices: how many devices there are, modules not counted."""
    devices = list(call.runtime.registry)
    enabled = sum(device.status == "enabled" for device in devices)
    return web.json_response(
        {
            "totalDeviceCount": len(devices),
            "enabledDeviceCount": enabled,
            "disabledDeviceCount": len(devices) - enabled,
        }
    )


async def service_statistics(call: Call) -> web.Response:
    """GET /statistics/service: how many devices are connected."""
    return web.json_response({"connectedDeviceCount": call.runtime.connected()})


async def change_many(call: Call) -> web.Response:
    """POST /devices: up to a hundred changes, each answered for by itself; 400 if one failed."""
    runtime = call.runtime
    entries = call.json(envelope.BULK_ENTRY)
    if not isinstance(entries, list) or not entries:
        raise malformed("The body is not a JSON array with at least one entry.")
    if not runtime.rules.registry.accepts_bulk_of(len(entries)):
        raise Refused(ErrorCode.TooManyDevices, "More devices than one call may change.")
    names = [read_bulk_ids(entry) for entry in entries]
    before = {key: runtime.registry.identity(key) for key in _touched(runtime, names)}
    read = [_read(entry, *name) for entry, name in zip(entries, names, strict=True)]
    failures = carry_out(runtime.registry, read, runtime.fresh)
    for key, identity in before.items():
        runtime.registry_changed(identity, runtime.registry.identity(key))
    result = {
        "isSuccessful": not failures,
        "errors": [failure_document(failure) for failure in failures],
        "warnings": [],
    }
    return web.json_response(result, status=400 if failures else 200)


def presence(runtime: Runtime, identity_key: str) -> Presence:
    """Return what documents show of an identity's connection."""
    return Presence(
        runtime.is_connected(identity_key),
        runtime.connection_state_changed(identity_key),
        runtime.last_activity(identity_key),
        runtime.messages.pending(identity_key),
    )


def _read(entry: dict[str, Any], device_id: str, module_id: str | None) -> Operation | Failure:
    try:
        return read_bulk_entry(entry, device_id, module_id)
    except Refused as refused:
        return Failure(device_id=device_id, module_id=module_id, code=refused.code, message=refused.message)


def _touched(runtime: Runtime, names: list[tuple[str, str | None]]) -> list[str]:
    """Return the identity keys that a bulk call may change; a device takes its modules along."""
    keys: dict[str, None] = {}
    for device_id, module_id in names:
        if module_id is not None:
            keys[f"{device_id}/{module_id}"] = None
            continue
        keys |= dict.fromkeys(module.key for module in runtime.registry.modules.of_device(device_id))
        keys[device_id] = None
    return list(keys)


def _device_id(call: Call) -> str:
    (device_id,) = valid_ids(call)
    return device_id


def _document(runtime: Runtime, identity: DeviceIdentity) -> dict[str, Any]:
    return identity_document(identity, presence(runtime, identity.key))


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
    Route(("devices", "*", "commands"), {"DELETE": calls.Operation(Right.SERVICE_CONNECT, purge_messages)}),
    Route(("statistics", "devices"), {"GET": calls.Operation(_READ, device_statistics)}),
    Route(("statistics", "service"), {"GET": calls.Operation(_READ, service_statistics)}),
)
