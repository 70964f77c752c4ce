"""All ports of the emulator, opened together and closed together."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

from iothub_emulator.mqtt.endpoint import MqttEndpoint
from iothub_emulator.net.authority import HubCertificate
from iothub_emulator.net.connect_port import Tunnels
from iothub_emulator.net.delay_line import far_away
from iothub_emulator.net.device_authorities import read_authorities
from iothub_emulator.net.https import serve_https
from iothub_emulator.net.rules import BACKLOG
from iothub_emulator.net.sockets import bind, loopback_of, reachable
from iothub_emulator.net.tls import ServerContexts
from iothub_emulator.runtime import Runtime


@dataclass(frozen=True)
class Ports:
    """Where the hub listens; nothing listens on `plain`, which is bound all the same."""

    mqtt: int
    https: int
    amqp: int
    plain: int
    amqp_plain: int
    """AMQP without TLS, on the loopback address alone."""
    connect: int | None
    """A proxy to the others; None where none was asked for."""


@contextlib.asynccontextmanager
async def open_listeners(runtime: Runtime, certificate: HubCertificate) -> AsyncIterator[Ports]:
    """Listen until the block ends; `StartError` if a port cannot be had. Sets the runtime's `amqp_port`."""
    settings, rules = runtime.settings, runtime.rules.listeners
    async with contextlib.AsyncExitStack() as stack:

        def claim(port: int, what: str, option: str, host: str = settings.host) -> socket.socket:
            return stack.enter_context(bind(host, port, what, option))

        mqtt = claim(settings.mqtt_port, "MQTT", "--mqtt-port")
        https = claim(settings.https_port, "HTTPS", "--https-port")
        amqp = claim(settings.amqp_port, "AMQP", "--amqp-port")
        amqp_plain = claim(
            settings.amqp_plain_port, "clear-text AMQP", "--amqp-plain-port", loopback_of(settings.host)
        )
        plain = stack.enter_context(bind(settings.host, 0, "clear-text", "--mqtt-port", listens=False))
        connect = (
            None
            if settings.connect_port is None
            else claim(settings.connect_port, "CONNECT", "--connect-port")
        )

        runtime.amqp_port = amqp.getsockname()[1]
        contexts = ServerContexts(certificate, rules)
        for_devices = contexts.for_devices(settings.client_ca)
        read_authorities(settings.device_cas)  # a mistake in them shows at the start

        def device() -> asyncio.Protocol:
            return MqttEndpoint(runtime)

        def service() -> asyncio.Protocol:
            # Imported by the first client that comes: it is an eighth of the start, and many need no AMQP.
            from iothub_emulator.amqp.endpoint import AmqpEndpoint  # noqa: PLC0415 - see above

            return AmqpEndpoint(runtime)

        loop = asyncio.get_running_loop()
        servers = [
            await rules.listen("mqtt", device, mqtt, for_devices),
            await rules.listen("amqp", service, amqp, contexts.for_back_ends()),
            await loop.create_server(
                far_away(settings, "amqp-plain", service), sock=amqp_plain, backlog=BACKLOG
            ),
        ]
        if rules.answers_in_clear():
            servers.append(await loop.create_server(device, sock=plain))
        if connect is not None:
            targets = {"mqtt": reachable(mqtt), "https": reachable(https), "amqp": reachable(amqp)}
            tunnels = Tunnels(rules, settings.host_names, targets)
            servers.append(await loop.create_server(tunnels, sock=connect, backlog=BACKLOG))
            stack.push_async_callback(tunnels.close)
        for server in servers:
            stack.callback(server.close)
        endpoints = {"mqtt": device, "AMQPWSB10": service}
        await stack.enter_async_context(serve_https(runtime, https, for_devices, endpoints))
        stack.callback(runtime.stop)
        yield Ports(
            mqtt=_port(mqtt),
            https=_port(https),
            amqp=_port(amqp),
            plain=_port(plain),
            amqp_plain=_port(amqp_plain),
            connect=None if connect is None else _port(connect),
        )


def _port(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port
