"""QoS 1 round trips per second: the embedded hub beside mosquitto, with the same client in one run.

The client is paho over TLS with TCP_NODELAY, one message at a time, each waited for until its PUBACK.
Rounds alternate between the two brokers, so that a slow moment of the machine hits both.
Needs mosquitto on the PATH; without it only the embedded hub is measured.
"""

import argparse
import shutil
import socket
import ssl
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import paho.mqtt.client as mqtt
import trustme
from processes import device_credentials, free_port, running, running_emulator

PAYLOAD = b"x" * 100


def main() -> None:
    """Measure, and print one line per round and the ratio of the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2000, help="messages per round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()

    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        targets = {"embedded hub": embedded_hub(stack, directory)}
        if shutil.which("mosquitto"):
            targets["mosquitto"] = mosquitto(stack, directory)
        else:
            print("mosquitto is not installed: measuring the embedded hub alone")

        rates: dict[str, list[float]] = {name: [] for name in targets}
        for number in range(arguments.rounds):
            for name, (client, topic) in targets.items():
                rates[name].append(rate(client, topic, arguments.messages))
            print(f"round {number + 1}: " + ", ".join(f"{name} {r[-1]:.0f}/s" for name, r in rates.items()))

    medians = {name: statistics.median(values) for name, values in rates.items()}
    for name, median in medians.items():
        print(f"{name}: median {median:.0f} QoS 1 round trips per second")
    if "mosquitto" in medians:
        print(f"ratio: {medians['embedded hub'] / medians['mosquitto']:.2f} (goal: at least 0.8)")


def rate(client: mqtt.Client, topic: str, messages: int) -> float:
    """Return round trips per second."""
    begin = time.perf_counter()
    for _ in range(messages):
        client.publish(topic, PAYLOAD, qos=1).wait_for_publish(10)
    return messages / (time.perf_counter() - begin)


def embedded_hub(stack: ExitStack, directory: Path) -> tuple[mqtt.Client, str]:
    """Start the embedded hub and connect its first device."""
    ready = stack.enter_context(running_emulator(directory))
    device = device_credentials(ready)
    client = connected(
        stack, device.device_id, ready["ports"]["mqtt"], ready["ca_file"], device.username, device.password
    )
    return client, f"devices/{device.device_id}/messages/events/"


def mosquitto(stack: ExitStack, directory: Path) -> tuple[mqtt.Client, str]:
    """Start mosquitto with TLS on a free port and connect one client."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(str(directory / "mosquitto-ca.pem"))
    certificate.private_key_and_cert_chain_pem.write_to_path(str(directory / "mosquitto.pem"))
    port = free_port()
    configuration = directory / "mosquitto.conf"
    configuration.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\nset_tcp_nodelay true\n"
        f"certfile {directory}/mosquitto.pem\nkeyfile {directory}/mosquitto.pem\n"
    )
    stack.enter_context(running(["mosquitto", "-c", str(configuration)], port=port))
    client = connected(stack, "device-1", port, str(directory / "mosquitto-ca.pem"), None, None)
    return client, "devices/device-1/messages/events/"


def connected(
    stack: ExitStack, client_id: str, port: int, ca_file: str, username: str | None, password: str | None
) -> mqtt.Client:
    """Return a paho client that is connected over TLS and runs in its own thread."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id, reconnect_on_failure=False)
    client.username_pw_set(username, password)
    client.tls_set(ca_certs=ca_file, tls_version=ssl.PROTOCOL_TLS_CLIENT)
    client.on_socket_open = _nodelay
    client.connect("localhost", port, keepalive=60)
    client.loop_start()
    stack.callback(client.loop_stop)
    stack.callback(client.disconnect)
    deadline = time.monotonic() + 10
    while not client.is_connected():
        if time.monotonic() > deadline:
            raise SystemExit(f"{client_id} did not get a session on port {port}")
    return client


def _nodelay(_client: object, _userdata: object, sock: socket.socket) -> None:
    """Without it each PUBACK that is followed by a PUBLISH costs 43 ms of Nagle and delayed ACK."""
    with socket.fromfd(sock.fileno(), socket.AF_INET, socket.SOCK_STREAM) as duplicate:
        duplicate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


if __name__ == "__main__":
    main()
