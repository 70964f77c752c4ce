"""Device identities as JSON documents: reading what a caller sends, writing what the service answers.

Field names and the defaults of absent fields: Microsoft, REST reference (Devices, Bulk Registry), and the
models of the service SDKs. Read-only fields and unknown ones in a request are ignored.
"""

from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

from iothub_emulator.hub.identity import AuthenticationType, DeviceIdentity, Status, Wanted
from iothub_emulator.hub.registry_bulk import Failure, ImportMode
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.rest.errors import malformed

NEVER = "0001-01-01T00:00:00Z"
"""What the service writes for a time that has not come yet."""

_IMPORT_MODES: dict[str, ImportMode] = {mode.lower(): mode for mode in get_args(ImportMode)}


def identity_document(
    identity: DeviceIdentity, *, connected: bool, last_activity: float | None
) -> dict[str, Any]:
    """Return the document of one identity; times in it are ISO 8601 in UTC."""
    return {
        "deviceId": identity.device_id,
        "generationId": identity.generation_id,
        "etag": identity.etag,
        "connectionState": "Connected" if connected else "Disconnected",
        "status": identity.status,
        "statusReason": identity.status_reason,
        "connectionStateUpdatedTime": NEVER,
        "statusUpdatedTime": _iso(identity.status_updated_time),
        "lastActivityTime": _iso(last_activity),
        "cloudToDeviceMessageCount": 0,
        "authentication": {
            "symmetricKey": {"primaryKey": identity.primary_key, "secondaryKey": identity.secondary_key},
            "x509Thumbprint": {
                "primaryThumbprint": identity.primary_thumbprint,
                "secondaryThumbprint": identity.secondary_thumbprint,
            },
            "type": identity.authentication_type,
        },
        "capabilities": {"iotEdge": identity.iot_edge},
    }


def failure_document(failure: Failure) -> dict[str, Any]:
    """Return one entry of a bulk result. The live service sends the code as its number, not as its name."""
    return {"deviceId": failure.device_id, "errorCode": int(failure.code), "errorStatus": failure.message}


def read_identity(document: Any, device_id: str) -> Wanted:
    """Read the body of a PUT; `Refused` if it is malformed or names another device than the path."""
    fields = _object(document, "The body")
    if _text(fields, "deviceId") is None:
        raise Refused(ErrorCode.ArgumentNull, "deviceId is missing.")
    if fields["deviceId"] != device_id:
        raise Refused(ErrorCode.ArgumentInvalid, "deviceId is not the one of the path.")
    return _wanted(fields, device_id)


def read_bulk_id(entry: Any) -> str:
    """Read the id of a bulk entry; without one no error could name it, so the whole call is `Refused`."""
    fields = _object(entry, "An entry")
    device_id = _text(fields, "id")
    if device_id is None:
        raise Refused(ErrorCode.ArgumentNull, "An entry has no id.")
    return device_id


def read_bulk_entry(entry: dict[str, Any], device_id: str) -> tuple[ImportMode, Wanted, str | None]:
    """Read the rest of a bulk entry: mode, identity, etag; `Refused` concerns this entry alone."""
    if _text(entry, "moduleId") is not None:
        raise Refused(ErrorCode.ArgumentInvalid, "Modules are not supported in bulk calls.")
    word = _text(entry, "importMode") or "createOrUpdate"
    mode = _IMPORT_MODES.get(word.lower())
    if mode is None:
        raise Refused(ErrorCode.ArgumentInvalid, f"importMode is none of {', '.join(get_args(ImportMode))}.")
    if mode in {"delete", "deleteIfMatchETag"}:
        return mode, Wanted(device_id=device_id), _text(entry, "eTag")
    return mode, _wanted(entry, device_id), _text(entry, "eTag")


def _wanted(fields: dict[str, Any], device_id: str) -> Wanted:
    """Read what single and bulk documents have in common."""
    authentication = _part(fields, "authentication")
    keys = _part(authentication, "symmetricKey")
    thumbprints = _part(authentication, "x509Thumbprint")
    primary_thumbprint = _text(thumbprints, "primaryThumbprint") or None
    secondary_thumbprint = _text(thumbprints, "secondaryThumbprint") or None
    return Wanted(
        device_id=device_id,
        status=_status(fields),
        status_reason=_text(fields, "statusReason"),
        authentication_type=_authentication_type(
            authentication, has_thumbprint=bool(primary_thumbprint or secondary_thumbprint)
        ),
        primary_key=_text(keys, "primaryKey") or None,
        secondary_key=_text(keys, "secondaryKey") or None,
        primary_thumbprint=primary_thumbprint,
        secondary_thumbprint=secondary_thumbprint,
        iot_edge=_flag(_part(fields, "capabilities"), "iotEdge"),
    )


def _status(fields: dict[str, Any]) -> Status:
    word = (_text(fields, "status") or "enabled").lower()
    if word not in get_args(Status):
        raise Refused(ErrorCode.ArgumentInvalid, "status is neither enabled nor disabled.")
    return cast("Status", word)


def _authentication_type(authentication: dict[str, Any], *, has_thumbprint: bool) -> AuthenticationType:
    """Read how the device authenticates; callers older than the field mean what they send."""
    word = _text(authentication, "type")
    known: dict[str, Literal["sas", "selfSigned"]] = {"sas": "sas", "selfsigned": "selfSigned"}
    if word is None:
        return "selfSigned" if has_thumbprint else "sas"
    if word.lower() == "certificateauthority":
        raise Refused(
            ErrorCode.ArgumentInvalid,
            "authentication.type certificateAuthority is not supported here; register the thumbprint of the"
            " device's certificate with type selfSigned.",
        )
    if word.lower() not in known:
        raise Refused(ErrorCode.ArgumentInvalid, "authentication.type is neither sas nor selfSigned.")
    return known[word.lower()]


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise malformed(f"{what} is not a JSON object.")
    return value


def _part(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object inside another; absent and null mean empty."""
    value = fields.get(name)
    return {} if value is None else _object(value, name)


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise malformed(f"{name} is not a string.")
    return value


def _flag(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise malformed(f"{name} is neither true nor false.")
    return bool(value)


def _iso(when: float | None) -> str:
    if when is None:
        return NEVER
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
