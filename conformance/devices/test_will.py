"""The Will that a device leaves with the hub: in CONNECT, and at the back end.

Document: "Usar o protocolo MQTT diretamente (como um dispositivo)"
(#using-the-mqtt-protocol-directly-as-a-device). Clauses: clauses/device-will.toml.
"""

import pytest

clause = pytest.mark.clause


@clause("device-will.topic")
def test_a_will_is_for_the_devices_events(willed, device):
    """The Will of CONNECT has the topic of the device's own events; what is behind it are properties."""
    assert willed(device).connect.will.topic.startswith(f"devices/{device.id}/messages/events/")


@clause("device-will.module-topic")
def test_the_will_of_a_module_is_for_its_own_events(willed, device_as_module):
    """The Will of CONNECT has device and module in its topic."""
    topic = willed(device_as_module).connect.will.topic

    assert topic.startswith(f"devices/{device_as_module.path}/messages/events/")


@clause("device-will.payload")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"gone", id="text"),
        pytest.param('{"lugar": "São Paulo"}'.encode(), id="utf-8"),
        pytest.param(b"\x00\xff\x80binary\r\n", id="binary"),
    ],
)
def test_a_will_has_the_payload_of_the_application(willed, device, body):
    """The Will of CONNECT has these bytes."""
    assert willed(device, body=body).connect.will.payload == body


@clause("device-will.sent")
def test_a_lost_connection_sends_the_will(willed, device, tap, telemetry):
    """The connection is lost, and the hub hands the Will to the back end, marked as one."""
    tap.drop(willed(device))

    message = telemetry.next(sent_by=device)
    assert (message.body, message.properties.get("iothub-MessageType")) == (b"gone", "Will")


@clause("device-will.not-behind-goodbye")
def test_a_goodbye_sends_no_will(willed, device, telemetry):
    """The device is told to leave; of what its next connection sends, nothing stands before it."""
    willed(device)
    device.done("disconnect")
    device.order_in_time("connect")
    device.order_in_time("send", body="bmV4dA==")

    assert telemetry.next(sent_by=device).body == b"next"


@clause("device-will.again")
def test_the_next_connection_has_the_will_too(willed, device, tap):
    """The connection is lost; the CONNECT of the next one has a Will with this payload."""
    first = willed(device)
    tap.drop(first)
    again = device.connects(after=1)

    assert again.connect.will == first.connect.will


@clause("device-will.qos")
def test_qos_and_retain_of_a_will(willed, device, observed):
    """Which QoS and RETAIN stand in CONNECT."""
    will = willed(device).connect.will

    observed(f"QoS {will.qos}, RETAIN {int(will.retain)}")
