"""A hub in a process of its own, and what a test asks of it.

It knows of the hub what its ready file says, and uses the service's REST interface, as a back end does.
Telemetry is read from the file of ``--event-log``: nothing that speaks AMQP is needed.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from iothub_emulator.testing.service import Service, ServiceError

START: Final = 30.0
"""Seconds in which a hub must be ready; it takes half a second."""

PATIENCE: Final = 10.0
"""Seconds for what a test waits for, unless it says otherwise."""

_LOOK_AGAIN: Final = 0.005
_FREE_PORTS: Final = ("--mqtt-port=0", "--https-port=0", "--amqp-port=0", "--amqp-plain-port=0")


class IotHubError(Exception):
    """The hub did not start, or refused what a test asked of it; the text says what."""


@dataclass(frozen=True, kw_only=True)
class Telemetry:
    """A message as a back end sees it. `system` has content-type, message-id and their like."""

    device_id: str
    module_id: str
    body: bytes = field(repr=False)
    properties: Mapping[str, str]
    system: Mapping[str, str]
    time: float
    """When it reached the hub, in unix seconds."""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ValueError where it is none."""
        return json.loads(self.body)


@dataclass(frozen=True)
class MethodAnswer:
    """What a device answered to a direct method."""

    status: int
    payload: Any


class IotHub:
    """An Azure IoT Hub on this machine: a context manager that starts and ends it.

    `options` are those of ``python -m iothub_emulator``; ports are free ones unless they say otherwise.
    """

    ready: Mapping[str, Any]
    """All that the ready file says: ports, names, connection strings, keys."""

    def __init__(self, *options: str) -> None:
        self._options = options
        self._waiting: deque[Telemetry] = deque()

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="iothub-")
        try:
            self._start(Path(self._folder.name))
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._log.close()
        self._stop()
        self._said.close()
        self._folder.cleanup()

    # How to reach it

    @property
    def device_connection_strings(self) -> Mapping[str, str]:
        """The connection string of each device that the hub began with: device-1, or those of --device."""
        strings: Mapping[str, str] = self.ready["device_connection_strings"]
        return strings

    @property
    def service_connection_string(self) -> str:
        """For a back end: identities, twins, methods, messages."""
        return str(self.ready["service_connection_string"])

    @property
    def events_connection_string(self) -> str:
        """For a reader of events in development-emulator mode, such as azure-eventhub."""
        return str(self.ready["events_development_connection_string"])

    @property
    def ca_file(self) -> str:
        """The certificate authority to trust, a PEM file."""
        return str(self.ready["ca_file"])

    @property
    def ports(self) -> Mapping[str, int]:
        """Where it listens: mqtt, https, amqp, amqp_plain."""
        ports: Mapping[str, int] = self.ready["ports"]
        return ports

    def device(self, device_id: str) -> str:
        """Return the connection string of a device, which is made if it is not there."""
        known = self.device_connection_strings.get(device_id)
        if known is not None:
            return known
        identity = self._asked(self._service.device, device_id)
        key = identity["authentication"]["symmetricKey"]["primaryKey"]
        return f"HostName={self.ready['host']};DeviceId={device_id};SharedAccessKey={key}"

    # What a back end does

    def telemetry(self, device_id: str | None = None, *, timeout: float = PATIENCE) -> Telemetry:
        """Return the next message of this device, or of any; each message is returned once.

        Raises TimeoutError after so many seconds, with what came of others.
        """
        deadline = time.monotonic() + timeout
        while True:
            self._read()
            for message in self._waiting:
                if device_id in {None, message.device_id}:
                    self._waiting.remove(message)
                    return message
            if time.monotonic() > deadline:
                raise TimeoutError(self._nothing_came(device_id, timeout))
            time.sleep(_LOOK_AGAIN)

    def forget_telemetry(self) -> None:
        """Leave out what has come so far; the fixture does so before each test."""
        self._read()
        self._waiting.clear()

    def send(self, device_id: str, body: bytes | str, properties: Mapping[str, str] | None = None) -> None:
        """Send a message to a device; it waits until the device is there."""
        raw = body.encode() if isinstance(body, str) else body
        self._asked(self._service.send, device_id, raw, properties or {})

    def twin(self, device_id: str, desired: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return a device's twin; where `desired` is given, desired properties are changed before."""
        if desired is not None:
            self._asked(self._service.patch_twin, device_id, {"properties": {"desired": dict(desired)}})
        twin: dict[str, Any] = self._asked(self._service.twin, device_id)
        return twin

    def invoke(
        self, device_id: str, method: str, payload: Any = None, *, timeout: float = PATIENCE
    ) -> MethodAnswer:
        """Call a direct method and return what the device answers within so many seconds, 5 to 300.

        Raises IotHubError where it is not connected, or does not answer.
        """
        answer = self._asked(self._service.invoke, device_id, method, payload, timeout)
        return MethodAnswer(answer["status"], answer["payload"])

    # The process

    def _start(self, folder: Path) -> None:
        ready_file, log = folder / "ready.json", folder / "event-log.jsonl"
        self._said = (folder / "said.txt").open("w+b")
        self._process = subprocess.Popen(  # noqa: S603 - this package, with options of the tests' own
            [
                *(sys.executable, "-m", "iothub_emulator", *_FREE_PORTS, *self._options),
                *("--ready-file", str(ready_file), "--event-log", str(log), "--exit-with-stdin"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,  # Ctrl-C is for the tests: fixtures that use the hub end first
        )
        deadline = time.monotonic() + START
        while not ready_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._stop()
                raise IotHubError(f"the hub did not start: {self._last_words() or f'not within {START:g} s'}")
            time.sleep(_LOOK_AGAIN)
        self.ready = json.loads(ready_file.read_bytes())
        self._log = log.open("rb")
        self._service = Service(self.service_connection_string, self.ca_file)

    def _stop(self) -> None:
        """Close the hub's stdin, by which it leaves; one that does not is ended."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(START)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    # What came

    def _read(self) -> None:
        while line := self._log.readline():
            if not line.endswith(b"\n"):  # the hub is still writing it
                self._log.seek(-len(line), os.SEEK_CUR)
                return
            event = json.loads(line)
            if event["source"] == "Telemetry":
                self._waiting.append(_message(event))

    def _nothing_came(self, device_id: str | None, timeout: float) -> str:
        whose = "no message" if device_id is None else f"no message of {device_id}"
        others = sorted({message.device_id for message in self._waiting})
        came = f"; {len(self._waiting)} came of {', '.join(others)}" if others else ""
        return f"{whose} reached the hub within {timeout:g} s{came}"

    def _asked(self, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except ServiceError as refusal:
            raise IotHubError(str(refusal)) from None


def _message(event: Mapping[str, Any]) -> Telemetry:
    return Telemetry(
        device_id=event["device"],
        module_id=event["module"],
        body=base64.b64decode(event["body_base64"]),
        properties=event["properties"],
        system=event["system"],
        time=event["time"],
    )
