"""A burst of twin requests: which answer counts, and how long a throttle is waited for."""

import pytest
from patience import PATIENCE

from conformance.errors import NotOffered
from conformance.mqtt.twin_burst import BURST, TwinBurst
from conformance.mqtt.twin_messages import TwinAnswer
from conformance.run import sleeping


class Twin:
    """Answers each request with the next status; the last one stays."""

    def __init__(self, *statuses, request_id=lambda request_id, _status: request_id):
        self.statuses = list(statuses)
        self.request_id = request_id
        self.topics = []
        self.answers = []

    def send(self, topic, body):
        self.send_all([(topic, body)])

    def send_all(self, messages):
        for topic, _ in messages:
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            self.topics.append(topic)
            sent = topic.partition("$rid=")[2]
            self.answers.append(f"$iothub/twin/res/{status}/?$rid={self.request_id(sent, status)}")

    def next_answer(self):
        return TwinAnswer(self.answers.pop(0), b"")


@pytest.mark.parametrize(
    ("operation", "topic"),
    [("get", "$iothub/twin/GET/"), ("report", "$iothub/twin/PATCH/properties/reported/")],
)
def test_the_first_refusal_of_a_burst(operation, topic):
    twin = Twin(200, 204, 429, 200, 500, 429)

    assert TwinBurst(twin, operation, 1).first_refusal() == "status 429 with its own request id"

    assert len(twin.topics) == BURST
    assert {name.partition("?")[0] for name in twin.topics} == {topic}


def test_a_burst_that_is_carried_out_shows_no_throttle():
    with pytest.raises(NotOffered, match="were all carried out"):
        TwinBurst(Twin(200), "get", 1).first_refusal()


@pytest.mark.parametrize(
    ("request_id", "words"),
    [
        (lambda sent, status: "" if status == 500 else sent, "status 500 without request id"),
        (
            lambda sent, status: "burst-1" if status == 500 else sent,
            "status 500 with the id of another answer",
        ),
        (
            lambda sent, status: f"x{sent}" if status == 500 else sent,
            "status 500 with an id that was not sent",
        ),
    ],
    ids=["none", "one-that-was-answered", "one-that-was-never-sent"],
)
def test_a_refusal_that_is_no_requests(request_id, words):
    assert TwinBurst(Twin(200, 500, 200, request_id=request_id), "get", 1).first_refusal() == words


def test_requests_are_repeated_until_one_is_served():
    before = sleeping.slept_seconds()
    assert TwinBurst(Twin(429, 429, 204), "get", PATIENCE).later_outcome() == "success"
    assert sleeping.slept_seconds() - before >= 0.05


def test_another_refusal_ends_the_attempts():
    assert TwinBurst(Twin(429, 500), "get", PATIENCE).later_outcome() == "status 500"


def test_patience_ends():
    assert TwinBurst(Twin(429), "get", 0.05).later_outcome() == "status 429"
