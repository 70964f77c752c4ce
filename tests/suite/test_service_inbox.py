"""Messages are sorted by device and waited for with a deadline; a reader's trouble reaches whoever waits."""

import threading

import pytest
from patience import PATIENCE

from conformance.backend.inbox import Inbox
from conformance.backend.telemetry import Telemetry
from conformance.errors import ServiceError


def message(device_id="d", number=0, body=b"x", partition="0"):
    return Telemetry(
        body=body, properties={}, system={}, device_id=device_id, partition=partition, sequence_number=number
    )


class Lines:
    def __init__(self):
        self.lines = []

    def service(self, text):
        self.lines.append(text)


def test_messages_come_by_device_and_in_order():
    inbox = Inbox()
    for arrived in (message("a", 0), message("b", 1), message("a", 2)):
        inbox.arrive(arrived)

    assert inbox.next("a", 0).sequence_number == 0
    assert inbox.next("a", 0).sequence_number == 2
    assert inbox.next("a", 0) is None
    assert inbox.drain("b") == [message("b", 1)]
    assert inbox.drain("b") == []


def test_whoever_waits_is_woken():
    inbox = Inbox()
    waiting = threading.Thread(target=lambda: results.append(inbox.next("d", PATIENCE)))
    results = []
    waiting.start()

    inbox.arrive(message("other", 0))
    inbox.arrive(message("d", 1))

    waiting.join(PATIENCE)
    assert results == [message("d", 1)]


def test_a_deadline_is_kept_although_others_deliver():
    times = iter([0.0, 0.4, 0.8, 1.2])
    inbox = Inbox(clock=lambda: next(times))
    inbox._changed.wait = lambda _: None  # woken for nothing, again and again

    assert inbox.next("d", 1.0) is None


def test_what_was_delivered_before_is_not_delivered_twice():
    inbox = Inbox()
    for number in (5, 6, 5, 6, 7):
        inbox.arrive(message(number=number))
    inbox.arrive(message(number=5, partition="1"))

    assert [m.sequence_number for m in inbox.drain("d")] == [5, 6, 7, 5]


def test_messages_of_others_are_not_kept():
    inbox = Inbox(lambda device_id: device_id.startswith("conf-"))
    inbox.arrive(message("factory-robot", 0))
    inbox.arrive(message("conf-1", 1))

    assert inbox.drain("factory-robot") == []
    assert len(inbox.drain("conf-1")) == 1


def test_a_followed_device_is_written_down():
    inbox, seen = Inbox(), Lines()
    inbox.follow("d", seen)
    inbox.arrive(message("d", 3, b"abc"))
    inbox.arrive(message("other", 4))
    inbox.forget("d")
    inbox.arrive(message("d", 5))

    assert seen.lines == ["telemetry of d: 3 bytes, properties: none (partition 0 number 3)"]


def test_what_is_left_of_a_device_is_dropped_with_it():
    inbox = Inbox()
    inbox.arrive(message("d", 0))
    inbox.forget("d")

    assert inbox.drain("d") == []


def test_a_marker_is_kept_apart_wherever_it_stands_and_whoever_sent_it():
    inbox, seen = Inbox(lambda _: False), Lines()
    inbox.follow("d", seen)
    inbox.await_marker(b"fence-1")
    inbox.arrive(message("d", 0, b"<<fence-1>>"))
    inbox.arrive(message("d", 1, b"fence-2"))

    assert inbox.marker(b"fence-1", 0).sequence_number == 0
    assert inbox.marker(b"fence-1", 0) is None
    assert seen.lines[0].endswith("[fence]")
    assert not seen.lines[1].endswith("[fence]")


def test_a_marker_that_does_not_come_is_none():
    inbox = Inbox()
    inbox.await_marker(b"fence-1")

    assert inbox.marker(b"fence-1", 0) is None


def test_trouble_ends_every_wait_at_once():
    inbox = Inbox()
    inbox.await_marker(b"fence-1")
    inbox.fail("1", "link detached")

    with pytest.raises(ServiceError, match=r"^telemetry of partition 1: link detached\.$"):
        inbox.next("d", PATIENCE)
    with pytest.raises(ServiceError, match="link detached"):
        inbox.marker(b"fence-1", PATIENCE)


def test_what_has_arrived_is_handed_out_in_spite_of_trouble():
    inbox = Inbox()
    inbox.arrive(message("d", 0))
    inbox.fail("1", "link detached")

    assert inbox.next("d", 0) == message("d", 0)


@pytest.mark.parametrize(
    "cure",
    [
        pytest.param(lambda inbox: inbox.recover("1"), id="reopened"),
        pytest.param(lambda inbox: inbox.arrive(message(partition="1")), id="delivers"),
    ],
)
def test_trouble_is_over_when_the_partition_is_read_again(cure):
    inbox = Inbox()
    inbox.fail("1", "link detached")
    cure(inbox)

    assert inbox.next("nobody", 0) is None


def test_a_waiter_is_woken_by_trouble():
    inbox = Inbox()
    caught = []

    def wait():
        try:
            inbox.next("d", PATIENCE)
        except ServiceError as error:
            caught.append(str(error))

    waiting = threading.Thread(target=wait)
    waiting.start()
    inbox.fail("0", "gone")
    waiting.join(PATIENCE)

    assert caught == ["telemetry of partition 0: gone."]
