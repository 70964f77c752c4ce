"""Filters that the document does not name, in the edition of today: each brings what it matches, once."""

import pytest
from hub_values import DEVICE, DEVICEBOUND, NOW, Hub

from iothub_emulator.hub.effects import Send, Serve
from iothub_emulator.hub.mailbox_rules import CloudMessage
from iothub_emulator.hub.method_rules import MethodCall
from iothub_emulator.hub.methods import MethodRequest
from iothub_emulator.hub.packets import Publish, Suback, Subscribe, Unsubscribe
from iothub_emulator.hub.service_errors import Refused
from iothub_emulator.hub.subscribe import MOST_FILTERS

TO = f"/devices/{DEVICE}/messages/devicebound"
EMBEDDED_SDK = "devices/+/messages/devicebound/#"
GET, PATCH = "$iothub/twin/GET/?$rid=1", "$iothub/twin/PATCH/properties/reported/?$rid=2"


@pytest.fixture
def hub():
    return Hub("current")


def subscribe(session, *filters):
    effects = session.receive(Subscribe(1, filters), NOW)
    return effects[0].packet.codes


def send(hub, body, device_id=DEVICE):
    mailbox = hub.state.mailbox(hub.registry.require(device_id))
    mailbox.put(CloudMessage(to=TO, body=body, properties={}), NOW)


def call(hub, name):
    return hub.state.method_calls(DEVICE).call(MethodCall(name, b"", 30.0, 0.0), name, NOW)


def messages(effects):
    return [(effect.packet.payload, effect.packet.qos) for effect in effects]


def topics(effects):
    return [effect.packet.topic for effect in effects]


@pytest.mark.parametrize("topic_filter", [EMBEDDED_SDK, "#", "devices/#", "+/+/messages/+/+"])
def test_a_wide_filter_brings_the_subscriber_s_own_messages(hub, topic_filter):
    session = hub.session()
    assert subscribe(session, (topic_filter, 1)) == (1,)
    send(hub, b"theirs", "other")
    send(hub, b"mine")
    assert messages(session.serve(NOW)) == [(b"mine", 1)]


def test_two_filters_that_match_bring_a_message_once_at_the_higher_qos(hub):
    session = hub.session()
    assert subscribe(session, (EMBEDDED_SDK, 0), (DEVICEBOUND, 1), ("#", 0)) == (0, 1, 0)
    send(hub, b"once")
    assert messages(session.serve(NOW)) == [(b"once", 1)]
    session.receive(Unsubscribe(2, (DEVICEBOUND,)), NOW)
    send(hub, b"at QoS 0")
    assert messages(session.serve(NOW)) == [(b"at QoS 0", 0)]


def test_an_answer_comes_where_its_status_was_subscribed_to(hub):
    """Some clients have a filter for each status."""
    session = hub.session()
    subscribe(session, ("$iothub/twin/res/200/#", 0))
    assert topics(session.receive(Publish(GET, b""), NOW)) == ["$iothub/twin/res/200/?$rid=1"]
    assert session.receive(Publish(PATCH, b'{"a":1}'), NOW)[-1:] == []
    subscribe(session, ("$iothub/twin/res/204/#", 0))
    answered = topics(session.receive(Publish(PATCH, b'{"a":2}'), NOW))
    assert answered == ["$iothub/twin/res/204/?$rid=2&$version=3"]


def test_one_filter_may_bring_answers_and_changes(hub):
    session = hub.session()
    subscribe(session, ("$iothub/twin/#", 0))
    assert topics(session.receive(Publish(GET, b""), NOW)) == ["$iothub/twin/res/200/?$rid=1"]
    change = session.notified({"a": 1, "$version": 2})
    assert topics(change) == ["$iothub/twin/PATCH/properties/desired/?$version=2"]


def test_a_method_reaches_who_subscribed_to_it(hub):
    """Other methods of the same device do not."""
    session = hub.session()
    subscribe(session, ("$iothub/methods/POST/reboot/#", 1))
    session.serve(NOW)
    assert call(hub, "reboot") == MethodRequest("$iothub/methods/POST/reboot/?$rid=1", b"", 0)
    assert isinstance(call(hub, "stop").outcome, Refused)
    subscribe(session, ("$iothub/methods/#", 0))
    session.serve(NOW)
    assert call(hub, "stop") == MethodRequest("$iothub/methods/POST/stop/?$rid=2", b"", 0)


def test_nothing_of_the_hub_s_own_comes_under_a_leading_wildcard(hub):
    """[MQTT-4.7.2-1]"""
    session = hub.session()
    subscribe(session, ("#", 1), ("+/+/+/+/+", 1))
    session.serve(NOW)
    assert session.receive(Publish(GET, b""), NOW) == []
    assert session.notified({"$version": 2}) is None
    assert isinstance(call(hub, "reboot").outcome, Refused)


def test_a_message_that_no_filter_matches_waits_for_one_that_does(hub):
    session = hub.session()
    other_kind = f"devices/{DEVICE}/messages/devicebound/%24.to=elsewhere"
    assert subscribe(session, (other_kind, 1)) == (1,)
    send(hub, b"waits")
    assert session.serve(NOW) == []
    subscribe(session, (EMBEDDED_SDK, 1))
    assert messages(session.serve(NOW)) == [(b"waits", 1)]


def test_a_stored_session_goes_on_with_its_filter(hub):
    first = hub.session(clean_session=False)
    subscribe(first, (EMBEDDED_SDK, 1))
    again = hub.session(clean_session=False)
    send(hub, b"mine")
    assert messages(again.serve(NOW)) == [(b"mine", 1)]


def test_the_number_of_filters_is_bounded(hub):
    """The same filter again takes no further place, and one that was given up makes room."""
    session = hub.session()
    filters = [(f"$iothub/methods/POST/m{number}/#", 0) for number in range(MOST_FILTERS + 1)]
    assert subscribe(session, *filters) == (*[0] * MOST_FILTERS, 0x80)
    assert subscribe(session, filters[0]) == (0,)
    session.receive(Unsubscribe(2, (filters[0][0],)), NOW)
    assert session.receive(Subscribe(3, (filters[-1],)), NOW) == [Send(Suback(3, (0,))), Serve()]
