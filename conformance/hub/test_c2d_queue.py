"""The queue of a device's cloud-to-device messages: how much it holds, and what leaves it unread.

Document: #receiving-cloud-to-device-messages. Clauses: clauses/c2d.toml.

Microsoft's page on cloud-to-device messages has the rules: 50 messages wait at most, each until its expiry,
and the back end can remove them all.
"""

import pytest

clause = pytest.mark.clause


@clause("c2d.expired")
@pytest.mark.clock
def test_a_message_expires_while_its_device_is_away(away, c2d, stage):
    """A message whose time passed before the device returned is not delivered."""
    c2d.send_and_outlive(away, b"stale")
    c2d.send(away, b"fresh")

    returned = stage(away.connect, clean_session=False)
    stage(returned.subscribe, away.topics.devicebound, needs="c2d.subscribe")

    assert returned.payloads_until(b"fresh") == [b"fresh"]


@clause("c2d.expired")
@pytest.mark.clock
def test_a_message_expires_behind_one_that_does_not(away, c2d, stage):
    """Each message has its own time."""
    c2d.send(away, b"lasting")
    c2d.send_and_outlive(away, b"stale")
    c2d.send(away, b"fresh")

    returned = stage(away.connect, clean_session=False)
    stage(returned.subscribe, away.topics.devicebound, needs="c2d.subscribe")

    assert returned.payloads_until(b"fresh") == [b"lasting", b"fresh"]


@clause("c2d.purged")
@pytest.mark.parametrize("count", [1, 10])
def test_a_purge_empties_the_queue(away, c2d, stage, count):
    """What waited when the back end purged the queue is not delivered; what it sends later is."""
    c2d.send_each(away, [b"purged"] * count)
    c2d.purge(away)
    c2d.send(away, b"sent later")

    returned = stage(away.connect, clean_session=False)
    stage(returned.subscribe, away.topics.devicebound, needs="c2d.subscribe")

    assert returned.payloads_until(b"sent later") == [b"sent later"]


@clause("c2d.purged")
def test_a_purge_is_for_one_device(away, other_device, c2d, stage):
    """Another device's queue is left alone."""
    c2d.send_each(away, [b"kept", b"fence"])

    c2d.purge(other_device)

    returned = stage(away.connect, clean_session=False)
    stage(returned.subscribe, away.topics.devicebound, needs="c2d.subscribe")
    assert returned.payloads_until(b"fence") == [b"kept", b"fence"]


@clause("c2d.queue-depth")
@pytest.mark.large
def test_the_51st_message_is_refused(away, c2d, stage):
    """50 messages wait at most; the sender of the next hears that it was not taken, and the 50 are there."""
    bodies = [f"{number}".encode() for number in range(51)]
    outcomes = c2d.attempt_to_send_each(away, bodies)

    assert outcomes[:50] == ["accepted"] * 50
    assert outcomes[50] != "accepted"
    returned = stage(away.connect, clean_session=False)
    stage(returned.subscribe, away.topics.devicebound, needs="c2d.subscribe")
    assert returned.payloads_until(b"49") == bodies[:50]


@clause("c2d.queue-depth")
@pytest.mark.large
def test_what_was_acknowledged_makes_room_for_as_many(away, c2d, stage, within_lock):
    """50 messages wait at most, however many there were before: fifty came and went, fifty more are taken."""
    c2d.send_each(away, [f"{number}".encode() for number in range(50)])
    with within_lock():
        returned = stage(away.connect, clean_session=False)
        stage(returned.subscribe, away.topics.devicebound, needs="c2d.subscribe")
        stage(returned.payloads_until, b"49", needs="c2d.delivered")
        stage(returned.ping, needs="connection.ping")
    stage(returned.disconnect)

    outcomes = c2d.attempt_to_send_each(away, [b"again"] * 51)

    assert outcomes[:50] == ["accepted"] * 50
    assert outcomes[50] != "accepted"


@clause("c2d.queue-depth")
@pytest.mark.large
def test_a_purge_makes_room_for_as_many(away, c2d):
    """Likewise: what was purged does not wait any more."""
    c2d.send_each(away, [b"purged"] * 50)
    c2d.purge(away)

    outcomes = c2d.attempt_to_send_each(away, [b"again"] * 51)

    assert outcomes[:50] == ["accepted"] * 50
    assert outcomes[50] != "accepted"


@clause("c2d.queue-depth")
@pytest.mark.large
@pytest.mark.clock
def test_an_expired_message_makes_room_for_one(away, c2d):
    """Likewise: what has expired does not wait any more."""
    c2d.send_each(away, [b"lasting"] * 49)
    c2d.send_and_outlive(away, b"stale")

    outcomes = c2d.attempt_to_send_each(away, [b"again"] * 2)

    assert outcomes[0] == "accepted"
    assert outcomes[1] != "accepted"
