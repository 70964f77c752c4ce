"""One MQTT connection on the network: bytes to packets, packets to the session, effects back.

All rules are elsewhere. Here are only the transport, the timers, and the order of things.
"""

import asyncio
import logging
from typing import cast

from iothub_emulator.hub.effects import Admit, End
from iothub_emulator.hub.identity import ClientCertificate
from iothub_emulator.hub.packets import Connect, FromServer
from iothub_emulator.mqtt.decoder import Decoder
from iothub_emulator.mqtt.rules import Malformed
from iothub_emulator.mqtt.wire_log import describe, log
from iothub_emulator.runtime import Runtime

MAX_UNREAD = 4 * 1024 * 1024
"""Bytes of calls and twin changes that may wait for a client that does not read; then it is dropped."""


class MqttEndpoint(asyncio.Protocol):
    """A device's connection. The transport sets TCP_NODELAY by itself (asyncio, for every TCP stream)."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.session = runtime.session()
        self._decoder = Decoder(runtime.rules.codec)
        self._loop = asyncio.get_running_loop()
        self._outgoing: list[bytes] = []
        self._identity_key: str | None = None
        self._peer = "?"
        self._is_traced = log.isEnabledFor(logging.DEBUG)
        # Silence is measured on the monotonic clock; `last_activity` is for people.
        self.last_activity = 0.0
        self.way = "tls"
        self.is_writable = True
        self._is_active = False
        """It has published or subscribed, and the runtime knows."""
        self._heard = 0.0
        self._silence = 0.0
        self._watchdog: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None

    # What the network does

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for CONNECT."""
        self._transport = cast("asyncio.Transport", transport)
        self._peer = str(transport.get_extra_info("peername"))
        self.session.certificate = ClientCertificate(
            transport.get_extra_info("peer_certificate_thumbprints") or (),
            transport.get_extra_info("peer_certificate_vouched_names") or (),
        )
        self.way = transport.get_extra_info("way") or "tls"
        self._watchdog = self._loop.call_later(self._runtime.settings.connect_timeout, self._connect_is_due)

    def data_received(self, data: bytes) -> None:
        """Carry out all packets that are now complete, and send the answers in one write."""
        if self.session.is_over:
            return
        runtime, session = self._runtime, self.session
        self._decoder.feed(data)
        try:
            for packet in self._decoder.packets():
                if self._is_traced:
                    log.debug("%s → %s", self._peer, describe(packet))
                now = runtime.now()
                if runtime.rules.keep_alive.counts(packet):
                    self._heard = self._loop.time()
                    self.last_activity = now
                runtime.perform(self, session.receive(packet, now))
                if not self._is_active and runtime.rules.events.is_activity(packet):
                    self._activate()
                # connect.rejected-data and every close: what lies behind in the buffer has no effect.
                if session.is_over:
                    break
                if isinstance(packet, Connect) and not runtime.rules.connection.reads_behind_connect():
                    self._decoder = Decoder(runtime.rules.codec)
                    break
        except Malformed as malformed:
            runtime.perform(self, session.malformed(str(malformed), runtime.now()))
        self.flush()

    def eof_received(self) -> bool:
        """Close when the client has closed its half: a TLS connection has no other half to stay for."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Settle what the connection leaves behind."""
        for timer in (self._watchdog, self._expiry):
            if timer is not None:
                timer.cancel()
        runtime = self._runtime
        end = End.RESET if isinstance(exc, ConnectionResetError) else End.LOST
        runtime.perform(self, self.session.ended(end, runtime.now()))
        self._leave()
        log.debug("%s = gone (%s)", self._peer, exc or "closed")

    def pause_writing(self) -> None:
        """Hear no more from a client that does not read its answers, or they would pile up."""
        self.is_writable = False
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Hear it again, and send what waited meanwhile."""
        self.is_writable = True
        self._transport.resume_reading()
        if self._identity_key is not None:
            self._runtime.writable(self._identity_key)

    # What the runtime asks for

    def admitted(self, admission: Admit) -> None:
        """Start the timers of an accepted connection."""
        self._identity_key = admission.identity_key
        self._silence = admission.silence
        self._rearm(self._silence)
        if admission.ends_at is not None:
            delay = max(0.0, admission.ends_at - self._runtime.now())
            self._expiry = self._loop.call_later(delay, self.drop, End.TOKEN_EXPIRED)

    def send(self, packet: FromServer) -> None:
        """Send a packet, together with others of the same turn."""
        if self._is_traced:
            log.debug("%s ← %s", self._peer, describe(packet))
        self._outgoing.append(self._runtime.rules.codec.outgoing(packet))

    def flush(self) -> None:
        """Write what was sent since the last time."""
        if self._outgoing:
            data = b"".join(self._outgoing)
            self._outgoing.clear()
            if not self._transport.is_closing():
                self._transport.write(data)
                if not self.is_writable and self._transport.get_write_buffer_size() > MAX_UNREAD:
                    self.drop(End.DEAF)

    def close(self, because: str) -> None:
        """Send what is due and close."""
        log.info("%s = closed by the hub: %s", self._peer, because)
        self.flush()
        self._transport.close()
        self._leave()

    def drop(self, end: End) -> None:
        """End the connection for a reason that no packet of its own gave."""
        runtime = self._runtime
        effects = self.session.ended(end, runtime.now())
        self.close(end.value)
        runtime.perform(self, effects)

    # Timers

    def _rearm(self, delay: float) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._watchdog = self._loop.call_later(delay, self._keep_alive_is_due)

    def _keep_alive_is_due(self) -> None:
        """connection.keep-alive: one timer sleeps through many packets and then looks at the last one."""
        left = self._heard + self._silence - self._loop.time()
        if left > 0:
            self._rearm(left)
        else:
            self.drop(End.KEEP_ALIVE)

    def _connect_is_due(self) -> None:
        if self.session.is_new:
            self.drop(End.ERROR)

    def _activate(self) -> None:
        if self._identity_key is not None:
            self._is_active = True
            self._runtime.active(self._identity_key)

    def _leave(self) -> None:
        """Stop being the identity's connection; the network may take a moment longer."""
        if self._identity_key is not None:
            self._runtime.left(self._identity_key, self)
            self._identity_key = None
