"""What the hub says back where only the fields differ: an Attach, an error, a lock that ran out.

Sections are those of OASIS AMQP 1.0 part 2.
"""

from iothub_emulator.amqp.errors import MESSAGE_LOCK_LOST, AmqpError
from iothub_emulator.amqp.performatives import (
    RECEIVER,
    SETTLE_FIRST,
    Attach,
    Coordinator,
    Error,
    Rejected,
    Source,
    Target,
)

MAX_MESSAGE_SIZE = 1_048_576
"""What Event Hubs states when a link is attached."""

LOCK_LOST = Rejected(
    error=Error(condition=MESSAGE_LOCK_LOST, description="The lock on the message has run out.")
).described()
"""What a peer that settles second is told when its word came too late."""


def error_of(error: AmqpError) -> Error:
    """Return what the peer is told."""
    return Error(condition=error.condition, description=error.description, info=error.info)


def answer_to(
    attach: Attach,
    handle: int,
    source: Source | None,
    target: Target | Coordinator | None,
    snd_settle_mode: int,
    capabilities: tuple[str, ...] = (),
) -> Attach:
    """Return the hub's Attach. The receiver settles first, whatever was asked (2.6.12)."""
    return Attach(
        name=attach.name,
        handle=handle,
        role=not attach.role,
        snd_settle_mode=snd_settle_mode,
        rcv_settle_mode=SETTLE_FIRST,
        source=source,
        target=target,
        initial_delivery_count=0 if attach.role == RECEIVER else None,
        max_message_size=MAX_MESSAGE_SIZE,
        offered_capabilities=capabilities,
    )
