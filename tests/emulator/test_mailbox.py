"""The messages of one device: what is delivered when, and that none is lost or doubled."""

import dataclasses
import math

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from iothub_emulator.hub.mailbox import Mailbox
from iothub_emulator.hub.mailbox_rules import CloudMessage, MailboxRules
from iothub_emulator.hub.service_errors import ErrorCode, Refused

NOW = 1_600_000_000.0
MESSAGE = CloudMessage(to="/devices/d/messages/devicebound", message_id="m", properties={})


class Box:
    """A mailbox with its feedback at hand."""

    def __init__(self, rules=None):
        self.rules = rules or MailboxRules()
        self.feedback = []
        self.box = Mailbox("d", "g", lambda: self.rules, self.feedback.append)

    def put(self, body=b"", now=NOW, ack=None, **fields):
        properties = {} if ack is None else {"iothub-ack": ack}
        self.box.put(dataclasses.replace(MESSAGE, body=body, properties=properties, **fields), now)

    def bodies(self, now=NOW, granted=1):
        return [delivery.payload for delivery in self.deliveries(now, granted)]

    def deliveries(self, now=NOW, granted=1):
        return list(iter(lambda: self.box.next_delivery(lambda topic: granted, now), None))

    def outcomes(self):
        return [record.outcome for record in self.feedback]


@pytest.fixture
def box():
    return Box()


def test_messages_come_in_order_and_once(box):
    for body in (b"1", b"2", b"3"):
        box.put(body)

    assert box.bodies() == [b"1", b"2", b"3"]
    assert box.bodies() == []


def test_the_fields_of_a_delivery(box):
    box.put(b"x")
    (delivery,) = box.deliveries()

    assert delivery.topic == (
        "devices/d/messages/devicebound/%24.mid=m&%24.to=%2Fdevices%2Fd%2Fmessages%2Fdevicebound"
    )
    assert (delivery.qos, delivery.retain, delivery.dup, delivery.lock is None) == (1, False, False, False)


@pytest.mark.parametrize(("granted", "qos"), [(0, 0), (1, 1), (2, 1)])
def test_the_qos_of_a_delivery(box, granted, qos):
    box.put()

    assert [delivery.qos for delivery in box.deliveries(granted=granted)] == [qos]


def test_puback_completes(box):
    box.put(ack="positive")
    (delivery,) = box.deliveries()

    assert box.box.complete(delivery.lock, NOW)
    assert (len(box.box), box.outcomes()) == (0, ["Success"])
    assert not box.box.complete(delivery.lock, NOW)
    assert box.box.next_deadline() is None


def test_qos_0_is_complete_once_it_is_sent(box):
    box.put(ack="full")
    (delivery,) = box.deliveries(granted=0)

    assert delivery.lock is None
    assert (len(box.box), box.outcomes()) == (0, ["Success"])


def test_without_puback_it_comes_again_after_the_lock(box):
    box.put(b"x", ack="full")
    (first,) = box.deliveries()

    assert box.box.next_deadline() == NOW + 60
    assert box.bodies(NOW + 59.9) == []
    (again,) = box.deliveries(NOW + 60)
    assert (again.payload, again.dup) == (b"x", True)
    assert not box.box.complete(first.lock, NOW + 61)
    assert box.box.complete(again.lock, NOW + 61)
    assert box.outcomes() == ["Success"]


def test_what_comes_again_keeps_its_place(box):
    box.put(b"1")
    box.deliveries()
    box.put(b"2")

    assert box.bodies(NOW + 60) == [b"1", b"2"]


def test_lapsed_locks_do_not_count_as_deliveries(box):
    box.put(b"x", expires_at=NOW + 1e6)

    for number in range(30):
        assert box.bodies(NOW + 60 * number) == [b"x"]


def test_where_deliveries_count_there_is_an_end():
    class Counts(MailboxRules):
        def on_lock_lapsed(self):
            return "count"

    box = Box(Counts(max_delivery_count=2, lock=1))
    box.put(b"x", ack="negative")

    assert [box.bodies(NOW + number) for number in range(4)] == [[b"x"], [b"x"], [], []]
    assert box.outcomes() == ["DeliveryCountExceeded"]


def test_a_rule_that_rejects_says_so():
    class Rejects(MailboxRules):
        def on_lock_lapsed(self):
            return "reject"

    box = Box(Rejects(lock=1))
    box.put(ack="full")
    box.deliveries()
    box.box.advance(NOW + 1)

    assert (box.outcomes(), len(box.box)) == (["Rejected"], 0)


def test_fifty_may_wait_locked_ones_included(box):
    for _ in range(25):
        box.put()
    box.deliveries()
    for _ in range(25):
        box.put()

    with pytest.raises(Refused) as refused:
        box.put()
    assert refused.value.code is ErrorCode.DeviceMaximumQueueDepthExceeded
    assert refused.value.code.status == 403
    assert len(box.box) == 50


def test_default_time_to_live(box):
    box.put(ack="negative")

    assert box.box.next_deadline() == NOW + 3600
    assert box.bodies(NOW + 3600) == []
    (record,) = box.feedback
    assert (record.outcome, record.original_message_id, record.device_id) == ("Expired", "m", "d")
    assert (record.generation_id, record.time) == ("g", NOW + 3600)


