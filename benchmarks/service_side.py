"""The service side of the embedded hub: latencies, round trips, and 1,000 devices while it is busy.

Speaks through the suite's own driver: paho on the device side, REST and AMQP on the back end's.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from many_devices import everybody
from processes import memory, running_emulator

from conformance.backend import Service
from conformance.evidence.case import Evidence
from conformance.mqtt.connection import Connection
from conformance.mqtt.device import Device
from conformance.mqtt.endpoint import Endpoint
from conformance.mqtt.reactor import Reactor
from conformance.profile import loading
from conformance.target.opening import open_target

# What the profile `emulator` claims, with throttles that no measurement reaches.
STATED = (
    *("--events", "telemetry,connection"),
    *("--route", "nothing:false"),
    *("--throttle", "twin-reads=1000000/s", "--throttle", "twin-updates=1000000/s"),
)


def main() -> None:
    """Measure one thing after the other and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="of each kind")
    parser.add_argument("--devices", type=int, default=1000)
    arguments = parser.parse_args()
    names = [f"device-{number}" for number in range(1, arguments.devices + 1)]
    options = [*STATED, *(word for name in names for word in ("--device", name))]

    with (
        tempfile.TemporaryDirectory() as directory,
        running_emulator(Path(directory), *options) as ready,
        contextlib.ExitStack() as stack,
    ):
        attached = Path(directory) / "ready.json"
        profile = loading.load("emulator")
        profile = dataclasses.replace(profile, claims=profile.claims - {"x509-ca"})
        target = open_target(profile, attach=str(attached)).target
        service, reactor = Service(target), Reactor()
        stack.callback(reactor.stop)
        stack.callback(service.close)
        (identity,) = service.registry.create(["measured-device"])
        trust, timeouts = target.ca_file or "system", target.timeouts
        endpoint = Endpoint(host=target.host, port=target.ports.mqtt, trust=trust, timeouts=timeouts)
        device = Device(identity, endpoint, reactor, Evidence())
        stack.callback(device.close)

        measure_events(service, device, arguments.rounds)
        measure_messages(service, device, arguments.rounds)
        measure_methods(service, device, arguments.rounds)
        with_busy_service(service, device, lambda: asyncio.run(everybody(ready, names)), len(names))
        print(f"memory {memory(ready['pid']):.0f} MiB")


def measure_events(service: Service, device: Device, rounds: int) -> None:
    """From the call of publish until the back end holds the event."""
    connection, telemetry = device.connect(), service.telemetry

    def once() -> None:
        connection.publish(device.topics.events, b"x" * 100, qos=1)
        telemetry.next(sent_by=device)

    report("event, published with QoS 1 until read", once, rounds)


def measure_messages(service: Service, device: Device, rounds: int) -> None:
    """From the call of send until the device holds the message."""
    connection = device.connect()
    connection.subscribe(device.topics.devicebound, qos=1)

    def once() -> None:
        service.c2d.send(device, b"x" * 100)
        connection.expect_message()

    report("cloud-to-device message, sent until received", once, rounds)


def measure_methods(service: Service, device: Device, rounds: int) -> None:
    """From the call until its result is there; the device answers in a thread of its own."""
    connection = device.connect()
    connection.subscribe("$iothub/methods/POST/#")
    answering = threading.Thread(target=answer, args=(connection, rounds + 1), daemon=True)
    answering.start()
    report(
        "direct method, called until answered", lambda: service.methods.invoke(device, "measure", {}), rounds
    )
    answering.join(10)


def answer(connection: Connection, rounds: int) -> None:
    """Answer so many calls with status 200."""
    for _ in range(rounds):
        request = connection.expect_message()
        request_id = request.topic.partition("$rid=")[2]
        connection.publish(f"$iothub/methods/res/200/?$rid={request_id}", b"{}", qos=0)


def with_busy_service(service: Service, device: Device, crowd: Callable[[], float], count: int) -> None:
    """Let all devices in while twins are read and messages are sent without a pause."""
    over, calls = threading.Event(), [0]

    def keep_asking() -> None:
        while not over.is_set():
            service.twins.get(device)
            service.c2d.attempt_to_send(device, b"busy")
            calls[0] += 2

    busy = threading.Thread(target=keep_asking, daemon=True)
    busy.start()
    begin = time.perf_counter()
    seconds = crowd()
    over.set()
    busy.join(10)
    rate = calls[0] / (time.perf_counter() - begin)
    print(f"{count} devices up in {seconds:.2f} s while the service side did {rate:.0f} calls a second")


def report(what: str, once: Callable[[], None], rounds: int) -> None:
    """Print median and 99th percentile in milliseconds, and how many a second, one after the other."""
    once()
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        once()
        times.append((time.perf_counter() - begin) * 1000)
    times.sort()
    median, late = statistics.median(times), times[int(len(times) * 0.99)]
    print(f"{what}: median {median:.2f} ms, p99 {late:.2f} ms, {1000 * len(times) / sum(times):.0f} a second")


if __name__ == "__main__":
    main()
