"""A hub that writes down what reaches it, and a tap before it."""

import json
import queue
import socket
import ssl
import threading

import pytest
from device_run import HERE, Runs
from suite_server import CHECKOUT, SuiteServer

from conformance.evidence.case import Evidence
from conformance.profile import loading
from conformance.tap.certificates import TapAuthority
from conformance.tap.proxy import HubAddress, Tap
from conformance.tap.record import Record
from conformance.target import launch
from conformance.target.certificates import DeviceAuthority

PATIENCE = 30.0


class WrittenDown:
    """A TLS server on loopback: `pieces` are what it read, as it came, `client` its next client."""

    def __init__(self, folder):
        authority = TapAuthority("a hub")
        self.ca_file = folder / "hub-ca.pem"
        self.ca_file.write_text(authority.pem)
        self._context = authority.context(["localhost"])
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.pieces = queue.Queue()
        self._clients = queue.Queue()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self._server.accept()
                stream = self._context.wrap_socket(client, server_side=True)
            except OSError:
                return
            self._clients.put(stream)
            threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream):
        try:
            while data := stream.recv(65536):
                self.pieces.put(data)
        except OSError:
            pass
        self.pieces.put(b"")

    def client(self):
        return self._clients.get(timeout=PATIENCE)

    def take(self, size):
        """Return the next so many bytes."""
        data = b""
        while len(data) < size:
            data += self.pieces.get(timeout=PATIENCE)
        return data

    def close(self):
        self._server.close()


@pytest.fixture
def written_down(tmp_path):
    hub = WrittenDown(tmp_path)
    yield hub
    hub.close()


@pytest.fixture
def tap(written_down):
    address = HubAddress(
        host="localhost",
        mqtt_port=written_down.port,
        websocket_port=written_down.port,
        ca_file=str(written_down.ca_file),
    )
    tap = Tap(address, ["hub.example", "localhost", "127.0.0.1"])
    yield tap
    tap.close()


@pytest.fixture
def evidence():
    return Evidence()


@pytest.fixture
def record(tap, evidence):
    record = Record(evidence)
    tap.begin(record)
    return record


@pytest.fixture
def dial(tap, tmp_path):
    """``dial()`` is a TLS stream to the tap, of a client that trusts it for the hub's name."""
    ca_file = tmp_path / "tap-ca.pem"
    ca_file.write_text(tap.authority.pem)
    context = ssl.create_default_context(cafile=str(ca_file))
    opened = []

    def dial(name="hub.example", *, port=None, before=b""):
        raw = socket.create_connection(("127.0.0.1", port or tap.ports.mqtt), timeout=PATIENCE)
        if before:
            raw.sendall(before)
            answer = raw.recv(1024)
            if b" 200 " not in answer:
                raw.close()
                return answer
        opened.append(context.wrap_socket(raw, server_hostname=name))
        return opened[-1]

    yield dial
    for stream in opened:
        stream.close()


@pytest.fixture(scope="session")
def hub_behind(tmp_path_factory):
    """The ready file of a hub that lasts for all tests: it accepts no local name of devices."""
    profile = loading.load("device-paho")
    launched = launch.launch(
        (*profile.launch.command, *profile.launch.arguments),
        timing=profile.timing,
        device_ca=DeviceAuthority.new().pem,
    )
    ready_file = tmp_path_factory.mktemp("hub") / "ready.json"
    ready_file.write_text(json.dumps(launched.ready))
    yield ready_file
    launched.stop()


@pytest.fixture(scope="session")
def suite_server():
    """What runs the suite, for all tests."""
    server = SuiteServer(HERE, CHECKOUT / "tests" / "faults")
    yield server
    server.close()


@pytest.fixture
def judged(suite_server, hub_behind, tmp_path):
    """``judged(command, clauses)`` judges a device that a command starts, before that hub."""
    return Runs(suite_server, hub_behind, tmp_path).judged
