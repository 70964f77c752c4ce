"""Subscribing: when a device listens, and what it makes of the hub's answer.

Document: "Recebendo mensagens da nuvem para o dispositivo" (#receiving-cloud-to-device-messages).
Clauses: clauses/device-subscriptions.toml.
"""

import base64

import pytest

from conformance.mqtt.packets import Suback, Subscribe
from conformance.tap.happenings import Replace, Withhold

clause = pytest.mark.clause

KINDS = [
    pytest.param("messages", marks=pytest.mark.needs("c2d"), id="messages"),
    pytest.param("desired", marks=pytest.mark.needs("twin"), id="desired"),
    pytest.param("methods", marks=pytest.mark.needs("methods"), id="methods"),
]


@clause("device-subscriptions.told-when-granted")
@pytest.mark.parametrize("kind", KINDS)
def test_a_device_listens_when_the_hub_has_granted_it(device, connected, tap, pause, kind):
    """While SUBACK is on its way the application is told nothing."""
    device.record.happen(withheld := Withhold("SUBACK", lambda packet: isinstance(packet, Suback)))
    order = device.adapter.order("listen", to=[kind])
    device.wait(lambda: withheld.times == 0, "SUBACK of the hub's")
    pause(0.3)
    told_before = device.adapter.has_answered(order)
    asked = list(connected.of_kind(Subscribe))[-1]
    tap.send(connected, b"\x90\x03" + asked.packet_id.to_bytes(2) + b"\x01")

    assert device.adapter.answer(order, device.seconds).name == "listening"
    assert not told_before


@clause("device-subscriptions.refused-told")
@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_subscription(device, connected, observed, kind):
    """SUBACK has the code 0x80 for each filter; what the answer to the order is."""
    device.record.happen(Replace("refuses subscriptions", suback_of(0x80)))

    observed(f"{kind}: {device.order_in_time('listen', to=[kind])}")


@clause("device-subscriptions.granted-qos")
@pytest.mark.needs("c2d")
def test_a_lower_qos_is_as_good(device, connected, tap):
    """SUBACK grants QoS 0, and a message with QoS 0 reaches the application."""
    device.record.happen(Replace("grants QoS 0", suback_of(0)))
    answer = device.order_in_time("listen", to=["messages"])
    topic = f"devices/{device.id}/messages/devicebound/".encode()
    tap.send(connected, bytes([0x30, len(topic) + 4]) + len(topic).to_bytes(2) + topic + b"on")

    assert answer == "listening"
    assert base64.b64decode(device.adapter.next("message", device.seconds).says["body"]) == b"on"


@clause("device-subscriptions.requested-qos")
@pytest.mark.needs("c2d")
def test_qos_that_is_asked_for(device, listening_to_messages, observed):
    """Which QoS stands in SUBSCRIBE for messages."""
    observed(
        ", ".join(
            f"QoS {qos}" for each in listening_to_messages.of_kind(Subscribe) for _, qos in each.filters
        )
    )


@clause("device-subscriptions.kept-session")
def test_what_came_meanwhile_reaches_the_application(device, kept_session, tap, c2d):
    """A message is sent while the connection is lost; it comes on the next one."""
    tap.drop(kept_session)
    c2d.send(device, b"meanwhile")
    device.reconnects()

    assert base64.b64decode(device.adapter.next("message", device.seconds).says["body"]) == b"meanwhile"


@clause("device-subscriptions.several")
def test_a_device_that_listens_to_all_mixes_nothing_up(device, connected, c2d, twins, methods):
    """A message, a change and a call come one behind the other."""
    device.done("listen", to=["messages", "desired", "methods"])
    c2d.send(device, b"on")
    twins.patch(device, desired={"a": 1})
    methods.begin(device, "reboot", {"b": 2})

    assert base64.b64decode(device.adapter.next("message", device.seconds).says["body"]) == b"on"
    assert device.adapter.next("desired", device.seconds).says["patch"] == {"a": 1}
    assert device.adapter.next("method", device.seconds).says["payload"] == {"b": 2}


def suback_of(code):
    """Return what makes of a SUBACK one with this code for each filter."""
    return lambda packet: (
        bytes([0x90, 2 + len(packet.codes)])
        + packet.packet_id.to_bytes(2)
        + bytes([code] * len(packet.codes))
        if isinstance(packet, Suback)
        else None
    )
