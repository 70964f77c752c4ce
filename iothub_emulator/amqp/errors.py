"""The one error of this protocol: a condition that the peer is told, and a sentence for people.

Conditions are symbols of OASIS AMQP 1.0 part 2, sections 2.8.14 to 2.8.18, or Event Hubs' own
(`com.microsoft:…`).
"""

from iothub_emulator.amqp.values import Value

NOT_FOUND = "amqp:not-found"
UNAUTHORIZED = "amqp:unauthorized-access"
DECODE_ERROR = "amqp:decode-error"
LIMIT_EXCEEDED = "amqp:resource-limit-exceeded"
NOT_ALLOWED = "amqp:not-allowed"
INVALID_FIELD = "amqp:invalid-field"
NOT_IMPLEMENTED = "amqp:not-implemented"
FRAME_SIZE_TOO_SMALL = "amqp:frame-size-too-small"
FRAMING_ERROR = "amqp:connection:framing-error"
WINDOW_VIOLATION = "amqp:session:window-violation"
HANDLE_IN_USE = "amqp:session:handle-in-use"
UNATTACHED_HANDLE = "amqp:session:unattached-handle"
MESSAGE_SIZE_EXCEEDED = "amqp:link:message-size-exceeded"
MESSAGE_LOCK_LOST = "com.microsoft:message-lock-lost"
REDIRECT = "amqp:link:redirect"
TRANSFER_LIMIT_EXCEEDED = "amqp:link:transfer-limit-exceeded"


class AmqpError(Exception):
    """What the peer did wrong. Ends the connection with a Close that carries it."""

    def __init__(self, condition: str, description: str, info: dict[Value, Value] | None = None) -> None:
        super().__init__(f"{condition}: {description}")
        self.condition = condition
        self.description = description
        self.info = info
        """What else the peer is told, by symbols."""


class LinkError(AmqpError):
    """The same, for one link: ends that link with a Detach and leaves the connection alone."""
