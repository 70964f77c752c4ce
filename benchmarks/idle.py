"""An hour of an embedded hub at which nothing happens: its memory and the computing that it took.

Devices are connected and only ping, as their keep-alive of 60 seconds asks; azure-eventhub reads both
partitions and finds nothing.
Prints memory before, with all of them there, in each tenth of the time and at the end.
"""

import argparse
import asyncio
import os
import ssl
import tempfile
import threading
from pathlib import Path
from typing import Any

from azure.eventhub import EventHubConsumerClient, TransportType
from many_devices import AT_ONCE, PINGREQ, PINGRESP, one
from processes import device_credentials, memory, running_emulator

PING_SECONDS = 30


def main() -> None:
    """Start the hub, let devices and a reader in, and look at it while nothing happens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument(
        "--minutes", type=float, default=60, help="at most 70: tokens live for an hour, with grace"
    )
    arguments = parser.parse_args()
    names = [f"device-{number}" for number in range(1, arguments.devices + 1)]

    with tempfile.TemporaryDirectory() as directory:
        options = [word for name in names for word in ("--device", name)]
        with running_emulator(Path(directory), *options) as ready:
            print(f"ready: {memory(ready['pid']):.1f} MiB", flush=True)
            events = reader(ready)
            reading = threading.Thread(target=read_nothing, args=(events,), daemon=True)
            reading.start()
            asyncio.run(watch(ready, names, arguments.minutes * 60))
            events.close()
            reading.join(10)


async def watch(ready: dict[str, Any], names: list[str], seconds: float) -> None:
    """Print what the hub holds, ten times; every device is answered to the end."""
    context = ssl.create_default_context(cafile=ready["ca_file"])
    gate, pid = asyncio.Semaphore(AT_ONCE), ready["pid"]
    streams = await asyncio.gather(
        *(one(device_credentials(ready, name), ready["ports"]["mqtt"], context, gate) for name in names)
    )
    begun, first = computing(pid), memory(pid)
    print(f"{len(names)} devices connected: {first:.1f} MiB", flush=True)
    pinging = [asyncio.create_task(ping(*stream)) for stream in streams]
    for tenth in range(1, 11):
        done, _ = await asyncio.wait(pinging, timeout=seconds / 10)
        for task in done:
            task.result()
        print(f"after {tenth * seconds / 600:.1f} min: {memory(pid):.1f} MiB", flush=True)
    spent = computing(pid) - begun
    grown = memory(pid) - first
    print(f"grown by {grown:.1f} MiB in {seconds / 60:.0f} min; computed {spent / seconds:.2%} of the time")
    for task in pinging:
        task.cancel()
    for _, writer in streams:
        writer.transport.abort()


async def ping(incoming: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Keep one device alive; it ends only with an error."""
    while True:
        await asyncio.sleep(PING_SECONDS)
        writer.write(PINGREQ)
        received = await asyncio.wait_for(incoming.readexactly(len(PINGRESP)), 30)
        if received != PINGRESP:
            raise SystemExit(f"{received.hex(' ')} came instead of a PINGRESP")


def reader(ready: dict[str, Any]) -> EventHubConsumerClient:
    """Return Microsoft's client at the hub's Event Hubs-compatible endpoint."""
    return EventHubConsumerClient.from_connection_string(
        ready["events_connection_string"],
        consumer_group="$Default",
        custom_endpoint_address=f"sb://localhost:{ready['ports']['amqp']}",
        transport_type=TransportType.Amqp,
        connection_verify=ready["ca_file"],
    )


def read_nothing(events: EventHubConsumerClient) -> None:
    """Read on from the newest event until the client is closed."""
    events.receive(on_event=lambda _context, _event: None, starting_position="@latest")


def computing(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
