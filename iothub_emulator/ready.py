"""What the emulator says to programs once it listens: a JSON file, and its certificate authority's."""

import contextlib
import datetime as dt
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from iothub_emulator.hub.identity import DeviceIdentity
from iothub_emulator.hub.policies import Policy
from iothub_emulator.net import client_certificates
from iothub_emulator.net.authority import CertificateAuthority, is_of_one_start, read_authority
from iothub_emulator.net.errors import StartError
from iothub_emulator.net.listeners import Ports
from iothub_emulator.runtime import Runtime
from iothub_emulator.settings import TELEMETRY, Settings

LOOPBACK = ("localhost", "127.0.0.1")
"""Names that lead to this machine without a hosts file or a proxy."""

_HTTPS, _AMQP = 443, 5671

# [MQTT-3.1.2-24] allows one and a half times the keep-alive; a timer may be late by this much (seconds).
_KEEP_ALIVE_FACTOR = 1.5
_KEEP_ALIVE_TOLERANCE = 1.4


def description(runtime: Runtime, ports: Ports, ca_file: Path) -> dict[str, Any]:
    """Return all that someone needs to use this hub, keys included, as it really is."""
    settings = runtime.settings
    host = settings.host_names[0]
    service = runtime.policies["service"]
    strings = connection_strings(runtime, ports, host)
    return {
        "name": "IoT Hub emulator",
        "host": host,
        **_address(settings),
        **({} if settings.only_host_name is None else {"device_host": settings.only_host_name}),
        "ports": {name: port for name, port in asdict(ports).items() if port is not None},
        "ca_file": str(ca_file),
        "service_connection_string": strings["service_connection_string"],
        "events_connection_string": strings["events_connection_string"],
        **_routed(runtime, ports),
        "events_development_connection_string": (
            f"Endpoint=sb://localhost:{ports.amqp_plain};{_signed_by(service)};"
            f"UseDevelopmentEmulator=true;EntityPath={settings.entity}"
        ),
        "device_connection_strings": strings["device_connection_strings"],
        "host_names": {name: connection_strings(runtime, ports, name) for name in settings.host_names},
        "edition": runtime.edition.name,
        **_network(settings),
        "timing": _timing(runtime),
        "capabilities": capabilities(runtime),
    }


def _address(settings: Settings) -> dict[str, str]:
    """Say by which address the hub's names are reached, where they need not lead to it by themselves."""
    return {} if settings.host in {*LOOPBACK, "0.0.0.0", "::"} else {"address": settings.host}


def connection_strings(runtime: Runtime, ports: Ports, host: str) -> dict[str, Any]:
    """Return the connection strings that lead here under one of the hub's names.

    Clients differ in what they take: some want a dot in the name, some the port of MQTT behind it, most
    nothing behind it. A port that is the standard one is left out of the service's and of the events'.
    """
    settings = runtime.settings
    owner, service = runtime.policies["iothubowner"], runtime.policies["service"]
    is_proxied = _is_proxied(host, ports)
    rest_host = host if is_proxied or ports.https == _HTTPS else f"{host}:{ports.https}"
    devices = list(runtime.registry)
    return {
        "service_connection_string": f"HostName={rest_host};{_signed_by(owner)}",
        "events_connection_string": (
            f"Endpoint=sb://{_amqp_host(host, ports)}/;{_signed_by(service)};EntityPath={settings.entity}"
        ),
        "device_connection_strings": {device.device_id: _device_string(host, device) for device in devices},
        "device_connection_strings_with_port": {
            device.device_id: _device_string(f"{host}:{ports.mqtt}", device) for device in devices
        },
    }


def capabilities(runtime: Runtime) -> list[str]:
    """Return what this hub serves, in the words of the suite's profiles."""
    settings = runtime.settings
    served = ["registry", "c2d", "twin", "methods", "modules", "feedback", "websocket", "model-id"]
    served += ["telemetry"] if TELEMETRY in settings.events else []
    served += ["registry-reference", "queries"]
    events = {"connection": "connection-events", "twin": "twin-events", "lifecycle": "lifecycle-events"}
    served += [capability for subject, capability in events.items() if subject in settings.events]
    served += ["routing"] if settings.routes else []
    throttled = {throttle.kind for throttle in settings.throttles}
    served += ["throttling"] if {"twin-reads", "twin-updates"} <= throttled else []
    if settings.client_ca is None and client_certificates.is_possible():
        # With one authority alone, a certificate that a device made for itself opens nothing.
        served += ["x509", "x509-over-websocket", "x509-modules"]
        served += ["x509-ca"] if settings.device_cas else []
    return served


