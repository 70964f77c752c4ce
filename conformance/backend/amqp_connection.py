"""One connection of azure-eventhub's private AMQP client, driven with deadlines.

The client's own loops have none, sleep 50 ms a step, send without credit and do not understand a message that
is released. So of the client only connection, session, claims-based security and links are used, here and in
`conformance.backend.pyamqp`, and nowhere else. Opening takes 12 ms, a message 0.5 ms.

What AMQP's words mean: "Advanced Message Queuing Protocol 1.0", part 2 (links, credit), part 3.4 (outcomes).
"""

import selectors
import socket
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, Final, Literal

from conformance.backend.amqp import AmqpEndpoint, Incoming, Outgoing, Settlement
from conformance.backend.bounded import limited
from conformance.backend.pyamqp import (
    UNAUTHORISED,
    body_of,
    close_client,
    encoded,
    new_client,
    refusal,
    settlement,
    source_of,
    text,
    translated,
)
from conformance.errors import CredentialsRefused, ServiceError, TargetUnreachable

# A hub drops a connection that is silent for four minutes, and answers nobody on it before.
SILENT_TOO_LONG: Final = 60.0
# The client sends a sign of life, if the hub wants any, when it is told to read: this often, in seconds.
SIGN_OF_LIFE: Final = 15.0
# What the client calls an error that the hub gave no condition for.
UNKNOWN: Final = "amqp:unknown-error"
# As many messages may come in before the first is settled, or before more are asked for.
CREDIT: Final = 100
OK: Final = 200
# So many frames may wait unread on a connection that nobody used for a while; behind more it is of no use.
WAITING_FRAMES: Final = 1000
# Whoever opens a connection has given up by then, in seconds beyond the endpoint's timeout.
GIVEN_UP: Final = 1.0


class Receiver:
    """A link from an address, on which messages come in."""

    def __init__(self, connection: "Connection", link: Any, arrived: deque[Incoming]) -> None:
        self._connection = connection
        self._link = link
        self._arrived = arrived

    def next(self, within: float) -> Incoming | None:
        """Return the next message, or None if none comes within so many seconds."""
        self._connection.wait(lambda: bool(self._arrived) or self._is_lost(), within)
        return self._arrived.popleft() if self._arrived else None

    def settle(self, message: Incoming, outcome: Literal["accepted", "released"]) -> None:
        """Keep the message, or give it back for another receiver."""
        from azure.eventhub._pyamqp.outcomes import Accepted, Released  # noqa: PLC0415 - see `new_client`

        with self._connection.in_suites_terms():
            self._link.send_disposition(
                first_delivery_id=message.number,
                delivery_tag=message.tag,
                settled=True,
                delivery_state=Accepted() if outcome == "accepted" else Released(),
            )

    def stop(self) -> None:
        """Let no more come: what is given back from now on goes to others."""
        with self._connection.in_suites_terms():
            self._link.flow(link_credit=0)

    def close(self) -> None:
        """End the link and wait until the hub has seen that: nothing is left locked to us."""
        self.stop()
        while self._arrived:
            self.settle(self._arrived.popleft(), "released")
        self._connection.detach(self._link)

    def _is_lost(self) -> bool:
        """Raise if the hub ended the link."""
        self._link.get_state()
        return False


class Stream:
    """A link from an address on which messages come in that need no settling."""

    def __init__(self, connection: "Connection", link: Any) -> None:
        self._connection = connection
        self._link = link

    def go_on(self) -> None:
        """Let more come; raises what the hub ended the link with."""
        self._link.get_state()
        if self._link.current_link_credit < CREDIT // 2:
            self._link.flow(link_credit=CREDIT)

    def close(self) -> None:
        """End the link and wait until the hub has seen that: it admits five at a time."""
        self._connection.detach(self._link)


