"""The property bag, from the application of a device to the back end.

Document: "Enviando mensagens de dispositivo para nuvem" (#sending-device-to-cloud-messages).
Clauses: clauses/device-bag.toml.
"""

import pytest

from conformance.devices.fixtures.texts import TEXTS

clause = pytest.mark.clause


@clause("device-bag.values")
@pytest.mark.parametrize("text", [*TEXTS, pytest.param("$.mid", id="dollar")])
def test_a_value_arrives_as_it_was(connected, sends, telemetry, device, text):
    """The back end gets the value that the application gave."""
    sends(b"21.5", properties={"a": text})

    assert telemetry.next(sent_by=device).properties == {"a": text}


@clause("device-bag.names")
@pytest.mark.parametrize("text", TEXTS)
def test_a_name_arrives_as_it_was(connected, sends, telemetry, device, text):
    """The back end gets the name that the application gave."""
    sends(b"21.5", properties={text: "1"})

    assert telemetry.next(sent_by=device).properties == {text: "1"}


@clause("device-bag.empty")
def test_an_empty_value_arrives_as_one(connected, sends, telemetry, device):
    """The back end gets a property whose value is empty."""
    sends(b"21.5", properties={"a": "", "b": "1"})

    assert telemetry.next(sent_by=device).properties == {"a": "", "b": "1"}


@clause("device-bag.many")
def test_many_properties_arrive(connected, sends, telemetry, device):
    """Twenty properties are twenty at the back end."""
    properties = {f"name-{number}": f"{number}" for number in range(20)}
    sends(b"21.5", properties=properties)

    assert telemetry.next(sent_by=device).properties == properties


@clause("device-bag.system")
def test_system_properties_arrive_as_such(connected, sends, telemetry, device):
    """What the application says of the message itself is no property of its own."""
    system = {
        "message_id": "m 1/2",
        "correlation_id": "c&1",
        "user_id": "u=1",
        "content_type": "application/json",
        "content_encoding": "utf-8",
    }
    sends(b"{}", system=system, properties={"a": "1"})

    message = telemetry.next(sent_by=device)
    assert message.system == {name.replace("_", "-"): value for name, value in system.items()}
    assert message.properties == {"a": "1"}
