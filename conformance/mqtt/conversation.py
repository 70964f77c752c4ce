"""What a test can do on any connection: look at what the hub says, and at how it ends.

Each verb waits for an event, for as long as the profile's timeouts allow; none sleeps. Absence is proved by a
fence: a PINGREQ of the suite's own, whose PINGRESP can only come behind everything that was on its way.
"""

import time
from collections.abc import Callable
from typing import Final

from conformance.errors import HarnessError, StageFailed, TooLate, Violation
from conformance.evidence.describe import describe, word, word_with_id
from conformance.mqtt.channel import Channel
from conformance.mqtt.endpoint import Timeouts
from conformance.mqtt.packets import Connack, Packet
from conformance.run import sleeping

CLOSED: Final = "closed"
SILENCE: Final = "silence"
NO_ANSWER: Final = "no answer"
STILL_OPEN: Final = "still open"
ACCEPTED: Final = "accepted"


class Conversation:
    """A connection, seen as packets that come and an end; `Connection` and `RawConnection` also speak."""

    def __init__(self, channel: Channel, timeouts: Timeouts) -> None:
        self._channel = channel
        self._timeouts = timeouts
        self.clean_session: bool | None = None
        """That of its CONNECT, where it is known: literal bytes may say anything."""

    @property
    def is_accepted(self) -> bool:
        """Whether the hub has accepted a CONNECT on it."""
        return any(isinstance(packet, Connack) and packet.code == 0 for packet in self.received)

    @property
    def is_open(self) -> bool:
        """Whether neither side has ended it."""
        return self._channel.ending is None

    @property
    def received(self) -> tuple[Packet, ...]:
        """All packets from the hub so far, without the answers to the suite's own PINGREQs."""
        return self._channel.received

    @property
    def reaction(self) -> float:
        """How many seconds a documented answer may take."""
        return self._timeouts.reaction

    @property
    def closed_at(self) -> float:
        """When the connection ended, in unix seconds."""
        self._require_end()
        return self._channel.closed_at or 0.0

    @property
    def closed_after(self) -> float:
        """How many seconds after the last packet sent the connection ended."""
        self._require_end()
        return (self._channel.ended_at or 0.0) - self._channel.last_sent

    @property
    def has_ended(self) -> bool:
        """Whether the hub has ended the connection."""
        return self._ended()

    def wait_for(self, condition: Callable[[], bool], within: float) -> bool:
        """Wait until something is so that packets bring about, or the connection ends; tell whether it is."""
        return self._channel.wait(condition, within)

    def begin_fence(self) -> Callable[[float], bool]:
        """Send a PINGREQ of the suite's own; what is returned waits so many seconds for its PINGRESP."""
        number = self._channel.fence()
        return lambda within: self._channel.wait(lambda: self._channel.passed(number), within)

    def ping(self) -> None:
        """Send PINGREQ and wait for its PINGRESP: the connection is open, and all before it has come."""
        if self._fenced():
            return
        expected = f"PINGRESP within {self._timeouts.reaction:g} s of PINGREQ"
        if self._ended():
            raise self._violation(CLOSED, expected, self._how_it_ended())
        raise self._violation(SILENCE, expected, "no PINGRESP")

    def outcome(self, *, fence: bool = True) -> str:
        """Return all that comes, as words: "puback", "closed", "pubrec, closed", "no answer".

        Up to the answer to a PINGREQ sent behind; without `fence` up to the end of the connection, or for
        `timeouts.reaction`. "silence" stands where the PINGREQ gets no answer on an open connection.
        """
        if not fence:
            self._channel.wait(lambda: False, self._timeouts.reaction)
            return self._in_words(self._channel.take_all())
        number = self._channel.fence()
        answered = self._channel.wait(lambda: self._channel.passed(number), self._timeouts.reaction)
        if answered:
            packets = self._channel.take_all(number)
            if not packets:
                self._observe_silence()
                packets = self._channel.take_all() if self._timeouts.silence else packets
            return self._in_words(packets)
        packets = self._channel.take_all()
        silent = not self._ended()
        return ", ".join([*map(word, packets), SILENCE]) if silent else self._in_words(packets)

    def answer(self) -> str:
        """Return what comes of a packet that has an answer in any case, in the words of `outcome`.

        Any order of PINGRESP and other answers is right, so that no fence ends the wait for the first packet:
        "no answer" is what did not come within `timeouts.reaction`.
        """
        self._channel.wait(self._something_came, self._timeouts.reaction)
        return self.outcome()

    def take(self, count: int) -> tuple[str, ...]:
        """Return the next packets in words with their ids: "puback 7", "suback 4660 1 0", "pingresp".

        Fewer than `count` only if no more come within `timeouts.reaction`; "closed" is the last if it ended.
        """
        words: list[str] = []
        deadline = time.monotonic() + self._timeouts.reaction
        while len(words) < count:
            self._channel.wait(self._something_came, deadline - time.monotonic())
            packet = self._channel.take()
            if packet is None:
                return (*words, CLOSED) if self._ended() else tuple(words)
            words.append(word_with_id(packet))
        return tuple(words)

    def expect_closed(self, *, within: float | None = None) -> None:
        """Require that the hub ends the connection within so many seconds, whatever it sends before that.

        `within` is `timeouts.reaction` where it is not given.
        """
        seconds = self._timeouts.reaction if within is None else within
        if not self.wait_closed(within=seconds):
            raise self._still_open(f"connection closed by the hub within {seconds:g} s", seconds)

    def expect_replaced(self) -> None:
        """Require that the hub ends the connection because a newer one of its identity was accepted.

        A hub that is slow to open a connection may be as slow to end one: ``timeouts.connect``.
        """
        self.expect_closed(within=self._timeouts.connect)

    def expect_silent_close(self) -> None:
        """Require that the hub ends the connection, and sends nothing before that."""
        seconds = self._timeouts.reaction
        expected = f"connection closed by the hub within {seconds:g} s, with no packet before"
        self._channel.wait(self._something_came, seconds)
        packet = self._channel.take()
        if packet is not None:
            end = self._how_it_ended() if self._ended() else "not closed"
            raise self._violation(word(packet), expected, f"{describe(packet)}; {end}")
        if not self._ended():
            raise self._still_open(expected, seconds)

    def wait_closed(self, *, within: float) -> bool:
        """Wait until the connection ends, for at most so many seconds; tell whether it did."""
        self._channel.wait(lambda: False, within)
        return self._ended()

    def answer_to_connect(self) -> tuple[str, str]:
        """Return the outcome of a CONNECT that was sent, as a word and as a sentence.

        "accepted", "connack 5", "closed", "silence", or the word of whatever packet came instead.
        """
        self._channel.wait(self._something_came, self._timeouts.connect)
        packet = self._channel.take()
        if packet is not None:
            accepted = isinstance(packet, Connack) and packet.code == 0
            return (ACCEPTED if accepted else word(packet)), describe(packet)
        if self._ended():
            return CLOSED, self._how_it_ended()
        return SILENCE, f"nothing came within {self._timeouts.connect:g} s, connection open"

    def expect_refused(self) -> str:
        """Require that the CONNECT gets no session: a CONNACK with a code above 0, or the end of the stream.

        Returns "connack 5", or "closed" where the hub ends the connection without CONNACK. What follows a
        CONNACK is another rule's affair (connect.refusal-closes), or one fault turned half the suite red.
        """
        refusal, actual = self.answer_to_connect()
        if refusal != CLOSED and not refusal.startswith("connack "):
            expected = "CONNACK with a code above 0, or the end of the connection"
            raise self._violation(refusal, expected, actual)
        return refusal

    def send_while_open(self, other: "Conversation", data: bytes, *, every: float, within: float) -> None:
        """Send these bytes every so many seconds until another connection ends.

        Raises Violation if this one ends before it, and StageFailed if the other one, which only shows that
        the time has come, is open after `within` seconds. If it is we who were late, it raises TooLate.
        """
        deadline = time.monotonic() + within
        while not other.wait_closed(within=min(every, max(deadline - time.monotonic(), 0))):
            expected = "this connection stays open, the other one is closed"
            if self._ended():
                if self.closed_after > 2 * every:
                    raise TooLate(f"we were silent for {self.closed_after:.1f} s, and not for {every:g} s")
                raise self._violation(CLOSED, expected, self._how_it_ended())
            if time.monotonic() >= deadline:
                raise StageFailed(f"needs connection.keep-alive: the other one is open after {within:g} s")
            self._channel.send(data)

    def half_close(self) -> None:
        """End the sending direction, as a client does behind DISCONNECT, and go on listening."""
        self._channel.half_close()

    def drop(self) -> None:
        """End the connection without DISCONNECT, as a device does that loses power."""
        self._channel.close()

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self._channel.close(reset=True)

    def close(self) -> None:
        """End the connection if it is open. For the end of a case; may be called twice."""
        self._channel.close()

    # -- for the verbs here and in the classes that speak

    def _something_came(self) -> bool:
        return self._channel.has()

    def _fenced(self) -> bool:
        number = self._channel.fence()
        return self._channel.wait(lambda: self._channel.passed(number), self._timeouts.reaction)

    def _still_open(self, expected: str, seconds: float) -> Violation:
        alive = self._fenced()
        how = "and answers PINGREQ" if alive else "though it does not answer PINGREQ"
        self._channel.recorder.state(STILL_OPEN)
        return self._violation(STILL_OPEN, expected, f"still open after {seconds:g} s, {how}")

    def _observe_silence(self, wanted: Callable[[Packet], bool] = lambda _packet: True) -> None:
        """On a live hub, whose answers may come out of order, see whether such a packet comes after all."""
        if self._timeouts.silence > 0 and not self._ended():
            sleeping.pause(
                self._timeouts.silence,
                until=lambda seconds: self._channel.wait(lambda: self._channel.has(wanted), seconds),
            )

    def _in_words(self, packets: list[Packet]) -> str:
        words = [word(packet) for packet in packets]
        if self._ended():
            words.append(CLOSED)
        return ", ".join(words) or NO_ANSWER

    def _await(self, wanted: Callable[[Packet], bool], expected: str, seconds: float | None = None) -> Packet:
        """Take the first packet of this kind; raise Violation with what came instead."""
        limit = self._timeouts.reaction if seconds is None else seconds
        found: list[Packet] = []

        def came() -> bool:
            packet = self._channel.take(wanted)
            if packet is not None:
                found.append(packet)
            return packet is not None

        self._channel.wait(lambda: bool(found) or came(), limit)
        if found:
            return found[0]
        expected = f"{expected} within {limit:g} s"
        instead = self._channel.peek()
        if instead is not None:
            raise self._violation(word(instead), expected, f"{describe(instead)} instead")
        if self._ended():
            raise self._violation(CLOSED, expected, self._how_it_ended())
        raise self._violation(SILENCE, expected, "nothing came, connection open")

    def _how_it_ended(self) -> str:
        ending = self._channel.ending
        if ending is None:
            return STILL_OPEN
        return f"closed by {'the hub' if ending.by == 'hub' else 'us'} ({ending.how})"

    def _violation(self, observed: str, expected: str, actual: str) -> Violation:
        actual = " ".join(actual.split())
        return Violation(
            f"expected {expected}; got {actual}",
            observed=observed,
            expected=expected,
            actual=actual,
            connection=self._channel.recorder.label,
        )

    def _ended(self) -> bool:
        """Tell whether the hub ended the connection; an end of our own making is no answer of the hub."""
        ending = self._channel.ending
        if self._channel.flood:
            raise HarnessError(f"{self._channel.flood}: the suite reads no more of it")
        if ending is not None and ending.by == "us":
            raise HarnessError(f"this connection was ended by the suite itself ({ending.how}): open another")
        return ending is not None

    def _require_end(self) -> None:
        if not self._ended():
            raise HarnessError("this connection is still open: wait for its end before asking when it was")
