"""Feedback about cloud-to-device messages: batches, and their queue."""

import json

import pytest

from iothub_emulator.hub.feedback import Feedback, FeedbackRules
from iothub_emulator.hub.mailbox import FeedbackRecord

NOW = 1_600_000_000.0


def record(number=0, now=NOW, device="d"):
    return FeedbackRecord(str(number), "Success", "Success", device, "g", now)


@pytest.fixture
def feedback():
    return Feedback(FeedbackRules())


def ids(taken):
    return [entry["originalMessageId"] for entry in json.loads(taken.body)]


def test_a_record_after_a_pause_goes_at_once(feedback):
    feedback.add(record(), NOW)
    taken = feedback.take(NOW)

    assert json.loads(taken.body) == [
        {
            "originalMessageId": "0",
            "description": "Success",
            "deviceGenerationId": "g",
            "deviceId": "d",
            "enqueuedTimeUtc": "2020-09-13T12:26:40.000000Z",
            "statusCode": "Success",
        }
    ]
    assert (taken.batch.enqueued_time, taken.delivery_count) == (NOW, 0)
    assert feedback.take(NOW) is None


def test_further_records_travel_together_fifteen_seconds_later(feedback):
    feedback.add(record(0), NOW)
    feedback.complete(feedback.take(NOW).lock)
    feedback.add(record(1, NOW + 1), NOW + 1)
    feedback.add(record(2, NOW + 2), NOW + 2)

    assert feedback.take(NOW + 14.9) is None
    assert feedback.next_deadline() == NOW + 15
    assert ids(feedback.take(NOW + 15)) == ["1", "2"]


def test_sixty_four_records_do_not_wait(feedback):
    for number in range(1 + 64 + 1):
        feedback.add(record(number), NOW)

    assert [len(ids(feedback.take(NOW))) for _ in range(2)] == [1, 64]
    assert feedback.take(NOW) is None
    assert ids(feedback.take(NOW + 15)) == ["65"]


def test_a_batch_that_nobody_settles_comes_again(feedback):
    feedback.add(record(), NOW)
    first = feedback.take(NOW)

    assert feedback.next_deadline() == NOW + 60
    again = feedback.take(NOW + 60)
    assert (again.batch, again.delivery_count) == (first.batch, 1)
    assert not feedback.complete(first.lock)
    assert feedback.complete(again.lock)
    assert feedback.next_deadline() is None


def test_a_batch_given_back_comes_again_ten_times_at_most(feedback):
    feedback.add(record(), NOW)

    for _ in range(10):
        assert feedback.abandon(feedback.take(NOW).lock)
    assert feedback.take(NOW) is None
    assert not feedback.abandon(1)


def test_feedback_expires(feedback):
    feedback.add(record(), NOW)

    assert feedback.next_deadline() == NOW + 3600
    assert feedback.take(NOW + 3600) is None


def test_a_deleted_device_takes_its_open_records_along(feedback):
    feedback.add(record(0), NOW)
    feedback.add(record(1, device="gone"), NOW)
    feedback.add(record(2), NOW)
    feedback.forget("gone")

    assert ids(feedback.take(NOW)) == ["0"]
    assert ids(feedback.take(NOW + 15)) == ["2"]
