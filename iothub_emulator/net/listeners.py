"""All ports of the emulator, opened together and closed together."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

from iothub_emulator.amqp.endpoint import AmqpEndpoint
from iothub_emulator.mqtt.endpoint import MqttEndpoint
from iothub_emulator.net.https import serve_https
from iothub_emulator.net.sockets import bind
from iothub_emulator.net.tls import Authority, use_small_buffers
from iothub_emulator.runtime import Runtime


@dataclass(frozen=True)
class Ports:
    """Where the hub listens; nothing listens on `plain`, which is bound all the same."""

    mqtt: int
    https: int
    amqp: int
    plain: int


@contextlib.asynccontextmanager
async def open_listeners(runtime: Runtime) -> AsyncIterator[Ports]:
    """Listen until the block ends; `StartError` if a port cannot be had. Sets the runtime's `ca_pem`."""
    settings, rules = runtime.settings, runtime.rules.listeners
    use_small_buffers()
    async with contextlib.AsyncExitStack() as stack:

        def claim(port: int, what: str, option: str) -> socket.socket:
            return stack.enter_context(bind(settings.host, port, what, option))

        mqtt = claim(settings.mqtt_port, "MQTT", "--mqtt-port")
        https = claim(settings.https_port, "HTTPS", "--https-port")
        amqp = claim(settings.amqp_port, "AMQP", "--amqp-port")
        plain = claim(0, "clear-text", "--mqtt-port")

        authority = Authority(rules, settings.host_names)
        runtime.ca_pem = authority.ca_pem
        context = authority.server_context()

        servers = [
            await rules.listen("mqtt", lambda: MqttEndpoint(runtime), mqtt, context),
            await rules.listen("amqp", lambda: AmqpEndpoint(runtime), amqp, context),
        ]
        if rules.answers_in_clear():
            loop = asyncio.get_running_loop()
            servers.append(await loop.create_server(lambda: MqttEndpoint(runtime), sock=plain))
        for server in servers:
            stack.callback(server.close)
        await stack.enter_async_context(serve_https(runtime, https, context))
        stack.callback(runtime.stop)
        yield Ports(_port(mqtt), _port(https), _port(amqp), _port(plain))


def _port(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port
