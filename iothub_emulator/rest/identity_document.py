"""Device and module identities as JSON documents: reading a caller's, writing the service's.

Field names and the defaults of absent fields: Microsoft, REST reference (Devices, Modules, Bulk Registry),
and the models of the service SDKs. Read-only fields and unknown ones in a request are ignored.
"""

from dataclasses import dataclass
from typing import Any, TypedDict, cast, get_args

from iothub_emulator.hub.identity import (
    AuthenticationType,
    DeviceIdentity,
    Identity,
    ModuleIdentity,
    Status,
    Wanted,
    WantedModule,
)
from iothub_emulator.hub.refusals import iso
from iothub_emulator.hub.registry_bulk import Failure, ImportMode, Operation
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.twin_document import scopes
from iothub_emulator.rest.fields import flag, object_of, part, text, texts

_AUTHENTICATION_TYPES: dict[str, AuthenticationType] = {
    word.lower(): word for word in get_args(AuthenticationType)
}
_IMPORT_MODES: dict[str, ImportMode] = {mode.lower(): mode for mode in get_args(ImportMode)}


@dataclass(frozen=True, slots=True)
class Presence:
    """What a document shows of an identity's connection. Times are unix seconds, None: never."""

    connected: bool
    changed: float | None
    """When it last came or went."""
    last_activity: float | None
    pending_messages: int = 0


def identity_document(identity: DeviceIdentity, presence: Presence) -> dict[str, Any]:
    """Return the document of one device; times in it are ISO 8601 in UTC."""
    return {
        "deviceId": identity.device_id,
        "generationId": identity.generation_id,
        "etag": identity.etag,
        "connectionState": "Connected" if presence.connected else "Disconnected",
        "status": identity.status,
        "statusReason": identity.status_reason,
        "connectionStateUpdatedTime": iso(presence.changed),
        "statusUpdatedTime": iso(identity.status_updated_time),
        "lastActivityTime": iso(presence.last_activity),
        "cloudToDeviceMessageCount": presence.pending_messages,
        "authentication": _authentication(identity),
        "capabilities": {"iotEdge": identity.iot_edge},
        **scopes(identity),
    }


def module_document(identity: ModuleIdentity, presence: Presence) -> dict[str, Any]:
    """Return the document of one module."""
    return {
        "moduleId": identity.module_id,
        "managedBy": identity.managed_by,
        "deviceId": identity.device_id,
        "generationId": identity.generation_id,
        "etag": identity.etag,
        "connectionState": "Connected" if presence.connected else "Disconnected",
        "connectionStateUpdatedTime": iso(presence.changed),
        "lastActivityTime": iso(presence.last_activity),
        "cloudToDeviceMessageCount": presence.pending_messages,
        "authentication": _authentication(identity),
    }


def _authentication(identity: Identity) -> dict[str, Any]:
    return {
        "symmetricKey": {"primaryKey": identity.primary_key, "secondaryKey": identity.secondary_key},
        "x509Thumbprint": {
            "primaryThumbprint": identity.primary_thumbprint,
            "secondaryThumbprint": identity.secondary_thumbprint,
        },
        "type": identity.authentication_type,
    }


def failure_document(failure: Failure) -> dict[str, Any]:
    """Return one entry of a bulk result. The live service sends the code as its number, not as its name."""
    document: dict[str, Any] = {"deviceId": failure.device_id}
    if failure.module_id is not None:
        document["moduleId"] = failure.module_id
    return document | {"errorCode": int(failure.code), "errorStatus": failure.message}


def read_identity(document: Any, device_id: str) -> Wanted:
    """Read the body of a PUT; `Refused` if it is malformed or names another device than the path."""
    fields = object_of(document, "The body")
    if text(fields, "deviceId") is None:
        raise Refused(ErrorCode.ArgumentNull, "deviceId is missing.")
    if fields["deviceId"] != device_id:
        raise Refused(ErrorCode.ArgumentInvalid, "deviceId is not the one of the path.")
    return _wanted(fields, device_id)


