"""Whose twin, or whose method: the identity that a path names, and its twin as a document."""

from iothub_emulator.hub.identity import DeviceIdentity, Identity, ModuleIdentity
from iothub_emulator.hub.json_text import Object
from iothub_emulator.hub.twin_document import TwinOwner, module_owner, owner_of, twin_document
from iothub_emulator.rest.calls import Call, valid_ids
from iothub_emulator.runtime import Runtime


def owner(call: Call) -> Identity:
    """Return the device or module of the path; `Refused` with DeviceNotFound or ModuleNotFound."""
    device_id, *module_id = valid_ids(call)
    device = call.runtime.registry.require(device_id)
    return call.runtime.registry.modules.require(device_id, module_id[0]) if module_id else device


def document(runtime: Runtime, identity: Identity) -> Object:
    """Return the whole twin of an identity."""
    return twin_document(runtime.twin(identity.key), _twin_owner(runtime, identity), runtime.rules.twins)


def _twin_owner(runtime: Runtime, identity: Identity) -> TwinOwner:
    connected, last_activity = runtime.is_connected(identity.key), runtime.last_activity(identity.key)
    model_id = runtime.state.model_ids.get(identity.key, "")
    match identity:
        case DeviceIdentity():
            return owner_of(
                identity,
                connected=connected,
                last_activity=last_activity,
                pending_messages=runtime.messages.pending(identity.device_id),
                model_id=model_id,
            )
        case ModuleIdentity():
            device = runtime.registry.require(identity.device_id)
            return module_owner(
                identity, device, connected=connected, last_activity=last_activity, model_id=model_id
            )
