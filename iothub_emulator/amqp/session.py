"""A session: the channel that links share, with windows that count transfer frames both ways.

Sections are those of OASIS AMQP 1.0 part 2.
"""

import dataclasses
from typing import TYPE_CHECKING

from iothub_emulator.amqp import frames
from iothub_emulator.amqp.answers import LOCK_LOST, answer_to, error_of
from iothub_emulator.amqp.composites import Composite, composite_from
from iothub_emulator.amqp.errors import (
    HANDLE_IN_USE,
    LIMIT_EXCEEDED,
    NOT_ALLOWED,
    UNATTACHED_HANDLE,
    WINDOW_VIOLATION,
    AmqpError,
    LinkError,
)
from iothub_emulator.amqp.link import IncomingLink, Link, OutgoingLink, RefusedLink
from iothub_emulator.amqp.performatives import (
    DELIVERY_STATES,
    RECEIVER,
    SENDER,
    SETTLE_SETTLED,
    SETTLE_UNSETTLED,
    Attach,
    Begin,
    Detach,
    Disposition,
    Flow,
    Received,
    Source,
    Target,
    Transfer,
)
from iothub_emulator.amqp.serial import add, difference
from iothub_emulator.amqp.values import Described

if TYPE_CHECKING:
    from iothub_emulator.amqp.connection import Connection

HANDLE_MAX = 255
"""The highest handle a peer may use in one session."""
INCOMING_WINDOW = 2048
"""Transfer frames that a peer may send ahead; told again when half of it is used."""
OUTGOING_WINDOW = 2048
"""Informative (2.5.6): the hub sends as the peer's incoming window allows."""
TRANSFER_OVERHEAD = 64
"""Frame header and performative of a transfer take less."""


