"""Clients that want too much of the embedded hub: it keeps little, says so in a line, and serves others."""

import contextlib
import json
import os
import resource
import socket
import ssl
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from hashlib import sha256
from hmac import digest
from pathlib import Path
from urllib.parse import quote

import paho.mqtt.client as mqtt
import pytest

CHECKOUT = Path(__file__).parents[2]
PATIENCE = 60.0
MIB = 1024 * 1024


class Hub:
    """A hub in a process of its own, with what its ready file says."""

    def __init__(self, process, ready):
        self.process = process
        self.ports = ready["ports"]
        self.context = ssl.create_default_context(cafile=ready["ca_file"])
        self._device = dict(
            part.split("=", 1) for part in ready["device_connection_strings"]["device-1"].split(";")
        )

    @property
    def memory(self):
        """Bytes of memory that the process has now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def stream(self):
        plain = socket.create_connection(("127.0.0.1", self.ports["mqtt"]), timeout=PATIENCE)
        return self.context.wrap_socket(plain, server_hostname="localhost")

    @contextlib.contextmanager
    def device(self):
        """A paho client that is connected."""
        resource_name = quote("localhost/devices/device-1", safe="")
        expiry = int(time.time()) + 3600
        key = b64decode(self._device["SharedAccessKey"])
        signature = b64encode(digest(key, f"{resource_name}\n{expiry}".encode(), sha256))
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "device-1")
        client.username_pw_set(
            "localhost/device-1/?api-version=2021-04-12",
            f"SharedAccessSignature sr={resource_name}&sig={quote(signature, safe='')}&se={expiry}",
        )
        client.tls_set_context(self.context)
        client.max_inflight_messages_set(20)
        client.connect_timeout = PATIENCE
        client.connect("localhost", self.ports["mqtt"])
        client.loop_start()
        yield client
        client.disconnect()
        client.loop_stop()


@pytest.fixture
def hub(tmp_path):
    ready_file = tmp_path / "ready.json"
    ports = ("--mqtt-port", "--https-port", "--amqp-port", "--amqp-plain-port")
    options = [text for port in ports for text in (port, "0")]
    with subprocess.Popen(
        [sys.executable, "-m", "iothub_emulator", *options, "--ready-file", str(ready_file)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for line in process.stdout:
            if line.startswith("Ctrl-C"):
                break
        yield Hub(process, json.loads(ready_file.read_text()))
        process.kill()


def serves(hub):
    """Whether a device that comes now is let in and acknowledged."""
    with hub.device() as client:
        message = client.publish("devices/device-1/messages/events/", b"still there?", qos=1)
        message.wait_for_publish(PATIENCE)
        return message.is_published()


def test_large_telemetry_that_nobody_reads_is_bounded_by_its_size(hub):
    """2,000 messages of 200 KiB are 400 MiB; one device's share of what is kept is half of 256."""
    body = bytes(200 * 1024)
    with hub.device() as client:
        for _ in range(2000):
            last = client.publish("devices/device-1/messages/events/", body, qos=1)
        last.wait_for_publish(PATIENCE)
        assert last.is_published()
    assert hub.memory < 256 * MIB


def test_little_is_held_for_who_has_not_said_who_it_is(hub):
    """200 clients announce a CONNECT of 600,000 bytes and send all of it but the last."""
    before = hub.memory
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stream = stack.enter_context(hub.stream())
            with contextlib.suppress(OSError):  # the hub may have closed by now
                stream.sendall(b"\x10\xc0\xcf\x24" + bytes(599_999))
        assert serves(hub)
        assert hub.memory - before < 40 * MIB


def test_running_out_of_descriptors_is_one_line(hub):
    """Clients beyond them wait; when others have gone, they are served.

    On a machine that stands still for seconds it is told of again, still in a line.
    """
    resource.prlimit(hub.process.pid, resource.RLIMIT_NOFILE, (128, 128))
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(socket.create_connection(("127.0.0.1", hub.ports["mqtt"]), timeout=PATIENCE))
        first = hub.process.stderr.readline()
    assert serves(hub)
    hub.process.terminate()
    lines = [first, *hub.process.stderr.read().splitlines()]
    assert {line.partition("no file descriptor")[1] for line in lines} == {"no file descriptor"}
