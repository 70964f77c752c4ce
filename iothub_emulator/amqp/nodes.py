"""What stands at the two kinds of link end: who gives messages out, and who takes them in.

A link knows credit, windows and frames; a node knows what a message means. Nodes are classes with these
methods, opened by `directory.Directory`.
"""

from typing import Protocol

from iothub_emulator.amqp.composites import Composite
from iothub_emulator.amqp.errors import LinkError
from iothub_emulator.amqp.values import Value


class Supplier(Protocol):
    """Gives the messages that the hub sends through a link. Asked only when one can be sent at once."""

    filter: dict[Value, Value]
    """Of the filters that the peer asked for, those in place."""
    capabilities: tuple[str, ...]
    """Of the capabilities that the peer desires, those offered."""
    settles_at_once: bool
    """Whether a message is done with when it leaves; if not, the peer settles each, unless it asks not to."""
    ended: LinkError | None
    """Why the hub ends the link; None while it stands. A wake follows when it is set."""

    def next_message(self) -> bytes | None:
        """Return the next encoded message, or None: nothing now, a wake follows when there is."""

    def settle(self, number: int, outcome: Composite | None) -> bool:
        """Take what the peer says became of message `number` (the first given is 0); None: it does not say.

        False if it comes too late to count. Not called where messages are done with when they leave.
        """

    def close(self) -> None:
        """Let go: the link is gone, and what is not settled never will be. Called once."""


class Consumer(Protocol):
    """Takes the messages that a peer sends through a link."""

    max_message_size: int
    """Bytes; a larger message ends the link."""

    def window(self) -> int:
        """Return how many messages may be under way now."""

    def take(self, message: bytes, message_format: int) -> Composite:
        """Return the outcome; `AmqpError` ends the connection, `LinkError` the link."""

    def close(self) -> None:
        """Let go: the link is gone. Called once."""
