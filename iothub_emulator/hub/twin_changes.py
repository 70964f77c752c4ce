"""A twin in an event of the hub's: whole, or what of it changed.

Source: Microsoft, "Azure IoT Hub non-telemetry event schemas".
"""

from iothub_emulator.hub.identity import Identity, ModuleIdentity
from iothub_emulator.hub.json_text import Object
from iothub_emulator.hub.twin import Properties, Twin
from iothub_emulator.hub.twin_rules import TwinRules


def whole_twin(identity: Identity, twin: Twin, rules: TwinRules) -> Object:
    """Return the body of an event that shows a whole twin, without tags where there are none."""
    ids: Object = {"deviceId": identity.device_id}
    if isinstance(identity, ModuleIdentity):
        ids["moduleId"] = identity.module_id
    desired, reported = twin.desired.for_service(), twin.reported.for_service()
    sections = rules.visible_to_service(twin.tags, desired, reported)
    shown = {name: value for name, value in sections.items() if name != "tags" or value}
    return ids | {"etag": twin.etag, "version": twin.version} | shown


def changed_parts(after: Twin, patched: Object) -> Object:
    """Return what a patch of each section named in `patched` made: the patch, and versions and metadata.

    A member of null is null here, whether or not it was there (an end-to-end stress test of Microsoft's).
    """
    body: Object = {"version": after.version}
    if patched.get("tags"):
        body["tags"] = patched["tags"]
    sections = {"desired": after.desired, "reported": after.reported}
    properties: Object = {}
    for name, section in sections.items():
        patch = patched.get(name)
        if isinstance(patch, dict):
            properties[name] = _properties(section, patch)
    if properties:
        body["properties"] = properties
    return body


def _properties(after: Properties, patch: Object) -> Object:
    metadata = {
        name: value
        for name, value in after.metadata.items()
        if name.startswith("$") or (name in patch and name in after.values)
    }
    return patch | {"$metadata": metadata, "$version": after.version}
