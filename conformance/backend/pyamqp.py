"""The AMQP client inside azure-eventhub, `azure.eventhub._pyamqp`, which is private: its values and ours.

The import of azure.eventhub costs 0.4 s, so it happens where a connection is opened, in the process that
needs one.
"""

import base64
import logging
import socket
import ssl
import time
from contextlib import suppress
from typing import Any, Final

from conformance.backend.amqp import AmqpEndpoint, LinkRedirected, Outgoing, Settlement
from conformance.backend.bounded import BoundedSocket, bounded
from conformance.backend.call_log import cut
from conformance.backend.rest import IF_LOCAL_IS_DISABLED
from conformance.backend.tier import speaks_of_tier
from conformance.errors import CredentialsRefused, NotInTier, ServiceError
from conformance.mqtt.route import bare
from conformance.report.redaction import redact
from conformance.target.credentials import SasToken, Secret, sas_token

TOKEN_LIFE: Final = 3600
TOKEN_TYPE: Final = "servicebus.windows.net:sastoken"  # noqa: S105 - the name of a kind

# What a link is refused with where a policy lacks the right for it [AMQP 1.0, 2.8.15].
UNAUTHORISED: Final = "amqp:unauthorized-access"
# What `$cbs` answers to a token that opens nothing; any other status is trouble of its own.
REFUSED: Final = frozenset({401, 403})

# The client asks for frames of 64 KB at most. What announces a larger one says nothing that can be read.
LARGEST_FRAME: Final = 1024 * 1024
HEAD_OF_FRAME: Final = 8

# How long one read or write may block; what waits for an answer waits for the socket to be readable first.
SOCKET_TIMEOUT: Final = 0.2


class FrameSizes:
    """Follows a stream of frames by their heads [AMQP 1.0, 2.3.1]: four bytes say how long a frame is."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._left = 0

    def follow(self, data: memoryview) -> None:
        """Take note of bytes that came; raises OSError for a frame that is too large."""
        while data:
            if self._left:
                taken = min(self._left, len(data))
                self._left -= taken
            else:
                taken = min(HEAD_OF_FRAME - len(self._head), len(data))
                self._head += data[:taken]
                if len(self._head) == HEAD_OF_FRAME:
                    self._begin()
            data = data[taken:]

    def _begin(self) -> None:
        # A protocol header is eight bytes too, and nothing comes behind it.
        size = HEAD_OF_FRAME if self._head.startswith(b"AMQP") else int.from_bytes(self._head[:4])
        self._head.clear()
        if size > LARGEST_FRAME:
            raise OSError(f"the hub announces a frame of {size} bytes")
        self._left = max(size - HEAD_OF_FRAME, 0)


class FrameSocket(BoundedSocket):
    """A socket of the client that refuses a frame at its head, where that announces too many bytes.

    The client makes room for a whole frame before it reads on.
    """

    # Python makes such sockets without calling `__init__`.
    _sizes: FrameSizes | None = None

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Read as `ssl.SSLSocket` does; raises OSError behind the head of a frame that is too large."""
        if self._sizes is None:
            self._sizes = FrameSizes()
        count = super().recv_into(buffer, nbytes, flags)
        self._sizes.follow(memoryview(buffer)[:count])
        return count


def new_client(endpoint: AmqpEndpoint) -> Any:
    """Return a client that is not connected yet: connection, session and token, without links."""
    from azure.eventhub._pyamqp.client import AMQPClient  # noqa: PLC0415 - see above

    # It warns of what is raised here as well.
    logging.getLogger("azure.eventhub").setLevel(logging.ERROR)
    client = AMQPClient(  # type: ignore[no-untyped-call] # the private client has no types
        endpoint.access.host,
        auth=_authentication(endpoint),
        auth_timeout=endpoint.timeout,
        use_tls=True,
        socket_timeout=SOCKET_TIMEOUT,
    )
    client._connection = _connection(client, endpoint)  # noqa: SLF001 - else it makes one without a route
    return client


