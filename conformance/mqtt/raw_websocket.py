"""A connection over WebSocket whose frames a test cuts itself."""

from conformance.errors import HarnessError
from conformance.mqtt.connector import Line
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
