"""Positions in the stream, and held feedback, against the embedded hub."""

import pytest

from conformance.errors import ServiceError, TooLate, Violation

pytestmark = pytest.mark.usefixtures("back_end")


@pytest.fixture
def stream(back_end):
    with back_end.service.stream.opened() as opened:
        yield opened


def test_the_endpoint_tells_of_itself_in_texts(stream):
    about = stream.hub()

    assert (about["type"], about["partition_ids"]) == ("com.microsoft:eventhub", ["0", "1"])
    assert stream.partition("1")["partition"] == "1"


def test_the_first_event_at_a_position(back_end, stream):
    """Whoever sent it: the hub tells of the connection there too."""
    device = back_end.device()
    connection = device.connect()
    connection.publish(device.topics.events, b"1")
    partition = max("01", key=lambda each: stream.partition(each)["last_enqueued_time_utc"])
    offset = stream.partition(partition)["last_enqueued_offset"]

    found = stream.first(partition, f"x-opt-offset >= '{offset}'")
    newest = stream.first(
        partition,
        "x-opt-offset > '@latest'",
        meanwhile=lambda: connection.publish(device.topics.events, b"2"),
    )

    assert found.offset == offset
    assert newest.sequence_number > found.sequence_number


def test_no_event_in_time_is_a_violation(stream):
    stream._within = 0.1

    with pytest.raises(Violation, match="no event behind x-opt-offset > '@latest' in partition 0"):
        stream.first("0", "x-opt-offset > '@latest'")


def test_a_position_that_there_is_not_is_an_error_of_the_service(stream):
    with pytest.raises(ServiceError, match="refused"):
        stream.first("0", "x-opt-offset > '999999999'")


def test_an_attempt_tells_whether_a_position_is_taken(back_end, stream):
    connection = (device := back_end.device()).connect()
    connection.publish(device.topics.events, b"1", qos=1)
    partition = max("01", key=lambda each: stream.partition(each)["last_enqueued_time_utc"])
    offset = stream.partition(partition)["last_enqueued_offset"]
    last = stream.first(partition, f"x-opt-offset >= '{offset}'")

    at_the_last = f"x-opt-enqueuedtimeutc > {last.enqueued_milliseconds - 1}"
    assert stream.attempt(partition, at_the_last, since=last.enqueued_time) == "taken"
    assert stream.attempt(partition, "x-opt-offset > '-1'", since=last.enqueued_time + 1) == "an older event"
    assert "refused" in stream.attempt(partition, "x-opt-nothing > 'x'", since=0)


def test_feedback_is_held_released_and_accepted(back_end):
    service, device = back_end.service, back_end.device()
    service.c2d.send_and_purge(device, b"", message_id="1", ack="full")

    with service.feedback.holding(of=device) as held:
        assert held.until("1") == ["1"]
        assert (held.record("1").status, held.record("1").device_id) == ("Purged", device.id)
        assert held.properties("1", "content_type") == {
            "content_type": "application/vnd.microsoft.iothub.feedback.json"
        }
        held.release("1")
        assert held.until("1") == ["1"]
        held.accept("1")
        held._within = 0.1
        with pytest.raises(Violation, match="no feedback on message '1'"):
            held.until("1")


def test_a_batch_with_the_feedback_of_others_is_not_accepted(back_end):
    service, device = back_end.service, back_end.device()
    service.c2d.send_and_purge(device, b"", message_id="1", ack="full")

    with service.feedback.holding(of=device) as held:
        held.until("1")
        held._may_accept = lambda _: False
        with pytest.raises(TooLate, match="together with that of others"):
            held.accept("1")
