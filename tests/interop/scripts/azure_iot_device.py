"""azure-iot-device, unmodified, as devices and modules: sync, async, MQTT, WebSocket, keys, tokens, X.509."""

import asyncio
import base64
import queue
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.iot.device import (
    X509,
    IoTHubDeviceClient,
    IoTHubModuleClient,
    Message,
    MethodResponse,
    ProxyOptions,
    aio,
)
from azure.iot.device.exceptions import CredentialError
from steps import HUB, PATIENCE, async_ask, async_step, same

CA = Path(HUB["ca_file"]).read_text()
CLASSES = {
    ("sync", "device"): IoTHubDeviceClient,
    ("sync", "module"): IoTHubModuleClient,
    ("async", "device"): aio.IoTHubDeviceClient,
    ("async", "module"): aio.IoTHubModuleClient,
}
PUBLISHED_PROXY = "emulator.azure-devices.net"
SYSTEM = ("message-id", "correlation-id", "user-id", "content-type", "content-encoding")


@dataclass(frozen=True)
class Way:
    """How one client speaks, as what, with which credential, and by which name it reaches the hub."""

    style: str
    transport: str
    kind: str
    credential: str
    host: str

    def __str__(self):
        through = "localhost" if self.host == "localhost" else "CONNECT"
        return f"{self.style} {self.transport} {self.kind} by {self.credential} over {through}"

    @property
    def identity(self):
        name = "-".join(str(self).split())
        return name if self.kind == "device" else f"{name}/m-1"

    def options(self):
        """Return what the package publishes to reach a hub that is not in Azure."""
        given = {"server_verification_cert": CA, "websockets": self.transport == "WebSocket"}
        if self.host != "localhost":
            given["proxy_options"] = ProxyOptions("HTTP", "127.0.0.1", HUB["ports"]["connect"])
        return given

    def named(self):
        device_id, _, module_id = self.identity.partition("/")
        return {"device_id": device_id, **({"module_id": module_id} if module_id else {})}

    def connection_string(self, key):
        names = self.named()
        module = f"ModuleId={names['module_id']};" if "module_id" in names else ""
        return f"HostName={self.host};DeviceId={names['device_id']};{module}SharedAccessKey={key}"


class Client:
    """One client of either style; what it receives is kept in queues."""

    def __init__(self, way, client):
        self._way, self.client = way, client
        self.messages, self.desired, self.states = queue.Queue(), queue.Queue(), queue.Queue()
        self.new_token_wanted = queue.Queue()

    async def do(self, name, *arguments):
        """Call a method of the client; a sync one must not stop this event loop."""
        if self._way.style == "async":
            return await getattr(self.client, name)(*arguments)
        return await asyncio.to_thread(getattr(self.client, name), *arguments)

    async def listen(self):
        """Set all handlers, which subscribes."""
        await asyncio.to_thread(self._set_handlers)

    def _set_handlers(self):
        self.client.on_connection_state_change = lambda: self.states.put("changed")
        self.client.on_new_sastoken_required = lambda: self.new_token_wanted.put(True)
        if self._way.kind == "device":
            self.client.on_message_received = self.messages.put
        self.client.on_twin_desired_properties_patch_received = self.desired.put
        if self._way.style == "sync":
            self.client.on_method_request_received = lambda request: self.client.send_method_response(
                _answer(request)
            )
        else:

            async def answer(request):
                await self.client.send_method_response(_answer(request))

            self.client.on_method_request_received = answer


def _answer(request):
    return MethodResponse.create_from_method_request(
        request, 207, {"name": request.name, "payload": request.payload}
    )


async def taken(kept):
    return await asyncio.to_thread(kept.get, timeout=PATIENCE / 2)


