"""The twin's side of a connection, against peers that play literal bytes."""

import contextlib
import threading

import pytest
from scripted_peer import PINGRESP, publish
from violations import observed

from conformance.errors import Throttled
from conformance.mqtt.twin import TwinClient, written
from conformance.mqtt.twin_messages import TwinAnswer, TwinChange


def answering(*messages, granted=b"\x01"):
    """Grant what is subscribed to, and send the next of these messages for each PUBLISH with QoS 0."""
    waiting = list(messages)

    def play(line):
        line.answer_connect()
        while True:
            packet = line.read_packet()
            match packet[0] >> 4:
                case 8:
                    line.send(b"\x90\x03" + packet[2:4] + granted)
                case 10:
                    line.send(b"\xb0\x02" + packet[2:4])
                case 12:
                    line.send(PINGRESP)
                case 3 if waiting:
                    line.send(waiting.pop(0))

    return play


def published(scene):
    (line,) = scene.peer.lines
    return [packet[4:] for packet in line.received if packet[0] >> 4 == 3]


class Hurried:
    """A connection on which no answer may take any time."""

    reaction = 0.0

    def __init__(self, connection):
        self.publish, self.expect_message = connection.publish, connection.expect_message


def versions(*numbers):
    return [
        publish("$iothub/twin/res/200/?$rid=any", b'{"desired":{"$version":%d},"reported":{}}' % number)
        for number in numbers
    ]


def test_the_twin_is_asked_for_until_it_is_as_new_as_wanted(scene):
    twin = TwinClient(scene.device(answering(*versions(1, 1, 3))).connect())
    assert twin.get_since(2).desired == {"$version": 3}
    assert len(published(scene)) == 3


def test_a_twin_that_stays_as_it_was_is_returned_after_the_time_for_an_answer(scene):
    twin = TwinClient(scene.device(answering(*versions(*[1] * 20))).connect())
    # No time is left behind the first answer.
    twin.connection = Hurried(twin.connection)
    assert twin.get_since(2).desired == {"$version": 1}
    assert len(published(scene)) == 1


def test_requests_and_answers(scene):
    device = scene.device(
        answering(
            publish("$iothub/twin/res/200/?$rid=request-1", b'{"desired":{"$version":1},"reported":{}}'),
            publish("$iothub/twin/res/204/?$rid=mine&$version=7"),
            publish("$iothub/twin/res/400/?$rid=request-3", b"{}"),
        )
    )
    twin = TwinClient(device.connect()).subscribe()

    assert twin.get().desired == {"$version": 1}
    answer = twin.report({"a": "é"}, "mine", version=6)
    assert (answer.outcome, answer.request_id, answer.version) == ("status 204", "mine", 7)
    assert twin.report(b"{").outcome == "status 400"
    twin.unsubscribe()
    twin.connection.ping()

    assert scene.published == [
        b"$iothub/twin/GET/?$rid=request-1",
        '$iothub/twin/PATCH/properties/reported/?$rid=mine&$version=6{"a": "é"}'.encode(),
        b"$iothub/twin/PATCH/properties/reported/?$rid=request-2{",
    ]


def test_requests_at_once_and_one_after_the_other(scene):
    device = scene.device(
        answering(
            publish("$iothub/twin/res/200/?$rid=b"),
            publish("$iothub/twin/res/200/?$rid=a"),
            publish("$iothub/twin/res/204/?$rid=request-1&$version=2"),
            publish("$iothub/twin/res/204/?$rid=request-2&$version=3"),
        )
    )
    twin = TwinClient(device.connect()).subscribe()

    assert [answer.request_id for answer in twin.get_all("a", "b")] == ["b", "a"]
    assert [answer.version for answer in twin.report_each({"x": 1}, {"x": 2})] == [2, 3]


def test_a_second_answer_is_no_answer_to_the_next_request(scene):
    twice = publish("$iothub/twin/res/200/?$rid=request-1") * 2
    device = scene.device(
        answering(
            twice,
            publish("$iothub/twin/res/204/?$rid=request-2&$version=2"),
            publish("$iothub/twin/res/200/?$rid=request-1"),
        )
    )
    twin = TwinClient(device.connect()).subscribe()

    assert twin.get().outcome == "status 200"
    assert twin.report({"x": 1}).outcome == "status 204"
    assert twin.get("request-1").outcome == "status 200"


