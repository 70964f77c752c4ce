"""Devices that send packets which no device may send."""

from paho.mqtt.enums import MQTTErrorCode
from wrong import wrong

from conformance.adapters.paho_device import Client, Device


class _Raw(Client):
    """A client that sends bytes of its own behind its first message."""

    more = b""

    def _send_publish(self, *arguments, **named):
        done = super()._send_publish(*arguments, **named)
        if self.more:
            self._packet_queue(self.more[0] & 0xF0, bytearray(self.more), 0, 0)
            self.more = b""
        return done


class Sends(Device):
    """A device that sends these bytes behind its first message."""

    more = b""

    def new_client(self):
        right = super().new_client()
        right.__class__, right.more = _Raw, self.more
        return right


@wrong("device-watch.readable")
class WrongFlags(Sends):
    """It sends a SUBSCRIBE with the flags of MQTT 3.1."""

    more = b"\x80\x18\x12\x34\x00\x12$iothub/twin/res/#\x00\x00"


@wrong("device-watch.readable")
class NotUtf8(Sends):
    """It sends a topic in Latin-1."""

    more = b"\x30\x06\x00\x04caf\xe9"


@wrong("device-watch.connect-first")
class ConnectsTwice(Sends):
    """It sends CONNECT again on an open connection."""

    more = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01d"


@wrong("device-watch.client-only")
class AnswersPing(Sends):
    """It sends PINGRESP."""

    more = b"\xd0\x00"


@wrong("device-watch.qos")
class QoS2(Device):
    """It sends telemetry with QoS 2."""

    def publish(self, topic, body):
        self.client.publish(topic, body, qos=2)


@wrong("device-watch.dup-at-qos-0")
class DupAtQoS0(Sends):
    """It sets DUP on a message with QoS 0."""

    @property
    def more(self):
        topic = self.events_topic().encode()
        return bytes([0x38, len(topic) + 4]) + len(topic).to_bytes(2) + topic + b"{}"


class _AlwaysDup(Client):
    """A client that sets DUP on each message."""

    def _send_publish(self, mid, topic, payload=b"", qos=0, retain=False, dup=False, *more, **named):
        return super()._send_publish(mid, topic, payload, qos, retain, qos > 0, *more, **named)


@wrong("device-watch.dup")
class AlwaysDup(Device):
    """It sets DUP on each message with QoS 1."""

    def new_client(self):
        right = super().new_client()
        right.__class__ = _AlwaysDup
        return right


class _OneId(Client):
    """A client whose packet ids are all alike. What it is told to send while it is `held` goes out later."""

    held = False

    def _mid_generate(self):
        return 1

    def _packet_write(self):
        return MQTTErrorCode.MQTT_ERR_SUCCESS if self.held else super()._packet_write()


@wrong("device-watch.packet-ids")
class OneId(Device):
    """All of its packets have one packet id, and it does not wait for acknowledgements."""

    def new_client(self):
        right = super().new_client()
        right.__class__ = _OneId
        return right

    def publish(self, topic, body):
        # Both go out together: no hub acknowledges the first before the second one is under way.
        self.client.held = True
        self.client.publish(topic, body, qos=1)
        self.client._out_messages.clear()
        self.client.held = False
        self.client.publish(topic, body, qos=1)
        self.client._out_messages.clear()


class _NoId(Client):
    """A client whose packet ids are 0."""

    def _mid_generate(self):
        return 0


@wrong("device-watch.packet-ids")
class NoId(Device):
    """Its packets have the packet id 0."""

    def new_client(self):
        right = super().new_client()
        right.__class__ = _NoId
        return right

    def publish(self, topic, body):
        self.client.publish(topic, body, qos=1)


@wrong("device-watch.acknowledges")
class AcknowledgesTwice(Device):
    """It sends two PUBACKs for each message."""

    def on_cloud_message(self, topic, body):
        super().on_cloud_message(topic, body)
        self.client._send_puback(1)


@wrong("device-watch.topics")
class TopicOfItsOwn(Device):
    """It publishes to a topic that it made up."""

    def events_topic(self):
        return f"devices/{self.path}/messages/telemetry/"


@wrong("device-watch.topics")
class TopicOfAnother(Device):
    """It publishes to the events topic of another device."""

    def events_topic(self):
        return "devices/other/messages/events/"


@wrong("device-watch.filters")
class AllFilters(Device):
    """It subscribes to # for everything."""

    def filters(self):
        return {**super().filters(), "messages": "#"}


@wrong("device-watch.filters")
class AnyDevice(Device):
    """It subscribes to messages with a + for its id."""

    def filters(self):
        return {**super().filters(), "messages": "devices/+/messages/devicebound/#"}


@wrong("device-watch.five-filters")
class SixFilters(Device):
    """It subscribes to the answers of its twin by status, and so to seven filters."""

    def listen(self, order):
        done = super().listen(order)
        for status in (200, 204, 400, 429, 500):
            self.client.subscribe(f"$iothub/twin/res/{status}/#", 0)
        return done


@wrong("device-watch.disconnect-last")
class TalksBehindDisconnect(Sends):
    """It sends DISCONNECT, and PINGREQ behind it."""

    more = b"\xe0\x00\xc0\x00"


@wrong("device-watch.secrets")
class TellsItsKey(Device):
    """It reports its connection string in its twin."""

    def patch_reported(self, order):
        return super().patch_reported({**order, "patch": {**order["patch"], "key": self.settings.key}})


@wrong("device-watch.secrets")
class TokenInUsername(Device):
    """It puts its token behind its Username too."""

    def username(self):
        return f"{super().username()}&token={self.token()}"


@wrong("device-watch.size")
class LargeMessages(Device):
    """It fills its messages with spaces up to 300 KB."""

    def publish(self, topic, body):
        super().publish(topic, body.ljust(300 * 1024))