def test_absolute_expiry(box):
    box.put(b"past", expires_at=NOW - 1)
    box.put(b"soon", expires_at=NOW + 1)
    box.put(b"late", expires_at=NOW + 7200)

    assert box.bodies(NOW + 2) == [b"late"]


def test_a_locked_message_may_expire(box):
    box.put(expires_at=NOW + 5, ack="full")
    (delivery,) = box.deliveries()

    assert not box.box.complete(delivery.lock, NOW + 5)
    assert (box.outcomes(), len(box.box)) == (["Expired"], 0)


def test_purge_counts_and_empties(box):
    box.put(ack="full")
    box.deliveries()
    box.put()

    assert box.box.purge(NOW) == 2
    assert (len(box.box), box.outcomes(), box.bodies()) == (0, ["Purged"], [])


@pytest.mark.parametrize(
    ("clean", "first", "left"), [(True, True, 0), (True, False, 0), (False, True, 0), (False, False, 1)]
)
def test_sessions_that_begin(box, clean, first, left):
    box.put()

    assert box.box.session_begins(clean=clean, first=first, now=NOW) == 1 - left
    assert len(box.box) == left


@pytest.mark.parametrize(
    ("ack", "completed", "purged"),
    [
        (None, [], []),
        ("none", [], []),
        ("whatever", [], []),
        ("positive", ["Success"], []),
        ("negative", [], ["Purged"]),
        ("full", ["Success"], ["Purged"]),
    ],
)
def test_who_asked_is_told(box, ack, completed, purged):
    box.put(ack=ack)
    box.deliveries(granted=0)
    assert box.outcomes() == completed

    box.feedback.clear()
    box.put(ack=ack)
    box.box.purge(NOW)
    assert box.outcomes() == purged


def test_a_message_without_id_can_be_told_of(box):
    box.put(ack="full", message_id=None)
    box.box.purge(NOW)

    assert box.feedback[0].original_message_id == ""


@pytest.mark.parametrize(
    "message",
    [
        dataclasses.replace(MESSAGE, body=b"x" * 65_536),
        dataclasses.replace(MESSAGE, properties={"n" * 40_000: "v" * 30_000}),
        dataclasses.replace(MESSAGE, properties={"n": "%" * 30_000}),
    ],
)
def test_too_large(box, message):
    with pytest.raises(Refused) as refused:
        box.box.put(message, NOW)
    assert refused.value.code is ErrorCode.MessageTooLarge


def test_a_rule_may_be_replaced_while_messages_wait(box):
    class Newest(MailboxRules):
        def position_of_next(self, waiting):
            return waiting - 1

    box.put(b"1")
    box.put(b"2")
    box.rules = Newest()

    assert box.bodies() == [b"2", b"1"]


class Life(RuleBasedStateMachine):
    """Each message ends once; none is delivered twice at a time, nor after its end; none is lost."""

    def __init__(self):
        super().__init__()
        self.now = NOW
        self.ended = []
        self.box = Mailbox("d", "g", lambda: self.rules, self.ended.append)
        self.rules = MailboxRules(lock=10, depth=5, time_to_live=30)
        self.put = 0
        self.locks = {}
        self.delivered = []

    def over(self):
        return {record.original_message_id for record in self.ended}

    @rule()
    def send(self):
        message = dataclasses.replace(
            MESSAGE, message_id=str(self.put), body=str(self.put).encode(), properties={"iothub-ack": "full"}
        )
        try:
            self.box.put(message, self.now)
        except Refused:
            assert len(self.box) == 5
        else:
            self.put += 1

    @rule(granted=st.integers(0, 2))
    def deliver(self, granted):
        over = self.over()
        delivery = self.box.next_delivery(lambda topic: granted, self.now)
        if delivery is None:
            return
        number = delivery.payload.decode()
        assert number not in over
        held = [lock for lock, (other, until) in self.locks.items() if other == number and until > self.now]
        assert not held
        assert delivery.dup == (delivery.qos == 1 and number in self.delivered)
        self.delivered.append(number)
        if delivery.lock is not None:
            self.locks[delivery.lock] = (number, self.now + 10)

    @precondition(lambda self: self.locks)
    @rule(data=st.data())
    def acknowledge(self, data):
        lock = data.draw(st.sampled_from(sorted(self.locks)))
        number, until = self.locks.pop(lock)
        was_over = number in self.over()
        done = self.box.complete(lock, self.now)
        if done:
            assert not was_over
            assert until > self.now
            assert self.ended[-1].outcome == "Success"

    @rule(seconds=st.sampled_from([1, 5, 10, 20]))
    def wait(self, seconds):
        self.now += seconds
        self.box.advance(self.now)

    @rule()
    def purge(self):
        assert self.box.purge(self.now) <= 5

    @invariant()
    def each_ends_once(self):
        numbers = [record.original_message_id for record in self.ended]
        assert len(numbers) == len(set(numbers))
        assert len(self.box) + len(numbers) == self.put

    @invariant()
    def deadlines_lie_ahead(self):
        self.box.advance(self.now)
        assert (self.box.next_deadline() or math.inf) > self.now


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestLife = Life.TestCase