def test_an_answer_with_another_id_is_taken_all_the_same(scene):
    device = scene.device(
        answering(publish("$iothub/twin/res/200/?$rid=x"), publish("$iothub/twin/res/200/?$rid=request-1"))
    )
    twin = TwinClient(device.connect()).subscribe()

    assert [twin.get().request_id for _ in range(2)] == ["x", "request-1"]


def test_a_status_outside_its_range_is_a_violation():
    answer = TwinAnswer("$iothub/twin/res/204/?$rid=1", b"")

    answer.expect_status(204, 204)
    assert observed(lambda: answer.expect_status(400, 499)) == "status 204"


def test_changes_of_desired_properties(scene):
    device = scene.device(
        answering(
            publish("$iothub/twin/PATCH/properties/desired/?$version=8", b'{"route":null,"$version":8}'),
            publish("$iothub/twin/PATCH/properties/desired/?$version=9", b"{}"),
        )
    )
    twin = TwinClient(device.connect()).subscribe_to_desired()
    twin.connection.send("anything", qos=0)
    twin.connection.send("anything", qos=0)

    first, second = twin.next_changes(2)
    assert (first.version, first.document, first.members) == (
        8,
        {"route": None, "$version": 8},
        {"route": None},
    )
    assert second.version == 9
    twin.unsubscribe_from_desired()


def test_a_refused_subscription_is_a_violation(scene):
    connection = scene.device(answering(granted=b"\x80")).connect()

    assert observed(TwinClient(connection).subscribe) == "suback 128"


def test_a_patch_that_sets_the_stage_has_to_succeed(scene):
    device = scene.device(answering(publish("$iothub/twin/res/503/?$rid=request-1")))
    twin = TwinClient(device.connect()).subscribe()

    assert observed(lambda: twin.establish({"a": 1})) == "status 503"


def throttled(times):
    """So many answers, each to the next request."""
    return [publish(f"$iothub/twin/res/429/?$rid=request-{number + 1}") for number in range(times)]


@pytest.fixture
def waits(monkeypatch):
    """How long was waited for a hub that has too much to do; no time passes."""
    waited = []
    monkeypatch.setattr("conformance.run.sleeping.time.sleep", waited.append)
    return waited


def test_a_request_that_is_throttled_is_made_again(scene, waits):
    """The hub's throttle is nobody's fault: whoever asked waits, as the service side does."""
    answers = [*throttled(2), publish("$iothub/twin/res/204/?$rid=request-3&$version=2")]
    twin = TwinClient(scene.device(answering(*answers)).connect()).subscribe()

    assert twin.report({"a": 1}).outcome == "status 204"

    assert waits == [1.0, 2.0]
    assert [packet.endswith(b'{"a": 1}') for packet in published(scene)] == [True] * 3


def test_of_requests_at_once_those_that_are_throttled_are_made_again(scene, waits):
    answers = [
        publish("$iothub/twin/res/200/?$rid=b", b"{}"),
        publish("$iothub/twin/res/429/?$rid=a"),
        publish("$iothub/twin/res/200/?$rid=a", b"{}"),
    ]
    twin = TwinClient(scene.device(answering(*answers)).connect()).subscribe()

    assert [answer.request_id for answer in twin.get_all("a", "b")] == ["b", "a"]
    assert waits == [1.0]


def test_a_request_out_of_the_ordinary_is_made_again_too(scene, waits):
    answers = [*throttled(1), publish("$iothub/twin/res/400/?$rid=")]
    twin = TwinClient(scene.device(answering(*answers)).connect()).subscribe()

    assert twin.outcome_of("$iothub/twin/GET/") == "status 400"
    assert waits == [1.0]


def test_a_throttle_without_end_says_nothing_about_the_twin(scene, waits):
    twin = TwinClient(scene.device(answering(*throttled(20))).connect()).subscribe()

    with pytest.raises(Throttled, match="a twin request of the device: still throttled after 63 s"):
        twin.get()

    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]


def test_earlier_answers_without_end_are_no_answer(scene):
    """A hub that sends the answer to an earlier request again and again never comes to this one."""
    first = publish("$iothub/twin/res/200/?$rid=request-1", b"{}")

    def play(line):
        line.answer_connect()
        line.send(b"\x90\x03" + line.read_packet()[2:4] + b"\x01")
        line.read_packet()
        line.send(first)
        line.read_packet()
        with contextlib.suppress(OSError):
            while not threading.Event().wait(0.01):
                line.send(first)

    twin = TwinClient(scene.device(play).connect()).subscribe()
    twin.get()

    with scene.hurry():
        assert observed(twin.get) == "earlier answers"


