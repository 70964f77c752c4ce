"""A message to a device goes out as it was meant; what the hub says to it is a value or an error."""

import time

import pytest
from back_end import embedded_hub
from patience import PATIENCE
from scripted_service import Reply

from conformance.backend.c2d import CloudToDevice
from conformance.backend.call_log import Journal
from conformance.backend.links import Links
from conformance.errors import MessageRefused, ServiceError, Throttled

BUSY = "rejected com.microsoft:device-container-throttled"
FULL = "rejected amqp:resource-limit-exceeded"


@pytest.fixture
def waits():
    return []


@pytest.fixture
def c2d(peer, rest, transcript, waits):
    journal = Journal()
    journal.follow(transcript)
    links = Links(peer.endpoint())
    client = rest.client(journal=journal)
    yield CloudToDevice(links, client, journal, within=PATIENCE, sleep=waits.append)
    links.close()
    client.close()


def written(transcript):
    return [entry.text for entry in transcript.entries]


def test_another_address_stands_in_for_the_devices_own(peer, c2d):
    c2d.send("a:b", address="/devices/a%3Ab/messages/deviceBound")

    (sent,) = peer.sent
    assert (sent.address, sent.properties["to"]) == (
        "/messages/devicebound",
        b"/devices/a%3Ab/messages/deviceBound",
    )


def test_every_field_has_its_place(peer, c2d):
    c2d.send(
        "d",
        b"hello",
        message_id="m",
        correlation_id="c",
        user_id="ü",
        content_type="text/plain",
        content_encoding="utf-8",
        expires_at=1_700_000_000.1234,
        creation_time=1_600_000_000,
        properties={"a": "1", "null": None},
        ack="full",
    )

    (sent,) = peer.sent
    assert (sent.address, sent.body) == ("/messages/devicebound", b"hello")
    assert sent.properties == {
        "to": b"/devices/d/messages/devicebound",
        "message_id": b"m",
        "correlation_id": b"c",
        "user_id": "ü".encode(),
        "content_type": b"text/plain",
        "content_encoding": b"utf-8",
        "absolute_expiry_time": 1_700_000_000_123,
        "creation_time": 1_600_000_000_000,
    }
    assert sent.message.application_properties == {b"a": b"1", b"null": None, b"iothub-ack": b"full"}


def test_what_is_not_given_is_not_sent(peer, c2d):
    c2d.send("d")

    (sent,) = peer.sent
    assert (sent.body, sent.properties) == (b"", {"to": b"/devices/d/messages/devicebound"})
    assert not sent.message.application_properties


@pytest.mark.parametrize("answer", ["accepted", FULL, "released", "modified", "detach amqp:not-allowed"])
def test_an_attempt_tells_what_became_of_the_message(peer, c2d, answer):
    peer.answers.append(answer)

    assert c2d.attempt_to_send("d", b"x") == answer.replace("detach ", "detached ")


def test_a_message_that_a_case_needs_must_be_taken(peer, c2d):
    peer.answers.append(FULL)

    with pytest.raises(MessageRefused) as caught:
        c2d.send("d", b"x")

    assert str(caught.value) == f"message to d: {FULL} (a description)."
    assert caught.value.outcome == FULL


def test_the_fifty_first_is_seen_to_be_refused(peer, c2d):
    peer.answers.extend(["accepted"] * 50 + [FULL])

    assert c2d.attempt_to_send_each("d", [b"x"] * 51) == ["accepted"] * 50 + [FULL]


def test_messages_are_sent_in_the_order_given(peer, c2d):
    c2d.send_each("d", [b"1", b"2", b"3"], message_id="m")

    assert [(sent.body, sent.properties["message_id"]) for sent in peer.sent] == [
        (b"1", b"m"),
        (b"2", b"m"),
        (b"3", b"m"),
    ]


