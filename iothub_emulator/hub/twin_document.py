"""A twin as the service's REST interface shows it: the identity's properties around the three sections.

Names, order and the times of what never happened are those of twins in traces; `connectionStateUpdatedTime`
and `generationId` are left out (Microsoft, "Understand and use device twins in IoT Hub").
"""

from dataclasses import dataclass
from typing import Literal

from iothub_emulator.hub.identity import DeviceIdentity, ModuleIdentity
from iothub_emulator.hub.json_text import Object
from iothub_emulator.hub.refusals import iso
from iothub_emulator.hub.twin import Twin
from iothub_emulator.hub.twin_rules import TwinRules


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinOwner:
    """What a twin shows of its device or module. Times are unix seconds, None: never."""

    device_id: str
    module_id: str | None = None
    etag: str
    """The identity's, without quotes; the twin has its own."""
    status: Literal["enabled", "disabled"] = "enabled"
    status_reason: str | None = None
    status_updated_time: float | None = None
    connected: bool = False
    last_activity: float | None = None
    pending_messages: int = 0
    """Cloud-to-device messages in the mailbox."""
    authentication_type: str = "sas"
    primary_thumbprint: str | None = None
    secondary_thumbprint: str | None = None
    iot_edge: bool = False
    model_id: str = ""
    """The model that it announced last; empty: none."""
    device_scope: str | None = None
    parent_scopes: tuple[str, ...] = ()


def module_owner(
    module: ModuleIdentity,
    device: DeviceIdentity,
    *,
    connected: bool,
    last_activity: float | None,
    model_id: str = "",
) -> TwinOwner:
    """Return the owner of a module's twin; its status is the device's."""
    return TwinOwner(
        device_id=module.device_id,
        module_id=module.module_id,
        etag=module.etag,
        status=device.status,
        status_reason=device.status_reason,
        status_updated_time=device.status_updated_time,
        connected=connected,
        last_activity=last_activity,
        authentication_type=module.authentication_type,
        primary_thumbprint=module.primary_thumbprint,
        secondary_thumbprint=module.secondary_thumbprint,
        model_id=model_id,
    )


def owner_of(
    identity: DeviceIdentity,
    *,
    connected: bool,
    last_activity: float | None,
    pending_messages: int,
    model_id: str = "",
) -> TwinOwner:
    """Return the owner of a device's twin."""
    return TwinOwner(
        device_id=identity.device_id,
        etag=identity.etag,
        status=identity.status,
        status_reason=identity.status_reason,
        status_updated_time=identity.status_updated_time,
        connected=connected,
        last_activity=last_activity,
        pending_messages=pending_messages,
        authentication_type=identity.authentication_type,
        primary_thumbprint=identity.primary_thumbprint,
        secondary_thumbprint=identity.secondary_thumbprint,
        iot_edge=identity.iot_edge,
        model_id=model_id,
        device_scope=identity.device_scope,
        parent_scopes=identity.parent_scopes,
    )


def twin_document(twin: Twin, owner: TwinOwner, rules: TwinRules) -> Object:
    """Return the whole twin, as GET /twins/{id} and queries show it. What it holds must not be altered."""
    document: Object = {"deviceId": owner.device_id}
    if owner.module_id is not None:
        document["moduleId"] = owner.module_id
    document |= {"etag": twin.etag, "deviceEtag": owner.etag, "status": owner.status}
    if owner.status_reason is not None:
        document["statusReason"] = owner.status_reason
    document |= {
        "statusUpdateTime": iso(owner.status_updated_time),
        "connectionState": "Connected" if owner.connected else "Disconnected",
        "lastActivityTime": iso(owner.last_activity),
        "cloudToDeviceMessageCount": owner.pending_messages,
        "authenticationType": owner.authentication_type,
        "x509Thumbprint": {
            "primaryThumbprint": owner.primary_thumbprint,
            "secondaryThumbprint": owner.secondary_thumbprint,
        },
        "modelId": rules.model_id(owner.model_id),
        "version": twin.version,
        "capabilities": {"iotEdge": owner.iot_edge},
        **scopes(owner),
    }
    desired, reported = twin.desired.for_service(), twin.reported.for_service()
    return document | rules.visible_to_service(twin.tags, desired, reported)


def scopes(owner: TwinOwner | DeviceIdentity) -> Object:
    """Return the scopes of an Edge device, or of a child of one; a device without any has no such members."""
    if owner.device_scope is None and not owner.parent_scopes:
        return {}
    return {"deviceScope": owner.device_scope, "parentScopes": [*owner.parent_scopes]}
