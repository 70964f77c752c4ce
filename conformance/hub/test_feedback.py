"""Feedback as its receiver takes it: records, batches, and what becomes of a batch that is held.

Microsoft, "Send cloud-to-device messages with Azure IoT Hub", message feedback. Clauses:
clauses/feedback.toml. A message that is purged is told of at once; no device need be there.
"""

import pytest

clause = pytest.mark.clause


@clause("feedback.record")
@pytest.mark.clock
def test_a_record_tells_what_became_of_a_message(device, identities, c2d, held, hub):
    """Each member that the page names."""
    c2d.send_and_purge(device, b"purged", message_id=f"{device.id}-m", ack="full")
    held.until(f"{device.id}-m")

    record = held.record(f"{device.id}-m")
    assert (record.message_id, record.status, record.device_id) == (f"{device.id}-m", "Purged", device.id)
    assert record.generation_id == identities.get(device)["generationId"]
    assert abs(record.time - c2d.hubs_time()) <= hub.timeouts.reaction + hub.timing["feedback"]


@clause("feedback.batch")
def test_a_batch_says_what_it_is(device, c2d, held, service):
    """By its content type, and the name of the hub."""
    c2d.send_and_purge(device, b"purged", message_id=f"{device.id}-m", ack="full")
    held.until(f"{device.id}-m")

    assert held.properties(f"{device.id}-m", "content_type", "user_id") == {
        "content_type": "application/vnd.microsoft.iothub.feedback.json",
        "user_id": service.hub_name,
    }


@clause("feedback.each-once")
def test_each_message_is_told_of_once(device, c2d, held):
    """Three that ended together, while what tells of them is held, and a fourth that ended later."""
    first, second, third, fourth = (f"{device.id}-{number}" for number in range(1, 5))
    for name in (first, second, third):
        c2d.send(device, b"purged", message_id=name, ack="full")
    c2d.purge(device)
    told = held.until(first, second, third)
    c2d.send_and_purge(device, b"purged", message_id=fourth, ack="negative")

    assert [*sorted(told), *held.until(fourth)] == [first, second, third, fourth]


@clause("feedback.settled")
def test_a_batch_comes_again_until_it_is_accepted(device, c2d, held):
    """Given back, it is there again; accepted, it is behind no later one."""
    first, second = f"{device.id}-1", f"{device.id}-2"
    c2d.send_and_purge(device, b"purged", message_id=first, ack="full")
    held.until(first)

    held.release(first)
    again = held.until(first)
    held.accept(first)
    c2d.send_and_purge(device, b"purged", message_id=second, ack="full")

    assert (again, held.until(second)) == ([first], [second])
