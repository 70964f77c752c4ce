"""Throttles: what they let through, when they do again, and what becomes of the rest."""

import json

import pytest
from hub_values import EVENTS, NOW, Hub
from rest_hub import owner, serving

from iothub_emulator.hub.effects import Close, Send
from iothub_emulator.hub.packets import Publish, Subscribe
from iothub_emulator.hub.throttle import DOCUMENTED, Throttle, ThrottleRules, Throttles, parse_throttle
from iothub_emulator.hub.twin_rules import ANSWERS_FILTER
from iothub_emulator.runtime import Runtime
from iothub_emulator.settings import Settings

TWO_A_SECOND = Throttle("twin-reads", 2, 1.0)


@pytest.mark.parametrize(
    ("text", "throttle"),
    [
        ("twin-reads=100/s", Throttle("twin-reads", 100, 1.0)),
        ("registry=100/min", Throttle("registry", 100, 60.0)),
    ],
)
def test_a_throttle_is_read(text, throttle):
    assert parse_throttle(text) == throttle


def test_the_documented_figures_can_be_given():
    assert [parse_throttle(f"{kind}={rate}").kind for kind, rate in DOCUMENTED.items()] == list(DOCUMENTED)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("twin-reads", "not of the form"),
        ("twin-reads=0/s", "not of the form"),
        ("twin-reads=-1/s", "not of the form"),
        ("twin-reads=1/h", "not of the form"),
        ("twins=1/s", "'twins' is none of twin-reads, twin-updates"),
    ],
)
def test_what_is_no_throttle_is_said(text, says):
    with pytest.raises(ValueError, match=says):
        parse_throttle(text)


class TestBuckets:
    def admits(self, rules, *operations):
        throttles = Throttles()
        return [throttles.admits(kind, who, rules, NOW + at) for kind, who, at in operations]

    def test_a_burst_is_cut_and_later_ones_pass_again(self):
        read = ("twin-reads", "d1")
        assert self.admits(
            ThrottleRules((TWO_A_SECOND,)), *((*read, at) for at in (0, 0, 0, 0.4, 0.5, 0.5, 10, 10, 10))
        ) == [True, True, False, False, True, False, True, True, False]

    def test_a_kind_without_a_throttle_is_free(self):
        assert self.admits(ThrottleRules((TWO_A_SECOND,)), *[("twin-updates", "d1", 0)] * 5) == [True] * 5

    def test_a_hubs_throttle_is_shared(self):
        operations = [("twin-reads", f"d{number}", 0) for number in range(3)]
        assert self.admits(ThrottleRules((TWO_A_SECOND,)), *operations) == [True, True, False]

    def test_each_identity_has_its_own(self):
        operations = [("twin-reads", f"d{number % 2}", 0) for number in range(6)]
        rules = ThrottleRules((TWO_A_SECOND,), "identity")
        assert self.admits(rules, *operations) == [True] * 4 + [False] * 2

    def test_an_identity_that_is_gone_leaves_none(self):
        rules, throttles = ThrottleRules((TWO_A_SECOND,), "identity"), Throttles()
        assert [throttles.admits("twin-reads", "d1", rules, NOW) for _ in range(3)] == [True, True, False]
        throttles.forget("d1")
        assert throttles.admits("twin-reads", "d1", rules, NOW)

    def test_a_clock_that_goes_back_gives_nothing(self):
        read = ("twin-reads", "d1")
        rules = ThrottleRules((TWO_A_SECOND,))
        assert self.admits(rules, (*read, 0), (*read, 0), (*read, -5)) == [True, True, False]


class TestDevices:
    def session(self, *throttles):
        return Hub("current", Settings(throttles=throttles)).session()

    @pytest.mark.parametrize(
        ("throttle", "topic", "body"),
        [
            (Throttle("twin-reads", 1, 60.0), "$iothub/twin/GET/?$rid=", b""),
            (Throttle("twin-updates", 1, 60.0), "$iothub/twin/PATCH/properties/reported/?$rid=", b'{"a":1}'),
        ],
        ids=["read", "update"],
    )
    def test_a_twin_request_too_many_is_answered_429(self, throttle, topic, body):
        session = self.session(throttle)
        session.receive(Subscribe(1, ((ANSWERS_FILTER, 1),)), NOW)
        session.receive(Publish(f"{topic}one", body), NOW)
        (answer,) = session.receive(Publish(f"{topic}two", body), NOW)

        assert answer.packet.topic == "$iothub/twin/res/429/?$rid=two"
        assert json.loads(answer.packet.payload)["errorCode"] == 429001

    def test_an_update_too_many_changes_nothing(self):
        hub = Hub("current", Settings(throttles=(Throttle("twin-updates", 1, 60.0),)))
        session = hub.session()
        for number in (1, 2):
            body = b'{"n":%d}' % number
            session.receive(Publish("$iothub/twin/PATCH/properties/reported/?$rid=1", body), NOW)
        assert hub.state.twin(session.identity_key, NOW).reported.values == {"n": 1}

    def test_a_message_too_many_closes(self):
        session = self.session(Throttle("d2c-sends", 1, 60.0))
        assert isinstance(session.receive(Publish(EVENTS, b"1", 1, packet_id=1), NOW)[-1], Send)
        assert session.receive(Publish(EVENTS, b"2", 1, packet_id=2), NOW) == [Close("d2c-sends")]


class TestCalls:
    def statuses(self, scope, *throttles, path="/twins/d1", times=3):
        runtime = Runtime(Settings(throttles=throttles, throttle_scope=scope))
        runtime.add_device("d1")
        with serving(runtime) as port, owner(runtime, port) as client:
            answers = [client.get(path) for _ in range(times)]
        return [(answer.status_code, answer.headers.get("Retry-After")) for answer in answers]

    def test_one_too_many_is_refused_and_told_when_to_return(self):
        assert self.statuses("hub", Throttle("twin-reads", 2, 60.0)) == [
            (200, None),
            (200, None),
            (429, "30"),
        ]

    def test_the_registry_has_its_own_throttle(self):
        throttles = (Throttle("registry", 1, 1.0), Throttle("twin-reads", 9, 60.0))
        assert self.statuses("hub", *throttles, path="/devices/d1", times=2) == [(200, None), (429, "1")]

    def test_calls_do_not_count_where_each_identity_has_its_own(self):
        assert self.statuses("identity", Throttle("twin-reads", 1, 60.0)) == [(200, None)] * 3
