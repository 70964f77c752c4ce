"""The reference device: the document's sample grown up, by paho-mqtt alone.

``python -m conformance.adapters.paho_device`` starts it. It holds to every clause that its profile claims,
and each of its decisions is a method: a wrong device is this one with a method replaced. Orders come as JSON
lines on stdin, events leave on stdout; `docs/devices.md` has them.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

NAME: Final = "reference device"
VERSION: Final = "1"
API_VERSION: Final = "2021-04-12"
PROTOCOL: Final = 1
# How long a step of an order may take, in seconds.
PATIENCE: Final = 10.0
# System properties of messages, by their names in orders and in topics.
SYSTEM: Final = {
    "message_id": "$.mid",
    "correlation_id": "$.cid",
    "user_id": "$.uid",
    "content_type": "$.ct",
    "content_encoding": "$.ce",
}


class FailedError(Exception):
    """An order that could not be carried out: `kind` in a word, and what else there is to say."""

    def __init__(self, kind: str, **says: Any) -> None:
        super().__init__(kind)
        self.kind = kind
        self.says = says


@dataclass(frozen=True)
class Settings:
    """Who the device is and where it connects; times in seconds. `key` is base64."""

    host: str
    device_id: str
    module_id: str | None
    key: str
    address: str
    port: int
    ca_file: str
    keep_alive: int = 60
    reconnect: int = 1
    token_life: float = 3600.0

    @classmethod
    def read(cls, arguments: list[str], environment: Mapping[str, str]) -> "Settings":
        """Return what the command line and the environment say."""
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--keep-alive", type=int, default=cls.keep_alive, metavar="SECONDS")
        parser.add_argument("--reconnect", type=int, default=cls.reconnect, metavar="SECONDS")
        given = parser.parse_args(arguments)
        string = environment["IOTHUB_DEVICE_CONNECTION_STRING"]
        fields = dict(field.split("=", 1) for field in string.split(";"))
        return cls(
            host=fields["HostName"],
            device_id=fields["DeviceId"],
            module_id=fields.get("ModuleId"),
            key=fields["SharedAccessKey"],
            address=environment.get("IOTHUB_ADDRESS", fields["HostName"]),
            port=int(environment.get("IOTHUB_MQTT_PORT", "8883")),
            ca_file=environment["IOTHUB_CA_FILE"],
            keep_alive=given.keep_alive,
            reconnect=given.reconnect,
            token_life=float(environment.get("IOTHUB_TOKEN_LIFE", cls.token_life)),
        )


class Client(mqtt.Client):
    """paho's client, which verifies the hub's name wherever `address` leads, where it dials."""

    address = ""

    def _create_socket_connection(self) -> socket.socket:
        # As a hosts file would do it. paho has no other way to dial one name and to verify another.
        return socket.create_connection((self.address, self._port), timeout=self._connect_timeout)


class Device:
    """The device. `tell` hands an event to whoever gives the orders."""

    def __init__(self, settings: Settings, tell: Callable[..., None]) -> None:
        self.settings = settings
        self.tell = tell
        self.wants_connection = False
        self.has_connected = threading.Event()
        self.answers: dict[str, Any] = {}
        self.changed = threading.Condition()
        self.listens_to: list[str] = []
        self.requests = 0
        self.renewal = threading.Timer(0, self.renew)
        self.client = self.new_client()

    # -- who it is

    @property
    def path(self) -> str:
        """Its place in topics."""
        own, module = self.settings.device_id, self.settings.module_id
        return own if module is None else f"{own}/modules/{module}"

    def client_id(self) -> str:
        """Return the id of the device; of a module, with that of its device before it."""
        own, module = self.settings.device_id, self.settings.module_id
        return own if module is None else f"{own}/{module}"

    def username(self) -> str:
        """Return the documented Username."""
        return f"{self.settings.host}/{self.client_id()}/?api-version={API_VERSION}"

    def resource(self) -> str:
        """Return what its tokens are for, percent-encoded once."""
        return quote(f"{self.settings.host}/devices/{self.path}", safe="")

    def expiry(self) -> int:
        """When a token that is made now ends, in unix seconds."""
        return int(time.time() + self.settings.token_life)

    def signature(self, text: str) -> str:
        """Return the signature of a text by the key of the device."""
        digest = hmac.digest(base64.b64decode(self.settings.key), text.encode(), hashlib.sha256)
        return base64.b64encode(digest).decode()

    def token(self) -> str | None:
        """Return a new token for its own resource; None for a device without."""
        resource, expiry = self.resource(), self.expiry()
        signature = quote(self.signature(f"{resource}\n{expiry}"), safe="")
        return f"SharedAccessSignature sr={resource}&sig={signature}&se={expiry}"

    # -- its connection

    def new_client(self) -> Client:
        """Return a client that is set up and not connected."""
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.client_id(),
            clean_session=self.clean_session(),
            protocol=self.protocol(),
        )
        client.address = self.settings.address
        client.tls_set(ca_certs=self.settings.ca_file)
        client.reconnect_delay_set(self.settings.reconnect, max(self.settings.reconnect, 8))
        client.on_pre_connect = self.on_pre_connect
        client.on_connect = self.on_connect
        client.on_connect_fail = self.on_connect_fail
        client.on_disconnect = self.on_disconnect
        client.on_message = self.on_message
        client.on_subscribe = self.on_subscribe
        client.on_publish = self.on_publish
        return client

    def clean_session(self) -> bool:
        """Whether a connection begins without what an earlier one left: as the SDKs do, it does not."""
        return False

    def protocol(self) -> Any:
        """Return the version of MQTT that it speaks."""
        return MQTTProtocolVersion.MQTTv311

    def keep_alive(self) -> int:
        """Its keep-alive, in seconds."""
        return self.settings.keep_alive

    def leave_will(self, order: Mapping[str, Any]) -> None:
        """Take down the Will of the connections to come; an order without one leaves none."""
        self.client.will_clear()
        if "will" in order:
            self.client.will_set(self.events_topic(), base64.b64decode(order["will"]), qos=1)

    def connect(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Open a connection and wait until the hub has accepted it."""
        self.leave_will(order)
        self.wants_connection = True
        self.answers.pop("connack", None)
        try:
            self.client.connect(self.settings.host, self.settings.port, self.keep_alive())
        except OSError as error:
            self.wants_connection = False
            raise FailedError("no connection", reason=type(error).__name__) from None
        self.client.loop_start()
        connack = self.wait_for("connack")
        if connack["code"]:
            self.give_up()
            raise FailedError("refused", code=connack["code"])
        return {"event": "connected", "session_present": connack["session_present"]}

    def renews_in(self) -> float:
        """Return how long it keeps a token, in seconds."""
        return max(0.7 * self.settings.token_life, self.settings.token_life - 300)

    def renew(self) -> None:
        """Connect anew, with a new token."""
        self.client.disconnect()
        self.client.loop_stop()
        if self.wants_connection:
            self.client.reconnect()
            self.client.loop_start()

    def give_up(self) -> None:
        """End the attempts: whoever ordered them decides about the next one."""
        self.wants_connection = False
        self.renewal.cancel()
        self.client.disconnect()
        self.client.loop_stop()

    def disconnect(self, _order: Mapping[str, Any]) -> dict[str, Any]:
        """Say goodbye and close."""
        self.give_up()
        return {"event": "disconnected"}

    def on_pre_connect(self, client: mqtt.Client, _userdata: Any) -> None:
        """Sign a new token for each connection."""
        client.username_pw_set(self.username(), self.token())

    def on_connect(
        self, _client: mqtt.Client, _userdata: Any, flags: Any, reason: Any, _properties: Any
    ) -> None:
        """Take note of a CONNACK; on a connection without a session, subscribe again."""
        is_first = "connack" not in self.answers
        code = 0 if not reason.is_failure else _CODES.get(reason.value, reason.value)
        self.answer("connack", {"code": code, "session_present": flags.session_present})
        if reason.is_failure:
            return
        self.renewal.cancel()
        self.renewal = threading.Timer(self.renews_in(), self.renew)
        self.renewal.daemon = True
        self.renewal.start()
        if not is_first:
            self.come_back(session_present=flags.session_present)
            self.tell("connected", session_present=flags.session_present)

    def come_back(self, *, session_present: bool) -> None:
        """Do what a new connection asks for: what was subscribed before is, whatever the hub has kept."""
        if not session_present:
            for topic_filter in self.listens_to:
                self.client.subscribe(topic_filter, 1)

    def on_connect_fail(self, _client: mqtt.Client, _userdata: Any) -> None:
        """Take note of a connection that did not come up."""

    def on_disconnect(
        self, _client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        """Tell that the connection was lost."""
        if self.wants_connection:
            self.tell("disconnected", reason=str(reason))

    # -- telemetry

    def events_topic(self) -> str:
        """Where telemetry goes; the bag stands behind it."""
        return f"devices/{self.path}/messages/events/"

    def bag(self, order: Mapping[str, Any]) -> str:
        """Return the properties of a message as its topic carries them; a null has no equals sign."""
        system = {SYSTEM[name]: value for name, value in order.get("system", {}).items()}
        pairs = {**system, **order.get("properties", {})}
        return "&".join(self.pair(name, value) for name, value in pairs.items())

    def pair(self, name: str, value: str | None) -> str:
        """Return one property, URL-encoded."""
        escaped = quote(name, safe="$." if name in SYSTEM.values() else "")
        return escaped if value is None else f"{escaped}={quote(value, safe='')}"

    def send(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Send telemetry and wait until the hub has it."""
        body = base64.b64decode(order.get("body", ""))
        self.publish(self.events_topic() + self.bag(order), body)
        return {"event": "sent"}

    def publish(self, topic: str, body: bytes) -> None:
        """Publish with QoS 1, and wait for the PUBACK."""
        info = self.client.publish(topic, body, qos=1)
        if info.rc not in {MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN}:
            raise FailedError("not sent")
        info.wait_for_publish(PATIENCE)
        if not info.is_published():
            raise FailedError("not acknowledged")

    def on_publish(self, *_: Any) -> None:
        """Nothing: `publish` waits by itself."""

    # -- what it listens to

    def filters(self) -> dict[str, str]:
        """Return the filter of each kind of thing that it can listen to."""
        own = (
            f"devices/{self.path}/#"
            if self.settings.module_id
            else f"devices/{self.path}/messages/devicebound/#"
        )
        return {
            "messages": own,
            "desired": "$iothub/twin/PATCH/properties/desired/#",
            "methods": "$iothub/methods/POST/#",
            "twin": "$iothub/twin/res/#",
        }

    def listen(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Subscribe to what is named, and wait until the hub has granted it."""
        for kind in order["to"]:
            self.subscribe(self.filters()[kind])
        return {"event": "listening"}

    def subscribe(self, topic_filter: str) -> None:
        """Subscribe, and wait for the SUBACK."""
        if topic_filter in self.listens_to:
            return
        self.answers.pop("suback", None)
        self.client.subscribe(topic_filter, 1)
        granted = self.wait_for("suback")
        if any(code >= 0x80 for code in granted):  # noqa: PLR2004 - [MQTT-3.9.3-2], a failure
            raise FailedError("subscription refused", filter=topic_filter)
        self.listens_to.append(topic_filter)

    def on_subscribe(
        self, _client: mqtt.Client, _userdata: Any, _id: int, codes: Any, _properties: Any
    ) -> None:
        """Take note of a SUBACK."""
        self.answer("suback", [code.value for code in codes])

    def on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        """Tell what came, by its topic."""
        topic, body = message.topic, bytes(message.payload)
        if topic.startswith("$iothub/twin/res/"):
            self.on_twin_answer(topic, body)
        elif topic.startswith("$iothub/twin/PATCH/properties/desired/"):
            self.on_desired(topic, body)
        elif topic.startswith("$iothub/methods/POST/"):
            self.on_method(topic, body)
        else:
            self.on_cloud_message(topic, body)

    def on_cloud_message(self, topic: str, body: bytes) -> None:
        """Tell a message for the device."""
        bag = topic.partition("/messages/devicebound/")[2].removeprefix("?")
        properties: dict[str, str | None] = {}
        system: dict[str, str | None] = {}
        for pair in bag.split("&") if bag else ():
            name, equals, value = pair.partition("=")
            decoded = unquote(name)
            into = system if decoded.startswith("$.") or decoded == "iothub-ack" else properties
            into[decoded] = unquote(value) if equals else None
        self.tell_message(
            body, properties, {name: system[own] for name, own in SYSTEM.items() if own in system}
        )

    def tell_message(
        self, body: bytes, properties: Mapping[str, str | None], system: Mapping[str, str | None]
    ) -> None:
        """Tell a message that was read."""
        self.tell("message", body=base64.b64encode(body).decode(), properties=properties, system=system)

    # -- its twin

    def get_twin(self, _order: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for the twin."""
        status, _, body = self.ask("$iothub/twin/GET/?$rid={id}", b"")
        if status not in {200, 204}:  # which of the two success is, the page has not always said alike
            raise FailedError("status", status=status)
        return {"event": "twin", "twin": json.loads(body)}

    def patch_reported(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Report properties."""
        patch = json.dumps(order["patch"]).encode()
        status, version, _ = self.ask("$iothub/twin/PATCH/properties/reported/?$rid={id}", patch)
        if status not in {200, 204}:
            raise FailedError("status", status=status)
        return {"event": "patched", "version": version}

    def ask(self, topic: str, body: bytes) -> tuple[int, int | None, bytes]:
        """Send a request about the twin and return the answer to it: status, version, body."""
        self.subscribe(self.filters()["twin"])
        request_id = self.request_id()
        self.client.publish(topic.format(id=request_id), body, qos=0)
        answer: tuple[int, int | None, bytes] = self.wait_for(f"twin {request_id}")
        return answer

    def request_id(self) -> str:
        """Return an id that no request had before."""
        with self.changed:
            self.requests += 1
            return str(self.requests)

    def on_twin_answer(self, topic: str, body: bytes) -> None:
        """Hand an answer to whoever asked."""
        status, _, query = topic.removeprefix("$iothub/twin/res/").partition("/")
        fields = dict(pair.partition("=")[::2] for pair in query.removeprefix("?").split("&"))
        version = fields.get("$version")
        self.answer(f"twin {fields.get('$rid')}", (int(status), version and int(version), body))

    def on_desired(self, topic: str, body: bytes) -> None:
        """Tell a change of desired properties."""
        patch = json.loads(body)
        patch.pop("$version", None)
        self.tell("desired", patch=patch, version=int(topic.rpartition("$version=")[2]))

    # -- methods

    def on_method(self, topic: str, body: bytes) -> None:
        """Tell a call; whoever gives the orders answers it."""
        name, _, query = topic.removeprefix("$iothub/methods/POST/").partition("/")
        request = query.partition("$rid=")[2]
        self.tell("method", request=request, name=unquote(name), payload=json.loads(body) if body else None)

    def answer_method(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a call."""
        payload = order.get("payload")
        body = b"" if payload is None else json.dumps(payload).encode()
        self.publish(f"$iothub/methods/res/{order['status']}/?$rid={order['request']}", body)
        return {"event": "answered"}

    # -- orders and answers

    def answer(self, what: str, value: Any) -> None:
        """Take down what somebody waits for."""
        with self.changed:
            self.answers[what] = value
            self.changed.notify_all()

    def wait_for(self, what: str) -> Any:
        """Wait until something has come, and return it."""
        with self.changed:
            if not self.changed.wait_for(lambda: what in self.answers, PATIENCE):
                raise FailedError("no answer", to=what)
            return self.answers[what]

    def carry_out(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Do what an order says."""
        verbs: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "connect": self.connect,
            "disconnect": self.disconnect,
            "send": self.send,
            "listen": self.listen,
            "get_twin": self.get_twin,
            "patch_reported": self.patch_reported,
            "answer_method": self.answer_method,
        }
        if order["do"] not in verbs:
            raise FailedError("unknown order")
        return verbs[order["do"]](order)

    def close(self) -> None:
        """End whatever is open, as a device that is switched off in good order."""
        if self.wants_connection:
            self.give_up()


# CONNACK's own codes, by what paho makes of them (MQTT 3.1.1, table 3.1).
_CODES: Final = {132: 1, 133: 2, 136: 3, 134: 4, 135: 5}


def main(make: Callable[[Settings, Callable[..., None]], Device] = Device) -> None:
    """Carry out orders until they end. `make` makes the device."""
    lock = threading.Lock()

    def tell(event: str, **says: Any) -> None:
        with lock:
            sys.stdout.write(json.dumps({"event": event, **says}) + "\n")
            sys.stdout.flush()

    device = make(Settings.read(sys.argv[1:], os.environ), tell)
    tell("ready", protocol=PROTOCOL, name=NAME, version=f"{VERSION}, paho-mqtt {mqtt_version()}")
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "quit":
            break
        threading.Thread(target=_carry_out, args=(device, order, tell), daemon=True).start()
    device.close()


def _carry_out(device: Device, order: Mapping[str, Any], tell: Callable[..., None]) -> None:
    try:
        done = device.carry_out(order)
    except FailedError as error:
        tell("error", of=order["id"], kind=error.kind, **error.says)
    else:
        tell(**{**done, "of": order["id"]})


def mqtt_version() -> str:
    """Return the version of paho."""
    import paho.mqtt  # noqa: PLC0415 - its version alone

    return paho.mqtt.__version__


if __name__ == "__main__":
    main()