def _authentication(endpoint: AmqpEndpoint) -> Any:
    """Return how the client proves itself: to `$cbs`, or by SASL PLAIN as the page on AMQP has it."""
    from azure.eventhub._pyamqp.authentication import (  # noqa: PLC0415 - see above
        AccessToken,
        JWTTokenAuth,
        SASLPlainAuth,
    )

    access = endpoint.access
    if access.entity is None:
        resource, key = access.host_name, access.key
    else:
        # Clients of Event Hubs sign with the text of the key, not with the bytes that it stands for.
        resource = f"sb://{access.host}/{access.entity}"
        key = Secret(base64.b64encode(access.key.reveal().encode()).decode("ascii"))

    def signed(resource: str) -> Any:
        expiry = int(time.time() + TOKEN_LIFE)
        made: SasToken = sas_token(
            resource, key, expiry=expiry + round(endpoint.clock_ahead), policy=access.policy
        )
        # The client renews it by the clock of this machine.
        return AccessToken(made.reveal(), expiry)

    if endpoint.plain_for is not None:
        name = f"{access.policy}@sas.root.{bare(access.host).partition('.')[0]}"
        return SASLPlainAuth(name, signed(f"{resource}{endpoint.plain_for}").token)
    # The class is for any token that a function returns, whatever its kind.
    return JWTTokenAuth(resource, resource, lambda: signed(resource), token_type=TOKEN_TYPE)


def _connection(client: Any, endpoint: AmqpEndpoint) -> Any:
    """Return a connection of the client, not open yet, whose TCP takes the endpoint's route."""
    from azure.eventhub._pyamqp._connection import Connection  # noqa: PLC0415 - see above
    from azure.eventhub._pyamqp.sasl import SASLTransport  # noqa: PLC0415 - see above

    host = endpoint.access.host

    class RoutedTransport(SASLTransport):
        def connect(self) -> None:
            sock: Any = endpoint.route.open(host, endpoint.port, endpoint.timeout)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(None)
            self.sock = sock
            try:
                self._setup_transport()  # type: ignore[no-untyped-call] # likewise
            except BaseException:
                sock.close()
                self.sock = None
                raise
            secured: Any = self.sock
            secured.settimeout(self.socket_timeout)
            self.connected = True

    transport = RoutedTransport(  # type: ignore[no-untyped-call] # likewise
        host,
        client._auth.sasl,  # noqa: SLF001 - the private client
        port=endpoint.port,
        socket_timeout=SOCKET_TIMEOUT,
        ssl_opts={"context": bounded(ssl.create_default_context(cafile=endpoint.ca_file), FrameSocket)},
        network_trace_params={},
    )
    transport.sslopts["server_hostname"] = bare(host)
    # What the client itself would say of frames, channels and idle time.
    own = ("max_frame_size", "channel_max", "idle_timeout", "properties")
    return Connection(
        f"amqps://{host}",
        transport=transport,
        container_id=client._name,  # noqa: SLF001 - the private client
        socket_timeout=SOCKET_TIMEOUT,
        **{name: getattr(client, f"_{name}") for name in own},
    )


def source_of(address: str, selector: str = "") -> Any:
    """Return the source of a link; `selector` says which of its messages, in Event Hubs' own words."""
    from azure.eventhub._pyamqp.endpoints import ApacheFilters, Source  # noqa: PLC0415 - see above
    from azure.eventhub._pyamqp.utils import amqp_string_value  # noqa: PLC0415 - see above

    # The client's class fills in the rest itself, which its types do not say.
    source = Source(address=address, filters={})  # type: ignore[call-arg]
    if selector:
        name = ApacheFilters.selector_filter
        source.filters[name] = (name, amqp_string_value(selector))  # type: ignore[no-untyped-call] # likewise
    return source


