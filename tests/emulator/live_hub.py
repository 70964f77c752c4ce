"""A hub on loopback ports in a thread, and a client that sends what it is told to."""

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import threading
import time

from mqtt_bytes import client_bytes, published
from sas import token

from iothub_emulator.editions import EDITIONS
from iothub_emulator.hub.packets import Connect, PacketType
from iothub_emulator.net import authority
from iothub_emulator.net.listeners import open_listeners
from iothub_emulator.rules import rules_for
from iothub_emulator.runtime import Runtime
from iothub_emulator.settings import Settings

NOW = dt.datetime.now(dt.UTC)
# Made once: what a hub is trusted for is the same in each test.
AUTHORITY_KEY, RSA_KEY, EC_KEY = (key.result() for key in authority.begin_keys("rsa", "rsa", "ecdsa"))
AUTHORITY = authority.new_authority(AUTHORITY_KEY, NOW)
HUB_KEYS = {"rsa": RSA_KEY, "ecdsa": EC_KEY}

PATIENCE = 60.0
"""Seconds until a test gives up on what has to come: a shared machine may stand still for half a minute."""


NEW_NAME = "emulator.device.azure-devices.net"
"""A name under which TLS 1.3 is spoken too."""


def name_for(context):
    """Return a name of the hub under which this client's newest version is spoken."""
    return NEW_NAME if context.minimum_version is ssl.TLSVersion.TLSv1_3 else "localhost"


class LiveHub:
    """A running hub; `call` runs a function on its loop."""

    def __init__(self, runtime, loop):
        self.runtime = runtime
        self._loop = loop
        self._ahead = 0.0
        clock = loop.time
        loop.time = lambda: clock() + self._ahead
        self.ports = None
        self.context = None
        self.ca_pem = AUTHORITY.pem

    def call(self, function, *arguments):
        async def on_loop():
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(on_loop(), self._loop).result(PATIENCE)

    def let_pass(self, seconds):
        """Put the clock of the hub's timers forward: what is due by then is done."""

        def put_forward():
            self._ahead += seconds

        self.call(put_forward)

    def connect_packet(self, device_id="device-1", *, expires_in=3600, **changes):
        """Return the CONNECT of a device, or of a module by `{device}/{module}`."""
        key = self.runtime.registry.identity(device_id).primary_key
        resource = f"localhost/devices/{device_id.replace('/', '/modules/')}"
        password = token(resource, key or "", int(time.time() + expires_in))
        fields = {
            "client_id": device_id,
            "username": f"localhost/{device_id}/?api-version=2021-04-12",
            "password": password.encode(),
        }
        return Connect("MQTT", 4, **{**fields, **changes})

    def open(self):
        """Return a TLS stream on which nothing was sent yet."""
        plain = socket.create_connection(("127.0.0.1", self.ports.mqtt), timeout=PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Client(self.context.wrap_socket(plain, server_hostname="localhost"))

    @contextlib.contextmanager
    def client(self, *packets):
        """A client that has sent these packets."""
        with contextlib.closing(self.open()) as client:
            client.send(*packets)
            yield client

    @contextlib.contextmanager
    def connected(self, device_id="device-1", **changes):
        """A client whose CONNECT was accepted."""
        with self.client(self.connect_packet(device_id, **changes)) as client:
            assert client.read(4)[:2] == b"\x20\x02"
            yield client


class Client:
    """A TLS stream to the hub."""

    def __init__(self, stream):
        self._stream = stream

    def send(self, *packets):
        """Write packets, or bytes, at once."""
        data = b"".join(packet if isinstance(packet, bytes) else client_bytes(packet) for packet in packets)
        if data:
            self._stream.sendall(data)

    def read(self, count):
        """Return exactly so many bytes, fewer only at the end of the stream."""
        data = b""
        while len(data) < count:
            piece = self._stream.recv(count - len(data))
            if not piece:
                break
            data += piece
        return data

    def message(self):
        """Return the PUBLISH that comes next; anything else fails."""
        first, length, shift = self.read(1), 0, 0
        assert first, "the stream has ended"
        assert first[0] >> 4 == PacketType.PUBLISH, first
        while True:
            (digit,) = self.read(1)
            length |= (digit & 0x7F) << shift
            shift += 7
            if digit < 0x80:
                return published(first[0] & 0x0F, self.read(length))

    def read_to_the_end(self):
        """Return all that comes until the hub closes."""
        data = b""
        with contextlib.suppress(ConnectionError, ssl.SSLEOFError):
            while piece := self._stream.recv(65536):
                data += piece
        return data

    def end(self):
        """Send no more, and stay to read: TCP FIN."""
        # Not SSLSocket.shutdown, which forgets that the stream is TLS.
        socket.socket.shutdown(self._stream, socket.SHUT_WR)

    def reset(self):
        """Go away without a word: TCP RST."""
        self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._stream.close()

    def be_patient_for(self, seconds):
        self._stream.settimeout(seconds)

    def close(self):
        self._stream.close()


@contextlib.contextmanager
def live_hub(load=None, *, devices=("device-1", "device-2"), **settings):
    """Run a hub on free ports; `load` gets its rules before the start."""
    settings = Settings(
        mqtt_port=0, https_port=0, amqp_port=0, amqp_plain_port=0, **{"edition": "document", **settings}
    )
    rules = rules_for(settings, EDITIONS[settings.edition])
    if load:
        load(rules)
    runtime = Runtime(settings, rules)
    for device_id in devices:
        runtime.add_device(device_id)
    loop = asyncio.new_event_loop()
    hub = LiveHub(runtime, loop)
    names = rules.listeners.certificate_names(settings.host_names)
    certificate = authority.issue(AUTHORITY, names, HUB_KEYS[settings.certificate_key], NOW)
    ready, stop = threading.Event(), asyncio.Event()

    async def serve():
        async with open_listeners(runtime, certificate) as hub.ports:
            hub.context = ssl.create_default_context(cadata=AUTHORITY.pem.decode())
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield hub
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
        loop.close()