def test_no_answer_is_silence(scene):
    twin = TwinClient(scene.device(answering()).connect()).subscribe()

    with scene.hurry():
        assert observed(twin.get) == "silence"
    assert twin.outcome_of("$iothub/twin/GET/") == "no answer"


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (answering(publish("$iothub/twin/res/400/?$rid=")), "status 400"),
        (lambda line: (line.answer_connect(), line.read_packet()), "closed"),
        (
            lambda line: (
                line.answer_connect(),
                line.read_packet(),
                line.send(publish("$iothub/twin/res/400/?$rid=")),
            ),
            "status 400, closed",
        ),
    ],
    ids=["answer", "close", "both"],
)
def test_all_that_comes_of_a_request_in_words(scene, script, outcome):
    twin = TwinClient(scene.device(script).connect())

    assert twin.outcome_of("$iothub/twin/GET/") == outcome


@pytest.mark.parametrize(
    ("topic", "look", "word"),
    [
        ("$iothub/twin/res/ok/?$rid=1", lambda answer: answer.status, "status ok"),
        ("$iothub/twin/res/200", lambda answer: answer.status, "undocumented topic"),
        ("$iothub/twin/res/200?$rid=1", lambda answer: answer.request_id, "undocumented topic"),
        ("$iothub/twin/res/204/?$rid=1", lambda answer: answer.version, "version absent"),
        ("$iothub/twin/res/204/?$rid=1&$version=x", lambda answer: answer.version, "version x"),
    ],
)
def test_a_topic_that_cannot_be_read_is_a_violation(topic, look, word):
    assert observed(lambda: look(TwinAnswer(topic, b""))) == word


@pytest.mark.parametrize(
    ("body", "words", "word"),
    [
        (b"", "empty", "empty"),
        (b"{", "not JSON", "not JSON"),
        (b"\xff", "not JSON", "not JSON"),
        (b"[" * 100_000, "not JSON", "not JSON"),
        (b"[]", "JSON, no object", "JSON, no object"),
        (b"{}", "JSON object with no member", "no desired"),
        (b'{"desired":1,"a":2}', "JSON object with a, desired", "no desired"),
    ],
    ids=["empty", "cut-off", "no-UTF-8", "too-deep", "array", "no-section", "no-object"],
)
def test_a_body_that_cannot_be_read_is_a_violation(body, words, word):
    answer = TwinAnswer("$iothub/twin/res/200/?$rid=1", body)

    assert (answer.body_in_words, observed(lambda: answer.properties)) == (words, word)


def test_the_hubs_own_members_are_not_the_sections():
    body = b'{"desired":{"a":1,"$version":2,"$metadata":{}},"reported":{"b":{"$x":1},"$version":3},"tags":{}}'
    answer = TwinAnswer("$iothub/twin/res/200/?$rid=1", body)

    assert answer.properties == {
        "desired": {"a": 1, "$version": 2},
        "reported": {"b": {"$x": 1}, "$version": 3},
    }
    assert answer.reported_members == {"b": {"$x": 1}}
    assert answer.members_of_the_hub == [
        "desired.$version", "desired.$metadata", "reported.b.$x", "reported.$version",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("$iothub/twin/res/200/?$rid=a%20b", "verbatim"),
        ("$iothub/twin/res/200/?$rid=a b", "decoded"),
        ("$iothub/twin/res/200/?$rid=a%2520b", "encoded"),
        ("$iothub/twin/res/200/?$rid=", "as ''"),
    ],
)
def test_how_a_request_id_came_back(topic, words):
    assert TwinAnswer(topic, b"").echo_of("a%20b") == words


def test_an_ampersand_belongs_to_the_request_id():
    answer = TwinAnswer("$iothub/twin/res/204/?$rid=a&b=c&$version=4", b"")

    assert (answer.request_id, answer.version) == ("a&b=c", 4)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [(200, b"{}", "status 200 with body"), (204, b"", "status 204 without body")],
)
def test_outcomes_in_words(status, body, words):
    assert TwinAnswer(f"$iothub/twin/res/{status}/?$rid=1", body).outcome_with_body == words


def test_a_change_without_its_version_in_the_topic_is_a_violation():
    assert observed(lambda: TwinChange("$iothub/twin/PATCH/properties/desired/", b"").version) == (
        "undocumented topic"
    )


def test_a_patch_is_written_as_utf_8_and_bytes_as_they_are():
    assert (written({"é": None}), written(b"\xff")) == ('{"é": null}'.encode(), b"\xff")
