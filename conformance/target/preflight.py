"""What is asked before the first case: is the hub there, are its keys right, can the claims be tried at all.

It takes a few seconds at most and fails once, clearly. It judges nothing: a hub that does something wrong in
a way that lets a run begin is left to the cases. It also learns the hub's clock, for which tokens are made.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from conformance.backend import Service
from conformance.errors import CredentialsRefused, HarnessError, TargetUnreachable
from conformance.evidence.case import Evidence
from conformance.mqtt import hearing
from conformance.mqtt.clock import clock_ahead
from conformance.mqtt.device import Device
from conformance.mqtt.endpoint import Endpoint, open_tls
from conformance.mqtt.reactor import Reactor
from conformance.mqtt.tls import HandshakeFailed
from conformance.run.leftovers import PREFIX, new_id
from conformance.run.sleeping import pause
from conformance.target.claim_checks import LISTEN, WRITE, ClaimChecks, check_service
from conformance.target.credentials import Identity, flip_signature_bit, random_key
from conformance.target.target import Target, Timeouts

# However patient the profile is with a hub under load, before the first case nobody has put it under load.
PATIENCE: Final = 15.0

# The hub tells its time in whole seconds, and the answer travels: less is no difference.
SAME_CLOCK: Final = 2.0
# A hub allows for five minutes ("Control access to IoT Hub by using shared access signatures").
CLOCK_REMARK: Final = 300.0

# A live hub may need a moment before it lets a new device in.
CONNECT_TRIES: Final = 3
BETWEEN_TRIES: Final = 1.0

_ACCEPTED: Final = "accepted"
_CLOSED: Final = "closed"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A hub on which a run can begin: the target, with the hub's clock in it, and warnings, one line each."""

    target: Target
    remarks: tuple[str, ...] = ()


def preflight(target: Target) -> Checked:
    """Check that a run can begin.

    Raises TargetUnreachable, CredentialsRefused or ServiceError, and ProfileError for a claim that is beyond
    the hub's tier: a line for each problem, which says what to do.
    """
    hurried = _hurried(target)
    _check_reachable(endpoint_of(hurried))
    told = clock_ahead(endpoint_of(hurried))
    hurried = _with_clock(hurried, told)
    warnings: list[str] = []
    if hurried.service is None:
        _check_device(hurried, hurried.identities[0], None, warnings)
    else:
        service = Service(hurried)
        try:
            with _identity(hurried, service, warnings) as identity:
                if told is None:
                    hurried = _with_clock(hurried, service.rest.clock_difference)
                _check_device(hurried, identity, service, warnings)
        finally:
            service.close()
    found = dataclasses.replace(target, clock_ahead=hurried.clock_ahead, clock_known=hurried.clock_known)
    return Checked(target=found, remarks=(*_clock_remarks(found.clock_ahead), *warnings))


def unanswered(target: Target) -> str | None:
    """Make the preflight's connection again: say why nobody answers, in a sentence; None where the hub does.

    A byte is an answer, whatever it says. Where devices are ready-made a case may have the first of them, so
    that one is made up, and the end of its connection counts as an answer too.
    """
    before, hurried = hearing.last_heard(), _hurried(target)
    try:
        _check_reachable(endpoint_of(hurried))
        outcome = _connect_again(hurried)
    except HarnessError as error:
        return None if hearing.last_heard() > before else str(error)
    if hearing.last_heard() > before or (outcome == _CLOSED and "registry" not in target.capabilities):
        return None
    return f"{target.host}:{target.ports.mqtt}: no answer to a CONNECT ({outcome})."


def _connect_again(target: Target) -> str:
    if target.service is None or "registry" not in target.capabilities:
        return _attempt(target, Identity(device_id="conformance-none", primary_key=random_key()))
    service = Service(target, telemetry=False)
    try:
        with _identity(target, service, []) as identity:
            return _attempt(target, identity)
    finally:
        service.close()


def _attempt(target: Target, identity: Identity) -> str:
    reactor = Reactor()
    device = Device(identity, endpoint_of(target), reactor, Evidence())
    try:
        return device.attempt()
    finally:
        device.close()
        reactor.stop()


def _hurried(target: Target) -> Target:
    timeouts = Timeouts(
        connect=min(target.timeouts.connect, PATIENCE),
        reaction=min(target.timeouts.reaction, PATIENCE),
        silence=0.0,
    )
    return dataclasses.replace(target, timeouts=timeouts)


