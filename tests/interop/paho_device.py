"""An unmodified paho that plays a device or module for a back end's script."""

import json
import queue
import ssl
import threading
from urllib.parse import parse_qsl, unquote, urlsplit

import paho.mqtt.client as mqtt

PATIENCE = 30
"""Seconds that an answer may take; less than a step has."""

_DESIRED = "$iothub/twin/PATCH/properties/desired/"
_ANSWERS = "$iothub/twin/res/"
_METHODS = "$iothub/methods/POST/"


class PahoDevice:
    """A connected identity, "device" or "device/module"; methods are answered with what they carried."""

    def __init__(self, hub, identity, *, password=None, certificate=None):
        device_id, _, module_id = identity.partition("/")
        self._root = f"devices/{device_id}" + (f"/modules/{module_id}" if module_id else "")
        self._has_mailbox = not module_id
        # A session that stays, as Microsoft's devices have it: who takes one over must not end it.
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=identity, clean_session=False)
        context = ssl.create_default_context(cafile=hub["ca_file"])
        if certificate is not None:
            context.load_cert_chain(*certificate)
        self._client.tls_set_context(context)
        self._client.username_pw_set(f"{hub['host']}/{identity}/?api-version=2021-04-12", password)
        self._messages, self._desired, self._answers = queue.Queue(), queue.Queue(), queue.Queue()
        self._granted = threading.Event()
        self._client.on_message = self._received
        self._client.on_subscribe = lambda *_: self._granted.set()
        connected = threading.Event()
        self._client.on_connect = lambda *_: connected.set()
        self._client.connect(hub["host"], hub["ports"]["mqtt"])
        self._client.loop_start()
        assert connected.wait(PATIENCE), f"no CONNACK for {identity}"

    def subscribe(self):
        """Subscribe to all that a hub sends, and wait until it is granted."""
        filters = [(f"{_DESIRED}#", 0), (f"{_ANSWERS}#", 0), (f"{_METHODS}#", 0)]
        if self._has_mailbox:
            filters.append((f"{self._root}/messages/devicebound/#", 1))
        self._client.subscribe(filters)
        assert self._granted.wait(PATIENCE), "no SUBACK"

    def publish(self, bodies, bag=""):
        for body in bodies:
            sent = self._client.publish(f"{self._root}/messages/events/{bag}", body, qos=1)
            sent.wait_for_publish(PATIENCE)
            assert sent.is_published(), "no PUBACK"

    def next_message(self):
        topic, body = self._messages.get(timeout=PATIENCE)
        bag = topic.removeprefix(f"{self._root}/messages/devicebound/")
        pairs = (part.partition("=") for part in bag.split("&"))
        return {"bag": {unquote(name): unquote(value) for name, _, value in pairs}, "body": body.decode()}

    def next_desired(self):
        return self._desired.get(timeout=PATIENCE)

    def report(self, reported):
        """Report properties and return the status of the answer."""
        self._client.publish("$iothub/twin/PATCH/properties/reported/?$rid=1", json.dumps(reported))
        return self._answers.get(timeout=PATIENCE)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()

    def _received(self, client, _, message):
        if message.topic.startswith(_METHODS):
            name, _, query = message.topic.removeprefix(_METHODS).partition("/?")
            request = dict(parse_qsl(query))["$rid"]
            carried = {"method": name, "body": message.payload.decode()}
            client.publish(f"$iothub/methods/res/201/?$rid={request}", json.dumps(carried))
        elif message.topic.startswith(_DESIRED):
            self._desired.put(json.loads(message.payload))
        elif message.topic.startswith(_ANSWERS):
            self._answers.put(int(urlsplit(message.topic).path.split("/")[3]))
        else:
            self._messages.put((message.topic, message.payload))
