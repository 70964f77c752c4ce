"""paho as the speaker of a connection: it makes the packets, somebody else owns the wire.

What is private in paho is here and nowhere else: `_create_socket`, replaced by a pipe. TCP, TLS and the end
of the connection are thereby the suite's, and paho's own reaction to what it dislikes, closing, ends nothing.
Without `on_socket_register_write` and without a thread of its own, paho writes at once.
"""

from collections.abc import Callable, Sequence
from typing import Final

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from conformance.mqtt.fields import Will

UNLIMITED: Final = 0


class Speaker:
    """One paho client for one connection. Every call on the reactor's thread.

    `write` sends bytes. With `manual_acknowledgement` a message gets no PUBACK but by `acknowledge`.
    paho raises ValueError for what it refuses to say: then RawConnection says it.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        *,
        client_id: str,
        username: str | None,
        password: str | None,
        clean_session: bool,
        will: Will | None,
        manual_acknowledgement: bool = False,
    ) -> None:
        self._pipe = _Pipe(write)
        self._client = _Client(
            self._pipe, client_id, clean_session=clean_session, manual_ack=manual_acknowledgement
        )
        # paho would hold back the 21st packet without its PUBACK.
        self._client.max_inflight_messages_set(UNLIMITED)
        if username is not None:
            self._client.username_pw_set(username, password)
        elif password is not None:
            raise ValueError("paho sends no Password without Username: use RawConnection")
        if will is not None:
            self._client.will_set(will.topic, will.payload, will.qos, will.retain)

    def connect(self, keep_alive: int) -> None:
        """Send CONNECT; `keep_alive` in seconds."""
        self._client.connect("hub", keepalive=keep_alive)

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> int:
        """Send PUBLISH and return its packet id."""
        return self._said(self._client.publish(topic, payload, qos, retain)).mid

    def subscribe(self, filters: Sequence[tuple[str, int]]) -> int:
        """Send SUBSCRIBE and return its packet id."""
        code, packet_id = self._client.subscribe(list(filters))
        return self._id(code, packet_id)

    def unsubscribe(self, *topic_filters: str) -> int:
        """Send one UNSUBSCRIBE and return its packet id."""
        code, packet_id = self._client.unsubscribe(list(topic_filters))
        return self._id(code, packet_id)

    def acknowledge(self, packet_id: int) -> None:
        """Send the PUBACK of a message with QoS 1; only with `manual_acknowledgement`."""
        code = self._client.ack(packet_id, 1)
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise SpeechlessError(code)

    def disconnect(self) -> None:
        """Send DISCONNECT; paho then says no more."""
        self._client.disconnect()

    def hear(self, data: bytes) -> None:
        """Let paho read what the hub sent, and answer where MQTT asks for it (PUBACK).

        What paho cannot stand makes it stop speaking, nothing more.
        """
        self._pipe.incoming += data
        while self._pipe.incoming and self._client.socket() is not None:
            try:
                self._client.loop_read()
            except Exception:  # noqa: BLE001 - the suite's own decoder has judged these bytes already
                self._pipe.incoming.clear()

    @staticmethod
    def _said(info: mqtt.MQTTMessageInfo) -> mqtt.MQTTMessageInfo:
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise SpeechlessError(info.rc)
        return info

    @staticmethod
    def _id(code: MQTTErrorCode, packet_id: int | None) -> int:
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS or packet_id is None:
            raise SpeechlessError(code)
        return packet_id


class SpeechlessError(Exception):
    """paho takes the connection for ended: the hub refused it, or sent what paho cannot stand."""

    def __init__(self, code: MQTTErrorCode) -> None:
        super().__init__(f"paho says no more on this connection: {mqtt.error_string(code)}")


class _Client(mqtt.Client):
    """A paho client that is handed its socket."""

    def __init__(self, pipe: "_Pipe", client_id: str, *, clean_session: bool, manual_ack: bool) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=clean_session,
            protocol=mqtt.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=manual_ack,
        )
        self._pipe = pipe

    def _create_socket(self) -> "_Pipe":
        return self._pipe


class _Pipe:
    """What paho takes for a socket: bytes to read, and a way out that never blocks."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.incoming = bytearray()
        self._write = write

    def recv(self, buffer_size: int) -> bytes:
        if not self.incoming:
            raise BlockingIOError
        data = bytes(self.incoming[:buffer_size])
        del self.incoming[:buffer_size]
        return data

    def send(self, buffer: bytes | bytearray) -> int:
        self._write(bytes(buffer))
        return len(buffer)

    def close(self) -> None:
        self.incoming.clear()

    def fileno(self) -> int:
        return -1

    def setblocking(self, flag: bool) -> None:
        pass
