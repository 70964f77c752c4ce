"""iotc, unmodified, as a device of IoT Central: telemetry, properties, commands, some of which waited for it.

Without IoT Central's provisioning it finds a hub by the credentials that it kept: a `Storage` of its user's.
After a drop it asks that service again, and so there is no step for it.
"""

import asyncio
import json
import queue

import iotc.aio
from iotc import IoTCClient, IOTCConnectType, IOTCEvents, IOTCLogLevel
from iotc.models import CredentialsCache, Storage
from steps import HUB, PATIENCE, ask, async_ask, async_step, same, step

WAIT = PATIENCE / 2
BODY = {"temperature": 21.5}


class Kept(Storage):
    """The credentials of an earlier start."""

    def __init__(self, credentials):
        self._credentials = credentials

    def retrieve(self):
        return self._credentials

    def persist(self, credentials):
        self._credentials = credentials


def made(factory, way):
    """Create the device and give it a desired property; return its id and a client of it."""
    identity = f"iotc-{way.replace(' ', '-')}"
    by = "certificate" if way.endswith("certificate") else "key"
    secret = ask("create", identity=identity, by=by)
    ask("desire", identity=identity, desired={"interval": 5})
    if by == "key":
        kind, shown = IOTCConnectType.IOTC_CONNECT_DEVICE_KEY, secret["key"]
        kept = CredentialsCache(HUB["host"], identity, device_key=shown)
    else:
        kind = IOTCConnectType.IOTC_CONNECT_X509_CERT
        shown = {"cert_file": secret["certificate"], "key_file": secret["key"]}
        kept = CredentialsCache(HUB["host"], identity, certificate=shown)
    client = factory(identity, "0ne00000000", kind, shown, storage=Kept(kept))
    client.set_log_level(IOTCLogLevel.IOTC_LOGGING_DISABLED)
    client.set_model_id("dtmi:iothub:Thermostat;1")
    return identity, client


def same_telemetry(event):
    # The package percent-encodes its content type, and the one that it is built on does so again.
    same(event["system"]["content-type"], "application%2Fjson")
    same((event["system"]["content-encoding"], len(event["system"]["message-id"])), ("utf-8", 36))
    same(event["properties"], {"alarm": "a b/ü"})


def acknowledged(identity, name):
    return ask("twin", identity=identity)["properties"]["reported"].get(name)


def answer(value, version):
    return {"value": value, "ac": 200, "ad": "Completed", "av": version}


ANSWER = {"status": 200, "payload": {"result": True, "data": "Command received"}}


def sync_round(way):
    properties, commands, later = queue.Queue(), queue.Queue(), queue.Queue()

    def on_property(changed):
        properties.put((changed.name, changed.value))
        return True

    def on_command(command):
        commands.put((command.component_name, command.name, command.value))
        command.reply()

    with step(f"{way}: connect"):
        identity, client = made(IoTCClient, way)
        client.on(IOTCEvents.IOTC_PROPERTIES, on_property)
        client.on(IOTCEvents.IOTC_COMMAND, on_command)
        client.on(IOTCEvents.IOTC_ENQUEUED_COMMAND, lambda command: later.put((command.name, command.value)))
        client.connect()
        same(client.is_connected(), True)
    with step(f"{way}: acknowledges what was desired before"):
        same(acknowledged(identity, "interval"), answer(5, 2))
    with step(f"{way}: telemetry with a property"):
        client.send_telemetry(BODY, {"alarm": "a b/ü"})
        same_telemetry(ask("telemetry", identity=identity, body=json.dumps(BODY)))
    with step(f"{way}: reported property"):
        client.send_property({"fan": {"value": "on"}})
        same(acknowledged(identity, "fan"), {"value": "on"})
    with step(f"{way}: desired property, with its acknowledgement"):
        ask("desire", identity=identity, desired={"interval": 7})
        same(properties.get(timeout=WAIT), ("interval", 7))
        # The acknowledgement is sent behind the user's function; a method is answered behind that.
        ask("method", identity=identity, name="turn", payload={"to": "ü"})
        same(acknowledged(identity, "interval"), answer(7, 3))
        same(commands.get(timeout=WAIT), (None, "turn", {"to": "ü"}))
    with step(f"{way}: command of a component"):
        same(ask("method", identity=identity, name="fan*turn", payload=1), ANSWER)
        same(commands.get(timeout=WAIT), ("fan", "turn", 1))
    with step(f"{way}: command without payload"):
        same(ask("method", identity=identity, name="stop"), ANSWER)
        same(commands.get(timeout=WAIT), (None, "stop", None))
    with step(f"{way}: command that waited for it"):
        ask("cloud_to_device", identity=identity, body="later", properties={"method-name": "turn"})
        same(later.get(timeout=WAIT), ("turn", b"later"))
    with step(f"{way}: disconnect"):
        client.disconnect()


async def async_round(way):
    later = asyncio.Queue()

    async def on_command(command):
        await command.reply()

    async def on_later(command):
        await later.put((command.name, command.value))

    async with async_step(f"{way}: connect"):
        identity, client = await asyncio.to_thread(made, iotc.aio.IoTCClient, way)
        client.on(IOTCEvents.IOTC_COMMAND, on_command)
        client.on(IOTCEvents.IOTC_ENQUEUED_COMMAND, on_later)
        await client.connect()
        same(client.is_connected(), True)
    async with async_step(f"{way}: telemetry with a property"):
        await client.send_telemetry(BODY, {"alarm": "a b/ü"})
        same_telemetry(await async_ask("telemetry", identity=identity, body=json.dumps(BODY)))
    async with async_step(f"{way}: reported property"):
        await client.send_property({"fan": {"value": "on"}})
        same(await asyncio.to_thread(acknowledged, identity, "fan"), {"value": "on"})
    async with async_step(f"{way}: command of a component"):
        same(await async_ask("method", identity=identity, name="fan*turn", payload=1), ANSWER)
    async with async_step(f"{way}: command that waited for it"):
        await async_ask(
            "cloud_to_device", identity=identity, body="later", properties={"method-name": "turn"}
        )
        same(await asyncio.wait_for(later.get(), WAIT), ("turn", b"later"))
    async with async_step(f"{way}: disconnect"):
        await client.disconnect()


if __name__ == "__main__":
    if HUB["ports"]["mqtt"] == 8883:
        sync_round("sync by key")
        sync_round("sync by certificate")
        asyncio.run(async_round("async by key"))
