"""Decisions about twins that only a replaced rule takes otherwise: each has an effect where it says so."""

import json

import pytest
from hub_values import DEVICE, NOW, Hub

from iothub_emulator.hub.effects import AnswerOther, Send
from iothub_emulator.hub.packets import Publish, Subscribe
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.twin import left_by_refusal, new_twin, replace_twin, report
from iothub_emulator.hub.twin_rules import ANSWERS_FILTER, TwinRules
from iothub_emulator.twin_desk import TwinDesk

GET = "$iothub/twin/GET/?$rid=r1"
PATCH = "$iothub/twin/PATCH/properties/reported/?$rid=r1"


@pytest.fixture
def hub():
    return Hub("current")


def session_under(hub, rules, *, subscribed=True):
    hub.rules.twins = rules
    session = hub.session()
    if subscribed:
        session.receive(Subscribe(1, ((ANSWERS_FILTER, 1),)), NOW)
    return session


@pytest.mark.parametrize(
    ("username", "get", "patch"),
    [
        ("localhost/{}/?api-version=2018-06-30", "200", "204"),
        ("localhost/{}/api-version=2018-06-30&DeviceClientType=x", "200", "204"),
        ("localhost/{}/?DeviceClientType=x&api-version=", "200", "400"),
        ("localhost/{}", "200", "400"),
    ],
)
def test_a_patch_needs_an_api_version(hub, username, get, patch):
    session = hub.session(username=username.format(DEVICE))
    session.receive(Subscribe(1, ((ANSWERS_FILTER, 1),)), NOW)

    effects = [session.receive(Publish(topic, b"{}"), NOW) for topic in (GET, PATCH)]

    assert [effect.packet.topic.split("/")[3] for (effect,) in effects] == [get, patch]


def test_another_twin_may_be_the_one_that_is_asked(hub):
    class Wrong(TwinRules):
        def twin_of(self, identity_key):
            return "another"

    session_under(hub, Wrong()).receive(Publish(PATCH, b'{"a":1}'), NOW)

    assert hub.state.twin("another", NOW).reported.values == {"a": 1}
    assert hub.state.twin(DEVICE, NOW).reported.values == {}


def test_who_does_not_hear_may_not_be_served(hub):
    class Wrong(TwinRules):
        def serves(self, *, subscribed):
            return subscribed

    rules = Wrong()
    assert session_under(hub, rules, subscribed=False).receive(Publish(PATCH, b'{"a":1}'), NOW) == []
    assert hub.state.twin(DEVICE, NOW).reported.values == {}
    assert len(session_under(hub, rules).receive(Publish(GET, b""), NOW)) == 1


def test_an_answer_may_be_several(hub):
    class Wrong(TwinRules):
        def answers(self, topic, payload):
            return ((topic, payload), (f"{topic}-again", b""))

    topics = [effect.packet.topic for effect in session_under(hub, Wrong()).receive(Publish(GET, b""), NOW)]

    assert topics == ["$iothub/twin/res/200/?$rid=r1", "$iothub/twin/res/200/?$rid=r1-again"]


def test_an_answer_may_go_elsewhere(hub):
    class Wrong(TwinRules):
        def answer_recipients(self, asker, request_id):
            return (f"other-of-{request_id}", asker)

    session = session_under(hub, Wrong())
    other, own = session.receive(Publish(PATCH, b"{}"), NOW)

    topic = "$iothub/twin/res/204/?$rid=r1&$version=2"
    assert other == AnswerOther("other-of-r1", topic, b"")
    assert own == Send(Publish(topic, b""))
    assert session.answered("$iothub/twin/res/200/?$rid=x", b"y") == [
        Send(Publish("$iothub/twin/res/200/?$rid=x", b"y"))
    ]
    assert hub.new_session().answered("$iothub/twin/res/200/?$rid=x", b"y") == []


def test_something_may_be_left_of_a_refused_patch():
    class Wrong(TwinRules):
        def after_refusal(self, before, patch):
            return {**before, **patch}

    twin = report(new_twin(NOW), {"a": 1}, None, TwinRules(), NOW).twin

    assert left_by_refusal(twin, {"$b": 2}, TwinRules()) is twin
    assert left_by_refusal(twin, {"$b": 2}, Wrong()).reported.values == {"a": 1, "$b": 2}


def test_a_replacement_may_leave_something_and_may_go_untold():
    class Wrong(TwinRules):
        def replaced(self, before, wanted):
            return self.merged(before, wanted)

        def announces_replacement(self):
            return False

    twin = replace_twin(new_twin(NOW), {"properties": {"desired": {"a": 1}}}, None, TwinRules(), NOW).twin
    change = replace_twin(twin, {"properties": {"desired": {"b": 2}}}, None, Wrong(), NOW)

    assert (change.twin.desired.values, change.notification) == ({"a": 1, "b": 2}, None)


def test_another_version_may_be_refused_otherwise():
    class Wrong(TwinRules):
        def other_version(self):
            return Refused(ErrorCode.DeviceAlreadyExists, "conflict")

    with pytest.raises(Refused) as raised:
        report(new_twin(NOW), {"a": 1}, 7, Wrong(), NOW)
    assert raised.value.code == ErrorCode.DeviceAlreadyExists


@pytest.mark.parametrize("tells", [False, True])
def test_a_refused_update_is_told_only_by_a_replaced_rule(hub, tells):
    class Wrong(TwinRules):
        def notification_of_refused(self, document, version):
            return {**document["properties"]["desired"], "$version": version}

    hub.rules.twins = Wrong() if tells else TwinRules()
    told = []

    def tell(recipient, notification):
        told.append((recipient, json.dumps(notification)))
        return True

    desk = TwinDesk(hub.state, lambda: NOW, tell, lambda *_, **__: None)
    with pytest.raises(Refused):
        desk.patch(DEVICE, {"properties": {"desired": {"a.b": 1}}}, None)

    assert told == ([(DEVICE, '{"a.b": 1, "$version": 1}')] if tells else [])