class Connection:
    """A connection, its session, and its links by address."""

    def __init__(self, endpoint: AmqpEndpoint, client: Any, clock: Callable[[], float]) -> None:
        self._endpoint = endpoint
        self._client = client
        self._clock = clock
        self._senders: dict[str, Any] = {}
        self._used = clock()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket(), selectors.EVENT_READ)
        self._bell, self._heard = socket.socketpair()
        self._selector.register(self._heard, selectors.EVENT_READ)

    def is_usable(self) -> bool:
        """Tell whether messages can still pass, after a look at what the hub has sent meanwhile."""
        if self._clock() - self._used > SILENT_TOO_LONG:
            return False
        try:
            with limited(self._endpoint.timeout):
                for _ in range(WAITING_FRAMES):
                    if not self._is_readable(0):
                        break
                    self._client._connection.listen(wait=False)  # noqa: SLF001 - the private client
                else:
                    return False
            self._authorise()
        except Exception:  # noqa: BLE001 - whatever it is, the next connection will tell
            return False
        return not self._is_closed() and self._client._session.state.name == "MAPPED"  # noqa: SLF001 - likewise

    def authorise(self) -> None:
        """Put the token, and again before it ends."""
        with self.in_suites_terms():
            self._authorise()

    def send(self, address: str, message: Outgoing, within: float) -> Settlement:
        """Send a message over the link to its address."""
        with self.in_suites_terms():
            link = self._senders.get(address)
            if link is None or link.state.name != "ATTACHED":
                link = self._senders[address] = self._sender(address)
            settled: list[Settlement] = []

            def settle(_reason: object, state: Any) -> None:
                # Without a state the client only says that link or connection ended; that is seen below.
                if state is not None:
                    settled.append(settlement(state))

            end = self._clock() + within
            # A message without credit is a protocol error [AMQP 1.0, 2.6.7].
            self._until(lambda: link.current_link_credit > 0 or self._ended(link, settled), end)
            if not settled:
                link.send_transfer(encoded(message), on_send_complete=settle)
                self._until(lambda: self._ended(link, settled) or bool(settled), end)
            if settled[0].outcome == "detached":
                del self._senders[address]
            if settled[0].condition == UNAUTHORISED:
                raise refusal(self._endpoint)
            return settled[0]

    def receiver(self, address: str) -> Receiver:
        """Open a link from an address and let messages come."""
        arrived: deque[Incoming] = deque()

        def arrive(frame: Any, message: Any) -> None:
            own = {} if message.properties is None else message.properties._asdict()
            arrived.append(Incoming(body=body_of(message), number=frame[1], tag=frame[2], properties=own))

        return Receiver(self, self._receiver(address, arrive), arrived)

    def stream(self, address: str, selector: str, arrive: Callable[[Any], None]) -> "Stream":
        """Open a link from an address whose messages need no settling; `arrive` takes each as it comes."""
        return Stream(self, self._receiver(source_of(address, selector), lambda _, message: arrive(message)))

    def sender(self, address: str) -> None:
        """Open the link to an address that `send` takes."""
        with self.in_suites_terms():
            self._senders[address] = self._sender(address)

    def ask(self, node: str, question: Mapping[str, str], within: float) -> Any:
        """Return the answer of a node that is asked by a message: what its one value says.

        Raises ServiceError if there is none in time, or one of another status than 200.
        """
        answers: list[Any] = []
        back = f"answers-{uuid.uuid4().hex}"
        link = self._receiver(node, lambda _, message: answers.append(message), target_address=back)
        token = self._client._auth.get_token().token  # noqa: SLF001 - the private client
        asked = Outgoing(
            body=b"",
            properties={"message_id": uuid.uuid4().hex, "reply_to": back},
            application_properties={**question, "security_token": token},
        )
        settlement = self.send(node, asked, within)
        if settlement.outcome != "accepted" or not self.wait(lambda: bool(answers), within):
            raise ServiceError(f"{self._endpoint.what}: {node} gave no answer ({settlement}).")
        self.detach(link)
        status = {text(name): value for name, value in (answers[0].application_properties or {}).items()}
        code = status.get("status-code", status.get("statusCode"))
        if code != OK:
            said = text(status.get("status-description", status.get("statusDescription", "")))
            raise ServiceError(f"{self._endpoint.what}: {node} answered {code}, {said}.")
        return answers[0].value

    def _receiver(self, source: Any, arrive: Callable[[Any, Any], None], **more: Any) -> Any:
        from azure.eventhub._pyamqp.constants import ReceiverSettleMode, SenderSettleMode  # noqa: PLC0415

        with self.in_suites_terms():
            link = self._client._session.create_receiver_link(  # noqa: SLF001 - the private client
                source_address=source,
                link_credit=0,
                send_settle_mode=SenderSettleMode.Unsettled,
                rcv_settle_mode=ReceiverSettleMode.First,
                on_transfer=arrive,
                **more,
            )
            self._attach(link)
            link.flow(link_credit=CREDIT)
        return link

    def wait(self, condition: Callable[[], bool], within: float) -> bool:
        """Take in what the hub sends until the condition holds; False if it does not in time."""
        with self.in_suites_terms():
            return self._pump(condition, self._clock() + within)

    def wake(self) -> None:
        """Have whoever waits in another thread look at its condition now."""
        with suppress(OSError):  # closed meanwhile
            self._bell.send(b"!")

    def detach(self, link: Any) -> None:
        """End a link in order."""
        with self.in_suites_terms():
            link.detach(close=True)
            end = self._clock() + self._endpoint.timeout
            self._until(lambda: link.state.name in {"DETACHED", "ERROR"}, end)

    def close(self) -> None:
        """End the connection; the hub need not answer."""
        self._selector.close()
        self._bell.close()
        self._heard.close()
        close_client(self._client)

    @contextmanager
    def in_suites_terms(self) -> Iterator[None]:
        """Turn the client's errors into the suite's."""
        try:
            yield
        except (CredentialsRefused, ServiceError):
            raise
        except Exception as error:  # noqa: BLE001 - the private client raises whatever it meets
            raise translated(error, self._endpoint) from None

    def _authorise(self) -> None:
        self._until(self._client.client_ready, self._clock() + self._endpoint.timeout)

    def _sender(self, address: str) -> Any:
        from azure.eventhub._pyamqp.constants import ReceiverSettleMode, SenderSettleMode  # noqa: PLC0415

        link = self._client._session.create_sender_link(  # noqa: SLF001 - the private client
            target_address=address,
            link_credit=0,
            send_settle_mode=SenderSettleMode.Unsettled,
            rcv_settle_mode=ReceiverSettleMode.First,
        )
        self._attach(link)
        return link

    def _attach(self, link: Any) -> None:
        link.attach()
        # `get_state` raises what the hub refused the link with.
        self._until(lambda: link.get_state().name == "ATTACHED", self._clock() + self._endpoint.timeout)

    def _ended(self, link: Any, settled: list[Settlement]) -> bool:
        """Tell whether the hub ended the link, and settle the message in that sense."""
        error = link._error  # noqa: SLF001 - the private client
        if error is None:
            return False
        condition = text(error.condition)
        # The client makes up a condition where the hub gave none.
        known = "" if condition == UNKNOWN else condition
        settled.append(
            Settlement(outcome="detached", condition=known, description=text(error.description or ""))
        )
        return True

    def _until(self, condition: Callable[[], bool], end: float) -> None:
        within = end - self._clock()
        if not self._pump(condition, end):
            raise ServiceError(f"{self._endpoint.what}: no answer within {within:.1f} s.")

    def _pump(self, condition: Callable[[], bool], end: float) -> bool:
        # The client reads a frame to its end, however slowly that comes: its sockets keep to the limit.
        with limited(max(end - self._clock(), 0.0)):
            return self._pump_until(condition, end)

    def _pump_until(self, condition: Callable[[], bool], end: float) -> bool:
        while not condition():
            left = end - self._clock()
            if left <= 0:
                return False
            if self._is_closed():
                raise ServiceError(f"{self._endpoint.what}: the hub closed the connection{self._why()}.")
            is_readable = self._is_readable(min(left, SIGN_OF_LIFE))
            if is_readable or self._clock() - self._used >= SIGN_OF_LIFE:
                self._client._connection.listen(wait=False)  # noqa: SLF001 - the private client
                self._used = self._clock()
        return True

    def _is_readable(self, within: float) -> bool:
        sock = self._socket()
        if sock.pending():
            return True
        ready = [key.fileobj for key, _ in self._selector.select(within)]
        if self._heard in ready:
            self._heard.recv(4096)
        return sock in ready

    def _socket(self) -> Any:
        sock = self._client._connection._transport.sock  # noqa: SLF001 - the private client
        if sock is None:
            raise ServiceError(f"{self._endpoint.what}: the connection is closed.")
        return sock

    def _why(self) -> str:
        error = self._client._connection._error  # noqa: SLF001 - the private client
        return "" if error is None else f", {text(error.condition)}"

    def _is_closed(self) -> bool:
        connection = self._client._connection  # noqa: SLF001 - the private client
        return connection is None or connection.state.name in {"CLOSE_RCVD", "END"}


