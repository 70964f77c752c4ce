"""azure-iot-device 2.0, unmodified, as device and module: its user waits for what comes, without handlers."""

import asyncio
import base64
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.iot.device import X509, IoTHubDeviceClient, IoTHubModuleClient, Message, MethodResponse, aio
from azure.iot.device.exceptions import CredentialError
from steps import HUB, PATIENCE, ask, async_ask, async_step, same, step

CA = Path(HUB["ca_file"]).read_text()
SYSTEM = ("message-id", "correlation-id", "user-id", "content-type", "content-encoding")
WAIT = PATIENCE / 2


@dataclass(frozen=True)
class Way:
    """How one client speaks, as what, with which credential. It reaches the hub under `localhost` alone."""

    style: str
    transport: str
    kind: str
    credential: str

    def __str__(self):
        return f"{self.style} {self.transport} {self.kind} by {self.credential}"

    @property
    def identity(self):
        if self.kind == "device with colons in its id":
            return f"20:19:00:00:00:{8 if self.transport == 'MQTT' else 4}"
        name = f"2.0-{'-'.join(str(self).split())}"
        return f"{name}/m-1" if self.kind == "module" else name

    def created(self):
        """Create the identity; return what the back end says of it."""
        device_id, _, module_id = self.identity.partition("/")
        if module_id:
            ask("create", identity=device_id)
        return ask(
            "create", identity=self.identity, by="certificate" if self.credential == "certificate" else "key"
        )

    def client(self, made):
        """Return a client of the identity; one of the async style wants to be made in its event loop."""
        device_id, _, module_id = self.identity.partition("/")
        options = {"websockets": self.transport == "WebSocket"}
        if self.credential == "certificate":
            # This version has no CA option beside a certificate: OpenSSL's variable names it.
            certificate = X509(cert_file=made["certificate"], key_file=made["key"])
            return IoTHubDeviceClient.create_from_x509_certificate(
                x509=certificate, hostname=HUB["host"], device_id=device_id, **options
            )
        if self.style == "async":
            factory = aio.IoTHubDeviceClient
        else:
            factory = IoTHubModuleClient if self.kind == "module" else IoTHubDeviceClient
        key = base64.b64encode(b"wrong key").decode() if self.credential == "wrong key" else made["key"]
        module = f"ModuleId={module_id};" if module_id else ""
        text = f"HostName={HUB['host']};DeviceId={device_id};{module}SharedAccessKey={key}"
        return factory.create_from_connection_string(text, server_verification_cert=CA, **options)


def everything(way):
    """Return a message with every property that the package offers to a device.

    Nothing has a space in it: this version writes that as `+`, and then its own paho refuses the topic.
    """
    message = Message(f"é {way}", message_id="m-1", content_encoding="utf-8", content_type="application/json")
    message.correlation_id = "c/1"
    message.user_id = "u&1"
    message.expiry_time_utc = datetime.now(UTC) + timedelta(hours=1)
    message.custom_properties = {"alarm": "yes", "São": "a=b&c/e+f%"}
    return message


def same_telemetry(event):
    same([event["system"].get(name) for name in SYSTEM], ["m-1", "c/1", "u&1", "application/json", "utf-8"])
    same(
        {name: event["properties"].get(name) for name in ("alarm", "São")},
        {"alarm": "yes", "São": "a=b&c/e+f%"},
    )


CLOUD_TO_DEVICE = {
    "body": "ö",
    "properties": {"a b": "c=d&e/ü"},
    "message_id": "m 2",
    "correlation_id": "c/2",
    "user_id": "u&2",
    "content_type": "text/plain",
    "content_encoding": "utf-8",
}


def same_message(message):
    same(message.data.decode(), "ö")
    same((message.message_id, message.correlation_id, message.user_id), ("m 2", "c/2", "u&2"))
    same((message.content_type, message.content_encoding), ("text/plain", "utf-8"))
    same(message.custom_properties["a b"], "c=d&e/ü")


def answer_to(request):
    return MethodResponse.create_from_method_request(
        request, 207, {"name": request.name, "payload": request.payload}
    )


