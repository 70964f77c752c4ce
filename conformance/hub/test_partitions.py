"""The stream of telemetry as clients of Event Hubs ask it: what it tells of itself, where readers begin.

Microsoft, "AMQP 1.0 in Azure Service Bus and Event Hubs protocol guide". Clauses:
clauses/partitions.toml. Others publish meanwhile, so that no case relies on being alone in a partition.
"""

import pytest

clause = pytest.mark.clause


@clause("partitions.endpoint")
def test_the_endpoint_tells_its_partitions(stream):
    """As many as it says, each of which answers for itself."""
    about = stream.hub()

    ids = about["partition_ids"]
    assert about["partition_count"] == len(set(ids)) == len(ids) >= 1
    assert [stream.partition(each)["partition"] for each in ids] == ids
    assert {stream.partition(each)["name"] for each in ids} == {about["name"]}


@clause("partitions.information")
def test_a_partition_tells_of_its_last_event(device, connection, telemetry, stream, stage):
    """Whoever sent it: the event at that offset bears that number and that time."""
    stage(connection.publish, device.topics.events, b"here", needs="d2c.puback")
    message = stage(telemetry.next, sent_by=device, needs="d2c.events-topic")

    about = stream.partition(message.partition)
    last = stream.first(message.partition, f"x-opt-offset >= '{about['last_enqueued_offset']}'")

    assert (last.sequence_number, last.offset, last.enqueued_milliseconds) == (
        about["last_enqueued_sequence_number"],
        about["last_enqueued_offset"],
        about["last_enqueued_time_utc"],
    )
    assert about["last_enqueued_sequence_number"] >= message.sequence_number
    assert about["begin_sequence_number"] <= message.sequence_number
    assert about["is_partition_empty"] is False


@clause("partitions.positions")
def test_a_reader_begins_where_it_asks_to(device, connection, telemetry, stream, stage):
    """Sequence numbers of a partition have no gaps, so that the next event is known by its number."""
    stage(connection.publish_each, device.topics.events, [b"1", b"2", b"3"], needs="d2c.puback")
    first, second, _ = stage(telemetry.take_messages, 3, sent_by=device, needs="d2c.events-topic")
    number, partition = first.sequence_number, first.partition

    asked = {
        f"x-opt-sequence-number > '{number}'": number + 1,
        f"x-opt-sequence-number >= '{number}'": number,
        f"x-opt-offset > '{first.offset}'": number + 1,
        f"x-opt-offset >= '{first.offset}'": number,
        f"x-opt-offset > '{second.offset}'": second.sequence_number + 1,
    }
    assert {position: stream.first(partition, position).sequence_number for position in asked} == asked


@clause("partitions.positions")
def test_a_reader_begins_at_a_time(device, connection, telemetry, stream, stage):
    """At the first event of that millisecond, or behind the last one; what stands before is older."""
    stage(connection.publish, device.topics.events, b"1", needs="d2c.puback")
    message = stage(telemetry.next, sent_by=device, needs="d2c.events-topic")
    when, partition = message.enqueued_milliseconds, message.partition
    stage(connection.publish, device.topics.events, b"2", needs="d2c.puback")

    at = stream.first(partition, f"x-opt-enqueued-time >= '{when}'")
    before = stream.first(partition, f"x-opt-enqueued-time > '{when - 1}'")
    behind = stream.first(partition, f"x-opt-enqueued-time > '{when - 1000}'")

    assert (at.enqueued_milliseconds, at.sequence_number <= message.sequence_number) == (when, True)
    assert before.sequence_number == at.sequence_number
    assert when - 1000 < behind.enqueued_milliseconds <= when
    assert behind.sequence_number <= at.sequence_number


@clause("partitions.positions")
def test_a_reader_begins_at_either_end(device, connection, telemetry, stream, stage):
    """The oldest event that is kept, and the first that comes once the reader is there."""
    stage(connection.publish, device.topics.events, b"1", needs="d2c.puback")
    message = stage(telemetry.next, sent_by=device, needs="d2c.events-topic")
    begins = stream.partition(message.partition)["begin_sequence_number"]

    oldest = stream.first(message.partition, "x-opt-offset > '-1'")
    newest = stream.first(
        message.partition,
        "x-opt-offset > '@latest'",
        meanwhile=lambda: connection.publish(device.topics.events, b"2"),
    )

    assert begins <= oldest.sequence_number <= message.sequence_number
    assert oldest.sequence_number <= stream.partition(message.partition)["begin_sequence_number"]
    assert newest.sequence_number > message.sequence_number


@clause("partitions.older-positions")
@pytest.mark.parametrize(
    "position",
    [
        pytest.param("x-opt-enqueuedtimeutc > '{time}'", id="old-name"),
        pytest.param("x-opt-enqueuedtimeutc > {time}", id="old-name-and-no-quotes"),
        pytest.param("x-opt-enqueued-time > {time}", id="no-quotes"),
    ],
)
def test_a_reader_begins_as_older_ones_ask(device, connection, telemetry, stream, stage, observed, position):
    """Behind the millisecond before an event."""
    stage(connection.publish, device.topics.events, b"1", needs="d2c.puback")
    message = stage(telemetry.next, sent_by=device, needs="d2c.events-topic")

    when, partition = message.enqueued_milliseconds, message.partition
    observed(stream.attempt(partition, position.format(time=when - 1), since=message.enqueued_time))


EVENTS = "/messages/events"
PARTITION = "/ConsumerGroups/$Default/Partitions/0"


@clause("partitions.redirect")
def test_the_hub_leads_to_where_events_are_read(event_links):
    """By the hub's own string; what was asked for stands behind the endpoint's name."""
    assert event_links.attempt(f"{EVENTS}{PARTITION}") == f"led to {{endpoint}}{PARTITION}"


@clause("partitions.redirect-forms")
@pytest.mark.parametrize("behind", ["", "/", "/$management"], ids=["nothing", "slash", "management"])
def test_a_link_for_more_than_a_partition(event_links, observed, behind):
    """A client puts what it wants behind the address that it is given, or takes it as it is."""
    observed(event_links.attempt(f"{EVENTS}{behind}"))


@clause("partitions.redirect-forms")
def test_a_link_that_asks(event_links, observed):
    """Requests go out on a link of their own, which is opened first by some clients."""
    observed(event_links.attempt(f"{EVENTS}/$management", sends=True))


@clause("partitions.sasl-plain")
def test_a_token_may_be_shown_before_the_connection_opens(event_links):
    """Behind it nothing is put to $cbs."""
    assert event_links.attempt(f"{EVENTS}{PARTITION}", plain_for="") == f"led to {{endpoint}}{PARTITION}"


@clause("partitions.sasl-plain-part")
def test_a_token_for_events_alone_may_be_shown_so(event_links, observed):
    """It covers what is asked for, and no more."""
    observed(event_links.attempt(f"{EVENTS}{PARTITION}", plain_for=EVENTS))
