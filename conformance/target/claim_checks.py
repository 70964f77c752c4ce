"""What the claims need of the service side, each tried once with a device of the preflight's.

A call that the policy may not make, and one that the hub says is not in its tier, are found here: a run would
be broken by them, case by case, for many minutes. Whatever else comes of a call is for the clauses to judge.
Source of the rights: Microsoft, "Control access to IoT Hub by using shared access signatures".
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Final

from conformance.backend import Service
from conformance.errors import CredentialsRefused, HarnessError, NotInTier, ProfileError, Violation

READ: Final = "the right RegistryRead"
WRITE: Final = "the right RegistryWrite"
CONNECT: Final = "the right ServiceConnect"
LISTEN: Final = "a policy that may read events"

# For how long the message is good that nobody will receive, in seconds.
SHORT_LIFE: Final = 10.0


class ClaimChecks:
    """What came of trying the claims of a profile: `warnings`, one line each, and what stops the run."""

    def __init__(self, profile: str) -> None:
        self.warnings: list[str] = []
        self._profile = profile
        self._refused: dict[str, CredentialsRefused] = {}
        self._refused_claims: dict[str, list[str]] = {}
        self._not_in_tier: list[str] = []

    def attempt(self, claim: str, needs: str, step: Callable[[], str | None]) -> None:
        """Take one step for a claim; it returns what is odd, or nothing. `needs` is what it is allowed by."""
        try:
            odd = step()
        except CredentialsRefused as error:
            self._refused.setdefault(needs, error)
            self._refused_claims.setdefault(needs, []).append(f"'{claim}'")
        except NotInTier as error:
            where = f"profile '{self._profile}': [claims] '{claim}'"
            self._not_in_tier.append(f"{where}: {error} Remove the claim, or upgrade the hub.")
        except (HarnessError, Violation) as error:
            self._warn(claim, str(error))
        else:
            if odd:
                self._warn(claim, odd)

    def stop_if_needed(self) -> None:
        """Raise CredentialsRefused for rights that are missing, ProfileError for claims beyond the tier."""
        refused = [
            f"{_joined(self._refused_claims[needs])} {needs}: {error}"
            for needs, error in self._refused.items()
        ]
        if refused:
            raise CredentialsRefused("\n".join([*refused, *self._not_in_tier]))
        if self._not_in_tier:
            raise ProfileError(self._not_in_tier)

    def _warn(self, claim: str, what: str) -> None:
        self.warnings.append(f"{claim}: {what.rstrip('.')}: its clauses judge that")


def check_service(checks: ClaimChecks, service: Service, device_id: str, claims: frozenset[str]) -> None:
    """Try what each claim needs of the service side but for telemetry, to which a device belongs."""
    for claim, (needs, step) in _STEPS.items():
        if claim in claims:
            checks.attempt(claim, needs, lambda step=step: step(service, device_id))  # type: ignore[misc] # a default


def _joined(claims: list[str]) -> str:
    *others, last = claims
    return f"{', '.join(others)} and {last} need" if others else f"{last} needs"


def _read_identity(service: Service, device_id: str) -> str | None:
    return None if service.registry.get(device_id) else "the device that was made is not there"


def _read_twin(service: Service, device_id: str) -> None:
    service.twins.get(device_id)


def _call_method(service: Service, device_id: str) -> str | None:
    outcome = service.methods.outcome(device_id, "preflight")
    return None if outcome == "404" else f"a call of a device that is not connected ends with {outcome}"


def _ask_query(service: Service, device_id: str) -> str | None:
    status = service.queries.attempt(f"SELECT * FROM devices WHERE deviceId = '{device_id}'")  # noqa: S608 - the hub's own language
    return None if status == "200" else f"a query is answered with {status}"


def _make_module(service: Service, device_id: str) -> None:
    name = f"preflight-{uuid.uuid4().hex[:8]}"
    service.registry.create_module(device_id, name)
    service.registry.delete_module(device_id, name)


def _send_message(service: Service, device_id: str) -> str | None:
    end = service.c2d.hubs_time() + SHORT_LIFE
    outcome = service.c2d.attempt_to_send(device_id, b"preflight", expires_at=end)
    return None if outcome == "accepted" else f"a message to a device is {outcome}"


def _open_feedback(service: Service, _device_id: str) -> None:
    service.feedback.open_once()


def _open_routed(service: Service, _device_id: str) -> None:
    _ = service.routed


_STEPS: Final[Mapping[str, tuple[str, Callable[[Service, str], str | None]]]] = {
    "registry": (READ, _read_identity),
    "twin": (CONNECT, _read_twin),
    "methods": (CONNECT, _call_method),
    "modules": (WRITE, _make_module),
    "queries": (CONNECT, _ask_query),
    "c2d": (CONNECT, _send_message),
    "feedback": (CONNECT, _open_feedback),
    "routing": (LISTEN, _open_routed),
}
