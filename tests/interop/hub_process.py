"""A real emulator process and unmodified paho devices, for the tests with strangers' clients."""

import base64
import contextlib
import hashlib
import hmac
import json
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote_plus

import paho.mqtt.client as mqtt

PATIENCE = 60
"""Seconds that anything may take. What takes longer is broken."""


@contextlib.contextmanager
def running_hub(*arguments):
    """Start the emulator on free ports, yield what its ready file says, and end it through its stdin."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        ports = ("--mqtt-port", "0", "--https-port", "0", "--amqp-port", "0", "--amqp-plain-port", "0")
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "iothub_emulator",
                *ports,
                "--ready-file",
                ready,
                "--exit-with-stdin",
                *arguments,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        try:
            # The banner's first line comes once all ports listen.
            assert "ready" in process.stdout.readline()
            watchdog.cancel()
            yield json.loads(ready.read_text())
        finally:
            watchdog.cancel()
            process.stdin.close()
            process.stdout.close()
            process.wait(PATIENCE)


class Publisher:
    """One device: paho over TLS, with a SAS token of its own key."""

    def __init__(self, hub, device_id):
        self.device_id = device_id
        key = parsed(hub["device_connection_strings"][device_id])["SharedAccessKey"]
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=device_id)
        self._client.tls_set_context(ssl.create_default_context(cafile=hub["ca_file"]))
        self._client.username_pw_set(
            f"{hub['host']}/{device_id}/?api-version=2021-04-12",
            sas_token(f"{hub['host']}/devices/{device_id}", key),
        )
        self._client.max_inflight_messages_set(1000)
        self._client.max_queued_messages_set(0)
        connected = threading.Event()
        self._client.on_connect = lambda *_: connected.set()
        self._client.connect(hub["host"], hub["ports"]["mqtt"])
        self._client.loop_start()
        assert connected.wait(PATIENCE), "no CONNACK"

    def publish(self, *payloads, bag=""):
        """Publish each payload with QoS 1 and wait for the last PUBACK."""
        topic = f"devices/{self.device_id}/messages/events/{bag}"
        sent = [self._client.publish(topic, payload, qos=1) for payload in payloads]
        for message in sent:
            message.wait_for_publish(PATIENCE)
            assert message.is_published(), "no PUBACK"

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


def parsed(connection_string):
    """Return a connection string's fields."""
    return dict(field.split("=", 1) for field in connection_string.split(";"))


def sas_token(resource, key, seconds=3600, policy=None):
    """Return a token of a device's key, or of a policy's."""
    resource, expiry = quote_plus(resource), int(time.time()) + seconds
    signed = f"{resource}\n{expiry}".encode()
    signature = base64.b64encode(hmac.digest(base64.b64decode(key), signed, hashlib.sha256))
    token = f"SharedAccessSignature sr={resource}&sig={quote_plus(signature)}&se={expiry}"
    return token if policy is None else f"{token}&skn={policy}"


def signed_by_policy(hub):
    """Return the Authorization header of the hub's owner."""
    owner = parsed(hub["service_connection_string"])
    return sas_token(owner["HostName"], owner["SharedAccessKey"], policy=owner["SharedAccessKeyName"])
