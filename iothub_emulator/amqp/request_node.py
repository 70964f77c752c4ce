"""A node that answers: requests come in on one link, each reply leaves on another (AMQP management, `$cbs`).

A reply goes to the link whose target is the request's reply-to, else to the one that was attached last: of
the SDKs only rhea's names an address.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from iothub_emulator.amqp.composites import Composite
from iothub_emulator.amqp.errors import NOT_ALLOWED, LinkError
from iothub_emulator.amqp.messages import Message, Properties, decode_message, encode_message
from iothub_emulator.amqp.performatives import Accepted, Error, Rejected
from iothub_emulator.amqp.values import Int, Value

REQUESTS_UNDER_WAY = 100
"""Requests a peer may send ahead, and replies that are kept for a peer which does not fetch them."""
MAX_REQUEST_SIZE = 65_536
"""Tokens are the largest thing in one; a bearer token has some kilobytes."""


@dataclass(frozen=True)
class Reply:
    """What a request is answered with. Status codes are HTTP's."""

    status: int
    description: str
    value: Value = None
    condition: str | None = None

    def properties(self) -> dict[Value, Value]:
        """Return it in application properties, by the names that the SDKs read."""
        properties: dict[Value, Value] = {
            "status-code": Int(self.status),
            "status-description": self.description,
        }
        if self.condition is not None:
            properties["error-condition"] = self.condition
        return properties


class Replies:
    """The replying link's end: what is ready, in order."""

    def __init__(self, node: "RequestNode", target: str | None) -> None:
        self.filter: dict[Value, Value] = {}
        self.capabilities: tuple[str, ...] = ()
        self.settles_at_once = True
        self.ended: LinkError | None = None
        self.target = target
        self.ready: deque[bytes] = deque()
        self._node = node

    def next_message(self) -> bytes | None:
        """Return the oldest reply."""
        return self.ready.popleft() if self.ready else None

    def settle(self, number: int, outcome: Composite | None) -> bool:  # noqa: ARG002 - replies leave settled
        """Take no notice: a reply is done with when it leaves."""
        return True

    def close(self) -> None:
        """Drop what was not fetched."""
        self.ready.clear()
        self._node.replies.remove(self)


class RequestNode:
    """One such node of one connection; a `Consumer`, for any number of requesting links."""

    max_message_size = MAX_REQUEST_SIZE

    def __init__(self, answer: Callable[[Message], Reply]) -> None:
        self._answer = answer
        self.replies: list[Replies] = []

    def open_replies(self, target: str | None) -> Replies:
        """Return the supplier for a link that wants replies at `target`."""
        self.replies.append(Replies(self, target))
        return self.replies[-1]

    def window(self) -> int:
        """Return how many requests may be under way: fewer, while replies wait."""
        return max(REQUESTS_UNDER_WAY - max((len(link.ready) for link in self.replies), default=0), 0)

    def take(self, message: bytes, message_format: int) -> Composite:  # noqa: ARG002 - requests come singly
        """Answer one request."""
        request = decode_message(message)
        link = self._reply_link(request.properties.reply_to)
        if link is None:
            return Rejected(error=Error(condition=NOT_ALLOWED, description="there is no link for the reply"))
        reply = self._answer(request)
        # The request's message-id comes back as it is, type included: the SDKs find their request by it.
        link.ready.append(
            encode_message(
                Message(
                    properties=Properties(
                        to=request.properties.reply_to, correlation_id=request.properties.message_id
                    ),
                    application_properties=reply.properties(),
                    value=(reply.value,),
                )
            )
        )
        return Accepted()

    def _reply_link(self, reply_to: str | None) -> Replies | None:
        named = [link for link in self.replies if reply_to is not None and link.target == reply_to]
        links = named or self.replies
        return links[-1] if links else None

    def close(self) -> None:
        """One requesting link less; the replies to its requests still go out."""