async def opened(way, **changes):
    """Create the identity and a client for it, by the way's credential."""
    factory = CLASSES[way.style, way.kind]
    options = way.options() | changes
    if way.kind == "module":
        await async_ask("create", identity=way.identity.split("/")[0])
    by = "certificate" if way.credential == "certificate" else "key"
    made = await async_ask("create", identity=way.identity, by=by)
    if way.credential == "certificate":
        certificate = X509(cert_file=made["certificate"], key_file=made["key"])
        client = factory.create_from_x509_certificate(certificate, way.host, **way.named(), **options)
    elif way.credential == "token":
        # Renewal is asked for two minutes before the end.
        token = await async_ask("token", identity=way.identity, seconds=122, host=way.host)
        client = factory.create_from_sastoken(token, **options)
    elif way.credential == "symmetric key":
        client = factory.create_from_symmetric_key(made["key"], way.host, **way.named(), **options)
    else:
        client = factory.create_from_connection_string(way.connection_string(made["key"]), **options)
    return Client(way, client)


def everything(way):
    """Return a message with every property that the package offers to a device."""
    message = Message(f"é {way}", message_id="m 1", content_encoding="utf-8", content_type="application/json")
    message.correlation_id = "c/1"
    message.user_id = "u&1"
    message.expiry_time_utc = datetime.now(UTC) + timedelta(hours=1)
    message.custom_properties = {"alarm": "yes", "São": "a=b&c d/e+f%", "empty": ""}
    return message


async def changed_twice(it):
    """Wait until the client has lost its connection and has another."""
    await taken(it.states)
    await taken(it.states)
    same(it.client.connected, True)


async def telemetry(way, it):
    async with async_step(f"{way}: telemetry with every property"):
        await it.do("send_message", everything(way))
        event = await async_ask("telemetry", identity=way.identity, body=f"é {way}")
        same(
            [event["system"].get(name) for name in SYSTEM], ["m 1", "c/1", "u&1", "application/json", "utf-8"]
        )
        custom = {name: event["properties"].get(name) for name in ("alarm", "São", "empty")}
        same(custom, {"alarm": "yes", "São": "a=b&c d/e+f%", "empty": ""})
        assert (way.credential == "certificate") == (
            '"x509Certificate"' in event["system"]["iothub-connection-auth-method"]
        )


async def many(way, it):
    async with async_step(f"{way}: telemetry keeps its order"):
        for number in range(20):
            await it.do("send_message", f"{number} {way}")
        events = [
            await async_ask("telemetry", identity=way.identity, body=f"{number} {way}")
            for number in range(20)
        ]
        numbers = [event["system"]["x-opt-sequence-number"] for event in events]
        same(numbers, sorted(numbers))


async def cloud_to_device(way, it):
    async with async_step(f"{way}: cloud-to-device with every property"):
        await async_ask(
            "cloud_to_device",
            identity=way.identity,
            body="ö",
            properties={"a b": "c=d&e/ü", "empty": ""},
            message_id="m 2",
            correlation_id="c/2",
            user_id="u&2",
            content_type="text/plain",
            content_encoding="utf-8",
        )
        message = await taken(it.messages)
        same(message.data.decode(), "ö")
        found = (message.message_id, message.correlation_id, message.user_id)
        same(found, ("m 2", "c/2", "u&2"))
        same((message.content_type, message.content_encoding), ("text/plain", "utf-8"))
        same({name: message.custom_properties.get(name) for name in ("a b",)}, {"a b": "c=d&e/ü"})
        assert message.custom_properties.get("empty", "") in ("", None)


async def twin(way, it):
    async with async_step(f"{way}: twin get"):
        found = await it.do("get_twin")
        same(sorted(found), ["desired", "reported"])
        assert found["desired"]["$version"] >= 1
    async with async_step(f"{way}: twin reported"):
        await it.do("patch_twin_reported_properties", {"speed": {"now": 5, "unit": "m/s"}, "list": [1, None]})
        stored = (await async_ask("twin", identity=way.identity))["properties"]["reported"]
        same((stored["speed"], stored["list"]), ({"now": 5, "unit": "m/s"}, [1, None]))
        same((await it.do("get_twin"))["reported"]["speed"], {"now": 5, "unit": "m/s"})
    async with async_step(f"{way}: twin desired"):
        await async_ask("desire", identity=way.identity, desired={"rate": 7, "gone": None})
        patch = await taken(it.desired)
        same((patch["rate"], patch["$version"]), (7, 2))
        same((await it.do("get_twin"))["desired"]["rate"], 7)


