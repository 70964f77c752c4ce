"""SASL as the hub's service clients use it (OASIS AMQP 1.0 part 5).

azure-iot-hub picks MSSBCBS, azure-eventhub ANONYMOUS; both prove who they are later, at `$cbs`. So does a
client that skips SASL. PLAIN carries a policy and its key, or `{policy}@sas.root.{hub}` and a SAS token, for
the hub or for a part of it.
"""

import hmac
import math

from iothub_emulator.amqp.cbs import Authorisations, authorise
from iothub_emulator.amqp.performatives import SaslInit
from iothub_emulator.hub.links import Authorisation
from iothub_emulator.hub.tokens import TokenRefused
from iothub_emulator.runtime import Runtime, Unauthorised

MSSBCBS, ANONYMOUS, PLAIN, EXTERNAL = "MSSBCBS", "ANONYMOUS", "PLAIN", "EXTERNAL"
MECHANISMS = (MSSBCBS, ANONYMOUS, PLAIN, EXTERNAL)

OK, AUTHENTICATION_FAILED = 0, 1
"""Codes of the outcome (5.3.3.6)."""

_PLAIN_PARTS = 3


def outcome_of(init: SaslInit, runtime: Runtime, authorisations: Authorisations) -> int:
    """partitions.sasl-plain: return how the client's choice ends.

    A successful PLAIN leaves its authorisation behind.
    """
    if init.mechanism in {MSSBCBS, ANONYMOUS, EXTERNAL}:
        return OK
    if init.mechanism != PLAIN:
        return AUTHENTICATION_FAILED
    held = _log_in(init.initial_response or b"", runtime)
    if held is None:
        return AUTHENTICATION_FAILED
    authorisations.add(held)
    return OK


def _log_in(response: bytes, runtime: Runtime) -> Authorisation | None:
    """Return what an RFC 4616 message opens: the whole hub, what its token covers, or nothing."""
    parts = response.split(b"\x00")
    if len(parts) != _PLAIN_PARTS:
        return None
    name, password = (part.decode("utf-8", "replace") for part in parts[1:])
    rules = runtime.rules.links
    hub = runtime.settings.host_names[0]
    if " " in password:
        try:
            # partitions.sasl-plain-part: a sample of azure-sdk-for-js has one for `{hub}/messages/events`
            # (iothubConnectionString.js).
            audience = runtime.rules.tokens.parse(password).resource
            token = authorise(runtime, password, audience, rules.right_for(rules.audience_path(audience)))
        except (TokenRefused, Unauthorised):
            return None
        return Authorisation(audience, rules.authorisation_ends(token, runtime.now()))
    policy = runtime.policies.get(name)
    if policy is None or not runtime.rules.policies.holds(policy, rules.right_for("")):
        return None
    given = password.encode()
    matches = [hmac.compare_digest(key.encode(), given) for key in policy.keys]
    return Authorisation(hub, math.inf) if any(matches) else None