def read_module(document: Any, device_id: str, module_id: str) -> WantedModule:
    """Read the body of a PUT of a module; `Refused` if it is malformed or names another than the path."""
    fields = object_of(document, "The body")
    for name, wanted in (("deviceId", device_id), ("moduleId", module_id)):
        if text(fields, name) is None:
            raise Refused(ErrorCode.ArgumentNull, f"{name} is missing.")
        if fields[name] != wanted:
            raise Refused(ErrorCode.ArgumentInvalid, f"{name} is not the one of the path.")
    return _wanted_module(fields, device_id, module_id)


def read_bulk_ids(entry: Any) -> tuple[str, str | None]:
    """Read device and module id of a bulk entry; the latter may be absent.

    Without a device id no error could name the entry, so the whole call is `Refused`.
    """
    fields = object_of(entry, "An entry")
    device_id = text(fields, "id")
    if device_id is None:
        raise Refused(ErrorCode.ArgumentNull, "An entry has no id.")
    return device_id, text(fields, "moduleId")


def read_bulk_entry(entry: dict[str, Any], device_id: str, module_id: str | None) -> Operation:
    """Read the rest of a bulk entry: mode, identity, etag; `Refused` concerns this entry alone."""
    word = text(entry, "importMode") or "createOrUpdate"
    mode = _IMPORT_MODES.get(word.lower())
    if mode is None:
        raise Refused(ErrorCode.ArgumentInvalid, f"importMode is none of {', '.join(get_args(ImportMode))}.")
    # What is deleted needs its name only.
    fields = {} if mode in {"delete", "deleteIfMatchETag"} else entry
    if fields.get("tags") or fields.get("properties"):
        raise Refused(
            ErrorCode.ArgumentInvalid,
            "tags and properties are not taken in bulk here: change the twin by PATCH /twins.",
        )
    wanted = _wanted(fields, device_id) if module_id is None else _wanted_module(fields, device_id, module_id)
    return Operation(wanted=wanted, mode=mode, etag=text(entry, "eTag"))


def _wanted(fields: dict[str, Any], device_id: str) -> Wanted:
    """Read what single and bulk documents have in common."""
    return Wanted(
        device_id=device_id,
        status=_status(fields),
        status_reason=text(fields, "statusReason"),
        iot_edge=flag(part(fields, "capabilities"), "iotEdge"),
        device_scope=text(fields, "deviceScope") or None,
        parent_scopes=texts(fields, "parentScopes"),
        **_credentials(fields),
    )


def _wanted_module(fields: dict[str, Any], device_id: str, module_id: str) -> WantedModule:
    return WantedModule(
        device_id=device_id,
        module_id=module_id,
        managed_by=text(fields, "managedBy") or None,
        **_credentials(fields),
    )


class _Credentials(TypedDict):
    authentication_type: AuthenticationType
    primary_key: str | None
    secondary_key: str | None
    primary_thumbprint: str | None
    secondary_thumbprint: str | None


def _credentials(fields: dict[str, Any]) -> _Credentials:
    authentication = part(fields, "authentication")
    keys = part(authentication, "symmetricKey")
    thumbprints = part(authentication, "x509Thumbprint")
    primary_thumbprint = text(thumbprints, "primaryThumbprint") or None
    secondary_thumbprint = text(thumbprints, "secondaryThumbprint") or None
    return {
        "authentication_type": _authentication_type(
            authentication, has_thumbprint=bool(primary_thumbprint or secondary_thumbprint)
        ),
        "primary_key": text(keys, "primaryKey") or None,
        "secondary_key": text(keys, "secondaryKey") or None,
        "primary_thumbprint": primary_thumbprint,
        "secondary_thumbprint": secondary_thumbprint,
    }


def _status(fields: dict[str, Any]) -> Status:
    word = (text(fields, "status") or "enabled").lower()
    if word not in get_args(Status):
        raise Refused(ErrorCode.ArgumentInvalid, "status is neither enabled nor disabled.")
    return cast("Status", word)


def _authentication_type(authentication: dict[str, Any], *, has_thumbprint: bool) -> AuthenticationType:
    """Read how the device authenticates; callers older than the field mean what they send."""
    word = text(authentication, "type")
    if word is None:
        return "selfSigned" if has_thumbprint else "sas"
    known = _AUTHENTICATION_TYPES.get(word.lower())
    if known is None:
        raise Refused(
            ErrorCode.ArgumentInvalid,
            f"authentication.type is none of {', '.join(get_args(AuthenticationType))}.",
        )
    return known
