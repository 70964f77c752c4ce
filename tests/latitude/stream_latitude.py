"""Right hubs whose bytes travel otherwise: in other pieces, later, over streams that end otherwise."""

import asyncio
import socket
from collections import deque

from latitude import acted, right, wrapped

from iothub_emulator import ready
from iothub_emulator.hub.packets import Connack
from iothub_emulator.mqtt.endpoint import MqttEndpoint
from iothub_emulator.net.tls_stream import TlsStream
from iothub_emulator.net.websocket import WebSocketConnection
from iothub_emulator.net.websocket_frames import Opcode, frame

CLOSED_LATE = 1.0
TOGETHER = 0.01
APART = 0.01


class Other:
    """Stands before the transport of an MQTT endpoint."""

    def __init__(self, transport):
        self.transport = transport

    def __getattr__(self, name):
        return getattr(self.transport, name)


def with_transport(other):
    """Let each MQTT endpoint write to `other` of its transport, over TLS and over WebSocket."""

    def wrap(connection_made):
        def made(self, transport):
            connection_made(self, transport)
            self._transport = other(transport)

        return made

    wrapped(MqttEndpoint, "connection_made", wrap)


@right("MQTT 3.1.1 section 4.2: an ordered stream of bytes", "MQTT-6.0.0-2")
def packets_come_byte_by_byte(rules):
    """The first 300 bytes of each write come each in a TLS record, or a WebSocket frame, of its own."""

    class Cut(Other):
        def write(self, data):
            acted()
            for place in range(min(len(data), 300)):
                self.transport.write(data[place : place + 1])
            self.transport.write(data[300:])

    with_transport(Cut)


class Later(Other):
    """Writes leave in their order, each when `pieces` says; what closes the stream comes behind them."""

    def __init__(self, transport):
        super().__init__(transport)
        self._steps = deque()
        self._timer = None

    def then(self, seconds, step):
        self._steps.append((seconds, step))
        self._next()

    def _next(self):
        if self._timer is None and self._steps:
            self._timer = asyncio.get_running_loop().call_later(self._steps[0][0], self._out)

    def _out(self):
        self._timer = None
        step = self._steps.popleft()[1]
        if not self.transport.is_closing():
            step()
        self._next()

    def close(self):
        self.then(0, self.transport.close)


@right("MQTT 3.1.1 section 4.2: an ordered stream of bytes", "MQTT-6.0.0-2")
def packets_come_in_halves(rules):
    """Each write comes in two halves with a moment in between: headers are cut, and packets, and topics."""

    class Halved(Later):
        def write(self, data):
            acted()
            middle = (len(data) + 1) // 2
            self.then(0, lambda: self.transport.write(data[:middle]))
            self.then(APART, lambda: self.transport.write(data[middle:]))

    with_transport(Halved)


@right("MQTT 3.1.1 section 4.2: an ordered stream of bytes", "MQTT-6.0.0-2")
def packets_come_joined(rules):
    """What is written within a hundredth of a second comes as one piece: answers and pushes together."""

    class Joined(Other):
        def __init__(self, transport):
            super().__init__(transport)
            self._data = b""
            self._timer = None

        def write(self, data):
            if self._data:
                acted()
            self._data += data
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(TOGETHER, self._out)

        def close(self):
            self._out()
            self.transport.close()

        def _out(self):
            self._timer, data, self._data = None, self._data, b""
            if data and not self.transport.is_closing():
                self.transport.write(data)

    with_transport(Joined)


@right("RFC 6455 section 5.4: fragmentation", "RFC 6455 section 5.5.2: Ping at any time", "MQTT-6.0.0-2")
def websocket_messages_come_in_fragments(rules):
    """Each WebSocket message comes in three frames, with a Ping between them that the client answers."""

    def send(self, payload):
        if self.is_closing or not payload:
            return
        acted()
        third = len(payload) // 3
        pieces = [
            frame(self._data, payload[:third]),
            frame(Opcode.PING, b"there?"),
            frame(Opcode.CONTINUATION, payload[third : 2 * third]),
            frame(Opcode.CONTINUATION, payload[2 * third :]),
        ]
        # The embedded hub itself never sends a frame that is not the last of its message.
        for place in (0, 2):
            pieces[place] = bytes([pieces[place][0] & 0x7F]) + pieces[place][1:]
        self._network.write(b"".join(pieces))

    WebSocketConnection.send = send


@right(
    *("hub facts 4, take-over: old connection closed within 60 s", "S6", "MQTT-3.14.4-3", "MQTT-3.2.2-5"),
    "hub facts 4, server time-out: 1.5 times the keep-alive, and up to 60 s",
)
def closes_come_a_second_late(rules):
    """Each connection that the hub ends stays open for a second, and nothing is heard or said on it."""

    def close(self, because):
        acted()
        self.flush()
        asyncio.get_running_loop().call_later(CLOSED_LATE, self._transport.close)
        self._leave()

    MqttEndpoint.close = close
    ready._KEEP_ALIVE_TOLERANCE += CLOSED_LATE  # it says so in its ready file


@right("hub facts 4, take-over: TCP close, no packet", "hub facts 5: the hub kills the TCP connection", "S6")
def closes_are_resets(rules):
    """The hub ends a connection that broke a rule, or was taken over, by TCP's RST."""

    def wrap(closed):
        def close(self, because):
            sock = self._transport.get_extra_info("socket")
            # Behind a refusal, an answer or DISCONNECT comes an orderly end: a reset might overtake it.
            said_farewell = because == "connection.disconnect-closes"
            if sock is None or self._outgoing or self._identity_key is None or said_farewell:
                closed(self, because)
                return
            acted()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self._transport.abort()
            self._leave()

        return close

    wrapped(MqttEndpoint, "close", wrap)


@right("hub facts 4, take-over: TCP close, no packet", "S6")
def tls_ends_without_close_notify(rules):
    """The hub's streams end with TCP's FIN alone; TLS is not told."""

    def wrap(closed):
        def close(self):
            if not self.is_closing:
                acted()
            tls, self._tls = self._tls, None  # nobody is left to say close_notify
            closed(self)
            self._tls = tls

        return close

    wrapped(TlsStream, "close", wrap)


@right("hub facts 1, slow CONNACK: up to 60 s")
def connack_takes_a_moment(rules):
    """CONNACK, and what comes behind it, is a third of a second late; what is sent meanwhile counts."""

    def wrap(sent):
        def send(self, packet):
            if isinstance(packet, Connack):
                acted()
                self._transport = Later(self._transport)
                self._transport.then(0.3, lambda: None)
                self._transport.write = lambda data: self._transport.then(
                    0, lambda: self._transport.transport.write(data)
                )
            sent(self, packet)

        return send

    wrapped(MqttEndpoint, "send", wrap)
