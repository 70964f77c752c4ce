"""Module identities: /devices/{id}/modules and /devices/{id}/modules/{module}."""

from typing import Any

from aiohttp import web

from iothub_emulator.hub.identity import ModuleIdentity
from iothub_emulator.hub.policies import Right
from iothub_emulator.rest import calls, envelope
from iothub_emulator.rest.calls import Call, Route, valid_ids
from iothub_emulator.rest.devices import presence
from iothub_emulator.rest.identity_document import module_document, read_module
from iothub_emulator.runtime import Runtime


async def list_modules(call: Call) -> web.Response:
    """GET /devices/{id}/modules: all modules of a device, with their keys."""
    (device_id,) = valid_ids(call)
    registry = call.runtime.registry
    registry.require(device_id)
    return web.json_response(
        [_document(call.runtime, module) for module in registry.modules.of_device(device_id)]
    )


async def get_module(call: Call) -> web.Response:
    """GET /devices/{id}/modules/{module}."""
    device_id, module_id = _ids(call)
    return _answer(call.runtime, call.runtime.registry.modules.require(device_id, module_id))


async def put_module(call: Call) -> web.Response:
    """PUT /devices/{id}/modules/{module}: create, or with If-Match replace."""
    runtime = call.runtime
    device_id, module_id = _ids(call)
    wanted = read_module(call.json(envelope.IDENTITY), device_id, module_id)
    before = runtime.registry.module(device_id, module_id)
    after = runtime.registry.modules.put(wanted, call.if_match, runtime.fresh(wanted.key))
    runtime.registry_changed(before, after)
    return _answer(runtime, after)


async def delete_module(call: Call) -> web.Response:
    """DELETE /devices/{id}/modules/{module} with If-Match."""
    device_id, module_id = _ids(call)
    before = call.runtime.registry.modules.delete(device_id, module_id, call.if_match)
    call.runtime.registry_changed(before, None)
    return web.Response(status=204)


def _ids(call: Call) -> tuple[str, str]:
    """Return both ids; `Refused` if one is none, or there is no such device."""
    device_id, module_id = valid_ids(call)
    call.runtime.registry.require(device_id)
    return device_id, module_id


def _document(runtime: Runtime, module: ModuleIdentity) -> dict[str, Any]:
    return module_document(module, presence(runtime, module.key))


def _answer(runtime: Runtime, module: ModuleIdentity) -> web.Response:
    return web.json_response(_document(runtime, module), headers={"ETag": f'"{module.etag}"'})


_READ = Right.REGISTRY_READ
# Answers to a write hold the keys, so writing asks for both rights.
_WRITE = Right.REGISTRY_READ | Right.REGISTRY_WRITE

# With its own token a device makes its modules (seen in an end-to-end suite of Microsoft's and in IoT Edge's
# identity service) and reads them (inferred). It deletes none.
ROUTES = (
    Route(("devices", "*", "modules"), {"GET": calls.Operation(_READ, list_modules, by_own_device=True)}),
    Route(
        ("devices", "*", "modules", "*"),
        {
            "GET": calls.Operation(_READ, get_module, by_own_device=True),
            "PUT": calls.Operation(_WRITE, put_module, by_own_device=True),
            "DELETE": calls.Operation(_WRITE, delete_module),
        },
    ),
)
