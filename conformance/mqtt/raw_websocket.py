"""A connection over WebSocket whose frames a test cuts itself."""

import functools

from conformance.errors import HarnessError
from conformance.mqtt.connector import Line
from conformance.mqtt.conversation import CLOSED, STILL_OPEN
from conformance.mqtt.endpoint import Timeouts
from conformance.mqtt.frames import Frame, Opcode
from conformance.mqtt.login import Bearer
from conformance.mqtt.raw import RawConnection


class RawWebSocket(RawConnection):
    """Binary frames on which nothing is sent but what a test sends; `Device.websocket` opens one.

    `send` puts each chunk into a frame of its own. `subprotocol` is what the hub chose, None for none.
    """

    def __init__(self, device: Bearer, line: Line, timeouts: Timeouts) -> None:
        super().__init__(device, line.channel, timeouts, line.tls_version)
        if line.tap is None:
            raise HarnessError("this connection is no WebSocket: open it with Device.websocket")
        self._tap = line.tap
        self.subprotocol = line.subprotocol

    def send_fragments(self, *chunks: bytes) -> None:
        """Send one message in several frames, a chunk in each (RFC 6455, section 5.4)."""
        last = len(chunks) - 1
        self.send_frames(
            *(
                Frame(chunk, Opcode.CONTINUATION if number else Opcode.BINARY, final=number == last)
                for number, chunk in enumerate(chunks)
            )
        )

    def send_text(self, text: str) -> None:
        """Send a text frame."""
        self.send_frames(Frame(text.encode(), Opcode.TEXT))

    def send_literal(self, *frames: bytes) -> None:
        """Send bytes that need be no frame; what they carry is no part of the transcript's packets."""
        self._ended()
        for data in frames:
            self._channel.send(b"", queue=functools.partial(self._tap.queue_literal, data))

    def expect_pong(self, payload: bytes) -> None:
        """Require a Pong frame that carries this."""
        seconds = self._timeouts.reaction
        expected = f"a Pong frame with {payload!r} within {seconds:g} s"
        if not self._channel.wait(lambda: payload in self._carried(Opcode.PONG), seconds):
            others = self._carried(Opcode.PONG)
            came = f"a Pong with {others[-1]!r}" if others else self._how_it_ended()
            raise self._violation("another pong" if others else "no pong", expected, came)

    def close_handshake(self, payload: bytes) -> tuple[str, str]:
        """Send a Close frame that carries this; return how the hub answers it, and what it does then.

        First as `farewell` says it, then "closed", which is the end of the TCP connection, or "still open".
        """
        self._tap.waits_for_the_end = True
        self.send_frames(Frame(payload, Opcode.CLOSE))
        ended = self.wait_closed(within=self._timeouts.reaction)
        return self.farewell(), CLOSED if ended else STILL_OPEN

    def farewell(self) -> str:
        """Return the first Close frame that has come: "close 1002", "close without status", "no close"."""
        closes = [control for control in list(self._tap.heard) if control.opcode == Opcode.CLOSE]
        return closes[0].text if closes else "no close"

    def _carried(self, opcode: Opcode) -> list[bytes]:
        return [control.payload for control in list(self._tap.heard) if control.opcode == opcode]

    def send_frames(self, *frames: Frame) -> None:
        """Send these frames as they are."""
        self._ended()
        carried = b"".join(
            frame.payload for frame in frames if frame.opcode in {Opcode.BINARY, Opcode.CONTINUATION}
        )

        def queue() -> None:
            for frame in frames:
                self._tap.queue_frame(frame)

        self._channel.send(carried, queue=queue)
