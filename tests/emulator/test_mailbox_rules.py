"""Decisions about cloud-to-device messages, one by one."""

import dataclasses
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iothub_emulator.hub.mailbox_rules import CloudMessage, MailboxRules

RULES = MailboxRules()
MESSAGE = CloudMessage(to="/devices/d/messages/devicebound", properties={})


def bag(**fields):
    return RULES.bag(dataclasses.replace(MESSAGE, **fields)).split("&")


@pytest.mark.parametrize(
    ("to", "device"),
    [
        ("/devices/d/messages/devicebound", "d"),
        ("/devices/d/messages/deviceBound", "d"),
        ("devices/d/messages/devicebound/", "d"),
        ("/devices/a%2Bb%23/messages/devicebound", "a+b#"),
        ("/devices/D-1:.+/messages/devicebound", "D-1:.+"),
        ("/devices/d/modules/m/messages/devicebound", None),
        ("/devices//messages/devicebound", None),
        ("/messages/devicebound", None),
        ("", None),
    ],
)
def test_whom_an_address_means(to, device):
    assert RULES.addressee(to) == device


@given(st.text())
def test_any_address_can_be_read(to):
    RULES.addressee(to)


def test_a_message_with_nothing_set_has_an_address():
    assert bag() == ["%24.to=%2Fdevices%2Fd%2Fmessages%2Fdevicebound"]


def test_system_properties_by_their_names():
    assert bag(
        message_id="m",
        correlation_id="c",
        user_id="u",
        content_type="application/json",
        content_encoding="utf-8",
        creation_time=1_600_000_000.0,
        expires_at=1_600_000_100.0,
        properties={"iothub-ack": "none", "key": "val"},
    ) == [
        "%24.mid=m",
        "%24.exp=2020-09-13T12%3A28%3A20.000000Z",
        "%24.to=%2Fdevices%2Fd%2Fmessages%2Fdevicebound",
        "%24.cid=c",
        "%24.uid=u",
        "%24.ct=application%2Fjson",
        "%24.ce=utf-8",
        "%24.ctime=2020-09-13T12%3A26%3A40.000000Z",
        "iothub-ack=none",
        "key=val",
    ]


def test_null_and_empty():
    assert bag(properties={"null": None, "empty": "", "": "x"})[1:] == ["null", "empty=", "=x"]


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("aZ09-._~", "aZ09-._~"),
        (" ", "%20"),
        ("+", "%2B"),
        ("&=/?#%$", "%26%3D%2F%3F%23%25%24"),
        ("!'()*", "%21%27%28%29%2A"),
        ("São", "S%C3%A3o"),
        ("😀", "%F0%9F%98%80"),
        ("\ud800", "%3F"),
    ],
)
def test_encoding(text, encoded):
    assert RULES.encode(text) == encoded


@given(st.dictionaries(st.text(min_size=1), st.none() | st.text()))
def test_a_bag_can_be_decoded_again(properties):
    pairs = bag(properties=properties)[1:]
    decoded = {
        unquote(name): unquote(value) if equals else None
        for name, equals, value in (pair.partition("=") for pair in pairs)
    }

    assert decoded == properties


def test_the_topic_names_the_device_and_begins_with_the_address():
    assert RULES.topic("d", MESSAGE).startswith("devices/d/messages/devicebound/%24.to=")


def test_body_and_properties_count():
    assert RULES.accepts_size(dataclasses.replace(MESSAGE, to="", body=b"x" * 65_536))
    assert not RULES.accepts_size(dataclasses.replace(MESSAGE, to="t", body=b"x" * 65_536))
    assert not RULES.accepts_size(
        dataclasses.replace(MESSAGE, to="", body=b"x" * 65_536, properties={"n": None})
    )


def test_who_is_served():
    assert RULES.feeds(subscribed=True)
    assert not RULES.feeds(subscribed=False)
    assert RULES.recipients("d") == ("d",)
    assert not RULES.dup(qos=0, times_taken=2)


@pytest.mark.parametrize(
    ("device_id", "level"), [("00:11@x,y=(z)'", "00:11@x,y=(z)'"), ("a+b", "a%2Bb"), ("a#b%41", "a%23b%41")]
)
def test_an_id_is_written_in_a_topic_as_it_is_where_a_topic_can_hold_it(device_id, level):
    """[MQTT-3.3.2-2]"""
    topic = RULES.topic(device_id, CloudMessage(to="x", properties={}))
    assert topic == f"devices/{level}/messages/devicebound/%24.to=x"
