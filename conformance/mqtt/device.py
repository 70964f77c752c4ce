"""A device as tests meet it: its connections, and what it tries."""

from collections.abc import Callable, Sequence
from typing import Final, TypedDict, Unpack

from conformance.errors import TargetUnreachable, Violation
from conformance.evidence.case import Evidence
from conformance.mqtt import raw_packets
from conformance.mqtt.connection import Connection
from conformance.mqtt.connector import Dialer, Line
from conformance.mqtt.conversation import ACCEPTED, NO_ANSWER, SILENCE, Conversation
from conformance.mqtt.endpoint import Endpoint
from conformance.mqtt.fields import NO_CERTIFICATE, NO_PASSWORD, NO_USERNAME, Absent, Will
from conformance.mqtt.login import Bearer
from conformance.mqtt.own_member import OwnMember
from conformance.mqtt.packets import Connack
from conformance.mqtt.paho_client import Speaker
from conformance.mqtt.raw import RawConnection
from conformance.mqtt.raw_websocket import RawWebSocket
from conformance.mqtt.reactor import Reactor
from conformance.mqtt.tls import VERSIONS, HandshakeFailed
from conformance.mqtt.websocket import SUBPROTOCOL, WebSocket
from conformance.target.certificates import ClientCertificate
from conformance.target.credentials import Identity, Secret

# The clause about a CONNECT without an answer.
CONNECT_ANSWERED: Final = "connect.answered"
# The outcome of a WebSocket on which a right CONNECT gets no answer.
NO_CONNACK: Final = "no connack"


class Attempt(TypedDict, total=False):
    """What an attempt may have other than the device's own; None or absent is the device's own.

    With `manual_acknowledgement` messages get no PUBACK but by `Connection.acknowledge`. `ciphers` are the
    only suites to offer, of TLS 1.2, which is then the only version. `over` is a WebSocket to connect over;
    with None, TLS alone is spoken on the MQTT port.
    """

    client_id: str | None
    username: str | Absent | None
    password: Secret | Absent | None
    clean_session: bool
    keep_alive: int
    will: Will | None
    manual_acknowledgement: bool
    tls_version: str | None
    ciphers: Sequence[str] | None
    certificate: ClientCertificate | Absent | None
    over: WebSocket | None


