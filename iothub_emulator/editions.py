"""Where the document and today's hub disagree: one table, two columns.

`document` is the text of 2018-10-12 taken literally, `current` is what Microsoft's newer pages and traces of
real hubs show. Evidence for each line is cited beside it.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Edition:
    """One column: what the hub does where there are two opinions."""

    name: str
    qos_2: Literal["close", "puback"]
    """d2c.qos2: the document closes; a report of 2025 saw a PUBACK (eclipse-paho/paho.mqtt.c#1617)."""
    retain_property: Literal["x-opt-retain", "mqtt-retain"]
    """d2c.retain-property: the document's name, and the one that real hubs send (azure-docs PR 64738)."""
    twin_get_status: int
    """twin.get-status: the document's tables say 204 and 200; its example and traces of hubs say the reverse
    (azure-docs issue 47539)."""
    twin_patch_status: int
    """twin.reported-status: the other half of the same table."""
    subprotocol_case: Literal["exact", "any"]
    """websocket.subprotocol-case: [MQTT-6.0.0-3] has `mqtt`; Microsoft's SDK for C has offered `MQTT` since
    2016 and connects to hubs (azure-iot-sdk-c, iothubtransportmqtt_websockets.c)."""
    filters: Literal["documented", "matching"]
    """topics.subtopic-wildcards, topics.device-wildcard: which filters are granted, those that the
    document names, or all that can match what the hub sends to the subscriber. Traces and the output of
    samples show hubs that grant `devices/+/messages/devicebound/#` and `#` (azure-sdk-for-c,
    iot-middleware-freertos-samples issue 397, Azure-Samples/IoTMQTTSample)."""
    slash_in_bag: Literal["cuts", "closes"]
    """bag.raw-slash: what a raw slash in the middle of a bag does. Of hubs both was seen: the connection was
    closed (azure-sphere-samples issue 208, azure-iot-sdk-c issue 1695), and the bag was cut there (the same
    issue 1695); the document does not speak of it."""
    certificate_method: tuple[str, str]
    """x509.auth-method: type and issuer that telemetry is stamped with. Microsoft's page of message
    properties says x509 (azure-docs issue 8860); output of a hub of 2021 says x509Certificate and external
    (gloveboxes/azure_sphere_co2_monitor)."""


EDITIONS: dict[str, Edition] = {
    "document": Edition(
        name="document",
        qos_2="close",
        retain_property="x-opt-retain",
        twin_get_status=204,
        twin_patch_status=200,
        subprotocol_case="exact",
        filters="documented",
        slash_in_bag="cuts",
        certificate_method=("x509", "iothub"),
    ),
    "current": Edition(
        name="current",
        qos_2="puback",
        retain_property="mqtt-retain",
        twin_get_status=200,
        twin_patch_status=204,
        subprotocol_case="any",
        filters="matching",
        slash_in_bag="closes",
        certificate_method=("x509Certificate", "external"),
    ),
}