@contextlib.contextmanager
def ready_file(path: Path | None, about: dict[str, Any]) -> Iterator[None]:
    """Keep the description at `path` while the block runs; it appears whole, readable by its owner only.

    It is removed at the end: a hub that is gone must not look ready.
    """
    if path is None:
        yield
        return
    _write_whole(path, json.dumps(about, indent=2) + "\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def kept_authority(path: Path | None, key_path: Path | None, now: dt.datetime) -> CertificateAuthority | None:
    """Return the certificate authority in these two files; None where it is to be made anew.

    `StartError` where one file is there without the other, where they do not belong together, and where the
    certificate's file holds what the next start could not make again.
    """
    if key_path is None:
        if path is not None and path.exists() and not is_of_one_start(path.read_bytes()):
            raise StartError(
                f"--ca-file {path} holds something else than the certificate of an earlier start:"
                " name its key with --ca-key, or another file"
            )
        return None
    if path is None:
        raise StartError("--ca-key needs --ca-file: name the file of the certificate too")
    if path.resolve() == key_path.resolve():
        raise StartError(f"--ca-file and --ca-key both name {path}: name two files")
    there = [file for file in (path, key_path) if file.exists()]
    if len(there) == 1:
        (other,) = {path, key_path} - set(there)
        raise StartError(
            f"{there[0]} is there and {other} is not: put it back, or remove both, new ones are made"
        )
    return read_authority(path, key_path, now) if there else None


@contextlib.contextmanager
def ca_files(path: Path | None, key_path: Path | None, authority: CertificateAuthority) -> Iterator[Path]:
    """Keep the authority's certificate in a file while the block runs, and its key too where one is named.

    The certificate is for everybody: without a path it goes into a folder of its own, which other users of
    the machine, a broker's for example, can read too.
    """
    if path is not None:
        if key_path is None:
            _write_whole(path, authority.pem.decode(), mode=0o644)
        elif not key_path.exists():
            _write_whole(key_path, authority.key_pem.decode())
            try:
                _write_whole(path, authority.pem.decode(), mode=0o644)
            except StartError:
                key_path.unlink(missing_ok=True)  # both or none: half of a pair is no authority
                raise
        yield path.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="iothub-emulator-") as folder:
        Path(folder).chmod(0o755)
        shared = Path(folder) / "ca.pem"
        shared.write_bytes(authority.pem)
        shared.chmod(0o644)
        yield shared


def _is_proxied(host: str, ports: Ports) -> bool:
    """Tell whether the CONNECT port leads this name here, from the standard ports; not loopback's own."""
    return ports.connect is not None and host not in LOOPBACK


def _amqp_host(host: str, ports: Ports) -> str:
    """Return the host of an Event Hubs endpoint, with its port where that is another than the standard one.

    azure-event-hubs 0.2 looks all of it up as the name of a host, port included.
    """
    return host if _is_proxied(host, ports) or ports.amqp == _AMQP else f"{host}:{ports.amqp}"


def _signed_by(policy: Policy) -> str:
    return f"SharedAccessKeyName={policy.name};SharedAccessKey={policy.primary_key}"


def _device_string(host: str, device: DeviceIdentity) -> str:
    return f"HostName={host};DeviceId={device.device_id};SharedAccessKey={device.primary_key}"


def _routed(runtime: Runtime, ports: Ports) -> dict[str, str]:
    """Return how to reach the custom endpoint; nothing where no route leads there."""
    settings, service = runtime.settings, runtime.policies["service"]
    if not settings.routes:
        return {}
    return {
        "routed_events_connection_string": (
            f"Endpoint=sb://{_amqp_host(settings.host_names[0], ports)}/;{_signed_by(service)};"
            f"EntityPath={settings.routed_entity}"
        )
    }


def _network(settings: Settings) -> dict[str, dict[str, float]]:
    """Return how far away the hub is, in seconds each way; nothing where it is as near as it can be."""
    if not settings.latency and not settings.jitter:
        return {}
    return {"network": {"latency": settings.latency, "jitter": settings.jitter}}


def _timing(runtime: Runtime) -> dict[str, float]:
    settings = runtime.settings
    timing = {
        "sas-skew": settings.sas_skew,
        "sas-grace": settings.sas_grace,
        "c2d-lock": settings.c2d_lock,
        "method-timeout": settings.method_shortest_timeout,
        # A message ends by a timer of its own.
        "c2d-expiry": 0.0,
        "connection-state": 0.0,
        "feedback": settings.feedback_interval,
    }
    if "connection" in settings.events:
        timing["connection-events"] = settings.connection_events_interval
    if settings.keep_alive_factor <= _KEEP_ALIVE_FACTOR:
        # With a larger factor a silent client stays longer than MQTT allows; then nothing is promised.
        timing["keep-alive-tolerance"] = _KEEP_ALIVE_TOLERANCE
    return timing


def _write_whole(path: Path, text: str, *, mode: int = 0o600) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
        draft = Path(name)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
            draft.chmod(mode)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)  # it holds keys, whatever came in between
    except OSError as error:
        raise StartError(
            f"{path} cannot be written ({error.strerror}): name a file in a writable folder"
        ) from None