def open_connection(endpoint: AmqpEndpoint, clock: Callable[[], float]) -> Connection:
    """Open a connection within the endpoint's timeout.

    The client connects without a deadline: it does so in a thread that may be left behind for a moment. The
    import of azure.eventhub costs 0.4 s, so it happens here, in the process that needs it.
    """
    opening: Future[Any] = Future()

    def connect() -> None:
        try:
            with limited(endpoint.timeout + GIVEN_UP):
                opening.set_result(_opened(endpoint))
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits
            opening.set_exception(error)

    threading.Thread(target=connect, name="amqp-open", daemon=True).start()
    try:
        client = opening.result(endpoint.timeout)
    except TimeoutError:
        opening.add_done_callback(_close_late)
        raise ServiceError(
            f"{endpoint.what}: no answer within {endpoint.timeout:g} s. {endpoint.if_silent}"
        ) from None
    except TargetUnreachable as error:
        raise ServiceError(f"{endpoint.what}: {error}") from None
    except Exception as error:  # noqa: BLE001 - the private client raises whatever it meets
        raise translated(error, endpoint, endpoint.if_silent) from None
    connection = Connection(endpoint, client, clock)
    try:
        connection.authorise()
    except BaseException:
        connection.close()
        raise
    return connection


def _opened(endpoint: AmqpEndpoint) -> Any:
    client = new_client(endpoint)
    try:
        client._connection.open()  # noqa: SLF001 - the private client
        client.open()
    except BaseException:
        close_client(client)
        raise
    return client


def _close_late(opening: "Future[Any]") -> None:
    if opening.exception() is None:
        close_client(opening.result())