class Device(Bearer):
    """One identity of the hub, a device or a module of one, its connections and its attempts at one.

    `host` is the hub's name in Username and token, `certificate` what it presents. Where a test says nothing
    else it connects `over` a WebSocket, or TLS alone, and with `clean_session`. Connections write to
    `evidence`; `close` ends them all.
    """

    def __init__(
        self,
        identity: Identity,
        endpoint: Endpoint,
        reactor: Reactor,
        evidence: Evidence,
        *,
        host: str = "",
        certificate: ClientCertificate | None = None,
        over: WebSocket | None = None,
        clean_session: bool = True,
        own_member: OwnMember | None = None,
    ) -> None:
        super().__init__(
            identity,
            host or endpoint.host,
            certificate,
            endpoint.clock_ahead,
            clean_session=clean_session,
            own_member=own_member,
        )
        self._over = over
        self._endpoint = endpoint
        self._reactor = reactor
        self._dialer = Dialer(identity.id, endpoint, reactor, evidence)
        self._open: list[Conversation] = []

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        """Every connection that was opened for this device, the first one first, until `close`."""
        return tuple(self._open)

    # -- connections

    def connect(self, **attempt: Unpack[Attempt]) -> Connection:
        """Open a connection; raises Violation ("connack 5", "closed", "silence", …) if it is not accepted."""
        try:
            connection = self._speak(attempt)
        except HandshakeFailed as failure:
            failure.require_offer()
            raise self._not_accepted(failure.word, failure.detail) from None
        outcome, actual = connection.answer_to_connect()
        if outcome != ACCEPTED:
            raise self._not_accepted(outcome, actual)
        connection.stay_alive()
        return connection

    def raw(self, *, tls_version: str | None = None) -> RawConnection:
        """Open a connection on which nothing has been sent; `tls_version` is the only one it offers."""
        line = self._line(tls_version=tls_version, over=self._over)
        raw = (
            RawConnection(self, line.channel, self._endpoint.timeouts, line.tls_version)
            if self._over is None
            else RawWebSocket(self, line, self._endpoint.timeouts)
        )
        self._open.append(raw)
        return raw

    def websocket(self, wanted: WebSocket = WebSocket()) -> RawWebSocket:  # noqa: B008 - a value
        """Open a WebSocket on which nothing has been sent; raises Violation if the hub opens none."""
        raw = RawWebSocket(self, self._line(over=wanted), self._endpoint.timeouts)
        self._open.append(raw)
        return raw

    def websocket_connected(self) -> RawWebSocket:
        """Open a WebSocket without paho on which the CONNECT of this device has been accepted."""
        raw = self.websocket()
        raw.connect()
        return raw

    def raw_connected(
        self, *, clean_session: bool | None = None, keep_alive: int = 60, will: Will | None = None
    ) -> RawConnection:
        """Open a connection without paho on which the CONNECT of this device has been accepted."""
        raw = self.raw()
        raw.connect(clean_session=clean_session, keep_alive=keep_alive, will=will)
        return raw

    def close(self) -> None:
        """End every connection that this object opened and that is still open."""
        while self._open:
            self._open.pop().close()

    # -- attempts

    def attempt(self, **attempt: Unpack[Attempt]) -> str:
        """Try to connect; return "accepted", "connack 5", "closed", "tls refused" or "silence"."""
        return self._try(attempt, lambda _connection: ACCEPTED)

    def attempt_and_drop(self, **attempt: Unpack[Attempt]) -> str:
        """Try to connect and leave without DISCONNECT; return "accepted", "connack 5" and the like."""

        def drop(connection: Connection) -> str:
            connection.drop()
            return ACCEPTED

        return self._try(attempt, drop, leave=False)

    def attempt_to_publish(self, **attempt: Unpack[Attempt]) -> str:
        """Try to connect and to publish with QoS 1: "connack 5", or "accepted, puback" and the like."""

        def publish(connection: Connection) -> str:
            connection.send(self.topics.events, b"attempt", qos=1)
            return f"{ACCEPTED}, {connection.answer()}"

        return self._try(attempt, publish)

    def websocket_outcome(self, wanted: WebSocket) -> str:
        """Ask for a WebSocket and send a right CONNECT on it.

        Returns "http 400" and the like, "closed", "no connack" where the WebSocket opens and no more comes,
        "silence" where not even that does, "accepted" or the word of another packet.
        """
        try:
            connection = self._speak({"over": wanted})
        except HandshakeFailed as failure:
            return failure.word
        outcome, _ = connection.answer_to_connect()
        connection.close()
        return NO_CONNACK if outcome == SILENCE else outcome

    def websocket_versions(self, wanted: WebSocket) -> str:
        """Ask for a WebSocket; return how it is refused and which versions the refusal names.

        "http 426, versions 13", "http 400, no versions"; "open" where it is not refused.
        """
        try:
            self._dialer.open(certificate=self.certificate, over=wanted).channel.close()
        except HandshakeFailed as failure:
            return f"{failure.word}, {f'versions {failure.versions}' if failure.versions else 'no versions'}"
        return "open"

    def websocket_choice(self, wanted: WebSocket) -> str:
        """Ask for a WebSocket with the subprotocol mqtt in some spelling, and send a right CONNECT on it.

        Returns what became of the subprotocol, then of the session: "subprotocol as offered; accepted", where
        a PINGREQ was answered too, "no subprotocol; no connack"; or "http 400" and the like where no
        WebSocket opens.
        """
        try:
            connection = self._speak({"over": wanted})
        except HandshakeFailed as failure:
            return failure.word
        outcome, _ = connection.answer_to_connect()
        if outcome == ACCEPTED:
            # What waits for the device in a session that goes on may come too.
            further = [
                each for each in connection.outcome().split(", ") if each not in {NO_ANSWER, "publish"}
            ]
            outcome = ", ".join((ACCEPTED, *further))
        connection.close()
        chosen = connection.subprotocol
        # One that was not offered opens no WebSocket: `read_answer` sees to that.
        as_offered = chosen is not None and chosen.lower() == SUBPROTOCOL
        told = "no subprotocol" if chosen is None else f"subprotocol {'as offered' if as_offered else chosen}"
        return f"{told}; {NO_CONNACK if outcome == SILENCE else outcome}"

    def expect_accepted(self, **attempt: Unpack[Attempt]) -> None:
        """Require that a CONNECT is accepted and the session answers a PINGREQ; leave it by DISCONNECT."""
        connection = self.connect(**attempt)
        connection.ping()
        connection.disconnect()

    def expect_refused(self, **attempt: Unpack[Attempt]) -> str:
        """Require that a CONNECT gets no session.

        Returns "connack 5", "closed" or "tls refused".
        """
        try:
            connection = self._speak(attempt)
        except HandshakeFailed as failure:
            failure.require_offer()
            if failure.word == SILENCE:
                raise self._not_accepted(failure.word, failure.detail, "a refusal") from None
            return failure.word
        try:
            return connection.expect_refused()
        finally:
            connection.close()

    def expect_no_plaintext_session(self, *, port: int) -> str:
        """Require that a clear-text CONNECT without credentials to this port gets no CONNACK of any code.

        Returns what happened: "refused" (by TCP), "closed", "silence", or other packets in words. No token is
        sent in clear.
        """
        try:
            channel = self._dialer.open_in_clear(port)
        except TargetUnreachable:
            return "refused"
        raw = RawConnection(self, channel, self._endpoint.timeouts, None)
        self._open.append(raw)
        raw.send(
            raw_packets.packet(0x10, raw_packets.text("MQTT"), b"\x04\x02\x00\x3c", raw_packets.text(self.id))
        )
        outcome, actual = raw.answer_to_connect()
        raw.close()
        if any(isinstance(packet, Connack) for packet in raw.received):
            expected = "no CONNACK of any code without TLS"
            observed = "connack 0" if outcome == ACCEPTED else outcome
            raise Violation(
                f"expected {expected}; got {actual}", observed=observed, expected=expected, actual=actual
            )
        return outcome

    def handshake_outcome(self, version: str | None = None, *, ciphers: Sequence[str] | None = None) -> str:
        """Offer one TLS version alone, or these cipher suites of TLS 1.2 alone.

        Returns "accepted", "tls refused", "closed" or "client cannot offer it".
        """
        outcome = self.negotiated(version, ciphers=ciphers)
        return ACCEPTED if outcome in VERSIONS else outcome

    def negotiated(
        self, version: str | None = None, *, ciphers: Sequence[str] | None = None, named: bool = True
    ) -> str:
        """Return the TLS version that the hub chooses, "TLSv1.2", or the word for why there is none.

        Offered are TLS 1.2 and what is newer, where nothing else is said; unless `named`, without the hub's
        name (SNI).
        """
        try:
            with self._dialer.handshake(self._endpoint.port, version, ciphers, named=named) as sock:
                return str(sock.version())
        except HandshakeFailed as failure:
            return failure.word

    # -- how

    def _try(self, attempt: Attempt, then: Callable[[Connection], str], *, leave: bool = True) -> str:
        try:
            connection = self._speak(attempt)
        except HandshakeFailed as failure:
            return failure.word
        outcome, actual = connection.answer_to_connect()
        if outcome == SILENCE:
            connection.unanswered(CONNECT_ANSWERED, actual)
        if outcome != ACCEPTED:
            connection.close()
            return outcome
        outcome = then(connection)
        if leave and not outcome.endswith("closed"):
            connection.disconnect()
        return outcome

    def _speak(self, attempt: Attempt) -> Connection:
        username, password = attempt.get("username"), attempt.get("password")
        keep_alive = attempt.get("keep_alive", 60)
        client_id = attempt.get("client_id")
        certificate = attempt.get("certificate") or self.certificate

        def speaker(write: Callable[[bytes], None]) -> Speaker:
            token = self.password() if password is None else password
            return Speaker(
                write,
                client_id=self.id if client_id is None else client_id,
                username=None
                if isinstance(username, Absent)
                else self.username
                if username is None
                else username,
                password=None if isinstance(token, Absent) else token.reveal(),
                clean_session=attempt.get("clean_session", self.clean_session),
                will=attempt.get("will"),
                manual_acknowledgement=attempt.get("manual_acknowledgement", False),
            )

        line = self._dialer.open(
            tls_version=attempt.get("tls_version"),
            ciphers=attempt.get("ciphers"),
            certificate=None if isinstance(certificate, Absent) else certificate,
            over=attempt.get("over", self._over),
        )
        connection = Connection(
            self, line.channel, self._reactor, self._endpoint.timeouts, speaker, keep_alive, line.subprotocol
        )
        connection.clean_session = attempt.get("clean_session", self.clean_session)
        self._open.append(connection)
        return connection

    def _line(self, *, tls_version: str | None = None, over: WebSocket | None = None) -> Line:
        try:
            return self._dialer.open(tls_version=tls_version, certificate=self.certificate, over=over)
        except HandshakeFailed as failure:
            failure.require_offer()
            raise self._not_accepted(failure.word, failure.detail) from None

    def _not_accepted(self, observed: str, actual: str, expected: str = "") -> Violation:
        expected = expected or f"CONNACK with code 0 within {self._endpoint.timeouts.connect:g} s"
        actual = " ".join(actual.split())
        return Violation(
            f"expected {expected}; got {actual}", observed=observed, expected=expected, actual=actual
        )


__all__ = ["NO_CERTIFICATE", "NO_PASSWORD", "NO_USERNAME", "Attempt", "Device"]
