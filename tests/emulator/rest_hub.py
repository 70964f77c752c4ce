"""A hub's REST endpoint on a loopback port, and tokens for it, for the tests of this folder."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from urllib.parse import quote

import httpx
from aiohttp import web
from live_hub import PATIENCE

from iothub_emulator.rest.application import runner
from iothub_emulator.runtime import Runtime

API_VERSION = {"api-version": "2021-04-12"}


class RecordingRuntime(Runtime):
    """A runtime that remembers whose connections it was asked to drop."""

    def __init__(self, rules=None):
        super().__init__(rules=rules)
        self.changed = []

    def identity_changed(self, device_id):
        self.changed.append(device_id)
        super().identity_changed(device_id)


def token(runtime, policy="iothubowner", *, resource="localhost", expires_in=3600.0, key=None, name=None):
    """Return a policy's token for a resource."""
    key = key or runtime.policies[policy].primary_key
    escaped = quote(resource, safe="")
    expiry = int(time.time() + expires_in)
    digest = hmac.digest(base64.b64decode(key), f"{escaped}\n{expiry}".encode(), hashlib.sha256)
    signature = quote(base64.b64encode(digest), safe="")
    return f"SharedAccessSignature sr={escaped}&sig={signature}&se={expiry}&skn={name or policy}"


@contextlib.contextmanager
def serving(runtime, tls=None):
    """Serve a runtime's REST endpoint in a thread; yields the port."""
    loop = asyncio.new_event_loop()
    listening = socket.create_server(("127.0.0.1", 0))

    async def start():
        serving = runner(runtime)
        await serving.setup()
        await web.SockSite(serving, listening, ssl_context=tls).start()
        return serving

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    started = asyncio.run_coroutine_threadsafe(start(), loop).result(PATIENCE)
    try:
        yield listening.getsockname()[1]
    finally:
        # Left to itself aiohttp waits a minute for clients that say nothing.
        asyncio.run_coroutine_threadsafe(started.cleanup(), loop).result(PATIENCE / 2)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


@contextlib.contextmanager
def owner(runtime, port, verify=True):
    """Yield an httpx client that may do everything."""
    scheme = "https" if isinstance(verify, ssl.SSLContext) else "http"
    with httpx.Client(
        base_url=f"{scheme}://localhost:{port}",
        params=API_VERSION,
        headers={"Authorization": token(runtime)},
        verify=verify,
        timeout=PATIENCE,
        trust_env=False,
    ) as client:
        yield client


def error_of(response):
    """Return status and name of an error answer, after checking its shape."""
    document = response.json()
    assert document.keys() == {"Message", "ExceptionMessage"}
    name = response.headers["iothub-errorcode"]
    assert document["Message"].startswith(f"ErrorCode:{name};")
    assert document["ExceptionMessage"].startswith("Tracking ID:")
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    return response.status_code, name


def exchange(port, *chunks, begins_within=PATIENCE):
    """Send raw bytes; return what comes until the server closes, nothing if it does not begin in time."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        with contextlib.suppress(OSError):
            for chunk in chunks:
                connection.sendall(chunk)
        connection.settimeout(begins_within)
        with contextlib.suppress(OSError):
            while data := connection.recv(65536):
                received += data
                connection.settimeout(PATIENCE)
    return received


def last_document(raw):
    """Return the JSON document that ends a raw answer."""
    return json.loads(raw.rpartition(b"\r\n\r\n")[2])
