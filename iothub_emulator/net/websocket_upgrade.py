"""From an HTTP request to a WebSocket connection: RFC 6455 section 4.2 on top of aiohttp.

aiohttp reads the request and writes the answer. Its own WebSocket is not used: it upgrades without a
subprotocol, takes unmasked frames, and its queue would stand between the network and the endpoint.
"""

import asyncio
import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, cast

from aiohttp import web

from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.net.rules import WEBSOCKET_PATHS, WEBSOCKET_VERSION, ListenerRules
from iothub_emulator.net.websocket import WebSocketConnection

_KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class WebSockets:
    """Answers requests for WebSocket connections; `endpoints` makes what speaks a subprotocol."""

    def __init__(self, rules: ListenerRules, endpoints: Mapping[str, Callable[[], asyncio.Protocol]]) -> None:
        self._rules = rules
        self._endpoints = endpoints

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """Serve a connection to its end; None: the path is not for WebSocket; `Refused`: a bad one."""
        path = self._rules.websocket_path(request.path, request.query_string)
        if path not in WEBSOCKET_PATHS:
            return None
        if not self._rules.accepts_version(request.headers.getall("Sec-WebSocket-Version", [])):
            return _other_version()
        accept = _accept(request, self._rules)
        offered = _tokens(request, "Sec-WebSocket-Protocol")
        subprotocol = self._rules.subprotocol(path, offered)
        if subprotocol is None:
            raise _bad_request(f"No subprotocol is offered that {path} speaks.")
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept}
        returned = self._rules.returned_subprotocol(subprotocol, offered)
        if returned is not None:
            headers["Sec-WebSocket-Protocol"] = returned
        response = web.StreamResponse(status=101, headers=headers)
        await response.prepare(request)
        await self._serve(request, self._endpoints[subprotocol]())
        return response

    async def _serve(self, request: web.BaseRequest, endpoint: asyncio.Protocol) -> None:
        """Take the connection away from HTTP, and give HTTP its end."""
        network = request.transport
        if network is None or network.is_closing():
            return
        http = request.protocol
        tail = _Tail()
        http.set_parser(cast("Any", tail))
        http.keep_alive(False)
        peer = self._rules.describe_peer(network.get_extra_info("ssl_object"))
        if not self._rules.websocket_certificate_counts(request.query_string):
            peer = dict.fromkeys(peer, ())
        connection = WebSocketConnection(network, endpoint, self._rules, peer)
        connection.begin(bytes(tail.data))
        try:
            await connection.lost
        finally:
            if not connection.lost.done():  # the hub stops
                network.abort()
            # To it, the connection was lost just now; without this it would hold it for ever.
            http.connection_lost(None)


class _Tail:
    """Collects what HTTP has read behind the request; aiohttp takes it for a parser of frames."""

    def __init__(self) -> None:
        self.data = bytearray()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        """Nothing waits for it."""


def _other_version() -> web.Response:
    """Return the refusal that names the version spoken here (RFC 6455 section 4.2.2)."""
    return web.Response(
        status=426, headers={"Sec-WebSocket-Version": WEBSOCKET_VERSION, "Connection": "Upgrade"}
    )


def _accept(request: web.BaseRequest, rules: ListenerRules) -> str:
    """Return Sec-WebSocket-Accept for a request that is in order."""
    if request.method != "GET" or request.version != (1, 1):
        raise _bad_request("A WebSocket begins with GET and HTTP/1.1.")
    if not rules.asks_for_websocket(_tokens(request, "Upgrade"), _tokens(request, "Connection")):
        raise _bad_request("The path is for WebSocket alone: Upgrade and Connection do not ask for one.")
    if not rules.accepts_hosts(request.headers.getall("Host", [])):
        raise _bad_request("Host does not name the hub.")
    keys = request.headers.getall("Sec-WebSocket-Key", [])
    if not rules.accepts_key(keys):
        raise _bad_request("Sec-WebSocket-Key is not 16 bytes in base64.")
    digest = hashlib.sha1("".join(keys).encode() + _KEY_SUFFIX, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def _tokens(request: web.BaseRequest, name: str) -> list[str]:
    """Return the parts of a header whose value is a list, however many lines it has."""
    lines = request.headers.getall(name, [])
    return [token.strip() for line in lines for token in line.split(",") if token.strip()]


def _bad_request(message: str) -> Refused:
    return Refused(ErrorCode.IotHubFormatError, message)
