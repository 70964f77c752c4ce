"""Many twin requests at once: what a hub with a throttle answers to them, and when it serves again."""

import itertools
import time
from typing import Final, Literal

from conformance.errors import NotOffered
from conformance.mqtt.twin import GET, REPORT, TwinClient
from conformance.mqtt.twin_messages import TwinAnswer
from conformance.run import sleeping

# Six times what a hub of the smallest tier lets through in a second of updates, three times of reads.
BURST: Final = 300

# How long to wait before the next attempt: a little at first, and never long.
_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 1.0

_FIRST_FAILURE: Final = 300
_THROTTLED: Final = 429

Operation = Literal["get", "report"]


class TwinBurst:
    """A burst of one kind of request. `patience` is how many seconds a throttle may last afterwards."""

    def __init__(self, twin: TwinClient, operation: Operation, patience: float) -> None:
        self._twin = twin
        self._topic, self._body = (GET, b"") if operation == "get" else (REPORT, b'{"burst": true}')
        self._patience = patience
        self._numbers = itertools.count(1)
        self._sent: list[str] = []
        self._answers: list[TwinAnswer] = []

    def first_refusal(self) -> str:
        """Send the burst and describe the first answer, as they come, that is no success.

        "status 429 with its own request id", "status 429 without request id", "… with the id of another
        answer", "… with an id that was not sent". Raises Violation if the hub leaves requests unanswered,
        NotOffered if it carries all of them out: a hub may throttle later than this burst.
        """
        requests = [self._next_request() for _ in range(BURST)]
        self._twin.send_all([(topic, self._body) for topic in requests])
        self._answers = [self._twin.next_answer() for _ in requests]
        for answer in self._answers:
            if answer.status >= _FIRST_FAILURE:
                return f"{answer.outcome} {self._id_in_words(answer)}"
        raise NotOffered(
            f"claimed, but {BURST} requests at once were all carried out: this hub throttles later, "
            "so how it answers then was not seen"
        )

    def _id_in_words(self, answer: TwinAnswer) -> str:
        alike = [other for other in self._answers if other.request_id == answer.request_id]
        if not answer.request_id:
            return "without request id"
        if answer.request_id not in self._sent:
            return "with an id that was not sent"
        return "with its own request id" if len(alike) == 1 else "with the id of another answer"

    def later_outcome(self) -> str:
        """Send one request after the other until one is not throttled; return "success", or its outcome.

        The last one's, "status 429", where that does not come about within the hub's patience.
        """
        end, wait = time.monotonic() + self._patience, _FIRST_PAUSE
        while True:
            self._twin.send(self._next_request(), self._body)
            answer = self._twin.next_answer()
            if answer.status < _FIRST_FAILURE:
                return "success"
            if answer.status != _THROTTLED or time.monotonic() >= end:
                return answer.outcome
            sleeping.pause(wait)
            wait = min(wait * 2, _LONGEST_PAUSE)

    def _next_request(self) -> str:
        self._sent.append(f"burst-{next(self._numbers)}")
        return f"{self._topic}?$rid={self._sent[-1]}"
