"""The Will: when it is sent, and what it looks like."""

import pytest
from hub_values import DEVICE, EVENTS, NOW, Hub

from iothub_emulator.hub.effects import Close, End, Send, Telemetry
from iothub_emulator.hub.packets import Connack, Disconnect, Publish, Will
from iothub_emulator.hub.will import WillRules


def session_with(will, edition="document"):
    return Hub(edition).session(will=will)


LAST_WORDS = Will(EVENTS + "a=1&%24.ct=text", b"bye", 1, retain=False)


@pytest.mark.parametrize("end", [end for end in End if end not in {End.DISCONNECT, End.HUB_STOPS}], ids=str)
def test_it_is_sent_once_when_the_connection_ends(end):
    session = session_with(LAST_WORDS)
    (effect,) = session.ended(end, NOW)
    assert (effect.event.device_id, effect.event.body) == (DEVICE, b"bye")
    assert effect.event.properties == {"a": "1", "iothub-MessageType": "Will"}
    assert effect.event.system == {"content-type": "text"}
    assert session.ended(end, NOW) == []


def test_it_is_not_sent_after_disconnect():
    session = session_with(LAST_WORDS)
    assert session.receive(Disconnect(), NOW) == [Close("connection.disconnect-closes")]
    assert session.ended(End.LOST, NOW) == []


def test_it_is_sent_when_the_client_breaks_a_rule():
    closed, sent = session_with(LAST_WORDS).receive(Publish(EVENTS, b"", qos=2, packet_id=1), NOW)
    assert closed == Close("d2c.qos2")
    assert isinstance(sent, Telemetry)


def test_its_retain_flag_becomes_a_property():
    session = session_with(Will(EVENTS, b"", 0, retain=True), "current")
    (effect,) = session.ended(End.LOST, NOW)
    assert effect.event.properties == {"mqtt-retain": "true", "iothub-MessageType": "Will"}


@pytest.mark.parametrize(
    "topic", ["devices/other/messages/events/", "anything", "$iothub/x", EVENTS + "a=b=c"]
)
def test_it_is_dropped_where_it_cannot_be_telemetry_of_its_sender(topic):
    assert session_with(Will(topic, b"x", 0, retain=False)).ended(End.LOST, NOW) == []


def test_a_connection_that_was_refused_leaves_none():
    session, _ = Hub().connect(will=LAST_WORDS, password=b"wrong")
    assert session.ended(End.LOST, NOW) == []


def test_a_will_that_a_rule_does_not_accept_is_a_refused_connect():
    class NoneRetained(WillRules):
        def accepts(self, will):
            return not will.retain

    hub = Hub()
    hub.rules.will = NoneRetained()
    _, effects = hub.connect(will=Will(EVENTS, b"", 0, retain=True))

    assert effects == [Send(Connack(0, 5)), Close("will.accepted")]
    assert hub.session(will=LAST_WORDS).sender is not None


def test_a_rule_decides_whose_will_a_connection_has():
    class OfTheDevice(WillRules):
        def of_connection(self, will, identity_key):
            return LAST_WORDS if identity_key == DEVICE else None

    hub = Hub()
    hub.rules.will = OfTheDevice()

    (effect,) = hub.session(will=None).ended(End.LOST, NOW)
    assert effect.event.body == b"bye"
    assert hub.session("other", will=LAST_WORDS).ended(End.LOST, NOW) == []
