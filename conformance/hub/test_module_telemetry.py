"""What a module sends: telemetry and its Will.

Document: #using-the-mqtt-protocol-directly-as-a-module. Clauses: clauses/module.toml.

A module publishes to devices/{device}/modules/{module}/messages/events/, and its Will goes there too.
The back end sees device and module in the stamp of the message.
"""

import pytest

from conformance.mqtt.fields import Will

clause = pytest.mark.clause


@clause("module.telemetry")
@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize(
    ("bag", "properties"),
    [("", {}), ("alarm=true&room=A%201", {"alarm": "true", "room": "A 1"})],
    ids=["no-properties", "two-properties"],
)
def test_a_modules_message_is_its_telemetry(module_connection, telemetry, qos, bag, properties):
    """Body and properties arrive, stamped with device and module."""
    device_id, module_id = module_connection.device.id.split("/")
    topic = f"devices/{device_id}/modules/{module_id}/messages/events/{bag}"

    module_connection.publish(topic, b"21.5", qos=qos)

    message = telemetry.next(sent_by=module_connection.device)
    assert (message.body, message.properties, message.device_id, message.module_id) == (
        b"21.5",
        properties,
        device_id,
        module_id,
    )


@clause("module.telemetry")
def test_the_hub_says_that_a_module_sent_it(module_connection, telemetry):
    """Scope and type of the authentication stand in the annotations: a module, by a token."""
    module = module_connection.device
    module_connection.publish(module.topics.events, b"who am I?", qos=1)

    message = telemetry.next(sent_by=module)
    assert (message.source, message.auth.get("scope"), message.auth.get("type")) == (
        "Telemetry",
        "module",
        "sas",
    )


@clause("module.telemetry")
def test_telemetry_of_a_module_is_not_its_devices(device, connection, module_connection, telemetry):
    """What a module and its device send is told apart."""
    module = module_connection.device
    module_connection.publish(module.topics.events, b"of the module", qos=1)
    connection.publish(device.topics.events, b"of the device", qos=1)

    first_of_each = telemetry.next(sent_by=device), telemetry.next(sent_by=module)
    assert [message.body for message in first_of_each] == [b"of the device", b"of the module"]


@clause("module.will")
@pytest.mark.parametrize("qos", [0, 1])
def test_a_modules_will_is_its_telemetry(module, telemetry, stage, qos):
    """The connection ends without DISCONNECT: the Will arrives, stamped with device and module."""
    device_id, module_id = module.id.split("/")
    topic = f"devices/{device_id}/modules/{module_id}/messages/events/"
    connection = stage(module.connect, clean_session=False, will=Will(topic=topic, payload=b"gone", qos=qos))

    connection.drop()

    message = telemetry.next(sent_by=module)
    assert (message.body, message.properties, message.device_id, message.module_id) == (
        b"gone",
        {"iothub-MessageType": "Will"},
        device_id,
        module_id,
    )


@clause("module.device-topic")
@pytest.mark.parametrize("qos", [0, 1])
def test_a_module_on_its_devices_topic(device, module_connection, telemetry, observed, qos):
    """Nothing states what becomes of it."""
    module_connection.send(device.topics.events, b"whose?", qos=qos)
    answer = module_connection.outcome()

    of_device, of_module = telemetry.until_fence(device), telemetry.until_fence(module_connection.device)
    observed(f"{answer}; delivered as the device's: {len(of_device)}, as the module's: {len(of_module)}")
