"""1,000 devices on one embedded hub: each connects, subscribes, publishes with QoS 1 and pings, and stays.

Prints the seconds for all of them, and the hub's memory before, with all connected, and per connection.
The client is a bare asyncio one, so that its own cost is small beside the hub's.
"""

import argparse
import asyncio
import ssl
import tempfile
import time
from pathlib import Path
from typing import Any

from processes import DeviceCredentials, device_credentials, memory, running_emulator

AT_ONCE = 50
PINGREQ, PINGRESP = b"\xc0\x00", b"\xd0\x00"


def main() -> None:
    """Start the hub with the devices, let them in, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=1000)
    arguments = parser.parse_args()
    names = [f"device-{number}" for number in range(1, arguments.devices + 1)]

    with tempfile.TemporaryDirectory() as directory:
        options = [word for name in names for word in ("--device", name)]
        with running_emulator(Path(directory), *options) as ready:
            before = memory(ready["pid"])
            print(f"ready in {ready['seconds']:.2f} s with {len(names)} identities, {before:.0f} MiB")
            seconds = asyncio.run(everybody(ready, names))
            after = memory(ready["pid"])
    print(f"{len(names)} devices connected, subscribed, published with QoS 1 and pinged in {seconds:.2f} s")
    print(f"memory {after:.0f} MiB, {(after - before) * 1024 / len(names):.0f} KiB a connection")


async def everybody(ready: dict[str, Any], names: list[str]) -> float:
    """Return the seconds until the last device had its PINGRESP; all stay connected until then."""
    context = ssl.create_default_context(cafile=ready["ca_file"])
    gate = asyncio.Semaphore(AT_ONCE)
    devices = [device_credentials(ready, name) for name in names]
    begin = time.perf_counter()
    streams = await asyncio.gather(
        *(one(device, ready["ports"]["mqtt"], context, gate) for device in devices)
    )
    seconds = time.perf_counter() - begin
    for _, writer in streams:
        writer.transport.abort()
    return seconds


async def one(
    device: DeviceCredentials, port: int, context: ssl.SSLContext, gate: asyncio.Semaphore
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Do what a device does; every answer is compared with the bytes that MQTT 3.1.1 asks for."""
    connect = b"\x00\x04MQTT\x04\xc2\x00\x3c"
    connect += b"".join(text(field) for field in (device.device_id, device.username, device.password))
    subscribe = b"\x00\x01" + text(f"devices/{device.device_id}/messages/devicebound/#") + b"\x01"
    publish = text(f"devices/{device.device_id}/messages/events/") + b"\x00\x02" + b"x" * 100
    async with gate:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname="localhost"
        )
        for request, answer in (
            (packet(0x10, connect), b"\x20\x02\x00\x00"),
            (packet(0x82, subscribe), b"\x90\x03\x00\x01\x01"),
            (packet(0x32, publish), b"\x40\x02\x00\x02"),
            (PINGREQ, PINGRESP),
        ):
            writer.write(request)
            received = await asyncio.wait_for(reader.readexactly(len(answer)), 30)
            if received != answer:
                raise SystemExit(f"{device.device_id}: {received.hex(' ')} came instead of {answer.hex(' ')}")
    return reader, writer


def text(value: str) -> bytes:
    """Return an MQTT string field."""
    return len(value).to_bytes(2, "big") + value.encode()


def packet(first_byte: int, body: bytes) -> bytes:
    """Return an MQTT packet with a remaining length of at most two bytes."""
    low, high = len(body) & 0x7F, len(body) >> 7
    return bytes([first_byte, *([low | 0x80, high] if high else [low])]) + body


if __name__ == "__main__":
    main()
