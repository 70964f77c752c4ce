"""Twin requests and notifications in a session."""

import json

import pytest
from hub_values import DEVICE, NOW, Hub

from iothub_emulator.hub.effects import Close, Notify, Send
from iothub_emulator.hub.packets import Puback, Publish, Subscribe
from iothub_emulator.hub.twin_rules import ANSWERS_FILTER, DESIRED_FILTER, TwinRules

GET = "$iothub/twin/GET/?$rid=r1"
PATCH = "$iothub/twin/PATCH/properties/reported/?$rid=r1"
EMPTY = {"desired": {"$version": 1}, "reported": {"$version": 1}}


@pytest.fixture
def hub():
    return Hub("current")


@pytest.fixture
def session(hub):
    return listening(hub.session())


def listening(session, *filters):
    wanted = tuple((name, 1) for name in filters or (ANSWERS_FILTER, DESIRED_FILTER))
    session.receive(Subscribe(1, wanted), NOW)
    return session


def answer(effects):
    """Return topic and body of the one answer; pushes of a twin are always QoS 0 without flags."""
    (effect,) = effects
    packet = effect.packet
    assert packet == Publish(packet.topic, packet.payload)
    return packet.topic, json.loads(packet.payload) if packet.payload else None


@pytest.mark.parametrize(("edition", "get", "patch"), [("document", 204, 200), ("current", 200, 204)])
def test_the_statuses_are_the_editions(edition, get, patch):
    session = listening(Hub(edition).session())
    assert answer(session.receive(Publish(GET, b""), NOW)) == (f"$iothub/twin/res/{get}/?$rid=r1", EMPTY)
    assert answer(session.receive(Publish(PATCH, b'{"t":21}'), NOW)) == (
        f"$iothub/twin/res/{patch}/?$rid=r1&$version=2",
        None,
    )
    assert answer(session.receive(Publish(GET, b""), NOW))[1]["reported"] == {"t": 21, "$version": 2}


def test_qos_1_has_its_puback_besides(session):
    puback, _ = session.receive(Publish(GET, b"", 1, packet_id=5), NOW)
    assert puback == Send(Puback(5))


def test_a_patch_that_is_refused_changes_nothing(session):
    topic, body = answer(session.receive(Publish(PATCH, b"{"), NOW))
    assert topic == "$iothub/twin/res/400/?$rid=r1"
    assert body["errorCode"] == 400004
    assert answer(session.receive(Publish(GET, b""), NOW))[1] == EMPTY


def test_two_errors_have_two_tracking_ids(session):
    bodies = [answer(session.receive(Publish(PATCH, b"{"), NOW))[1] for _ in range(2)]
    assert bodies[0]["trackingId"] != bodies[1]["trackingId"]


def test_who_did_not_subscribe_has_no_answer_and_is_heard_all_the_same(hub):
    session = hub.session()
    assert session.receive(Publish(PATCH, b'{"t":1}', 1, packet_id=2), NOW) == [Send(Puback(2))]
    assert hub.state.twin(DEVICE, NOW).reported.values == {"t": 1}


@pytest.mark.parametrize("topic", ["$iothub/twin/GET/", "$iothub/twin/GET/?$rid="])
def test_without_a_request_id_the_connection_ends(session, topic):
    assert session.receive(Publish(topic, b""), NOW) == [Close("twin.no-request-id")]
    assert session.is_over


@pytest.mark.parametrize(("outcome", "answers"), [("ignore", 0), ("refuse", 1)])
def test_what_becomes_of_it_is_one_decision(hub, session, outcome, answers):
    class Other(TwinRules):
        def on_missing_request_id(self):
            return outcome

    hub.rules.twins = Other()
    effects = session.receive(Publish("$iothub/twin/GET/", b""), NOW)
    assert len(effects) == answers
    if answers:
        topic, body = answer(effects)
        assert (topic, body["errorCode"]) == ("$iothub/twin/res/400/?$rid=", 400004)


def test_a_module_has_a_twin_of_its_own(hub, session):
    module = listening(hub.session(hub.module()))
    module.receive(Publish(PATCH, b'{"of":"module"}'), NOW)
    assert answer(session.receive(Publish(GET, b""), NOW))[1] == EMPTY
    assert answer(module.receive(Publish(GET, b""), NOW))[1]["reported"] == {"of": "module", "$version": 2}


def test_a_change_is_told_to_who_subscribed(hub, session):
    told = session.notified({"a": None, "$version": 4})
    assert answer(told) == (
        "$iothub/twin/PATCH/properties/desired/?$version=4",
        {"a": None, "$version": 4},
    )
    assert hub.session().notified({"$version": 4}) is None
    assert hub.new_session().notified({"$version": 4}) is None


def test_a_replaced_rule_announces_reports_and_keeps_what_nobody_heard(hub):
    class Chatty(TwinRules):
        def announces(self, section):
            return True

    hub.rules.twins = Chatty()
    session = hub.session()
    assert session.receive(Publish(PATCH, b'{"t":1}'), NOW) == [Notify(DEVICE, {"t": 1, "$version": 2})]
    hub.state.kept_notifications[DEVICE] = [{"t": 1, "$version": 2}]
    assert session.serve(NOW) == []
    listening(session, DESIRED_FILTER)
    assert answer(session.serve(NOW))[1] == {"t": 1, "$version": 2}
    assert session.serve(NOW) == []
