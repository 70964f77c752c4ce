"""Messages for a device: what it subscribes to, what it acknowledges, what its application gets.

Document: "Recebendo mensagens da nuvem para o dispositivo" (#receiving-cloud-to-device-messages).
Clauses: clauses/device-c2d.toml.
"""

import base64

import pytest

from conformance.devices.fixtures.texts import TEXTS
from conformance.mqtt.packets import Puback, Publish, Subscribe
from conformance.tap.happenings import LoseWith

clause = pytest.mark.clause


@clause("device-c2d.subscribes")
def test_the_device_subscribes_to_its_own_messages(device, listening_to_messages):
    """The filter is the documented one, under its own id."""
    filters = [item for each in listening_to_messages.of_kind(Subscribe) for item, _ in each.filters]

    assert set(filters) == {f"devices/{device.id}/messages/devicebound/#"}


@clause("device-c2d.delivered")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"on", id="text"),
        pytest.param('{"lugar": "São Paulo"}'.encode(), id="utf-8"),
        pytest.param(b"\x00\xff\x80binary\r\n", id="binary"),
        pytest.param(b"0123456789abcdef" * 2048, id="32-KB"),
    ],
)
def test_the_application_gets_a_body_as_it_was(device, listening_to_messages, c2d, body):
    """The application gets the bytes that the back end sent."""
    c2d.send(device, body)

    assert base64.b64decode(device.adapter.next("message", device.seconds).says["body"]) == body


@clause("device-c2d.values")
@pytest.mark.parametrize("text", TEXTS)
def test_the_application_gets_a_value_as_it_was(device, listening_to_messages, c2d, text):
    """The value is that of the back end."""
    c2d.send(device, b"on", properties={"a": text})

    assert device.next_properties()["a"] == text


@clause("device-c2d.names")
@pytest.mark.parametrize("text", TEXTS)
def test_the_application_gets_a_name_as_it_was(device, listening_to_messages, c2d, text):
    """The name is that of the back end."""
    c2d.send(device, b"on", properties={text: "1"})

    assert device.next_properties().get(text) == "1"


@clause("device-c2d.empty")
def test_the_application_gets_an_empty_value(device, listening_to_messages, c2d):
    """The value is empty."""
    c2d.send(device, b"on", properties={"a": "", "b": "1"})

    assert device.next_properties() == {"a": "", "b": "1"}


@clause("device-c2d.null")
def test_a_property_without_a_value(device, listening_to_messages, c2d, observed):
    """What stands in the place of the value."""
    c2d.send(device, b"on", properties={"a": None, "b": "1"})

    observed(f"{device.next_properties().get('a', '(absent)')!r}")


@clause("device-c2d.system")
def test_the_application_gets_system_properties_as_such(device, listening_to_messages, c2d):
    """They come apart from the properties of the application."""
    system = {
        "message_id": "m 1/2",
        "correlation_id": "c&1",
        "content_type": "application/json",
        "content_encoding": "utf-8",
    }
    c2d.send(device, b"{}", properties={"a": "1"}, **system)

    message = device.adapter.next("message", device.seconds)
    assert {name: message.says["system"].get(name) for name in system} == system
    assert message.says["properties"] == {"a": "1"}


@clause("device-c2d.acknowledged")
def test_a_message_is_acknowledged(device, listening_to_messages, c2d, messages_at_qos_1):
    """There is one PUBACK with the packet id of the message."""
    c2d.send(device, b"on")
    device.adapter.next("message", device.seconds)
    device.give_time(lambda: next(listening_to_messages.of_kind(Puback), None))
    device.order_in_time("disconnect")

    message = next(listening_to_messages.of_kind(Publish, sent=False))
    assert list(listening_to_messages.of_kind(Puback)) == [Puback(message.packet_id)]


@clause("device-c2d.acknowledged-again")
def test_a_message_that_comes_again_is_acknowledged(device, listening_to_messages, of_the_tap):
    """A message of the tap's comes twice, the second time with DUP; each is acknowledged."""
    of_the_tap.send(b"on", packet_id=40_000)
    device.wait(lambda: of_the_tap.acknowledged(40_000) == 1 or None, "PUBACK")
    of_the_tap.send(b"on", packet_id=40_000, dup=True)
    device.give_time(lambda: of_the_tap.acknowledged(40_000) == 2)

    assert of_the_tap.acknowledged(40_000) == 2


@clause("device-c2d.acknowledged-in-order")
def test_messages_are_acknowledged_in_their_order(device, listening_to_messages, of_the_tap):
    """Five messages that come at once are acknowledged one behind the other."""
    of_the_tap.send_each([b"1", b"2", b"3", b"4", b"5"], packet_ids=[41_005, 41_004, 41_003, 41_002, 41_001])
    device.give_time(lambda: len(list(listening_to_messages.of_kind(Puback))) == 5)

    acknowledged = [each.packet_id for each in listening_to_messages.of_kind(Puback)]
    assert acknowledged == [41_005, 41_004, 41_003, 41_002, 41_001]


@clause("device-c2d.order")
def test_the_application_gets_messages_in_their_order(device, listening_to_messages, c2d):
    """Five messages are told in the order in which they were sent."""
    c2d.send_each(device, [b"1", b"2", b"3", b"4", b"5"])
    told = [base64.b64decode(device.adapter.next("message", device.seconds).says["body"]) for _ in range(5)]

    assert told == [b"1", b"2", b"3", b"4", b"5"]


@clause("device-c2d.subscribes-again")
def test_a_device_without_a_session_subscribes_again(device, listening_to_messages, no_session):
    """CONNACK of the next connection says that there is no session; a SUBSCRIBE follows."""
    line = no_session(listening_to_messages)
    device.give_time(lambda: next(line.of_kind(Subscribe), None))

    filters = [item for each in line.of_kind(Subscribe) for item, _ in each.filters]
    assert f"devices/{device.id}/messages/devicebound/#" in filters


@clause("device-c2d.served-again")
@pytest.mark.parametrize("reset", [pytest.param(False, id="end"), pytest.param(True, id="reset")])
def test_messages_come_behind_a_lost_connection(device, listening_to_messages, tap, c2d, reset):
    """The connection is lost, and the device comes again; what is sent then reaches the application."""
    tap.drop(listening_to_messages, reset=reset)
    device.reconnects()
    c2d.send(device, b"on")

    assert base64.b64decode(device.adapter.next("message", device.seconds).says["body"]) == b"on"


@clause("device-c2d.acknowledged-behind-loss")
def test_a_message_whose_puback_was_lost_is_acknowledged_again(device, kept_session, c2d):
    """The network is lost with the PUBACK; the hub sends the message again, and gets one."""
    device.record.happen(LoseWith("a PUBACK", lambda packet: isinstance(packet, Puback)))
    c2d.send(device, b"on")
    again = device.reconnects(in_session=True)
    device.wait(lambda: next(again.of_kind(Publish, sent=False), None), "message on the next connection")
    device.give_time(lambda: next(again.of_kind(Puback), None))

    message = next(again.of_kind(Publish, sent=False))
    assert list(again.of_kind(Puback)) == [Puback(message.packet_id)]
