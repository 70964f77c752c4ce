"""The other end of the hub for a package's script: the back end for a device, a device for a back end.

It uses the hub's own protocols through httpx, azure-eventhub and paho of the project's environment.
"""

import datetime as dt
import hashlib
import ssl
import tempfile
import threading
import time
from pathlib import Path

import httpx
from azure.eventhub import EventHubConsumerClient, TransportType
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hub_process import sas_token, signed_by_policy
from paho_device import PahoDevice

PATIENCE = 30
"""Seconds that an answer may take; less than a step has."""

API = {"api-version": "2021-04-12"}


class Counterpart:
    """Does what a script asks for, one question at a time. An identity is "device" or "device/module"."""

    def __init__(self, hub):
        self._hub = hub
        self._rest = httpx.Client(
            base_url=f"https://{hub['host']}:{hub['ports']['https']}",
            verify=ssl.create_default_context(cafile=hub["ca_file"]),
            timeout=PATIENCE,
        )
        self._keys = {}
        self._certificates = {}
        self._devices = {}
        self._events = _Events(hub)
        self._folder = tempfile.TemporaryDirectory()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for device in self._devices.values():
            device.close()
        self._events.close()
        self._rest.close()
        self._folder.cleanup()

    def do(self, question, **details):
        return getattr(self, f"do_{question}")(**details)

    # As the back end

    def do_create(self, identity, by="key"):
        """Make a device or module that shows a key or a certificate; return what it needs to connect."""
        device_id, _, module_id = identity.partition("/")
        document = {"deviceId": device_id, **({"moduleId": module_id} if module_id else {})}
        if by == "certificate":
            files, thumbprint = _certificate(identity.replace("/", "-"), Path(self._folder.name))
            self._certificates[identity] = files
            thumbprints = {"primaryThumbprint": thumbprint, "secondaryThumbprint": thumbprint}
            document["authentication"] = {"type": "selfSigned", "x509Thumbprint": thumbprints}
        path = f"/devices/{device_id}" + (f"/modules/{module_id}" if module_id else "")
        made = self._call("PUT", path, json=document)
        if by == "certificate":
            return {"certificate": files[0], "key": files[1]}
        key = self._keys[identity] = made["authentication"]["symmetricKey"]["primaryKey"]
        return {"key": key}

    def do_token(self, identity, seconds, host=None):
        """Return a token for the identity, by default under the hub's own name."""
        device_id, _, module_id = identity.partition("/")
        module = f"/modules/{module_id}" if module_id else ""
        resource = f"{host or self._hub['host']}/devices/{device_id}{module}"
        return sas_token(resource, self._keys[identity], seconds)

    def do_telemetry(self, identity, body):
        """Return the event of that identity with that body; wait for it."""
        return self._events.find(identity, body)

    def do_cloud_to_device(self, identity, body, properties=None, **system):
        with self._sender() as send:
            send(identity, body, properties or {}, system)

    def do_twin(self, identity):
        return self._call("GET", self._twin(identity))

    def do_desire(self, identity, desired):
        return self._call("PATCH", self._twin(identity), json={"properties": {"desired": desired}})

    def do_method(self, identity, name, **payload):
        """Call a method; without `payload` the call carries none."""
        call = {"methodName": name, "responseTimeoutInSeconds": 10, **payload}
        return self._call("POST", f"{self._twin(identity)}/methods", json=call)

    def do_drop(self, identity):
        """End the identity's connection as a network would: another takes it over, and leaves at once."""
        PahoDevice(self._hub, identity, **self._credentials(identity)).close()

    def do_silence(self, identity, seconds):
        """Say nothing to a device for so long; return its connection's state, before and after."""
        before = self._connection(identity)
        time.sleep(seconds)
        return [before, self._connection(identity)]

    # As a device

    def do_connect(self, identity, key=None):
        """Connect and subscribe to all there is; methods are answered with what they carried."""
        if key is not None:
            self._keys[identity] = key
        self._devices[identity] = PahoDevice(self._hub, identity, **self._credentials(identity))
        self._devices[identity].subscribe()

    def do_disconnect(self, identity):
        self._devices.pop(identity).close()

    def do_publish(self, identity, bodies, bag=""):
        self._devices[identity].publish(bodies, bag)

    def do_message(self, identity):
        """Return the next cloud-to-device message: its topic's bag, decoded, and its body."""
        return self._devices[identity].next_message()

    def do_report(self, identity, reported):
        return self._devices[identity].report(reported)

    def do_desired(self, identity):
        """Return the next change of the desired properties."""
        return self._devices[identity].next_desired()

    def _call(self, method, path, **how):
        answer = self._rest.request(
            method, path, params=API, headers={"Authorization": signed_by_policy(self._hub)}, **how
        )
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def _connection(self, device_id):
        device = self._call("GET", f"/devices/{device_id}")
        return {name: device[name] for name in ("connectionState", "connectionStateUpdatedTime")}

    def _twin(self, identity):
        device_id, _, module_id = identity.partition("/")
        return f"/twins/{device_id}" + (f"/modules/{module_id}" if module_id else "")

    def _credentials(self, identity):
        if identity in self._certificates:
            return {"certificate": self._certificates[identity]}
        return {"password": self.do_token(identity, 3600)}

    def _sender(self):
        from cloud_to_device import sender  # a private client: loaded by those who need it

        return sender(self._hub)


class _Events:
    """All telemetry from the moment this is made; readers of both partitions keep it."""

    def __init__(self, hub):
        self._found = []
        self._changed = threading.Condition()
        self._client = EventHubConsumerClient.from_connection_string(
            hub["events_connection_string"],
            consumer_group="$Default",
            custom_endpoint_address=f"sb://{hub['host']}:{hub['ports']['amqp']}",
            transport_type=TransportType.Amqp,
            connection_verify=hub["ca_file"],
        )
        with self._client:
            states = [
                self._client.get_partition_properties(part) for part in self._client.get_partition_ids()
            ]
        self._threads = [
            threading.Thread(
                target=self._client.receive,
                kwargs={
                    "on_event": self._keep,
                    "partition_id": state["id"],
                    "starting_position": state["last_enqueued_sequence_number"],
                    "prefetch": 1,
                },
                daemon=True,
            )
            for state in states
        ]
        for thread in self._threads:
            thread.start()

    def find(self, identity, body):
        """Return the event as JSON can hold it."""
        with self._changed:
            found = self._changed.wait_for(lambda: self._match(identity, body), timeout=PATIENCE)
            assert found, f"no event of {identity} with the body {body}"
            return found

    def close(self):
        self._client.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _keep(self, _, event):
        with self._changed:
            self._found.append(_event(event))
            self._changed.notify_all()

    def _match(self, identity, body):
        for event in self._found:
            if event["identity"] == identity and event["body"] == body:
                return event
        return None


def _event(event):
    system = {_text(name): _text(value) for name, value in event.system_properties.items()}
    names = ("iothub-connection-device-id", "iothub-connection-module-id")
    return {
        "identity": "/".join(system[name] for name in names if name in system),
        "body": b"".join(event.body).decode("utf-8", "backslashreplace"),
        "properties": {_text(name): _text(value) for name, value in event.properties.items()},
        "system": system,
    }


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def _certificate(name, folder):
    """Write a self-signed certificate and its key; return their paths and the SHA-256 thumbprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    paths = (folder / f"{name}.pem", folder / f"{name}-key.pem")
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    thumbprint = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    return tuple(map(str, paths)), thumbprint