def test_a_message_is_outlived_by_the_hubs_clock_too(peer, rest, waits):
    """A clock that may be two seconds off: the message lives that much longer, and so does the wait."""
    links = Links(peer.endpoint())
    c2d = CloudToDevice(links, rest, Journal(), within=PATIENCE, clocks_differ=2, sleep=waits.append)

    before = int(time.time() * 1000)
    c2d.send_and_outlive("d", b"x", message_id="m")
    behind = time.time() * 1000
    links.close()

    (sent,) = peer.sent
    assert before + 2300 <= sent.properties["absolute_expiry_time"] <= behind + 2300
    assert (sent.properties["message_id"], waits) == (b"m", [4.3])


def test_a_hub_under_load_is_given_time(peer, c2d, waits):
    peer.answers.extend([BUSY, BUSY, "accepted"])

    c2d.send("d", b"x")

    assert (len(peer.sent), waits) == (3, [1, 2])


def test_patience_ends(peer, c2d, waits):
    peer.answers.extend([BUSY] * 20)

    with pytest.raises(Throttled, match=r"^message to d: still throttled after 63 s\. Run fewer workers"):
        c2d.send("d", b"x")

    assert waits == [1, 2, 4, 8, 16, 32]


def test_question_and_answer_are_written_down(peer, rest, c2d, transcript):
    rest.replies = [Reply(200, {"deviceId": "d", "moduleId": "", "totalMessagesPurged": 2})]
    peer.answers.append(FULL)

    c2d.attempt_to_send("d", b"hello", message_id="m", properties={"a": "1"})
    c2d.purge("d")

    assert written(transcript) == [
        "sends message to d: 5 bytes \"hello\", message-id m, properties {'a': '1'}",
        f"message to d: {FULL}",
        "DELETE /devices/d/commands",
        'DELETE /devices/d/commands: 200 {"deviceId": "d", "moduleId": "", "totalMessagesPurged": 2}',
    ]


def test_purging_returns_the_count(rest, c2d):
    rest.replies = [Reply(200, {"totalMessagesPurged": 7})]

    assert c2d.purge("d") == 7
    assert (rest.requests[0].method, rest.requests[0].path.partition("?")[0]) == (
        "DELETE",
        "/devices/d/commands",
    )


@pytest.mark.parametrize("body", [{}, {"totalMessagesPurged": "7"}, [], None])
def test_purging_without_a_count_is_told(rest, c2d, body):
    rest.replies = [Reply(200, body)]

    with pytest.raises(ServiceError, match="does not say how many messages were purged"):
        c2d.purge("d")


@pytest.fixture(scope="module")
def hub():
    with embedded_hub("--c2d-queue-depth", "3") as target:
        yield target


def test_a_device_of_the_embedded_hub_gets_the_message(back_end):
    device = back_end.device()
    connection = device.connect()
    connection.subscribe(device.topics.devicebound)

    back_end.service.c2d.send(
        device, b"\xff\x00", message_id="m 1", user_id="u", properties={"a b": "ü", "n": None}, ack="none"
    )

    message = connection.expect_message()
    topic, _, bag = message.topic.rpartition("/")
    assert (topic, message.payload) == (f"devices/{device.id}/messages/devicebound", b"\xff\x00")
    assert {"%24.mid=m%201", "%24.uid=u", "a%20b=%C3%BC", "n", "iothub-ack=none"} <= set(bag.split("&"))


def test_a_message_is_sent_by_rest(back_end):
    device = back_end.device()
    connection = device.connect()
    connection.subscribe(device.topics.devicebound)

    assert back_end.service.c2d.attempt_to_send_by_rest(device, b"x", {"alarm": "fire"}) == "204"
    assert back_end.service.c2d.attempt_to_send_by_rest("nobody", b"x", {}) == "404"
    message = connection.expect_message()
    assert (message.payload, "alarm=fire" in message.topic) == (b"x", True)


def test_the_embedded_hub_refuses_what_is_too_much_and_purging_makes_room(back_end):
    c2d, device = back_end.service.c2d, back_end.device()

    assert [c2d.attempt_to_send(device, b"x") for _ in range(4)] == ["accepted"] * 3 + [FULL]
    assert c2d.purge(device) == 3
    assert c2d.attempt_to_send(device, b"x") == "accepted"


def test_the_embedded_hub_knows_no_such_device(back_end):
    assert back_end.service.c2d.attempt_to_send("nobody", b"x") == "rejected amqp:not-found"
