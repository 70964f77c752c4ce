"""Hubs that say too much: each a function for `python -m iothub_emulator --load hostile_hubs:NAME`.

Nobody means to build one of these; a loop, a retry without an end, or a broker's own idea of a message does.
Whatever a hub does, the run ends, and its report opens.
"""

from dataclasses import replace

from iothub_emulator.hub.packets import Connack, Publish, Suback
from iothub_emulator.hub.telemetry import TelemetryLog
from iothub_emulator.mqtt.encoder import encode
from iothub_emulator.mqtt.endpoint import MqttEndpoint
from iothub_emulator.net.websocket import WebSocketConnection
from iothub_emulator.net.websocket_frames import Opcode
from iothub_emulator.net.websocket_frames import frame as websocket_frame

THOUSANDS = 5_000
MEGABYTE = 1024 * 1024
LONGEST_TOPIC = 65_535
# The greatest remaining length that four bytes can say: 268,435,455.
GREATEST = b"\xff\xff\xff\x7f"
# Five bytes of length: nobody can say where the next packet begins.
UNREADABLE = b"\x30\xff\xff\xff\xff\xff"


def each_packet_twice(rules):
    """Sends each packet twice, one behind the other."""
    _send(rules, lambda packet: encode(packet) * 2)


def reflects_what_it_hears(rules):
    """Sends back whatever bytes come, and answers them too."""
    hear = MqttEndpoint.data_received

    def data_received(self, data):
        hear(self, data)
        if not self._transport.is_closing():
            self._transport.write(data)

    MqttEndpoint.data_received = data_received


def one_message_ten_thousand_times(rules):
    """Sends each message ten thousand times, or 32 MB of it, and all else once."""

    def often(packet):
        data = encode(packet)
        return data * min(10_000, 32 * MEGABYTE // len(data)) if isinstance(packet, Publish) else data

    _send(rules, often)


def thousands_behind_each_suback(rules):
    """Tells whoever subscribes all that it ever heard: thousands of messages, no two alike."""

    def behind(packet):
        if not isinstance(packet, Suback):
            return encode(packet)
        old = [Publish(f"devices/old/{number}", b"retained", 0, retain=True) for number in range(THOUSANDS)]
        return encode(packet) + b"".join(map(encode, old))

    _send(rules, behind)


def packets_without_end(rules):
    """Sends the same message to whoever was let in, for as long as it listens."""
    _flood(encode(Publish("devices/all/messages/devicebound/", b"are you there?", 0, retain=False)))


def acknowledgements_without_end(rules):
    """Sends the smallest packets there are to whoever was let in, for as long as it listens."""
    _flood(b"\xd0\x00")


def messages_of_a_megabyte(rules):
    """Makes a megabyte of each message that it sends, by filling it up with blanks."""
    _send(rules, lambda packet: encode(_grown(packet) if isinstance(packet, Publish) else packet))


def packets_of_the_greatest_length(rules):
    """Begins a packet of 256 MB behind each SUBACK, and sends blanks without an end."""
    _send(rules, lambda packet: encode(packet) + (b"\x30" + GREATEST if isinstance(packet, Suback) else b""))
    _flood(b" " * MEGABYTE, once=lambda packet: isinstance(packet, Suback))


def topics_of_64_kilobytes(rules):
    """Fills each topic up with levels, to the longest that MQTT can say."""
    _send(rules, lambda packet: encode(_widened(packet) if isinstance(packet, Publish) else packet))


def subacks_of_60_000_codes(rules):
    """Answers a SUBSCRIBE with a code for each filter that there could be."""
    _send(
        rules,
        lambda packet: encode(
            replace(packet, codes=packet.codes * 60_000) if isinstance(packet, Suback) else packet
        ),
    )


def bytes_that_mean_nothing(rules):
    """Sends bytes without a meaning behind each CONNACK, for as long as anybody listens."""
    _send(rules, lambda packet: encode(packet) + (UNREADABLE if isinstance(packet, Connack) else b""))
    _flood(bytes(range(256)))


def websocket_pings_without_end(rules):
    """Sends Pings over WebSocket to whoever opened one, for as long as it listens."""
    begin = WebSocketConnection.begin
    pings = websocket_frame(Opcode.PING, b"are you there?") * 1000

    def begin_and_ping(self, tail):
        begin(self, tail)
        _write_without_end(self._loop, self._network, lambda: self._is_writable, pings)

    WebSocketConnection.begin = begin_and_ping


def each_event_a_thousand_times(rules):
    """Puts what a device sends into its log of telemetry a thousand times."""
    append = TelemetryLog.append

    def append_each(self, event, partition=None):
        for _ in range(999):
            append(self, event, partition)
        return append(self, event, partition)

    TelemetryLog.append = append_each


def _send(rules, written):
    """Let this make bytes of each packet."""
    rules.codec.outgoing = written


def _flood(data, once=lambda packet: isinstance(packet, Connack) and packet.code == 0):
    """Send this without an end to each client, once a packet of this kind was sent to it."""
    send = MqttEndpoint.send

    def send_and_flood(self, packet):
        send(self, packet)
        if once(packet):
            many = data * max(1, 50_000 // len(data))
            self._loop.call_soon(
                _write_without_end, self._loop, self._transport, lambda: self.is_writable, many
            )

    MqttEndpoint.send = send_and_flood


def _write_without_end(loop, transport, is_writable, data):
    if not transport.is_closing():
        if is_writable():
            transport.write(data)
        loop.call_later(0.001, _write_without_end, loop, transport, is_writable, data)


def _grown(packet):
    return replace(packet, payload=packet.payload.ljust(MEGABYTE - 70_000))


def _widened(packet):
    return replace(packet, topic=packet.topic.ljust(LONGEST_TOPIC, "/"))
