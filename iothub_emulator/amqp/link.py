"""Links: one direction of messages in a session, with credit and settlement (OASIS AMQP 1.0 part 2, 2.6).

`OutgoingLink` is the hub's sending end, `IncomingLink` its receiving end. Both are driven by their session.
"""

from typing import TYPE_CHECKING

from iothub_emulator.amqp.composites import Composite
from iothub_emulator.amqp.errors import (
    INVALID_FIELD,
    LIMIT_EXCEEDED,
    MESSAGE_SIZE_EXCEEDED,
    NOT_ALLOWED,
    TRANSFER_LIMIT_EXCEEDED,
    AmqpError,
    LinkError,
)
from iothub_emulator.amqp.nodes import Consumer, Supplier
from iothub_emulator.amqp.performatives import SETTLE_SETTLED, Accepted, Attach, Disposition, Flow, Transfer
from iothub_emulator.amqp.serial import add, difference

if TYPE_CHECKING:
    from iothub_emulator.amqp.session import Session

MAX_UNSETTLED = 2048
"""Deliveries of one link that the peer has not settled; then the link waits. Bounds what is remembered."""


class Link:
    """What all links have in common. `path` is the address without scheme and host."""

    refusal: LinkError | None = None
    """Why the link is not to be, where its Detach is still to be sent."""

    def __init__(self, session: "Session", attach: Attach, handle: int, path: str) -> None:
        self.session = session
        self.name = attach.name
        self.remote_handle = attach.handle
        self.handle = handle
        self.path = path
        self.is_detached = False
        """The hub has sent its Detach; the peer's is awaited, and anything else on the link is ignored."""

    def on_flow(self, flow: Flow) -> None:
        """Take the peer's word on credit and counts."""

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:  # noqa: ARG002 - the receiving end's
        """Take a frame of a message."""
        raise AmqpError(NOT_ALLOWED, "a transfer on a link that the hub sends on")

    def pump(self, limit: int) -> bool:  # noqa: ARG002 - the sending end's
        """Send up to `limit` messages; tell whether more could leave at once."""
        return False

    def replenish(self) -> None:
        """Grant credit where some was used."""

    def send_flow(self) -> None:
        """Tell the peer this link's state and the session's."""

    def close(self) -> None:
        """Let go: the link is gone, for whatever reason."""


class RefusedLink(Link):
    """A link that is not to be: its attach is answered, the Detach that says why follows in the next turn.

    On a network the two come apart. Samples of azure-event-hubs 0.2 and @azure/event-hubs 1 and 2 begin to
    listen for the reason once the attach is answered: in one piece with that, it is never heard.
    """

    def __init__(
        self, session: "Session", attach: Attach, handle: int, path: str, refusal: LinkError
    ) -> None:
        super().__init__(session, attach, handle, path)
        self.refusal = refusal
        self._is_due = False

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """Take no notice: the peer has had no credit, and is told in a moment."""

    def pump(self, limit: int) -> bool:  # noqa: ARG002 - it sends no messages
        """End the link, in the turn that follows the answer to its attach."""
        if self._is_due and self.refusal is not None:
            raise self.refusal
        self._is_due = True
        return True