class SyncDevice:
    """One client of the sync style, step by step."""

    def __init__(self, way):
        self._way = way
        self._client = None

    def connect(self):
        self._client = self._way.client(self._way.created())
        self._client.connect()
        same(self._client.connected, True)

    def telemetry(self):
        with step(f"{self._way}: telemetry with every property"):
            self._client.send_message(everything(self._way))
            same_telemetry(ask("telemetry", identity=self._way.identity, body=f"é {self._way}"))

    def cloud_to_device(self):
        with step(f"{self._way}: cloud-to-device with every property"):
            same(self._client.receive_message(block=False), None)
            ask("cloud_to_device", identity=self._way.identity, **CLOUD_TO_DEVICE)
            same_message(self._client.receive_message(timeout=WAIT))

    def twin(self):
        with step(f"{self._way}: twin get"):
            twin = self._client.get_twin()
            same(
                (twin["desired"]["$version"], twin["reported"]["$version"]),
                (1, 1),
            )
        with step(f"{self._way}: twin reported"):
            self._client.patch_twin_reported_properties({"speed": {"now": 5, "unit": "m/s"}})
            stored = ask("twin", identity=self._way.identity)["properties"]["reported"]
            same(stored["speed"], {"now": 5, "unit": "m/s"})
        with step(f"{self._way}: twin desired"):
            same(self._client.receive_twin_desired_properties_patch(block=False), None)
            ask("desire", identity=self._way.identity, desired={"rate": 7, "gone": None})
            patch = self._client.receive_twin_desired_properties_patch(timeout=WAIT)
            same((patch["rate"], patch["$version"]), (7, 2))

    def methods(self, when=""):
        # Without a payload (an empty body) this version answers nothing.
        with step(f"{self._way}: method with payload{when}"):
            result = ask("method", identity=self._way.identity, name="turn", payload={"to": ["ü", 1, None]})
            same(result, {"status": 207, "payload": {"name": "turn", "payload": {"to": ["ü", 1, None]}}})

    def answer_methods(self):
        """Answer each call in a thread, as this version's samples do."""
        self._client.receive_method_request(block=False)
        threading.Thread(target=self._answer_methods, daemon=True).start()

    def _answer_methods(self):
        while True:
            self._client.send_method_response(answer_to(self._client.receive_method_request()))

    def drop(self):
        with step(f"{self._way}: reconnect after a drop"):
            ask("drop", identity=self._way.identity)
            # It connects by itself ten seconds later, and tells nobody: the back end waits for it.
            ask("method", identity=self._way.identity, name="turn", payload=1, connectTimeoutInSeconds=25)
            self._client.send_message(f"again {self._way}")
            ask("telemetry", identity=self._way.identity, body=f"again {self._way}")

    def disconnect(self):
        with step(f"{self._way}: disconnect"):
            self._client.disconnect()
            same(self._client.connected, False)


def full_round(way, drops=False):
    it = SyncDevice(way)
    with step(f"{way}: connect"):
        it.connect()
    it.telemetry()
    if way.kind != "module":
        it.cloud_to_device()
    it.twin()
    it.answer_methods()
    it.methods()
    if drops:
        it.drop()
        it.methods(" after a drop")
    it.disconnect()


def short_round(way):
    it = SyncDevice(way)
    with step(f"{way}: connect"):
        it.connect()
    it.telemetry()
    it.disconnect()


def idle(way):
    it = SyncDevice(way)
    with step("connect"):
        it.connect()
        it.answer_methods()
    before, after = ask("silence", identity=way.identity, seconds=HUB["idle"])
    with step("stays connected through the silence, and answers a method"):
        same(after, before)
        same(ask("method", identity=way.identity, name="turn", payload=1)["status"], 207)


def refusal(way):
    with step(f"{way}: is refused"):
        client = way.client(way.created())
        try:
            client.connect()
        except CredentialError:
            return
        raise AssertionError("the hub took it")


async def async_round(way):
    client = None
    async with async_step(f"{way}: connect"):
        client = way.client(await asyncio.to_thread(way.created))
        await client.connect()
        same(client.connected, True)
    async with async_step(f"{way}: telemetry with every property"):
        await client.send_message(everything(way))
        same_telemetry(await async_ask("telemetry", identity=way.identity, body=f"é {way}"))
    async with async_step(f"{way}: cloud-to-device with every property"):
        await async_ask("cloud_to_device", identity=way.identity, **CLOUD_TO_DEVICE)
        same_message(await asyncio.wait_for(client.receive_message(), WAIT))
    async with async_step(f"{way}: twin get"):
        same(sorted(await client.get_twin()), ["desired", "reported"])
    async with async_step(f"{way}: method with payload"):
        called = asyncio.create_task(
            async_ask("method", identity=way.identity, name="turn", payload=[1], connectTimeoutInSeconds=20)
        )
        await client.send_method_response(answer_to(await client.receive_method_request()))
        same(await called, {"status": 207, "payload": {"name": "turn", "payload": [1]}})
    async with async_step(f"{way}: disconnect"):
        await client.disconnect()
        same(client.connected, False)


def main():
    for transport in ("MQTT", "WebSocket"):
        if HUB["ports"]["mqtt" if transport == "MQTT" else "https"] not in (8883, 443):
            continue
        for kind in ("device", "module", "device with colons in its id"):
            full_round(Way("sync", transport, kind, "key"), drops=kind == "device" and transport == "MQTT")
        short_round(Way("sync", transport, "device", "certificate"))
        refusal(Way("sync", transport, "device", "wrong key"))
        asyncio.run(async_round(Way("async", transport, "device", "key")))


if __name__ == "__main__":
    if "idle" in HUB:
        idle(Way("sync", "MQTT", "device", "idle key"))
    else:
        main()
