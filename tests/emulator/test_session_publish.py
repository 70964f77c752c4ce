"""PUBLISH: what becomes telemetry, and what closes the connection."""

import dataclasses

import pytest
from hub_values import DEVICE, EVENTS, NOW, Hub

from iothub_emulator.hub.effects import Close, Forward, Send, Telemetry
from iothub_emulator.hub.packets import Puback, Publish
from iothub_emulator.hub.publish import PublishRules
from iothub_emulator.hub.telemetry import TelemetryEvent
from iothub_emulator.settings import Settings


@pytest.fixture
def hub():
    return Hub()


@pytest.fixture
def session(hub):
    return hub.session()


def telemetry(session, **fields):
    """Return the event that the session's device would have sent."""
    event = TelemetryEvent(DEVICE, f"g-{DEVICE}", session.sender.auth_method, b"", NOW)
    return Telemetry(dataclasses.replace(event, **fields))


def test_qos_1_is_acknowledged_after_it_is_owned(session):
    """PUBACK is sent after the message is handed over, never before."""
    assert session.receive(Publish(EVENTS, b"21", qos=1, packet_id=7), NOW) == [
        telemetry(session, body=b"21"),
        Send(Puback(7)),
    ]


def test_no_message_is_for_other_devices(hub):
    """Only a replaced rule makes a broker of the hub, and then before the back end hears of it."""

    class Broker(PublishRules):
        def passes_on(self, topic):
            return True

    packet = Publish(EVENTS, b"x")
    assert Forward(packet) not in hub.session().receive(packet, NOW)

    hub.rules.publish = Broker(hub.rules.publish.settings, hub.rules.publish.edition)
    assert hub.session().receive(packet, NOW)[0] == Forward(packet)


def test_qos_0_has_no_answer(session):
    assert session.receive(Publish(EVENTS, b""), NOW) == [telemetry(session)]


def test_a_resent_message_is_taken_again(session):
    packet = Publish(EVENTS, b"x", qos=1, packet_id=7, dup=True)
    for _ in range(2):
        assert session.receive(packet, NOW) == [telemetry(session, body=b"x"), Send(Puback(7))]


@pytest.mark.parametrize("bag", ["a=1", "a=1/", "a=1/b=2"])
def test_the_bag_ends_at_a_raw_slash(session, bag):
    assert session.receive(Publish(EVENTS + bag, b""), NOW) == [telemetry(session, properties={"a": "1"})]


def test_the_bag_becomes_properties(session):
    assert session.receive(Publish(EVENTS + "a=1&%24.mid=m%201&$.ct=text%2Fplain", b""), NOW) == [
        telemetry(session, properties={"a": "1"}, system={"message-id": "m 1", "content-type": "text/plain"})
    ]


def test_the_next_message_has_no_properties_of_the_last(session):
    session.receive(Publish(EVENTS + "a=1", b"", retain=True), NOW)
    assert session.receive(Publish(EVENTS, b""), NOW) == [telemetry(session)]


@pytest.mark.parametrize(("edition", "name"), [("document", "x-opt-retain"), ("current", "mqtt-retain")])
def test_retain_becomes_a_property(edition, name):
    session = Hub(edition).session()
    assert session.receive(Publish(EVENTS, b"hot", retain=True), NOW) == [
        telemetry(session, body=b"hot", properties={name: "true"})
    ]


def test_qos_2_closes_by_the_document(session):
    assert session.receive(Publish(EVENTS, b"x", qos=2, packet_id=1), NOW) == [Close("d2c.qos2")]
    assert session.is_over


def test_qos_2_is_acknowledged_once_by_a_hub_of_today():
    session = Hub("current").session()
    assert session.receive(Publish(EVENTS, b"x", qos=2, packet_id=1), NOW) == [
        telemetry(session, body=b"x"),
        Send(Puback(1)),
    ]


@pytest.mark.parametrize(
    "topic",
    [
        "devices/other/messages/events/",
        "devices/other/messages/events/a=1",
        "devices/Thermostat/messages/events/",
        "devices/thermostat/messages/devicebound/",
        "devices/thermostat/modules/m/messages/events/",
        "$iothub/twin/GET",
        "$iothub/methods/res/200",
        "anything",
    ],
)
def test_other_topics_close_and_deliver_nothing(session, topic):
    assert session.receive(Publish(topic, b"x", qos=1, packet_id=1), NOW) == [
        Close("topics.undocumented-name")
    ]


@pytest.mark.parametrize(
    ("outcome", "effects"),
    [
        ("acknowledge", lambda _: [Send(Puback(1))]),
        ("ignore", lambda _: []),
        ("telemetry", lambda session: [telemetry(session, body=b"x"), Send(Puback(1))]),
    ],
)
def test_what_becomes_of_them_is_one_decision(hub, outcome, effects):
    class Other(PublishRules):
        def on_undocumented_topic(self, _topic):
            return outcome

    hub.rules.publish = Other(Settings(), hub.rules.publish.edition)
    session = hub.session()
    assert session.receive(Publish("anything", b"x", qos=1, packet_id=1), NOW) == effects(session)


@pytest.mark.parametrize("bag", ["a=1/b=2", "/a=1", "$.ct=application/json&a=1/"])
def test_a_slash_in_the_middle_of_a_bag_closes_or_cuts_it(bag):
    current, document = Hub(edition="current").session(), Hub(edition="document").session()
    assert current.receive(Publish(EVENTS + bag, b""), NOW) == [Close("bag.raw-slash")]
    (cut,) = document.receive(Publish(EVENTS + bag, b""), NOW)
    assert cut == document.receive(Publish(EVENTS + bag.partition("/")[0], b""), NOW)[0]


@pytest.mark.parametrize("edition", ["current", "document"])
def test_slashes_behind_a_bag_are_ignored(edition):
    session = Hub(edition=edition).session()
    (event,) = session.receive(Publish(EVENTS + "a=1//", b""), NOW)
    assert event.event.properties == {"a": "1"}


def test_a_bag_without_sense_closes(session):
    assert session.receive(Publish(EVENTS + "a=b=c", b""), NOW) == [Close("bag.raw-delimiters")]


@pytest.mark.parametrize(
    ("bag", "free"), [("", 0), ("ab=cd", 4), ("%C3%A9=1", 3), ("$.mid=12345", 5), ("a", 1)]
)
def test_body_and_properties_together_have_a_limit(hub, bag, free):
    """256 KiB, names of system properties not counted; one byte more closes."""
    largest = 262_144 - free
    session = hub.session()
    (accepted,) = session.receive(Publish(EVENTS + bag, bytes(largest)), NOW)
    assert isinstance(accepted, Telemetry)
    assert session.receive(Publish(EVENTS + bag, bytes(largest + 1)), NOW) == [Close("d2c.too-large")]
