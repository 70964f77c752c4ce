"""SUBSCRIBE, UNSUBSCRIBE, and packets that answer nothing."""

import pytest
from hub_values import DEVICEBOUND, NOW, Hub

from iothub_emulator.hub.effects import Close, Send, Serve
from iothub_emulator.hub.packets import (
    Disconnect,
    Puback,
    Pubcomp,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
)


@pytest.fixture
def session():
    return Hub().session()


@pytest.mark.parametrize(("asked", "granted"), [(0, 0), (1, 1), (2, 1)])
def test_at_most_qos_1_is_granted(session, asked, granted):
    assert session.receive(Subscribe(3, ((DEVICEBOUND, asked),)), NOW) == [
        Send(Suback(3, (granted,))),
        Serve(),
    ]
    assert session.subscriptions == {DEVICEBOUND: granted}


def test_codes_follow_the_filters(session):
    wanted = (("#", 0), (DEVICEBOUND, 2), ("devices/other/messages/devicebound/#", 1), (DEVICEBOUND, 0))
    assert session.receive(Subscribe(65535, wanted), NOW) == [
        Send(Suback(65535, (0x80, 1, 0x80, 0))),
        Serve(),
    ]
    assert session.subscriptions == {DEVICEBOUND: 0}


def test_unsubscribe_is_answered_for_any_filter(session):
    session.receive(Subscribe(1, ((DEVICEBOUND, 1),)), NOW)
    assert session.receive(Unsubscribe(9, ("never/heard", DEVICEBOUND)), NOW) == [
        Send(Unsuback(9)),
        Serve(),
    ]
    assert session.subscriptions == {}


def test_a_puback_for_nothing_is_ignored(session):
    assert session.receive(Puback(1), NOW) == []


@pytest.mark.parametrize("packet", [Pubrec(1), Pubrel(1), Pubcomp(1)], ids=str)
def test_there_is_no_qos_2_flow_to_take_part_in(session, packet):
    assert session.receive(packet, NOW) == [Close("watch.qos")]


def test_disconnect_closes(session):
    assert session.receive(Disconnect(), NOW) == [Close("connection.disconnect-closes")]
    assert session.is_over


def test_malformed_bytes_close(session):
    assert session.malformed("[MQTT-2.2.2-2] flags", NOW) == [Close("[MQTT-2.2.2-2] flags")]
    assert session.is_over
