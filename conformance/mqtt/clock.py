"""What the hub's clock says: by the Date of an HTTPS answer, of the WebSocket upgrade first.

A device has no other way to learn it, and a token that is made by another clock than the hub's may be expired
before it is shown. MQTT 3.1.1 has no field for the time.
"""

import base64
import dataclasses
import os
import time
from typing import Final

from conformance.errors import TargetUnreachable
from conformance.mqtt.endpoint import Endpoint, open_tls
from conformance.mqtt.http_date import unix_time
from conformance.mqtt.tls import HandshakeFailed
from conformance.mqtt.websocket import END_OF_HEAD, WebSocket, exchange, header_fields, request

# A Date is cut to whole seconds: on average it is half a second old.
CUT: Final = 0.5


def clock_ahead(endpoint: Endpoint) -> float | None:
    """Return by how many seconds the hub's clock is ahead of this machine's; None where nothing tells.

    Asks the HTTPS port for a WebSocket, and, if the answer bears no Date, for a page. Any answer will do, a
    refusal too.
    """
    key = base64.b64encode(os.urandom(16)).decode("ascii")
    upgrade = request(WebSocket(), host=endpoint.host, port=endpoint.websocket_port, key=key)
    page = f"GET / HTTP/1.1\r\nHost: {endpoint.host}\r\nConnection: close".encode("ascii") + END_OF_HEAD
    try:
        ahead = _asked(endpoint, upgrade)
        return _asked(endpoint, page) if ahead is None else ahead
    except TargetUnreachable:
        return None


def _asked(endpoint: Endpoint, question: bytes) -> float | None:
    try:
        sock = open_tls(dataclasses.replace(endpoint, port=endpoint.websocket_port))
    except HandshakeFailed:
        return None
    with sock:
        try:
            head, _ = exchange(sock, question, endpoint.timeouts.connect)
        except HandshakeFailed:
            return None
        now = time.time()
    date = unix_time(header_fields(head.decode("latin-1").split("\r\n")[1:]).get("date", ""))
    return None if date is None else date + CUT - now
