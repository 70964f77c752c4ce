"""What is asked before the first case: is the hub there, are its keys right, does its back end answer.

It takes a few seconds at most and fails once, clearly. It judges nothing: a hub that does something wrong in
a way that lets a run begin is left to the cases.
"""

import dataclasses
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from conformance.credentials import Identity, flip_signature_bit
from conformance.device import Device, Endpoint, Reactor
from conformance.device.endpoint import open_tls
from conformance.errors import CredentialsRefused, ServiceError, TargetUnreachable, Violation
from conformance.evidence.case import Evidence
from conformance.pauses import pause
from conformance.service import Service
from conformance.target.target import Target, Timeouts
from conformance.tls import HandshakeFailed

# However patient the profile is with a hub under load, before the first case nobody has put it under load.
PATIENCE: Final = 15.0

# A hub allows for five minutes ("Control access to IoT Hub by using shared access signatures"), but the cases
# tell it times of expiry to the second.
CLOCK_ERROR: Final = 30.0
# The hub tells its time in whole seconds, and the answer travels.
CLOCK_WARNING: Final = 2.0

# A live hub may need a moment before it lets a new device in.
CONNECT_TRIES: Final = 3
BETWEEN_TRIES: Final = 1.0

_ACCEPTED: Final = "accepted"


def preflight(target: Target) -> tuple[str, ...]:
    """Check that a run can begin, and return warnings, one line each.

    Raises TargetUnreachable, CredentialsRefused or ServiceError, one line that says what to do.
    """
    hurried = Timeouts(
        connect=min(target.timeouts.connect, PATIENCE),
        reaction=min(target.timeouts.reaction, PATIENCE),
        silence=0.0,
    )
    target = dataclasses.replace(target, timeouts=hurried)
    endpoint = Endpoint(
        host=target.host, port=target.ports.mqtt, trust=target.ca_file or "system", timeouts=hurried
    )
    _check_reachable(endpoint)
    if target.service is None:
        return _check_devices(target, endpoint, None)
    service = Service(target)
    try:
        return _check_devices(target, endpoint, service)
    finally:
        service.close()


def _check_reachable(endpoint: Endpoint) -> None:
    try:
        open_tls(endpoint).close()
    except HandshakeFailed as failure:
        raise TargetUnreachable(
            f"{endpoint.host}:{endpoint.port}: no TLS there ({failure}). Is it the hub's MQTT port?"
        ) from None


def _check_devices(target: Target, endpoint: Endpoint, service: Service | None) -> tuple[str, ...]:
    with _identity(target, service) as identity:
        warnings = [] if service is None else _clock_warnings(service.rest.clock_difference)
        reactor = Reactor()
        device = Device(identity, endpoint, reactor, Evidence())
        try:
            _check_admission(device, target)
            warnings += _wrong_token_warnings(device)
            if service is not None and "telemetry" in target.capabilities:
                _check_telemetry(device, service)
        finally:
            device.close()
            reactor.stop()
    return tuple(warnings)


@contextmanager
def _identity(target: Target, service: Service | None) -> Iterator[Identity]:
    """Lend a device: a new one where the hub makes them, else the profile's first."""
    if service is None or "registry" not in target.capabilities:
        yield target.identities[0]
        return
    (identity,) = service.registry.create([f"conf-preflight-{uuid.uuid4().hex[:12]}"])
    try:
        yield identity
    finally:
        service.registry.delete([identity.device_id])


def _clock_warnings(difference: float | None) -> list[str]:
    """Compare the clocks, by an answer of the service; a hub that tells no time is not asked twice."""
    if difference is None or abs(difference) <= CLOCK_WARNING:
        return []
    direction = "ahead of" if difference > 0 else "behind"
    words = f"the hub's clock is {abs(difference):.0f} s {direction} this machine's"
    if abs(difference) > CLOCK_ERROR:
        raise ServiceError(f"{words}: tokens would end at the wrong time. Set the clocks (NTP).")
    return [f"{words}: cases about the expiry of tokens are off by as much"]


def _check_admission(device: Device, target: Target) -> None:
    outcome = device.attempt()
    for _ in range(CONNECT_TRIES - 1):
        if outcome == _ACCEPTED:
            return
        pause(BETWEEN_TRIES)
        outcome = device.attempt()
    if outcome != _ACCEPTED:
        raise CredentialsRefused(
            f"{target.host}:{target.ports.mqtt}: {device.id} is not let in with its own key ({outcome}). "
            "Does the hub go by another host name? Set [target] host, or --no-preflight to run all the same."
        )


def _wrong_token_warnings(device: Device) -> list[str]:
    if device.attempt(password=flip_signature_bit(device.token())) != _ACCEPTED:
        return []
    return ["the hub lets a device in with a wrong signature: sas.bad-signature judges that"]


def _check_telemetry(device: Device, service: Service) -> None:
    telemetry = service.telemetry
    try:
        connection = device.connect()
        connection.send(device.topics.events, b"preflight", qos=1)
        telemetry.next(sent_by=device)
        connection.disconnect()
    except Violation as violation:
        raise ServiceError(
            f"telemetry does not come through: {violation}. Check events-connection-string and "
            "consumer-groups in [service], or --no-preflight to run all the same."
        ) from None
