"""What the emulator says to people once it listens: what to trust, and which string is for whom."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from iothub_emulator.ready import LOOPBACK

_MQTT, _HTTPS, _AMQP = 8883, 443, 5671

_TRUST_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""By which OpenSSL (Python, Go, .NET on Linux), requests and Node are told of a certificate authority."""

_ON_STANDARD_PORT = "azure-iot-device, azure-iot-device-mqtt (npm), paho and other MQTT clients"
_TOLD_THE_PORT = "paho and other MQTT clients that are told the port"


def banner(about: dict[str, Any], ready_path: Path | None = None) -> str:
    """Return the ready file's content in words; `ready_path` is where it is, if it is anywhere."""
    return "\n".join(_lines(about, ready_path))


def _lines(about: dict[str, Any], ready_path: Path | None) -> Iterator[str]:
    host, ports = about["host"], about["ports"]
    proxy = f" · CONNECT {ports['connect']}" if "connect" in ports else ""
    yield f"IoT Hub emulator, edition {about['edition']}, ready on {host}"
    yield f"MQTT {ports['mqtt']} · HTTPS and WebSocket {ports['https']} · AMQP {ports['amqp']} · all with TLS"
    yield f"AMQP without TLS {ports['amqp_plain']}, on loopback alone{proxy}"
    if "network" in about:
        latency, jitter = (round(about["network"][name] * 1000, 3) for name in ("latency", "jitter"))
        more = f" and up to {jitter:g} ms more, drawn by --seed" if jitter else ""
        yield f"What is sent takes {latency:g} ms{more}, in each direction"
    path = shlex.quote(about["ca_file"])
    yield "Trust its certificate authority, in the shell that runs a client:"
    yield f"  export {' '.join(f'{name}={path}' for name in _TRUST_VARIABLES)}"

    on_standard_ports = (ports["https"], ports["amqp"]) == (_HTTPS, _AMQP)
    yield f"Service: azure-iot-hub, {'azure-iothub (npm), ' if on_standard_ports else ''}REST"
    yield f"  {about['service_connection_string']}"
    yield "Events, as it is: azure-eventhub, @azure/event-hubs (npm)"
    yield f"  {about['events_development_connection_string']}"
    endpoint = f"sb://{host}:{ports['amqp']}"
    yield f"Events over TLS, with the client's options for the CA and for a custom endpoint, {endpoint}"
    yield f"  {about['events_connection_string']}"

    names = about["host_names"]
    yield f"Devices: {_ON_STANDARD_PORT if ports['mqtt'] == _MQTT else _TOLD_THE_PORT}"
    yield from _indented(names[host]["device_connection_strings"])
    if ports["mqtt"] != _MQTT:
        yield "Devices that find the port in the string: azure-iot-device-mqtt (npm)"
        yield from _indented(names[host]["device_connection_strings_with_port"])
    dotted = [name for name in names if "." in name and name not in LOOPBACK][-1:]
    for name in dotted:  # the hub's own, or one that its user gave it
        yield f"Devices that want a dot in the host name, such as the C SDK: {_way_to(name, ports)}"
        yield from _indented(names[name]["device_connection_strings"])

    if ready_path is not None:
        command = shlex.join(["python", "-m", "iothub_emulator", "monitor", "--ready-file", str(ready_path)])
        yield f"See what devices send: {command}"
    yield "Ctrl-C ends it; keys and certificates that no option fixes are new at each start."


def _indented(strings: Mapping[str, str]) -> Iterator[str]:
    return (f"  {text}" for text in strings.values())


def _way_to(name: str, ports: Mapping[str, int]) -> str:
    if "connect" in ports:
        return f"by their proxy option, http://127.0.0.1:{ports['connect']}"
    if ports["mqtt"] == _MQTT:
        return f"with a line in the hosts file, 127.0.0.1 {name}"
    return "most know port 8883 alone, or a proxy: --connect-port 0"