class OutgoingLink(Link):
    """The hub sends. Credit is the peer's; a message leaves when there is credit and session window."""

    def __init__(
        self, session: "Session", attach: Attach, handle: int, path: str, supplier: Supplier
    ) -> None:
        super().__init__(session, attach, handle, path)
        self.supplier = supplier
        # 2.7.3: the peer says what it desires, the sender what it will be. azure-eventhub asks for unsettled
        # and then never settles: where nothing depends on it, nothing is remembered either.
        self.sends_settled = supplier.settles_at_once or attach.snd_settle_mode == SETTLE_SETTLED
        self.credit = 0
        self.delivery_count = 0
        self.unsettled: dict[int, int] = {}
        """Which of the supplier's messages a delivery that the peer has yet to settle is."""
        self._given = 0
        self._drain = False
        """What the peer last said; a flow of ours says it back."""
        self._drain_is_due = False
        self._rest = b""
        """The unsent part of a message whose first frames are out."""

    def on_flow(self, flow: Flow) -> None:
        """2.6.7: credit counts from the delivery-count that the peer has seen."""
        if flow.link_credit is None:
            raise AmqpError(INVALID_FIELD, "a flow of a link without link-credit")
        seen = flow.delivery_count if flow.delivery_count is not None else 0
        self.credit = max(flow.link_credit - difference(self.delivery_count, seen), 0)
        self._drain = self._drain_is_due = flow.drain

    def pump(self, limit: int) -> bool:
        """Send up to `limit` messages, as credit and windows allow; tell whether more could leave at once."""
        if self.supplier.ended is not None:
            raise self.supplier.ended
        return all(self._send_next() for _ in range(limit))

    def _send_next(self) -> bool:
        """Send one message, or the rest of one; tell whether another could follow."""
        if not self.session.can_transfer():
            return False
        if self._rest:
            return self._send_frames(None, self._rest)
        if len(self.unsettled) >= MAX_UNSETTLED:
            return False
        message = self.supplier.next_message() if self.credit else None
        if message is None:
            self._finish_drain()
            return False
        self.credit -= 1
        self.delivery_count = add(self.delivery_count, 1)
        delivery_id = self.session.new_delivery_id()
        number, self._given = self._given, self._given + 1
        if not self.sends_settled:
            self.unsettled[delivery_id] = number
            self.session.unsettled[delivery_id] = self
        elif not self.supplier.settles_at_once:
            # The peer wants it so: what is lost on the way is lost.
            self.supplier.settle(number, Accepted())
        return self._send_frames(delivery_id, message)

    def settle(self, delivery_id: int, outcome: Composite | None) -> bool:
        """Take what the peer says became of a delivery; False if that came too late to count."""
        return self.supplier.settle(self.unsettled.pop(delivery_id), outcome)

    def _send_frames(self, delivery_id: int | None, message: bytes) -> bool:
        """Send a message, or the rest of one, in frames; False if the window closed first."""
        size = self.session.max_payload
        position = 0
        while True:
            part = message[position : position + size]
            position += size
            more = position < len(message)
            self.session.send_transfer(self.handle, delivery_id, part, settled=self.sends_settled, more=more)
            delivery_id = None
            if not more:
                self._rest = b""
                return True
            if not self.session.can_transfer():
                self._rest = message[position:]
                return False

    def _finish_drain(self) -> None:
        """2.6.7: nothing left to send, so the credit is used up as if it had been, and the peer told."""
        if self._drain_is_due:
            self.delivery_count = add(self.delivery_count, self.credit)
            self.credit = 0
            self._drain_is_due = False
            self.send_flow()

    def send_flow(self) -> None:
        """Tell the peer how far this end is."""
        self.session.send_flow(self.handle, self.delivery_count, self.credit, drain=self._drain)

    def close(self) -> None:
        """Forget deliveries and let the supplier go."""
        for delivery_id in self.unsettled:
            self.session.unsettled.pop(delivery_id, None)
        self.unsettled.clear()
        self._rest = b""
        self.supplier.close()


class IncomingLink(Link):
    """The hub receives, as many messages at a time as its consumer takes."""

    def __init__(
        self, session: "Session", attach: Attach, handle: int, path: str, consumer: Consumer
    ) -> None:
        super().__init__(session, attach, handle, path)
        self.consumer = consumer
        self.delivery_count = attach.initial_delivery_count or 0
        self.credit = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._delivery_id: int | None = None
        self._settled = False
        self._format = 0

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """Take one frame; with the last one of a message, hand it over and settle it."""
        if self._delivery_id is None:
            self._begin(transfer)
        elif transfer.delivery_id not in {None, self._delivery_id}:
            raise AmqpError(INVALID_FIELD, "a delivery begins before the one before it has ended")
        self._settled = self._settled or bool(transfer.settled)
        if transfer.aborted:
            self._end()
            return
        self._size += len(payload)
        if self._size > self.consumer.max_message_size:
            self._drop_parts()
            raise LinkError(
                MESSAGE_SIZE_EXCEEDED, f"messages here have {self.consumer.max_message_size} bytes"
            )
        if not self.session.holds(len(payload)):
            raise AmqpError(LIMIT_EXCEEDED, "too many unfinished messages on this connection")
        self._parts.append(payload)
        if transfer.more:
            return
        message, delivery_id, settled = b"".join(self._parts), self._delivery_id, self._settled
        self._end()
        outcome = self.consumer.take(message, self._format)
        if not settled and delivery_id is not None:
            self.session.send(
                Disposition(
                    role=True, first=delivery_id, last=delivery_id, settled=True, state=outcome.described()
                )
            )

    def _begin(self, transfer: Transfer) -> None:
        if transfer.delivery_id is None or transfer.delivery_tag is None:
            raise AmqpError(
                INVALID_FIELD, "the first transfer of a delivery needs delivery-id and delivery-tag"
            )
        if self.credit == 0:
            raise LinkError(TRANSFER_LIMIT_EXCEEDED, "a message without credit for it")
        self.credit -= 1
        self.delivery_count = add(self.delivery_count, 1)
        self._delivery_id = transfer.delivery_id
        self._format = transfer.message_format or 0

    def _end(self) -> None:
        self._drop_parts()
        self._delivery_id = None
        self._settled = False

    def _drop_parts(self) -> None:
        self.session.holds(-sum(map(len, self._parts)))
        self._parts = []
        self._size = 0

    def on_flow(self, flow: Flow) -> None:
        """2.6.7: the sender knows best how many deliveries it has made."""
        if flow.delivery_count is not None:
            self.delivery_count = flow.delivery_count

    def replenish(self) -> None:
        """Grant credit again once half of what the consumer takes is used."""
        window = self.consumer.window()
        if self.credit * 2 < window:
            self.credit = window
            self.send_flow()

    def send_flow(self) -> None:
        """Tell the peer the credit it has."""
        self.session.send_flow(self.handle, self.delivery_count, self.credit)

    def close(self) -> None:
        """Forget an unfinished message and let the consumer go."""
        self._drop_parts()
        self.consumer.close()
