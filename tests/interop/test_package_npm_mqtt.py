"""MQTT.js, a general client for Node, used as Microsoft's page on MQTT says, against the embedded hub."""

import pytest
from environments import node_environment

PACKAGE = "mqtt (npm)"
SCRIPT = "node/mqtt.js"
ENVIRONMENT = node_environment
DEADLINE = 120

TWIN = ("twin get", "twin reported", "twin desired")
ROUNDS = {
    "with CleanSession 1": (
        "connect",
        "SUBSCRIBE is granted as the page says",
        "telemetry with QoS 0 and QoS 1",
        "telemetry with a property bag",
        "cloud-to-device with properties",
        *TWIN,
        "method with payload",
        "method without payload",
        "UNSUBSCRIBE",
        "disconnect",
        "nothing is left of the session",
    ),
    "with CleanSession 0": (
        "connect",
        "what came meanwhile is there after coming back, without SUBSCRIBE",
        "connects again by itself when another took it over",
        *TWIN,
        "method with payload after a drop",
        "method without payload after a drop",
        "disconnect",
    ),
    "by a wrong key": ("is refused",),
    **{
        f"with TLS 1.2 and {suite} alone": ("connect, telemetry",)
        for suite in (
            "ECDHE-RSA-AES256-GCM-SHA384",
            "ECDHE-RSA-AES128-GCM-SHA256",
            "ECDHE-RSA-AES256-SHA384",
            "ECDHE-RSA-AES128-SHA256",
        )
    },
}
STEPS = (
    *(
        f"{transport} {way}: {name}"
        for transport in ("MQTT", "WebSocket")
        for way, names in ROUNDS.items()
        for name in names
    ),
    *(
        f"{transport}: a Will with QoS {qos} is sent after a drop"
        for transport in ("MQTT", "WebSocket")
        for qos in (0, 1)
    ),
    "MQTT by certificate: connect, telemetry",
    "MQTT by a token with colons in the id, encoded once: connect, telemetry",
    "MQTT by a token with colons in the id, encoded twice: connect, telemetry",
    "MQTT by a token with colons in the id, encoded alone: connect, telemetry",
    "MQTT by a token as in the page's sample, with /api-version behind the device: connect, telemetry",
    "MQTT under a name of the form {hub}.device.azure-devices.net: connect, telemetry",
)


@pytest.mark.parametrize("step", STEPS)
def test_npm_mqtt(passes, step):
    passes(step)


def test_npm_mqtt_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
