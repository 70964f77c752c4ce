"""One AMQP connection, without the network: bytes in, bytes out, time as an argument of what needs it.

Call `receive` with what came, `pump` when more may be sent, `on_time` when `next_deadline` is reached, and
after each of them send what `bytes_to_send` returns; once `is_finished`, close the transport. None of them
raises.
"""

import logging
from collections.abc import Callable

from iothub_emulator.amqp import frames
from iothub_emulator.amqp.composites import Composite
from iothub_emulator.amqp.directory import Directory
from iothub_emulator.amqp.errors import (
    FRAME_SIZE_TOO_SMALL,
    INVALID_FIELD,
    LIMIT_EXCEEDED,
    NOT_ALLOWED,
    UNAUTHORIZED,
    AmqpError,
    LinkError,
)
from iothub_emulator.amqp.handshake import Handshake
from iothub_emulator.amqp.link import Link
from iothub_emulator.amqp.performatives import (
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Error,
    Flow,
    Open,
    Transfer,
)
from iothub_emulator.amqp.session import HANDLE_MAX, INCOMING_WINDOW, OUTGOING_WINDOW, Session
from iothub_emulator.amqp.timers import Timers
from iothub_emulator.runtime import Runtime

log = logging.getLogger("iothub_emulator.amqp")

MAX_FRAME_SIZE = 65_536
"""Of a frame that the hub takes, and the largest that it sends. Event Hubs' own."""
CHANNEL_MAX = 255
"""The highest channel a peer may use. The SDKs use one."""
IDLE_TIME_OUT = 240_000
"""Milliseconds; Event Hubs' own. A peer sends something at least this often."""
MAX_UNFINISHED_BYTES = 4 * 1_048_576
"""Of messages whose last frame has not come, over all links."""
MAX_LINKS = 1024
"""Over all sessions."""
ROOM = 65_536
"""Bytes that may wait to be sent before messages have to."""
MESSAGES_A_TURN = 16
"""Of one link, before others have theirs: links, connections and devices share one thread."""


