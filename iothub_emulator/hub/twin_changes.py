"""A twin in an event of the hub's: whole, or what of it changed.

Source: Microsoft, "Azure IoT Hub non-telemetry event schemas".
"""

from iothub_emulator.hub.identity import Identity, ModuleIdentity
from iothub_emulator.hub.json_text import Json, Object
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


def changed_parts(before: Twin, after: Twin) -> Object:
    """Return the sections that changed, and of them what did; a member that is gone is null."""
    body: Object = {"version": after.version}
    tags = _difference(before.tags, after.tags)
    if tags:
        body["tags"] = tags
    sections = {"desired": (before.desired, after.desired), "reported": (before.reported, after.reported)}
    properties: Object = {
        name: _properties(old, new) for name, (old, new) in sections.items() if old.version != new.version
    }
    if properties:
        body["properties"] = properties
    return body


def _properties(before: Properties, after: Properties) -> Object:
    touched = _touched(before.values, before.metadata, after.values, after.metadata)
    metadata = {
        name: value
        for name, value in after.metadata.items()
        if name.startswith("$") or (name in touched and name in after.values)
    }
    return touched | {"$metadata": metadata, "$version": after.version}


def _touched(before: Object, old_stamps: Object, after: Object, stamps: Object) -> Object:
    """Return the members that bear a new stamp, even with the value they had, and those that are gone."""
    found: Object = {name: None for name in before if name not in after}
    for name, value in after.items():
        if name in before and old_stamps.get(name) == stamps.get(name):
            continue
        inner, was = stamps.get(name), before.get(name)
        old_inner = old_stamps.get(name)
        if isinstance(value, dict) and isinstance(was, dict) and isinstance(inner, dict):
            found[name] = _touched(was, old_inner if isinstance(old_inner, dict) else {}, value, inner)
        else:
            found[name] = value
    return found


def _difference(before: Object, after: Object) -> Object:
    found: Object = {name: None for name in before if name not in after}
    for name, value in after.items():
        was: Json = before.get(name)
        if name in before and was == value:
            continue
        both = isinstance(value, dict) and isinstance(was, dict)
        found[name] = _difference(was, value) if both else value  # type: ignore[arg-type] # both are objects
    return found