def endpoint_of(target: Target) -> Endpoint:
    """Return where devices meet a target."""
    return Endpoint(
        host=target.host,
        port=target.ports.mqtt,
        trust=target.ca_file or "system",
        timeouts=target.timeouts,
        websocket_port=target.ports.https,
        clock_ahead=target.clock_ahead,
        route=target.route_to(target.host),
    )


def _check_reachable(endpoint: Endpoint) -> None:
    try:
        open_tls(endpoint).close()
    except HandshakeFailed as failure:
        raise TargetUnreachable(
            f"{endpoint.host}:{endpoint.port}: no TLS there ({failure}). Is it the hub's MQTT port?"
        ) from None


def _check_device(target: Target, identity: Identity, service: Service | None, warnings: list[str]) -> None:
    """Let a device in, refuse it, and try all that the claims need with it."""
    reactor, checks = Reactor(), ClaimChecks(target.profile)
    device = Device(identity, endpoint_of(target), reactor, Evidence())
    try:
        if service is not None:
            # Before the device connects: a method that is called meets nobody then.
            check_service(checks, service, identity.device_id, target.capabilities)
            checks.stop_if_needed()
        is_let_in = _check_admission(device, target, warnings)
        if is_let_in:
            warnings += _wrong_token_warnings(device)
        if is_let_in and service is not None and "telemetry" in target.capabilities:
            checks.attempt("telemetry", LISTEN, lambda: _send_telemetry(device, service))
            checks.stop_if_needed()
    finally:
        device.close()
        reactor.stop()
        warnings += checks.warnings


@contextmanager
def _identity(target: Target, service: Service, warnings: list[str]) -> Iterator[Identity]:
    """Lend a device: a new one where the hub makes them, else the profile's first."""
    if "registry" not in target.capabilities:
        yield target.identities[0]
        return
    try:
        (identity,) = service.registry.create([f"{PREFIX}{new_id()}-preflight"])
    except CredentialsRefused as error:
        raise CredentialsRefused(f"'registry' needs {WRITE}: {error}") from None
    try:
        yield identity
    finally:
        try:
            service.registry.delete([identity.device_id])
        except HarnessError as error:
            warnings.append(f"{identity.device_id} is left on the hub: {error}")


def _with_clock(target: Target, told: float | None) -> Target:
    """Return the target with the hub's clock in it, where something tells it."""
    if told is None:
        return target
    ahead = 0.0 if abs(told) <= SAME_CLOCK else told
    return dataclasses.replace(target, clock_ahead=ahead, clock_known=True)


def _clock_remarks(ahead: float) -> list[str]:
    if abs(ahead) <= CLOCK_REMARK:
        return []
    direction = "ahead of" if ahead > 0 else "behind"
    return [f"the hub's clock is {abs(ahead):.0f} s {direction} this machine's: tokens are made for its time"]


def _check_admission(device: Device, target: Target, warnings: list[str]) -> bool:
    """Tell whether a device is let in with its own key; raises CredentialsRefused for a ready-made one.

    The key of a device that the hub has just made is right. That it is refused is for the clauses to judge.
    """
    outcome = device.attempt()
    for _ in range(CONNECT_TRIES - 1):
        if outcome == _ACCEPTED:
            return True
        pause(BETWEEN_TRIES)
        outcome = device.attempt()
    if outcome == _ACCEPTED:
        return True
    refusal = (
        f"{target.host}:{target.ports.mqtt}: {device.id} is not let in with its own key ({outcome}). "
        "Does the hub go by another host name? Set [target] host"
    )
    if "registry" not in target.capabilities:
        raise CredentialsRefused(f"{refusal}, or --no-preflight to run all the same.")
    warnings.append(refusal)
    return False


def _wrong_token_warnings(device: Device) -> list[str]:
    if device.attempt(password=flip_signature_bit(device.token())) != _ACCEPTED:
        return []
    return ["the hub lets a device in with a wrong signature: sas.bad-signature judges that"]


def _send_telemetry(device: Device, service: Service) -> None:
    """Let a message of the device come through to the back end."""
    telemetry = service.telemetry
    connection = device.connect()
    connection.send(device.topics.events, b"preflight", qos=1)
    telemetry.next(sent_by=device)
    connection.disconnect()