class Session:
    """One session, begun by the peer. `channel` is the hub's number for it."""

    def __init__(self, connection: "Connection", channel: int, begin: Begin) -> None:
        self._connection = connection
        self.channel = channel
        self.max_payload = connection.peer_max_frame_size - TRANSFER_OVERHEAD
        self.links: dict[int, Link] = {}
        """By the peer's handle."""
        self.unsettled: dict[int, OutgoingLink] = {}
        """Deliveries that the peer has yet to settle."""
        self._peer_handle_max = begin.handle_max
        self._next_incoming_id = begin.next_outgoing_id
        self._incoming_window = INCOMING_WINDOW
        self.first_outgoing_id = 0
        self._next_outgoing_id = self.first_outgoing_id
        self._peer_incoming_window = begin.incoming_window
        self._next_delivery_id = 0

    # What the peer says

    def handle(self, performative: Composite, payload: bytes) -> None:
        """Act on what came for this session; `AmqpError` if the connection must end."""
        match performative:
            case Attach():
                self._on_attach(performative)
            case Flow():
                self._on_flow(performative)
            case Transfer():
                self._on_transfer(performative, payload)
            case Disposition():
                self._on_disposition(performative)
            case Detach():
                self._on_detach(performative)
            case _:
                raise AssertionError("the connection hands on nothing else")

    def _on_attach(self, attach: Attach) -> None:
        if attach.handle in self.links:
            raise AmqpError(HANDLE_IN_USE, f"handle {attach.handle} is attached already")
        if attach.handle > HANDLE_MAX:
            raise AmqpError(NOT_ALLOWED, f"handle {attach.handle} is above the maximum of {HANDLE_MAX}")
        if not self._connection.has_place_for_a_link():
            raise AmqpError(LIMIT_EXCEEDED, "too many links on this connection")
        handle = self._free_handle()
        path = self._connection.directory.path_of(attach)
        try:
            self._open(attach, handle, path)
        except LinkError as refusal:
            self._refuse(attach, handle, path, refusal)
        else:
            self.links[attach.handle].replenish()

    def _free_handle(self) -> int:
        used = {link.handle for link in self.links.values()}
        handle = next(number for number in range(HANDLE_MAX + 2) if number not in used)
        if handle > self._peer_handle_max:
            raise AmqpError(LIMIT_EXCEEDED, "no handle is left that the peer accepts")
        return handle

    def _open(self, attach: Attach, handle: int, path: str) -> None:
        """Attach one link and answer, or raise `LinkError`.

        The link is noted before the answer: one that cannot be sent ends the connection and all its links.
        """
        directory = self._connection.directory
        if attach.role == RECEIVER:
            supplier = directory.open_supplier(attach, path)
            link = self.links[attach.handle] = OutgoingLink(self, attach, handle, path, supplier)
            # 3.5.3: the answer's source holds those filters that are in place, not all that were asked for.
            source = dataclasses.replace(attach.source or Source(), filter=supplier.filter or None)
            mode = SETTLE_SETTLED if link.sends_settled else SETTLE_UNSETTLED
            target = attach.target or Target()
            self.send(answer_to(attach, handle, source, target, mode, supplier.capabilities))
            return
        consumer = directory.open_consumer(attach, path)
        self.links[attach.handle] = IncomingLink(self, attach, handle, path, consumer)
        source, target = attach.source or Source(), attach.target or Target()
        self.send(answer_to(attach, handle, source, target, attach.snd_settle_mode))

    def _refuse(self, attach: Attach, handle: int, path: str, refusal: LinkError) -> None:
        """2.6.3: an attach is refused by one without termini, then a Detach that says why."""
        self.links[attach.handle] = RefusedLink(self, attach, handle, path, refusal)
        self.send(answer_to(attach, handle, None, None, attach.snd_settle_mode))

    def detach(self, link: Link, error: LinkError) -> None:
        """End a link from the hub's side, with a reason."""
        if not link.is_detached:
            link.is_detached = True
            link.close()
            self.send(Detach(handle=link.handle, closed=True, error=error_of(error)))

    def _on_detach(self, detach: Detach) -> None:
        link = self.links.pop(detach.handle, None)
        if link is None:
            raise AmqpError(UNATTACHED_HANDLE, f"handle {detach.handle} is not attached")
        if not link.is_detached:
            link.close()
            error = None if link.refusal is None else error_of(link.refusal)
            self.send(Detach(handle=link.handle, closed=detach.closed or error is not None, error=error))

    def _link(self, handle: int) -> Link | None:
        """Return the link with the peer's handle; None where the hub has ended it already."""
        link = self.links.get(handle)
        if link is None:
            raise AmqpError(UNATTACHED_HANDLE, f"handle {handle} is not attached")
        return None if link.is_detached else link

    def _on_flow(self, flow: Flow) -> None:
        # 2.5.6: null means that the peer has not seen our Begin yet.
        seen = self.first_outgoing_id if flow.next_incoming_id is None else flow.next_incoming_id
        self._peer_incoming_window = max(flow.incoming_window - difference(self._next_outgoing_id, seen), 0)
        if flow.handle is None:
            if flow.echo:
                self.send_flow()
            return
        link = self._link(flow.handle)
        if link is not None:
            link.on_flow(flow)
            if flow.echo:
                link.send_flow()

    def _on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        if self._incoming_window == 0:
            raise AmqpError(WINDOW_VIOLATION, "more transfers than the incoming window holds")
        self._incoming_window -= 1
        self._next_incoming_id = add(self._next_incoming_id, 1)
        link = self._link(transfer.handle)
        if link is not None:
            try:
                link.on_transfer(transfer, payload)
            except LinkError as error:
                self.detach(link, error)
        if self._incoming_window * 2 < INCOMING_WINDOW:
            self._incoming_window = INCOMING_WINDOW
            self.send_flow()

    def _on_disposition(self, disposition: Disposition) -> None:
        if disposition.role == SENDER:
            return  # about the peer's own deliveries, which the hub has settled on receipt
        last = disposition.first if disposition.last is None else disposition.last
        span = difference(last, disposition.first)
        named = [number for number in self.unsettled if 0 <= difference(number, disposition.first) <= span]
        state = disposition.state
        outcome = None if state is None else composite_from(state, DELIVERY_STATES)
        if isinstance(outcome, Received):
            outcome = None
        if outcome is None and not disposition.settled:
            return
        lost = [number for number in named if not self.unsettled.pop(number).settle(number, outcome)]
        if named and not disposition.settled:
            # The peer settles second: it waits for the hub to settle first.
            self._settle(disposition.first, last, state)
            for number in lost:
                self._settle(number, number, LOCK_LOST)

    def _settle(self, first: int, last: int, state: Described | None) -> None:
        self.send(Disposition(role=SENDER, first=first, last=last, settled=True, state=state))

    # What the hub says

    def send(self, performative: Composite) -> None:
        """Send a performative on this session's channel."""
        self._connection.send(self.channel, performative)

    def send_flow(
        self,
        handle: int | None = None,
        delivery_count: int | None = None,
        link_credit: int | None = None,
        *,
        drain: bool = False,
    ) -> None:
        """Tell the peer the session's windows, and a link's state where there is a handle."""
        self.send(
            Flow(
                next_incoming_id=self._next_incoming_id,
                incoming_window=self._incoming_window,
                next_outgoing_id=self._next_outgoing_id,
                outgoing_window=OUTGOING_WINDOW,
                handle=handle,
                delivery_count=delivery_count,
                link_credit=link_credit,
                drain=drain,
            )
        )

    def can_transfer(self) -> bool:
        """Tell whether a transfer frame may leave now: the peer's window is open and there is room for it."""
        return self._peer_incoming_window > 0 and self._connection.has_room()

    def new_delivery_id(self) -> int:
        """Return the id of the next delivery, whichever link it is on."""
        number = self._next_delivery_id
        self._next_delivery_id = add(number, 1)
        return number

    def send_transfer(
        self, handle: int, delivery_id: int | None, payload: bytes, *, settled: bool, more: bool
    ) -> None:
        """Send one transfer frame and count it."""
        self._next_outgoing_id = add(self._next_outgoing_id, 1)
        self._peer_incoming_window -= 1
        self._connection.send_bytes(
            frames.encode_transfer(self.channel, handle, delivery_id, payload, settled=settled, more=more)
        )

    def holds(self, size: int) -> bool:
        """Count bytes of unfinished messages, or discount them; False where the connection has too many."""
        return self._connection.holds(size)

    def close(self) -> None:
        """End all links: the session is gone."""
        for link in self.links.values():
            if not link.is_detached:
                link.is_detached = True
                link.close()
        self.links.clear()