def encoded(message: Outgoing) -> Any:
    """Return the message as the client takes it."""
    from azure.eventhub._pyamqp.message import Message, Properties  # noqa: PLC0415 - see above

    return Message(
        properties=Properties(**message.properties),
        application_properties=dict[Any, Any](message.application_properties) or None,
        data=[message.body],
    )


def body_of(message: Any) -> bytes:
    """Join the data sections of a message; it may have none."""
    return b"".join(bytes(part) for part in message.data or ())


def settlement(state: Any) -> Settlement:
    """Read a delivery state as the client decodes it: ``{"rejected": [[condition, description, info]]}``."""
    outcome, fields = next(iter(state.items()))
    error = fields[0] if outcome == "rejected" and fields else None
    if not error:
        return Settlement(outcome=outcome)
    return Settlement(
        outcome=outcome,
        condition=text(error[0]),
        description=text(error[1] or "") if len(error) > 1 else "",
    )


def translated(error: Exception, endpoint: AmqpEndpoint, hint: str = "") -> CredentialsRefused | ServiceError:
    """Return the suite's own error for what the client raised; `hint` says what to do next."""
    from azure.eventhub._pyamqp.error import (  # noqa: PLC0415 - see above
        AMQPLinkError,
        AuthenticationException,
        TokenAuthFailure,
    )

    if isinstance(error, TokenAuthFailure) and error.status_code not in REFUSED:
        said = redact(text(error.status_description or ""))
        return ServiceError(f"{endpoint.what}: $cbs answered {error.status_code} {said}".rstrip() + ".")
    # The client has a ValueError for a refusal by SASL, and puts its text into another error.
    shown_by_sasl = endpoint.plain_for is not None and "SASL" in str(error)
    if isinstance(error, AuthenticationException) or shown_by_sasl:
        return refusal(endpoint)
    if isinstance(error, AMQPLinkError):
        return _of_a_link(error, endpoint)
    lines = str(error).splitlines() or [type(error).__name__]
    # The last line of the client's own errors is the cause: "Error Description: … due to exception: CAUSE".
    reason = lines[-1].rpartition("exception: ")[2].strip().rstrip(".")
    return ServiceError(f"{endpoint.what}: {redact(reason)}. {hint}".rstrip())


def _of_a_link(error: Any, endpoint: AmqpEndpoint) -> CredentialsRefused | ServiceError:
    """Return the suite's own error for that with which the hub refused a link, or ended it."""
    from azure.eventhub._pyamqp.error import AMQPLinkRedirect  # noqa: PLC0415 - see above

    condition, description = text(error.condition), text(error.description or "")
    if isinstance(error, AMQPLinkRedirect):
        return LinkRedirected(f"{endpoint.what}: the link is redirected.", cut(error.address))
    if speaks_of_tier(f"{condition} {description}"):
        return NotInTier(f"{endpoint.what}: not in this hub's tier ({condition}).")
    if condition == UNAUTHORISED:
        return refusal(endpoint)
    return ServiceError(f"{endpoint.what}: the link is refused, {condition}.")


def refusal(endpoint: AmqpEndpoint) -> CredentialsRefused:
    """Return what is raised where the endpoint's policy may not do what was asked for."""
    return CredentialsRefused(
        f"{endpoint.what}: the policy '{endpoint.access.policy}' is refused. {endpoint.if_refused} "
        f"{IF_LOCAL_IS_DISABLED}"
    )


def text(value: object) -> str:
    """Return a symbol or a text on one line; the client's own conditions are bytes as well."""
    return cut(bytes(value).decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value))


def close_client(client: Any) -> None:
    """End the connection; what fails at that is of no interest."""
    connection = client._connection  # noqa: SLF001 - the private client
    with suppress(Exception):
        client.close()
    # Where the other side ended the connection first, the client leaves its socket open.
    with suppress(Exception):
        connection._transport.close()  # noqa: SLF001 - likewise
