"""azure-iot-hub-mcp-server, unmodified, as a process that an assistant calls: each of its tools but jobs."""

import asyncio
import os
import sys
from pathlib import Path

from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from fastmcp.exceptions import ToolError
from steps import HUB, async_ask, async_step, same

DEVICE = "mcp-1"
MODULE = {"device_id": DEVICE, "module_id": "m-1"}

# Its C library for AMQP is told of an authority by nothing: messages go to the port without TLS.
SERVER = StdioTransport(
    str(Path(sys.executable).with_name("azure-iot-hub-mcp-server")),
    [],
    env={
        **os.environ,
        "AZURE_IOT_HUB_CONNECTION_STRING": HUB["service_connection_string"],
        "AZURE_IOT_HUB_AMQP_HOSTNAME_OVERRIDE": HUB["host"],
        "AZURE_IOT_HUB_AMQP_PORT": str(HUB["ports"]["amqp_plain"]),
        "AZURE_IOT_HUB_AMQP_USE_TLS": "false",
    },
)


async def refused(call, *said):
    try:
        await call
    except ToolError as error:
        found = str(error)
    else:
        raise AssertionError("was not refused")
    same([word in found for word in said], [True] * len(said))


async def registry(call):
    async with async_step("registry: create a device"):
        made = await call("create_device", device_id=DEVICE)
        same((made["deviceId"], made["authentication"]["type"]), (DEVICE, "sas"))
    async with async_step("registry: the same device twice is refused"):
        await refused(call("create_device", device_id=DEVICE), "already exists")
    async with async_step("registry: create a device with thumbprints"):
        prints = {"primary_thumbprint": "A" * 40, "secondary_thumbprint": "B" * 40}
        made = await call("create_device", device_id="mcp-x509", auth_type="selfSigned", **prints)
        same(made["authentication"]["x509Thumbprint"]["secondaryThumbprint"], "B" * 40)
    async with async_step("registry: disable and enable a device"):
        for status in ("disabled", "enabled"):
            etag = (await call("get_device", device_id=DEVICE))["etag"]
            same((await call("update_device", device_id=DEVICE, status=status, etag=etag))["status"], status)
    async with async_step("registry: an update without an ETag is refused"):
        await refused(call("update_device", device_id=DEVICE, status="disabled"), "409")
    async with async_step("registry: list devices"):
        found = await call("list_devices", max_count=1000)
        assert DEVICE in [device["deviceId"] for device in found["devices"]]
    async with async_step("registry: a device that is not there"):
        await refused(call("get_device", device_id="nobody"), "404")
    async with async_step("registry: a module"):
        same((await call("create_module", **MODULE))["moduleId"], "m-1")
        same((await call("get_module", **MODULE))["deviceId"], DEVICE)
    async with async_step("registry: statistics"):
        assert (await call("get_device_statistics"))["totalDeviceCount"] >= 2
        assert "connectedDeviceCount" in await call("get_service_statistics")


async def twins(call):
    async with async_step("twin: update tags and desired properties"):
        desired = {"desired_properties": {"rate": 7}}
        found = await call("update_device_twin", device_id=DEVICE, tags={"room": "kitchen"}, **desired)
        same((found["tags"], found["properties"]["desired"]["rate"]), ({"room": "kitchen"}, 7))
    async with async_step("twin: replace"):
        found = await call("replace_device_twin", device_id=DEVICE, tags={"floor": 2}, desired_properties={})
        same((found["tags"], "rate" in found["properties"]["desired"]), ({"floor": 2}, False))
    async with async_step("twin: of a module"):
        found = await call("update_module_twin", **MODULE, desired_properties={"rate": 8})
        same(found["properties"]["desired"]["rate"], 8)
    async with async_step("query: page by page"):
        query = "SELECT deviceId FROM devices WHERE STARTSWITH(deviceId, 'mcp-')"
        first = await call("query_devices", query=query, max_item_count=1)
        how = {"max_item_count": 1, "continuation_token": first["continuation_token"]}
        second = await call("query_devices", query=query, **how)
        found = sorted(item["deviceId"] for item in first["items"] + second["items"])
        same(found, [DEVICE, "mcp-x509"])


async def methods_and_messages(call):
    async with async_step("method: with payload"):
        key = (await call("get_device", device_id=DEVICE))["authentication"]["symmetricKey"]["primaryKey"]
        await async_ask("connect", identity=DEVICE, key=key)
        result = await call("invoke_device_method", device_id=DEVICE, method_name="turn", payload={"to": 1})
        same(result["payload"]["method"], "turn")
    async with async_step("method: a device that is not online"):
        timeouts = {"connect_timeout_seconds": 0, "response_timeout_seconds": 5}
        await refused(
            call("invoke_device_method", device_id="mcp-x509", method_name="turn", **timeouts), "404"
        )
    async with async_step("cloud-to-device wants a node made for it, and is refused"):
        # The answer to its token is to come to a node that the hub makes: none is known to make any.
        await refused(call("send_c2d_message", device_id=DEVICE, payload="ö"), "send_c2d_message")
        same((await call("get_device", device_id=DEVICE))["cloudToDeviceMessageCount"], 0)
    async with async_step("purge"):
        same((await call("purge_c2d_message_queue", device_id=DEVICE))["purged"], True)


async def removal(call):
    async with async_step("registry: delete a module and a device"):
        await call("delete_module", **MODULE, confirm=True)
        await async_ask("disconnect", identity=DEVICE)
        await call("delete_device", device_id=DEVICE, confirm=True)
        await refused(call("get_device", device_id=DEVICE), "404")


async def main():
    async with Client(SERVER) as client:

        async def call(tool, **arguments):
            return (await client.call_tool(tool, arguments)).structured_content

        await registry(call)
        await twins(call)
        await methods_and_messages(call)
        await removal(call)


if __name__ == "__main__":
    asyncio.run(main())
