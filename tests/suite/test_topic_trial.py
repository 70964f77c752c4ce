"""What a filter brought, in the words that readings compare."""

import pytest
from patience import PATIENCE
from scripted_peer import publish

from conformance.hub.fixtures.topics import brought, in_words
from conformance.mqtt.methods import MethodsClient
from conformance.mqtt.packets import Publish

MESSAGE = "devices/d1/messages/devicebound/%24.to=%2Fdevices%2Fd1%2Fmessages%2Fdevicebound"
ANSWER = "$iothub/twin/res/200/?$rid=mine-get"
CHANGE = "$iothub/twin/PATCH/properties/desired/?$version=2"
REQUEST = "$iothub/methods/POST/mine/?$rid=1"


def message(topic, payload=b"mine"):
    return Publish(topic=topic, payload=payload)


@pytest.mark.parametrize(
    ("topic_filter", "messages", "words"),
    [
        ("#", [], "nothing"),
        ("#", [message(MESSAGE)], "mine: message"),
        ("#", [message(MESSAGE), message(MESSAGE)], "mine: message"),
        (
            "$iothub/#",
            [message(REQUEST), message(CHANGE), message(ANSWER)],
            "mine: desired change, method request, twin answer",
        ),
        ("#", [message(MESSAGE), message(ANSWER)], "what does not match: twin answer"),
        ("$iothub/twin/res/200/#", [message(ANSWER), message(CHANGE)], "what does not match: desired change"),
        ("$iothub/twin/#", [message(REQUEST)], "what does not match: method request"),
        ("#", [message(MESSAGE), message(MESSAGE, b"theirs")], "what is another's: message"),
        ("#", [message(ANSWER), message(MESSAGE, b"theirs")], "what is another's: message"),
        (
            "$iothub/#",
            [message("$iothub/twin/res/200/?$rid=theirs-get", b"{}")],
            "what is another's: twin answer",
        ),
        ("rooms/#", [message("rooms/kitchen")], "mine: undocumented topic"),
    ],
)
def test_what_came_is_told_with_whose_it_is(topic_filter, messages, words):
    assert brought(messages, topic_filter) == words


def test_payloads_are_told_each_once():
    assert in_words([b"mine", b"theirs", b"mine"]) == "mine, theirs"
    assert in_words([]) == "nothing"


# -- on a connection


def test_the_next_message_on_a_topic_is_waited_for_and_no_longer(scene):
    def play(line):
        line.answer_connect()
        line.send(publish("a/b", b"one") + publish("c", b"two"))
        line.answer_pings()

    connection = scene.device(play).connect()

    assert connection.next_message("c", within=PATIENCE).payload == b"two"
    assert connection.next_message("c", within=0) is None
    assert [each.payload for each in connection.heard_messages()] == [b"one", b"two"]


def test_requests_are_answered_while_the_caller_waits(scene):
    def play(line):
        line.answer_connect()
        line.send(publish("$iothub/methods/POST/one/?$rid=1") + publish("$iothub/methods/POST/two/?$rid=a"))
        line.answer_pings()

    client = MethodsClient(scene.device(play).connect())
    waiting = iter([True, True, False])
    client.answer_while(lambda: next(waiting))
    client.connection.ping()

    assert scene.published == [b"$iothub/methods/res/200/?$rid=1", b"$iothub/methods/res/200/?$rid=a"]
