"""The twin as its own device or module meets it: requests, and waiting for what comes of them.

Document: #retrieving-a-device-twins-properties and the two sections behind it. Topics are the same for
devices and modules.
"""

import itertools
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from conformance.errors import Violation
from conformance.mqtt.connection import Connection
from conformance.mqtt.conversation import NO_ANSWER
from conformance.mqtt.packets import Publish
from conformance.mqtt.twin_messages import TwinAnswer, TwinChange
from conformance.run import sleeping
from conformance.run.sleeping import Patience

ANSWERS: Final = "$iothub/twin/res/#"
DESIRED: Final = "$iothub/twin/PATCH/properties/desired/#"
GET: Final = "$iothub/twin/GET/"
REPORT: Final = "$iothub/twin/PATCH/properties/reported/"

# A request without an id may be answered without one: all that counts there is the status.
_STATUS: Final = re.compile(r"\$iothub/twin/res/([^/]*)")

_REFUSED: Final = 128
_SUCCESS: Final = (200, 299)
# What a hub that has too much to do answers, as a word.
THROTTLED: Final = "status 429"
WHAT: Final = "a twin request of the device"
_MESSAGE: Final = "publish"
# Before the twin is asked for again: a little at first, and never long, in seconds.
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0


class TwinClient:
    """The twin's side of one connection, of a device or of a module.

    Requests go out with QoS 0, as in the document's sample, where nothing else is said. A request id is one
    that this object has not used, where none is given. `get` and `report` take the next answer that comes,
    whatever its request id, unless that is one which was answered before: with one request under way it can
    be no other's, and ids are the affair of twin.request-id. A request that is answered 429 is made again
    after a while, like a call of the service; Throttled is raised where that goes on for too long.

    Of a ready-made device patches go into the run's own member, and answers show what stands there.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._own = connection.device.own_member
        self._numbers = itertools.count(1)
        self._answered: set[str] = set()

    def subscribe(self, *, qos: int = 1) -> "TwinClient":
        """Subscribe to answers; raises Violation if that is refused. Returns itself."""
        return self._subscribed(ANSWERS, qos)

    def subscribe_to_desired(self, *, qos: int = 1) -> "TwinClient":
        """Subscribe to changes of desired properties; raises Violation if that is refused. Returns itself."""
        return self._subscribed(DESIRED, qos)

    def unsubscribe(self) -> None:
        """Subscribe to answers no longer."""
        self.connection.unsubscribe(ANSWERS)

    def unsubscribe_from_desired(self) -> None:
        """Subscribe to changes of desired properties no longer."""
        self.connection.unsubscribe(DESIRED)

    def get(self, request_id: str | None = None, *, payload: bytes = b"", qos: int = 0) -> TwinAnswer:
        """Ask for the twin and return the answer; with QoS 1 a PUBACK has to come too."""
        return self._answer_to(GET, request_id, payload, qos)

    def get_since(self, desired_version: int) -> TwinAnswer:
        """Ask for the twin until its desired properties have this version; return the last answer.

        Nothing states how soon a device sees what the back end changed: `Connection.reaction` is the limit.
        """
        end, wait = time.monotonic() + self.connection.reaction, _FIRST_PAUSE
        while (answer := self.get()).is_older_than(desired_version) and time.monotonic() < end:
            sleeping.pause(wait)
            wait = min(wait * 2, _LONGEST_PAUSE)
        return answer

    def report(
        self,
        patch: Mapping[str, Any] | bytes,
        request_id: str | None = None,
        *,
        version: int | None = None,
        qos: int = 0,
    ) -> TwinAnswer:
        """Send a patch of the reported properties and return the answer.

        Bytes are sent as they are. `version` is the one that the patch is meant for.
        """
        return self._answer_to(REPORT, request_id, written(patch), qos, version)

    def establish(self, patch: Mapping[str, Any] | bytes) -> TwinAnswer:
        """Report and require success."""
        answer = self.report(patch)
        answer.expect_status(*_SUCCESS)
        return answer

    def report_each(self, *patches: Mapping[str, Any]) -> list[TwinAnswer]:
        """Send these patches, each after the answer to the one before; return the answers."""
        return [self.report(patch) for patch in patches]

    def get_all(self, *request_ids: str) -> list[TwinAnswer]:
        """Ask for the twin with each of these request ids at once; return as many answers, as they come."""
        answers: list[TwinAnswer] = []
        waiting, patience = list(request_ids), Patience(WHAT)
        while True:
            for request_id in waiting:
                self.send(f"{GET}?$rid={request_id}")
            came = [self.next_answer() for _ in waiting]
            answers += [answer for answer in came if not answer.is_throttled]
            waiting = [answer.request_id for answer in came if answer.is_throttled]
            if not waiting:
                return answers
            patience.wait()

    def next_answer(self) -> TwinAnswer:
        """Return the next answer; raises Violation if none comes."""
        return TwinAnswer(*_content(self.connection.expect_message(ANSWERS)), self._own)

    def next_change(self) -> TwinChange:
        """Return the next change of desired properties; raises Violation if none comes."""
        return TwinChange(*_content(self.connection.expect_message(DESIRED)))

    def next_changes(self, count: int) -> list[TwinChange]:
        """Return the next so many changes of desired properties."""
        return [self.next_change() for _ in range(count)]

    def send(self, topic: str, payload: bytes = b"") -> None:
        """Publish a request with QoS 0; its answer is for `next_answer`."""
        self.connection.send(topic, self.body_of(topic, payload), qos=0)

    def send_all(self, requests: Sequence[tuple[str, bytes]]) -> None:
        """Publish these pairs of topic and body with QoS 0, at once."""
        self.connection.send_all([(topic, self.body_of(topic, payload)) for topic, payload in requests])

    def publish(self, topic: str, payload: bytes = b"") -> None:
        """Publish a request with QoS 1; a PUBACK has to come, and its answer is for `next_answer`."""
        self.connection.publish(topic, self.body_of(topic, payload), qos=1)

    def body_of(self, topic: str, payload: bytes) -> bytes:
        """Return the body of a request as it travels: into the run's own member, where there is one."""
        return payload if self._own is None else self._own.request(topic, payload)

    def outcome_of(self, topic: str, payload: bytes = b"") -> str:
        """Publish with QoS 0 and return all that comes of it (fence): "closed", "no answer", "status 400".

        For requests that are not as documented: of an answer the status alone is read.
        """
        patience = Patience(WHAT)
        while THROTTLED in (outcome := self._outcome_of(topic, payload)):
            patience.wait()
        return outcome

    def _outcome_of(self, topic: str, payload: bytes) -> str:
        heard = len(self.connection.received)
        self.send(topic, payload)
        words = self.connection.outcome().split(", ")
        messages = [packet for packet in self.connection.received[heard:] if isinstance(packet, Publish)]
        # A message that nobody had taken before stands in the words too.
        ends = [word for word in words if word not in {_MESSAGE, NO_ANSWER}]
        return ", ".join([_status_of(message) for message in messages] + ends) or NO_ANSWER

    def _subscribed(self, topic_filter: str, qos: int) -> "TwinClient":
        granted = self.connection.subscribe(topic_filter, qos=qos)
        if granted >= _REFUSED:
            expected = f"a subscription to {topic_filter}"
            raise Violation(
                f"expected {expected}; got SUBACK {granted}",
                observed=f"suback {granted}",
                expected=expected,
                actual=f"SUBACK {granted}",
            )
        return self

    def _publish(
        self, topic: str, request_id: str | None, payload: bytes, qos: int, version: int | None = None
    ) -> str:
        request_id = f"request-{next(self._numbers)}" if request_id is None else request_id
        condition = "" if version is None else f"&$version={version}"
        self.connection.publish(
            f"{topic}?$rid={request_id}{condition}", self.body_of(topic, payload), qos=qos
        )
        self._answered.discard(request_id)
        return request_id

    def _answer_to(
        self, topic: str, request_id: str | None, payload: bytes, qos: int, version: int | None = None
    ) -> TwinAnswer:
        """Send a request, again where the hub has too much to do, and return the answer."""
        patience = Patience(WHAT)
        while True:
            sent = self._publish(topic, request_id, payload, qos, version)
            answer = self._next_new_answer()
            if answer.id_in_topic == sent:
                self._answered.add(sent)
            if not answer.is_throttled:
                return answer
            patience.wait()

    def _next_new_answer(self) -> TwinAnswer:
        """Take the next answer that is not the second one to an earlier request."""
        end = time.monotonic() + self.connection.reaction
        while (answer := self.next_answer()).id_in_topic in self._answered:
            if time.monotonic() > end:
                expected = f"an answer within {self.connection.reaction:g} s"
                raise Violation(
                    f"expected {expected}; got earlier answers again, the last on {answer.topic}",
                    observed="earlier answers",
                    expected=expected,
                    actual=f"earlier answers again, the last on {answer.topic}",
                )
        return answer


def written(patch: Mapping[str, Any] | bytes) -> bytes:
    """Return a patch as JSON in UTF-8, or the bytes given."""
    return patch if isinstance(patch, bytes) else json.dumps(patch, ensure_ascii=False).encode()


def _status_of(message: Publish) -> str:
    """Return the status of an answer whose request may have had no id, as a word."""
    found = _STATUS.match(message.topic)
    return f"status {found[1]}" if found else f"message on {message.topic}"


def _content(message: Publish) -> tuple[str, bytes]:
    return message.topic, message.payload
