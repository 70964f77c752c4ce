"""Telemetry: what the application of a device sends, on the wire and at the back end.

Document: "Enviando mensagens de dispositivo para nuvem" (#sending-device-to-cloud-messages).
Clauses: clauses/device-telemetry.toml.
"""

import pytest

from conformance.mqtt.packets import Puback, Publish
from conformance.tap.happenings import LoseWith, Withhold

clause = pytest.mark.clause


@clause("device-telemetry.delivered")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"21.5", id="text"),
        pytest.param('{"lugar": "São Paulo", "€": 1}'.encode(), id="utf-8"),
        pytest.param(b"\x00\xff\x80binary\r\n", id="binary"),
        pytest.param(b"", id="empty"),
        pytest.param(b"0123456789abcdef" * 4096, id="64-KB"),
    ],
)
def test_a_body_reaches_the_back_end_as_it_was(connected, sends, telemetry, device, body):
    """The back end gets the bytes that the application gave."""
    sends(body)

    assert telemetry.next(sent_by=device).body == body


@clause("device-telemetry.topic")
def test_telemetry_goes_to_the_events_topic(connected, device):
    """The topic is that of the device's own events; without a bag the last slash may be missing."""
    device.order_in_time("send", body="MjEuNQ==")

    assert device.topics_of_telemetry() <= {
        f"devices/{device.id}/messages/events/",
        f"devices/{device.id}/messages/events",
    }


@clause("device-telemetry.module-topic")
def test_telemetry_of_a_module_goes_to_its_own_topic(device_as_module):
    """The topic has device and module in it."""
    device_as_module.connected()
    device_as_module.order_in_time("send", body="MjEuNQ==")

    assert device_as_module.topics_of_telemetry() <= {
        f"devices/{device_as_module.path}/messages/events/",
        f"devices/{device_as_module.path}/messages/events",
    }


@clause("device-telemetry.qos")
def test_qos_and_retain_of_telemetry(connected, sends, observed):
    """Which QoS and RETAIN a message has."""
    sends(b"21.5")

    (message,) = connected.of_kind(Publish)
    observed(f"QoS {message.qos}, RETAIN {int(message.retain)}")


@clause("device-telemetry.sent-when-acknowledged")
def test_a_message_is_sent_when_the_hub_has_it(connected, device, tap, pause, telemetry_at_qos_1):
    """While PUBACK is on its way the application is told nothing."""
    device.record.happen(withheld := Withhold("PUBACK", lambda packet: isinstance(packet, Puback)))
    order = device.adapter.order("send", body="MjEuNQ==")
    device.wait(lambda: withheld.times == 0, "PUBACK of the hub's")
    pause(0.3)
    told_before = device.adapter.has_answered(order)
    tap.send(connected, b"\x40\x02" + telemetry_at_qos_1(connected).packet_id.to_bytes(2))

    assert device.adapter.answer(order, device.seconds).name == "sent"
    assert not told_before


@clause("device-telemetry.order")
def test_messages_keep_their_order(connected, device, telemetry):
    """Five messages that are sent behind each other arrive behind each other."""
    for body in ("MQ==", "Mg==", "Mw==", "NA==", "NQ=="):
        device.done("send", body=body)

    assert telemetry.take(5, sent_by=device) == [b"1", b"2", b"3", b"4", b"5"]


@clause("device-telemetry.sent-again")
def test_what_was_not_acknowledged_is_sent_again(connected, device, telemetry, telemetry_at_qos_1):
    """The connection is lost with the message; it comes on the next one."""
    device.record.happen(LoseWith("a message", lambda packet: isinstance(packet, Publish)))
    device.adapter.order("send", body="MjEuNQ==")
    device.reconnects()

    assert telemetry.next(sent_by=device).body == b"21.5"


@clause("device-telemetry.sent-again-dup")
def test_what_is_sent_again_says_so(connected, device, telemetry_at_qos_1):
    """It has the packet id that it had, and DUP."""
    device.record.happen(LoseWith("a message", lambda packet: isinstance(packet, Publish)))
    device.adapter.order("send", body="MjEuNQ==")
    line = device.reconnects(in_session=True)
    device.wait(lambda: next(line.of_kind(Publish), None), "message on the next connection")

    again = next(line.of_kind(Publish))
    assert (again.packet_id, again.dup) == (telemetry_at_qos_1(connected).packet_id, True)


@clause("device-telemetry.not-again")
def test_what_was_acknowledged_is_not_sent_again(connected, device, tap, telemetry, telemetry_at_qos_1):
    """Up to its goodbye the next connection has what is sent there, and nothing of before."""
    device.done("send", body="MQ==")
    telemetry.next(sent_by=device)
    tap.drop(connected)
    line = device.reconnects()
    device.done("send", body="Mg==")
    device.order_in_time("disconnect")

    assert [message.payload for message in line.of_kind(Publish)] == [b"2"]


@clause("device-telemetry.sent-again-in-order")
def test_what_is_sent_again_keeps_its_order(connected, device, tap, telemetry_at_qos_1):
    """No PUBACK of three messages comes through, and the connection is lost; they come again."""
    device.record.happen(withheld := Withhold("PUBACKs", lambda packet: isinstance(packet, Puback), None))
    device.adapter.order("send", body="MQ==")
    device.adapter.order("send", body="Mg==")
    device.adapter.order("send", body="Mw==")
    device.wait(lambda: len(list(connected.of_kind(Publish))) == 4, "three messages behind the first")
    device.record.no_more(withheld)
    tap.drop(connected)
    again = device.reconnects(in_session=True)
    device.wait(lambda: len(list(again.of_kind(Publish))) >= 3, "three messages on the next connection")

    sent = [message.payload for message in connected.of_kind(Publish)]
    assert [message.payload for message in again.of_kind(Publish)][:3] == sent[1:]


@clause("device-telemetry.own-acknowledgement")
def test_a_puback_is_that_of_its_message(connected, device, tap, telemetry_at_qos_1):
    """The PUBACK of the first of two messages is late: the second is sent, and the first is not yet."""
    device.record.happen(withheld := Withhold("PUBACK", lambda packet: isinstance(packet, Puback)))
    first = device.adapter.order("send", body="MQ==")
    device.wait(lambda: withheld.times == 0, "PUBACK of the hub's")
    late = telemetry_at_qos_1(connected).packet_id
    order = device.adapter.order("send", body="Mg==")
    device.sends_at_once(connected, 3)
    second = device.adapter.answer(order, device.seconds)
    told_before = device.adapter.has_answered(first)
    tap.send(connected, b"\x40\x02" + late.to_bytes(2))

    assert (second.name, told_before) == ("sent", False)
    assert device.adapter.answer(first, device.seconds).name == "sent"


@clause("device-telemetry.together")
def test_messages_at_the_same_time_all_arrive(connected, device, telemetry):
    """Five orders are given at once; the back end gets five messages, in whatever order."""
    for body in ("MQ==", "Mg==", "Mw==", "NA==", "NQ=="):
        device.adapter.order("send", body=body)

    assert sorted(telemetry.take(5, sent_by=device)) == [b"1", b"2", b"3", b"4", b"5"]
