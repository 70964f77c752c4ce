"""A link that is not opened, or that the hub ends: the AMQP condition and a sentence.

Conditions are symbols of OASIS AMQP 1.0 part 2, sections 2.8.15 to 2.8.18, or Event Hubs' own
(`com.microsoft:…`).
"""

NOT_FOUND = "amqp:not-found"
NOT_ALLOWED = "amqp:not-allowed"
INVALID_FIELD = "amqp:invalid-field"
LIMIT_EXCEEDED = "amqp:resource-limit-exceeded"
STOLEN = "amqp:link:stolen"
ARGUMENT_ERROR = "com.microsoft:argument-error"
ARGUMENT_OUT_OF_RANGE = "com.microsoft:argument-out-of-range"


class LinkRefused(Exception):  # noqa: N818 - an answer, not a malfunction
    """A link that is not opened. `condition` is the AMQP error condition, `description` a sentence."""

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(f"{condition}: {description}")
        self.condition = condition
        self.description = description
