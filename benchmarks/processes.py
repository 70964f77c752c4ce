"""Starting and stopping what the benchmarks measure."""

import base64
import hashlib
import hmac
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True)
class DeviceCredentials:
    """What a device sends in CONNECT."""

    device_id: str
    username: str
    password: str


@contextmanager
def running(command: list[str], *, port: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server, wait until its port accepts (if one is given), and stop that process in the end."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        if port is not None:
            _wait(process, lambda: _accepts(port), f"{command[0]} on port {port}")
        yield process
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def running_emulator(directory: Path, *options: str) -> Iterator[dict[str, Any]]:
    """Run the embedded hub on free ports; yield its ready file, with `pid` and `seconds` to be ready."""
    ready_file = directory / "ready.json"
    ready_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "iothub_emulator", "--exit-with-stdin", "--ready-file", str(ready_file)]
    command += ["--mqtt-port", "0", "--https-port", "0", "--amqp-port", "0"]
    command += ["--amqp-plain-port", "0", *options]
    begin = time.perf_counter()
    with running(command) as process:
        _wait(process, ready_file.exists, "the embedded hub")
        seconds = time.perf_counter() - begin
        yield {**json.loads(ready_file.read_text()), "pid": process.pid, "seconds": seconds}


def device_credentials(ready: dict[str, Any], device_id: str = "device-1") -> DeviceCredentials:
    """Return Username and SAS token of a device that the hub made at its start."""
    text = ready["device_connection_strings"][device_id]
    fields = dict(part.split("=", 1) for part in text.split(";"))
    resource = quote(f"localhost/devices/{device_id}", safe="")
    expiry = str(int(time.time()) + 3600)
    key = base64.b64decode(fields["SharedAccessKey"])
    signature = base64.b64encode(hmac.digest(key, f"{resource}\n{expiry}".encode(), hashlib.sha256))
    token = f"SharedAccessSignature sr={resource}&sig={quote(signature, safe='')}&se={expiry}"
    return DeviceCredentials(device_id, f"localhost/{device_id}/?api-version=2021-04-12", token)


def memory(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def free_port() -> int:
    """Return a loopback port that was free a moment ago, for a server that cannot take port 0."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _wait(process: subprocess.Popen[bytes], condition: Any, what: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        if process.poll() is not None:
            assert process.stderr is not None
            raise SystemExit(f"{what} ended: {process.stderr.read().decode(errors='replace')[-500:]}")
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} was not ready within 20 s")
        time.sleep(0.002)
