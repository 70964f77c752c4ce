"""Twins of two devices that are connected at the same time.

Document: #retrieving-a-device-twins-properties, #receiving-desired-properties-update-notifications.
Clauses: clauses/topics.toml.

All devices use the same $iothub topics, which name none of them: it is by the connection that the hub knows
whose twin is meant, and who is to hear of it.
"""

import pytest

clause = pytest.mark.clause
writes_twin = pytest.mark.writes_twin

any_filter = pytest.mark.parametrize(
    "topic_filter",
    [
        "$iothub/twin/res/#",
        "$iothub/twin/PATCH/properties/desired/#",
        "$iothub/twin/#",
        "$iothub/#",
        "+/twin/#",
        "#",
    ],
    ids=["answers", "changes", "all-of-twin", "all-of-iothub", "any-first-level", "everything"],
)


@clause("topics.cross-device-twin")
@writes_twin
def test_the_same_request_id_on_two_connections_has_two_answers(twin, other_listener, stage):
    """Each device gets the answer to its own request, with its own twin in it, and no other message."""
    stage(twin.establish, {"whose": "mine"}, needs="twin.reported")
    stage(other_listener.establish, {"whose": "theirs"}, needs="twin.reported")

    own, theirs = twin.get(request_id="same"), other_listener.get(request_id="same")

    assert (own.reported_members, theirs.reported_members) == ({"whose": "mine"}, {"whose": "theirs"})
    twin.connection.expect_no_message()
    other_listener.connection.expect_no_message()


@clause("topics.cross-device-twin")
@writes_twin
def test_a_report_is_not_in_another_devices_twin(twin, other_listener, stage):
    """What one device reports, another one does not get."""
    stage(other_listener.establish, {"whose": "theirs"}, needs="twin.reported")

    assert twin.get().reported_members == {}


@clause("topics.cross-device-twin")
@any_filter
def test_no_filter_brings_the_answer_to_another_devices_get(connection, other_twin, stage, topic_filter):
    """The other device has its answer; by then this one has heard nothing."""
    connection.try_to_subscribe(topic_filter)

    stage(other_twin.get, needs="twin.get")

    assert connection.heard() == []


@clause("topics.cross-device-twin")
@writes_twin
@any_filter
def test_no_filter_brings_what_concerns_another_devices_twin(
    connection, other_device, other_listener, stage, twins, topic_filter
):
    """Two answers and a notification go to the other device; by then this one has heard nothing."""
    connection.try_to_subscribe(topic_filter)

    stage(other_listener.get, needs="twin.get")
    stage(other_listener.establish, {"whose": "theirs"}, needs="twin.reported")
    twins.patch(other_device, desired={"whose": "theirs"})
    stage(other_listener.next_change, needs="desired.notified")

    assert connection.heard() == []
