"""The called side of direct methods, against peers that play literal bytes."""

import pytest
from scripted_peer import PINGRESP, publish
from violations import observed

from conformance.mqtt.methods import MethodRequest, MethodsClient, written


def calling(*requests, granted=b"\x01"):
    """Grant what is subscribed to and send these requests behind; acknowledge what comes with QoS 1."""

    def play(line):
        line.answer_connect()
        while True:
            packet = line.read_packet()
            match packet[0] >> 4:
                case 8:
                    line.send(b"\x90\x03" + packet[2:4] + granted + b"".join(requests))
                case 10:
                    line.send(b"\xb0\x02" + packet[2:4])
                case 12:
                    line.send(PINGRESP)
                case 3 if packet[0] & 0x06:
                    at = 4 + int.from_bytes(packet[2:4], "big")
                    line.send(b"\x40\x02" + packet[at : at + 2])

    return play


def test_requests_come_and_answers_go(scene):
    device = scene.device(
        calling(
            publish("$iothub/methods/POST/reboot/?$rid=a", b'{"delay": 5}'),
            publish("$iothub/methods/POST/stop/?$rid=b"),
        )
    )
    callee = MethodsClient(device.connect()).subscribe()
    assert callee.device is device

    first, second = callee.next_requests(2)
    assert (first.name, first.request_id, first.document) == ("reboot", "a", {"delay": 5})
    assert (second.name, second.request_id, second.carries) == ("stop", "b", "nothing")

    callee.answer(second, 404)
    callee.answer(first, 201, {"é": None})
    callee.answer(first, "abc", b"{", request_id="other")
    callee.answer(first, 200, "text", request_id="")
    callee.echo_each([first, second])
    callee.unsubscribe()

    assert scene.published == [
        b"$iothub/methods/res/404/?$rid=b",
        '$iothub/methods/res/201/?$rid=a{"é": null}'.encode(),
        b"$iothub/methods/res/abc/?$rid=other{",
        b'$iothub/methods/res/200/"text"',
        b'$iothub/methods/res/200/?$rid=a{"delay": 5}',
        b"$iothub/methods/res/200/?$rid=b",
    ]


def test_an_answer_with_qos_1_waits_for_its_puback(scene):
    callee = MethodsClient(
        scene.device(calling(publish("$iothub/methods/POST/x/?$rid=1"))).connect()
    ).subscribe()

    callee.answer(callee.next_request(), 200, qos=1)

    assert len(scene.published) == 1


def test_a_refused_subscription_is_a_violation(scene):
    callee = MethodsClient(scene.device(calling(granted=b"\x80")).connect())

    assert observed(callee.subscribe) == "suback 128"


@pytest.mark.parametrize(
    ("topic", "name", "request_id"),
    [
        ("$iothub/methods/POST/reboot/?$rid=1&$version=2", "reboot", "1"),
        ("$iothub/methods/POST/reboot?$rid=1", "reboot", "1"),
        ("$iothub/methods/POST//?$rid=1", "", "1"),
        ("elsewhere/?$rid=1", "", "1"),
    ],
)
def test_topics_are_read_loosely(topic, name, request_id):
    request = MethodRequest(topic, b"")

    assert (request.name, request.request_id) == (name, request_id)


@pytest.mark.parametrize("topic", ["$iothub/methods/POST/x/", "$iothub/methods/POST/x/?$rid="])
def test_a_topic_without_request_id_is_a_violation(topic):
    assert observed(lambda: MethodRequest(topic, b"").request_id) == "no request id"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000], ids=["empty", "cut", "bytes", "deep"])
def test_a_body_that_is_no_json_is_a_violation(body):
    assert observed(lambda: MethodRequest("", body).document) == "not JSON"


@pytest.mark.parametrize(
    ("body", "words"), [(b"", "nothing"), (b"null", "nothing"), (b"{}", "b'{}'"), (b'""', "b'\"\"'")]
)
def test_what_a_body_carries(body, words):
    assert MethodRequest("", body).carries == words


def test_bodies_are_written_as_json_but_for_bytes():
    assert (written(b"{"), written(None), written("é")) == (b"{", b"null", '"é"'.encode())
