"""What the tap adds to a round trip, a PUBLISH with QoS 1 and its PUBACK, over that with the hub alone.

Both are measured side by side, in turns of a hundred, on one launched hub. The goal is 1 ms, in the median.
The time of a processor that this process takes for each, client and tap, says how much of it is waiting.
"""

import ssl
import statistics
import time

from conformance.backend import Service
from conformance.evidence.case import Evidence
from conformance.mqtt import raw_packets
from conformance.mqtt.endpoint import Endpoint, open_tls
from conformance.mqtt.login import Bearer
from conformance.profile import loading
from conformance.run.device_bench import open_tap
from conformance.tap.record import Record
from conformance.target.opening import open_target

TURNS = 20
EACH = 100
GOAL = 1.0


def main() -> None:
    """Measure, and say what came out."""
    profile = loading.load("device-paho")
    with open_target(profile) as opened:
        target = opened.target
        service = Service(target, telemetry=False)
        tap = open_tap(target)
        try:
            ca_file = target.ca_file or ""
            tap_ca = f"{ca_file}.tap"
            with open(tap_ca, "w") as file:  # noqa: PTH123 - a script
                file.write(tap.authority.pem)
            tap.begin(Record(Evidence()))
            ways = {
                "hub": (target.ports.mqtt, ca_file),
                "tap": (tap.ports.mqtt, tap_ca),
            }
            names = {name: f"bench-{name}" for name in ways}
            lines = {}
            for name, (port, trust) in ways.items():
                (identity,) = service.registry.create([names[name]])
                endpoint = Endpoint(host="localhost", port=port, trust=trust, timeouts=target.timeouts)
                line = open_tls(endpoint)
                line.sendall(Bearer(identity, target.name_for_devices, None).connect_packet())
                assert line.recv(4) == b"\x20\x02\0\0"
                lines[name] = line
            times: dict[str, list[float]] = {name: [] for name in ways}
            busy = dict.fromkeys(ways, 0.0)
            for _ in range(TURNS):
                for name, line in lines.items():
                    began = time.process_time()
                    times[name] += [round_trip(line, names[name], number) for number in range(1, EACH + 1)]
                    busy[name] += time.process_time() - began
        finally:
            tap.close()
            service.close()
    medians = {name: statistics.median(each) * 1000 for name, each in times.items()}
    added = medians["tap"] - medians["hub"]
    for name, median in medians.items():
        own = busy[name] / (TURNS * EACH) * 1000
        print(
            f"{name}: {median:.2f} ms, median of {TURNS * EACH} round trips; {own:.2f} ms of a processor each"
        )
    print(f"the tap adds {added:.2f} ms (goal: at most {GOAL:g})")


def round_trip(line: ssl.SSLSocket, device: str, number: int) -> float:
    """Return how long a message takes to be acknowledged, in seconds."""
    topic = raw_packets.text(f"devices/{device}/messages/events/")
    message = raw_packets.packet(0x32, topic, number.to_bytes(2), b"21.5")
    began = time.perf_counter()
    line.sendall(message)
    received = b""
    while len(received) < 4:
        received += line.recv(4 - len(received))
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
