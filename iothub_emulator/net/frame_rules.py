"""Each decision about WebSocket frames, RFC 6455 sections 5 to 7, one method each."""

PROTOCOL_ERROR = 1002
UNSUPPORTED_DATA = 1003
INVALID_TEXT = 1007
"""Statuses of a Close frame (section 7.4.1)."""

LARGEST_CONTROL = 125

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_OPCODES = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})

_SENDABLE = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})
"""Statuses that a Close frame may carry (section 7.4.1 and its registry), beside 3000 to 4999."""
_FIRST_PRIVATE, _LAST_PRIVATE = 3000, 4999


class FrameRules:
    """What a server makes of a client's frames. A mistake ends the connection, with a status that says so."""

    # What a frame may be

    def accepts_reserved_bits(self) -> bool:
        """websocket.reserved: no extension was agreed on, so none of the three bits means anything (5.2)."""
        return False

    def opcode(self, number: int) -> int | None:
        """websocket.reserved: what a frame counts as; None: the number is reserved (5.2)."""
        return number if number in _OPCODES else None

    def accepts_unmasked(self) -> bool:
        """websocket.unmasked: a server closes on a frame that a client did not mask (5.1)."""
        return False

    def accepts_control(self, *, is_final: bool, size: int) -> bool:
        """websocket.control-frames: at most 125 bytes, and in one piece (5.5). `size` 126, 127: longer."""
        return is_final and size <= LARGEST_CONTROL

    def accepts_place(self, *, goes_on: bool, in_message: bool) -> bool:
        """websocket.continuation: a message goes on where one has begun, and begins where none has (5.4)."""
        return goes_on == in_message

    def accepts_length(self, size: int, field_bytes: int) -> bool:
        """websocket.length-forms: in as few bytes as it needs, and below 2 to the 63 (5.2)."""
        smallest = 126 if field_bytes == 2 else 0x1_0000  # noqa: PLR2004 - the field's width
        return smallest <= size < 1 << 63

    def on_text_frame(self) -> int | None:
        """websocket.text-frame [MQTT-6.0.0-1]: the status to close with; None: it is read as binary."""
        return UNSUPPORTED_DATA

    # Ping, Pong and Close

    def pong(self, payload: bytes) -> bytes | None:
        """websocket.ping: a Ping is answered with what it carries (5.5.2, 5.5.3); None: with nothing."""
        return payload

    def problem_with_close(self, status: int, reason: bytes) -> int | None:
        """websocket.close-payload, websocket.close-status: what is wrong, as a status; None: nothing (5.5.1).

        `status` is -1 for a Close frame whose payload is too short to hold one.
        """
        if status not in _SENDABLE and not _FIRST_PRIVATE <= status <= _LAST_PRIVATE:
            return PROTOCOL_ERROR
        try:
            reason.decode()
        except UnicodeDecodeError:
            return INVALID_TEXT
        return None

    def answers_close(self) -> bool:
        """websocket.close-answered: a Close frame is answered by one (5.5.1)."""
        return True

    def status_of_answer(self, status: int | None) -> int | None:
        """websocket.close-answered: the client's own status goes back, none where it gave none (5.5.1)."""
        return status

    def ends_after_close(self) -> bool:
        """websocket.close-answered: behind both Close frames the server ends the TCP connection (7.1.1)."""
        return True

    # What the frames carry

    def sends_binary(self) -> bool:
        """websocket.mqtt [MQTT-6.0.0-1]: what an endpoint writes leaves in binary frames, not in text."""
        return True

    def websocket_payload(self, payload: bytes, *, ends_message: bool) -> bytes:
        """websocket.frames [MQTT-6.0.0-2]: a stream of bytes, wherever frames and messages begin and end."""
        return payload

    def websocket_outgoing(self, payload: bytes) -> bytes:
        """websocket.c2d, websocket.mqtt: what an endpoint writes is what the frame carries."""
        return payload

    def meaning_of_close(self) -> bytes:
        """websocket.will: a Close frame is the end of the network connection, and no packet of MQTT."""
        return b""