class Connection:
    """The hub's side. `wake` is called, possibly often, when there may be something new to send."""

    def __init__(self, runtime: Runtime, wake: Callable[[], None]) -> None:
        self._runtime = runtime
        self.directory = Directory(runtime, wake)
        self.timers = Timers(runtime.settings.connect_timeout, runtime.now())
        self.peer_max_frame_size = frames.MIN_MAX_FRAME_SIZE
        self.sessions: dict[int, Session] = {}
        """By the peer's channel."""
        self.is_finished = False
        self._input = frames.FrameBuffer(MAX_FRAME_SIZE)
        self._output: list[bytes] = []
        self._output_size = 0
        self._peer_channel_max = 0
        self._is_open = False
        self._is_closing = False
        self._unfinished_bytes = 0
        self._turn = 0
        self._handshake = Handshake(runtime, self.directory.authorisations, self.send_bytes)

    # Bytes in

    def receive(self, data: bytes) -> None:
        """Take what the peer sent; a mistake in it becomes a Close that says which."""
        self.timers.received(self._runtime.now())
        if self.is_finished:
            return
        self._input.receive(data)
        try:
            while not self.is_finished and self._receive_next():
                pass
            self._replenish()
        except AmqpError as error:
            self._fail(error)

    def receive_eof(self) -> None:
        """Take the peer's end of stream, or the loss of the transport."""
        self._finish()

    def _receive_next(self) -> bool:
        """Take what is due; False if not all of it is here."""
        if not self._handshake.is_done:
            taken = self._handshake.step(self._input)
            if self._handshake.has_failed:
                self._finish()
            return taken
        data = self._input.next_frame()
        if data is None:
            return False
        frame = frames.decode_frame(data, frames.AMQP_FRAME)
        if frame.performative is not None:
            self._on_performative(frame.channel, frame.performative, frame.payload)
        return True

    def _on_performative(self, channel: int, performative: Composite, payload: bytes) -> None:
        log.debug("→ %d %s", channel, performative.symbol)
        if self._is_closing:
            # 2.4.6: after an error nothing counts but the peer's Close.
            if isinstance(performative, Close):
                self._finish()
            return
        if isinstance(performative, Open) == self._is_open:
            raise AmqpError(NOT_ALLOWED, "a connection begins with one open, and has no second")
        match performative:
            case Open():
                self._on_open(channel, performative)
            case Begin():
                self._on_begin(channel, performative)
            case End():
                self._on_end(channel)
            case Close():
                self.send(0, Close())
                self._finish()
            case Attach() | Detach() | Flow() | Transfer() | Disposition():
                self._session(channel).handle(performative, payload)
            case _:
                raise AssertionError("frames are decoded to nothing else")

    # Connection and sessions

    def _on_open(self, channel: int, peer: Open) -> None:
        if channel != 0:
            raise AmqpError(NOT_ALLOWED, "open comes on channel 0")
        if peer.max_frame_size < frames.MIN_MAX_FRAME_SIZE:
            raise AmqpError(INVALID_FIELD, f"max-frame-size is at least {frames.MIN_MAX_FRAME_SIZE}")
        self.peer_max_frame_size = min(peer.max_frame_size, MAX_FRAME_SIZE)
        self._peer_channel_max = peer.channel_max
        self.directory.host = peer.hostname or self.directory.host
        self.timers.opened(self._runtime.now(), IDLE_TIME_OUT, peer.idle_time_out)
        self._open()

    def _open(self) -> None:
        self._is_open = True
        self.send(
            0,
            Open(
                container_id=self._runtime.settings.entity,
                max_frame_size=MAX_FRAME_SIZE,
                channel_max=CHANNEL_MAX,
                idle_time_out=IDLE_TIME_OUT,
            ),
        )

    def _on_begin(self, channel: int, begin: Begin) -> None:
        if begin.remote_channel is not None:
            raise AmqpError(NOT_ALLOWED, "a begin answers one that the hub never sent")
        if channel in self.sessions or channel > CHANNEL_MAX:
            raise AmqpError(NOT_ALLOWED, f"no session can begin on channel {channel}")
        used = {session.channel for session in self.sessions.values()}
        own_channel = next(number for number in range(CHANNEL_MAX + 1) if number not in used)
        if own_channel > self._peer_channel_max:
            raise AmqpError(LIMIT_EXCEEDED, "no channel is left that the peer accepts")
        session = self.sessions[channel] = Session(self, own_channel, begin)
        session.send(
            Begin(
                remote_channel=channel,
                next_outgoing_id=session.first_outgoing_id,
                incoming_window=INCOMING_WINDOW,
                outgoing_window=OUTGOING_WINDOW,
                handle_max=HANDLE_MAX,
            )
        )

    def _on_end(self, channel: int) -> None:
        session = self._session(channel)
        del self.sessions[channel]
        session.close()
        session.send(End())

    def _session(self, channel: int) -> Session:
        session = self.sessions.get(channel)
        if session is None:
            raise AmqpError(NOT_ALLOWED, f"there is no session on channel {channel}")
        return session

    def links(self) -> list[tuple[Session, Link]]:
        """Return all links with their sessions."""
        return [(session, link) for session in self.sessions.values() for link in session.links.values()]

    def has_place_for_a_link(self) -> bool:
        """Tell whether one more may be attached."""
        return sum(len(session.links) for session in self.sessions.values()) < MAX_LINKS

    def holds(self, size: int) -> bool:
        """Count bytes of unfinished messages, or discount them; False where there are too many."""
        self._unfinished_bytes += size
        return self._unfinished_bytes <= MAX_UNFINISHED_BYTES

    # Bytes out

    def send(self, channel: int, performative: Composite) -> None:
        """Queue one performative; `AmqpError` if the peer takes no frame of its size."""
        log.debug("← %d %s", channel, performative.symbol)
        frame = frames.encode_frame(channel, performative)
        if len(frame) > self.peer_max_frame_size:
            raise AmqpError(FRAME_SIZE_TOO_SMALL, "the answer does not fit the peer's max-frame-size")
        self.send_bytes(frame)

    def send_bytes(self, data: bytes) -> None:
        """Queue whole frames."""
        self._output.append(data)
        self._output_size += len(data)

    def has_room(self) -> bool:
        """Tell whether messages may be queued: what waits already is sent first."""
        return self._output_size < ROOM

    @property
    def unsent_size(self) -> int:
        """Bytes that wait to be sent."""
        return self._output_size

    def bytes_to_send(self) -> bytes:
        """Return what is queued, and take it off the queue."""
        if not self._output:
            return b""
        data = b"".join(self._output)
        self._output.clear()
        self._output_size = 0
        self.timers.sent(self._runtime.now())
        return data

    def pump(self) -> bool:
        """Queue a turn's worth of the messages that may leave; tell whether to come again at once."""
        if self._is_closing or self.is_finished:
            return False
        links = [(session, link) for session, link in self.links() if not link.is_detached]
        # Each turn begins with another link: one with large messages would leave no room for the rest.
        self._turn += 1
        start = self._turn % len(links) if links else 0
        more = False
        try:
            for session, link in links[start:] + links[:start]:
                more = self._pump(session, link) or more
            self._replenish()
        except AmqpError as error:
            self._fail(error)
        return more or not self.has_room()

    def _pump(self, session: Session, link: Link) -> bool:
        try:
            return link.pump(MESSAGES_A_TURN)
        except LinkError as reason:
            session.detach(link, reason)
            return False

    def _replenish(self) -> None:
        if not self._is_closing:
            for _, link in self.links():
                if not link.is_detached:
                    link.replenish()

    # Time

    def next_deadline(self) -> float | None:
        """Return when `on_time` is due, in unix seconds; None: never."""
        ends_at = None if self._is_closing else self.directory.authorisations.next_end()
        return self.timers.next_deadline(ends_at, is_idle=not self._output)

    def on_time(self) -> None:
        """Do what the clock asks for: heartbeats, time-outs, links whose authorisation has ended."""
        now = self._runtime.now()
        if self.timers.must_finish(now):
            self._finish()
            return
        if self._is_closing or self.is_finished:
            return
        if self.timers.peer_is_gone(now):
            self._fail(AmqpError(LIMIT_EXCEEDED, "nothing came within the idle time-out"))
            return
        if self._is_open and self.timers.heartbeat_is_due(now) and not self._output:
            self.send_bytes(frames.HEARTBEAT)
        if self.directory.authorisations.drop_ended():
            expired = LinkError(UNAUTHORIZED, "The token for this link has expired.")
            for session, link in self.links():
                if not self.directory.may_attach(link.path):
                    session.detach(link, expired)

    # The end

    def _fail(self, error: AmqpError) -> None:
        """2.4.3, 2.4.6: say why, then wait a moment for the peer's Close, or it may never read ours."""
        log.info("= closing: %s", error)
        if self._is_closing:
            self._finish()
            return
        self._close_sessions()
        if not self._handshake.is_done:
            # No AMQP yet, so no frame that could say it.
            self._finish()
            return
        if not self._is_open:
            # 2.4.1: an Open comes before anything else, a Close with an error too.
            self._open()
        self._is_closing = True
        self.timers.closing(self._runtime.now())
        self.send(0, Close(error=Error(condition=error.condition, description=error.description)))

    def _finish(self) -> None:
        self._close_sessions()
        self.is_finished = True

    def _close_sessions(self) -> None:
        for session in self.sessions.values():
            session.close()
        self.sessions.clear()
