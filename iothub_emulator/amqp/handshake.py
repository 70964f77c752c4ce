"""From the first byte to the AMQP header: protocol headers, and SASL if the client wants it.

Sections are those of OASIS AMQP 1.0 part 2.
"""

from collections.abc import Callable

from iothub_emulator.amqp import frames, sasl
from iothub_emulator.amqp.cbs import Authorisations
from iothub_emulator.amqp.errors import NOT_ALLOWED, AmqpError
from iothub_emulator.amqp.performatives import SaslInit, SaslMechanisms, SaslOutcome
from iothub_emulator.runtime import Runtime


class Handshake:
    """Takes headers and SASL frames from a buffer until AMQP may begin, or never will."""

    def __init__(
        self, runtime: Runtime, authorisations: Authorisations, send: Callable[[bytes], None]
    ) -> None:
        self._runtime = runtime
        self._authorisations = authorisations
        self._send = send
        self._sasl_is_due = False
        self._sasl_is_over = False
        self.is_done = False
        self.has_failed = False

    def step(self, buffer: frames.FrameBuffer) -> bool:
        """Take what is due; False if not all of it is here. `AmqpError` for what is no frame of SASL."""
        return self._take_frame(buffer) if self._sasl_is_due else self._take_header(buffer)

    def _take_header(self, buffer: frames.FrameBuffer) -> bool:
        """2.2: the first eight bytes say which protocol; what is not spoken here is answered with what is."""
        header = buffer.next_header()
        if header is None:
            return False
        if header == frames.SASL_HEADER and not self._sasl_is_over:
            self._send(frames.SASL_HEADER)
            mechanisms = SaslMechanisms(sasl_server_mechanisms=sasl.MECHANISMS)
            self._send(frames.encode_frame(0, mechanisms, kind=frames.SASL_FRAME))
            self._sasl_is_due = True
        elif header == frames.AMQP_HEADER:
            # A client without SASL is as anonymous as most with it: Node's azure-iothub comes this way.
            self._send(frames.AMQP_HEADER)
            self.is_done = True
        else:
            self._send(frames.SASL_HEADER)
            self.has_failed = True
        return True

    def _take_frame(self, buffer: frames.FrameBuffer) -> bool:
        data = buffer.next_frame()
        if data is None:
            return False
        init = frames.decode_frame(data, frames.SASL_FRAME).performative
        if not isinstance(init, SaslInit):
            raise AmqpError(NOT_ALLOWED, "SASL goes on with an init")
        code = sasl.outcome_of(init, self._runtime, self._authorisations)
        self._send(frames.encode_frame(0, SaslOutcome(code=code), kind=frames.SASL_FRAME))
        self._sasl_is_due, self._sasl_is_over = False, True
        self.has_failed = code != sasl.OK
        return True
