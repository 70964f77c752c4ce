"""A connection to the hub as everything above it sees one: packets that came, and an end.

The reactor's thread fills it, callers wait on it. A PINGRESP that answers a PINGREQ of the suite's own (a
fence, a sign of life) is counted and kept out of the packets; one that a test asked for, or nobody, is not.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from conformance.evidence.case import Recorder
from conformance.mqtt.packets import PINGREQ, Connack, Connect, Packet, Pingreq, Pingresp
from conformance.mqtt.reactor import Reactor
from conformance.mqtt.tap import Ending, Tap

# For how long one connection may be read while others wait, in seconds. Each read brings 16 KB at most.
TURN: Final = 0.02


class Channel:
    """One stream on the reactor. `on_data` and `on_tick` are called on the reactor's thread."""

    def __init__(self, tap: Tap, recorder: Recorder, reactor: Reactor) -> None:
        self.recorder = recorder
        self.last_sent = time.monotonic()
        self.ended_at: float | None = None
        self.closed_at: float | None = None
        self.on_data: Callable[[bytes], None] = lambda _data: None
        self.on_tick: Callable[[], None] = lambda: None
        self.flood = ""
        """What was too much of the hub, where the stream was ended for that; else nothing."""
        self._tap = tap
        self._reactor = reactor
        self._changed = threading.Condition()
        self._packets: deque[tuple[int, Packet]] = deque()
        self._arrived = 0
        self._received: list[Packet] = []
        self._hidden: deque[bool] = deque()
        self._fences = 0
        self._connects = 0
        self._connacks = 0
        self._passed: list[int] = []
        reactor.do(self._begin)

    # -- for callers, in any thread

    @property
    def ending(self) -> Ending | None:
        """How the stream ended; None while it is open."""
        return self._tap.ending if self.ended_at is not None else None

    @property
    def received(self) -> tuple[Packet, ...]:
        """Every packet so far, except the answers to the suite's own PINGREQs."""
        with self._changed:
            return tuple(self._received)

    def send(self, data: bytes, *, queue: Callable[[], None] | None = None) -> None:
        """Send these bytes; wait until the reactor has taken them, not until the network has.

        `queue` hands them to the tap in a way of its own, on the reactor's thread.
        """
        self._reactor.do(lambda: self.write(data, queue=queue))

    def fence(self) -> int:
        """Send a PINGREQ of the suite's own and return its number, for `passed` and `take_all`."""

        def ping() -> int:
            number = self._fences + 1  # of a fence that never passes, where the stream has ended
            self.write(PINGREQ, hidden=True)
            return number

        return self._reactor.do(ping)

    def passed(self, fence: int) -> bool:
        """Tell whether the PINGRESP of a fence has come."""
        return len(self._passed) >= fence

    def flushed(self) -> bool:
        """Tell whether the network has taken all that was sent."""
        return not self._tap.waiting

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until the condition holds or the stream has ended; tell whether the condition holds."""
        with self._changed:
            self._changed.wait_for(lambda: condition() or self.ended_at is not None, max(seconds, 0))
            return condition()

    def peek(self) -> Packet | None:
        """Return the first packet that nobody has taken."""
        with self._changed:
            return self._packets[0][1] if self._packets else None

    def has(self, wanted: Callable[[Packet], bool] = lambda _packet: True) -> bool:
        """Tell whether a packet of this kind is there that nobody has taken."""
        with self._changed:
            return any(wanted(packet) for _, packet in self._packets)

    def take(self, wanted: Callable[[Packet], bool] = lambda _packet: True) -> Packet | None:
        """Remove and return the first packet of this kind that nobody has taken."""
        with self._changed:
            for item in self._packets:
                if wanted(item[1]):
                    self._packets.remove(item)
                    return item[1]
            return None

    def take_all(self, fence: int | None = None) -> list[Packet]:
        """Remove and return what nobody has taken: all of it, or what came before this fence had passed."""
        with self._changed:
            limit = self._arrived if fence is None else self._passed[fence - 1]
            taken = [packet for number, packet in self._packets if number < limit]
            self._packets = deque(item for item in self._packets if item[0] >= limit)
            return taken

    def half_close(self) -> None:
        """Say that nothing more will be sent, and go on listening."""
        self._reactor.do(self._half_close)

    def close(self, *, reset: bool = False) -> None:
        """End the stream abruptly, unless it has ended."""
        self._reactor.do(lambda: self._end(Ending("us", "reset" if reset else "end of stream")))

    # -- on the reactor's thread

    def write(self, data: bytes, *, hidden: bool = False, queue: Callable[[], None] | None = None) -> None:
        """Send bytes, now or when the network takes them; `hidden` PINGREQs are the suite's own."""
        if self.ended_at is not None:
            return
        for packet in self.recorder.sent(data):
            if isinstance(packet, Pingreq):
                self._hidden.append(hidden)
                self._fences += hidden
            self._connects += isinstance(packet, Connect)
        self.last_sent = time.monotonic()
        if queue is None:
            self._tap.queue(data)
        else:
            queue()
        self._flush()

    def ready(self, *, readable: bool, writable: bool) -> None:
        """Read what there is, for as long as others can wait for their turn; write what waits."""
        if readable:
            turn = time.monotonic() + TURN
            while self._read() and time.monotonic() < turn:
                pass
        if writable:
            self._flush()

    def tick(self) -> None:
        """Let the one who speaks on this connection see to its keep-alive."""
        self.on_tick()

    def broken(self, error: Exception) -> None:
        """End the stream: the suite itself failed on it."""
        self._end(Ending("us", f"the suite failed: {type(error).__name__}: {error}"))

    def _begin(self) -> None:
        self._reactor.add(self._tap.socket, self)
        # What came behind a handshake was read with it.
        self._read()

    def _flush(self) -> None:
        if not self._tap.flush():
            self._drain()
            self._end(Ending("hub", "reset"))
        if self.ended_at is None:
            self._reactor.want_write(self._tap.socket, wanted=self._tap.waiting)
        if not self._tap.waiting:
            with self._changed:
                self._changed.notify_all()

    def _drain(self) -> None:
        while self._read():
            pass

    def _read(self) -> bool:
        """Read once; tell whether there may be more."""
        data = self._tap.read()
        if data:
            was_lost = self.recorder.is_lost
            self._arrive(self.recorder.received(data))
            if not was_lost:
                self.on_data(data)
        elif data is not None:
            # A frame that carries nothing, for who waits for that.
            with self._changed:
                self._changed.notify_all()
        garbage = self._tap.garbage()
        if garbage is not None:
            self._arrive([self.recorder.garbled(*garbage)])
        if self._tap.ending is not None:
            self._end(self._tap.ending)
        elif self.ended_at is None and (flood := self.recorder.flood(self._tap.taken, self._tap.empty)):
            self.flood = flood
            self._end(Ending("us", flood))
        elif self.ended_at is None:
            # Reading may have made something to say: the answer to a Ping of WebSocket.
            self._reactor.want_write(self._tap.socket, wanted=self._tap.waiting)
        return data is not None and self.ended_at is None

    def _arrive(self, packets: list[Packet]) -> None:
        with self._changed:
            for packet in packets:
                if isinstance(packet, Pingresp) and self._hidden and self._hidden.popleft():
                    self._passed.append(self._arrived)
                elif not self._is_left_to_the_watch(packet):
                    self._keep(packet)
            self._changed.notify_all()

    def _is_left_to_the_watch(self, packet: Packet) -> bool:
        """Tell whether this is a CONNACK too many: more of them than CONNECTs.

        It breaks watch.connack, on every connection of every case; a case shall still say what it is about.
        """
        if not isinstance(packet, Connack):
            return False
        self._connacks += 1
        # The first one counts, even if what was sent is no CONNECT that anybody could read.
        return self._connacks > max(self._connects, 1)

    def _keep(self, packet: Packet) -> None:
        self._received.append(packet)
        self._packets.append((self._arrived, packet))
        self._arrived += 1

    def _half_close(self) -> None:
        if self.ended_at is None:
            self._tap.half_close()
            self.recorder.state("we will send no more")

    def _end(self, ending: Ending) -> None:
        if self.ended_at is not None:
            return
        self._reactor.remove(self._tap.socket)
        self._tap.ending = self._tap.ending or ending
        ending = self._tap.ending
        self._tap.close(reset=ending == Ending("us", "reset"))
        who = "by the hub" if ending.by == "hub" else "by us"
        rest = self.recorder.ended(f"closed {who} ({ending.how})")
        with self._changed:
            for packet in rest:
                self._keep(packet)
            self.closed_at = time.time()
            self.ended_at = time.monotonic()
            self._changed.notify_all()