async def methods(way, it, when=""):
    async with async_step(f"{way}: method with payload{when}"):
        result = await async_ask("method", identity=way.identity, name="turn", payload={"to": ["ü", 1, None]})
        same(result, {"status": 207, "payload": {"name": "turn", "payload": {"to": ["ü", 1, None]}}})
    async with async_step(f"{way}: method without payload{when}"):
        result = await async_ask("method", identity=way.identity, name="stop")
        same(result, {"status": 207, "payload": {"name": "stop", "payload": None}})


async def drop(way, it):
    async with async_step(f"{way}: reconnect after a drop"):
        while not it.states.empty():
            it.states.get()
        await async_ask("drop", identity=way.identity)
        await changed_twice(it)
        await it.do("send_message", f"again {way}")
        await async_ask("telemetry", identity=way.identity, body=f"again {way}")
    if way.kind == "device":
        async with async_step(f"{way}: cloud-to-device after a drop"):
            await async_ask("cloud_to_device", identity=way.identity, body="after")
            same((await taken(it.messages)).data, b"after")
    await methods(way, it, " after a drop")


async def end(way, it):
    async with async_step(f"{way}: disconnect"):
        await it.do("disconnect")
        same(it.client.connected, False)
        await it.do("shutdown")


async def full_round(way):
    it = None
    async with async_step(f"{way}: connect"):
        it = await opened(way)
        await it.do("connect")
        await it.listen()
    if it is None:
        return
    await telemetry(way, it)
    await many(way, it)
    if way.kind == "device":
        await cloud_to_device(way, it)
    await twin(way, it)
    await methods(way, it)
    await drop(way, it)
    await end(way, it)


async def short_round(way):
    it = None
    async with async_step(f"{way}: connect"):
        it = await opened(way)
        await it.do("connect")
    if it is None:
        return
    await telemetry(way, it)
    await twin_read(way, it)
    await end(way, it)


async def twin_read(way, it):
    async with async_step(f"{way}: twin get"):
        same((await it.do("get_twin"))["reported"]["$version"], 1)


async def renewal(way):
    """The package renews a token two minutes before its end, by a new connection."""
    it = None
    async with async_step(f"{way}: SAS renewal: connect"):
        changes = {} if way.credential == "token" else {"sastoken_ttl": 122}
        it = await opened(way, **changes)
        await it.listen()
        await it.do("connect")
    if it is None:
        return
    async with async_step(f"{way}: SAS renewal: a new token replaces the old one"):
        while not it.states.empty():
            it.states.get()
        if way.credential == "token":
            await taken(it.new_token_wanted)
            token = await async_ask("token", identity=way.identity, seconds=3600, host=way.host)
            await it.do("update_sastoken", token)
        await changed_twice(it)
        await it.do("send_message", f"renewed {way}")
        await async_ask("telemetry", identity=way.identity, body=f"renewed {way}")
    await end(way, it)


async def refusals(host):
    way = Way("sync", "MQTT", "device", "wrong key", host)
    async with async_step(f"{way}: is refused"):
        await async_ask("create", identity=way.identity)
        wrong = way.connection_string(base64.b64encode(b"wrong key").decode())
        client = IoTHubDeviceClient.create_from_connection_string(wrong, **way.options())
        try:
            await asyncio.to_thread(client.connect)
        except CredentialError:
            pass
        else:
            raise AssertionError("the hub took it")
        finally:
            await asyncio.to_thread(client.shutdown)


async def main():
    for style in ("sync", "async"):
        for transport in ("MQTT", "WebSocket"):
            if HUB["ports"]["mqtt" if transport == "MQTT" else "https"] in (8883, 443):
                await full_round(Way(style, transport, "device", "key", "localhost"))
            for kind in ("device", "module"):
                await full_round(Way(style, transport, kind, "key", PUBLISHED_PROXY))
                await short_round(Way(style, transport, kind, "certificate", PUBLISHED_PROXY))
            await short_round(Way(style, transport, "device", "symmetric key", PUBLISHED_PROXY))
        await renewal(Way(style, "MQTT", "device", "token", PUBLISHED_PROXY))
        await renewal(Way(style, "WebSocket", "device", "key with a short life", PUBLISHED_PROXY))
    await refusals(PUBLISHED_PROXY)


if __name__ == "__main__":
    asyncio.run(main())
