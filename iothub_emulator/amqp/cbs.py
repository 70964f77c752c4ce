"""`$cbs`: a client puts a token, and may from then on attach to what the token opens (AMQP CBS 1.0).

Authorisations belong to the connection they were put on. A newer token for the same audience replaces the
older.
"""

from collections.abc import Callable

from iothub_emulator.amqp.messages import Message
from iothub_emulator.amqp.request_node import Reply
from iothub_emulator.hub.links import Authorisation
from iothub_emulator.hub.policies import Right
from iothub_emulator.hub.tokens import SasToken, TokenRefused
from iothub_emulator.runtime import Runtime, Unauthorised

SAS_TOKEN_TYPE = "servicebus.windows.net:sastoken"  # noqa: S105 - a type's name, no secret

MAX_AUTHORISATIONS = 256
"""Audiences of one connection. The SDKs put one for each entity and consumer group."""

BAD_REQUEST, UNAUTHORISED, FORBIDDEN = 400, 401, 403


class Authorisations:
    """What the tokens that were put on one connection open; of an audience the newest counts."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._held: dict[str, Authorisation] = {}

    def add(self, authorisation: Authorisation) -> None:
        """Hold it, in place of an older one for the same audience."""
        self._held[authorisation.audience] = authorisation

    def opens(self, path: str) -> bool:
        """Tell whether a link at `path` may be, now."""
        return self._runtime.rules.links.opens(self._held.values(), path, self._runtime.now())

    def any(self) -> bool:
        """Tell whether anything is authorised, now."""
        now = self._runtime.now()
        return any(now < held.ends_at for held in self._held.values())

    def is_full(self) -> bool:
        """Tell whether no further audience may be put."""
        return len(self._held) >= MAX_AUTHORISATIONS

    def holds(self, audience: str) -> bool:
        """Tell whether a token for this audience has been put."""
        return audience in self._held

    def next_end(self) -> float | None:
        """Return when the first of them ends, in unix seconds."""
        return min((held.ends_at for held in self._held.values()), default=None)

    def drop_ended(self) -> bool:
        """Forget those that no longer hold; tell whether there were any."""
        now = self._runtime.now()
        ended = [audience for audience, held in self._held.items() if held.ends_at <= now]
        for audience in ended:
            del self._held[audience]
        return bool(ended)


def authorise(runtime: Runtime, token: str, audience: str, needed: Right) -> SasToken:
    """Return the token if it is a policy's and opens the audience, or raise `Unauthorised`."""
    try:
        return runtime.authorise(token, audience, needed)
    except Unauthorised as refusal:
        rules = runtime.rules
        policies = rules.links.event_hubs_keys(runtime.policies)
        try:
            return rules.policies.authorise(rules.tokens, policies, token, audience, needed, runtime.now())
        except TokenRefused:
            raise refusal from None


class PutToken:
    """Answers requests at `$cbs`."""

    def __init__(self, runtime: Runtime, authorisations: Authorisations, changed: Callable[[], None]) -> None:
        self._runtime = runtime
        self._authorisations = authorisations
        self._changed = changed

    def answer(self, request: Message) -> Reply:
        """Verify the token and hold what it opens; 401 if it opens nothing here.

        No error condition beside the status: azure-eventhub reports either, and only the status says why.
        """
        properties = request.application_properties
        audience, kind = properties.get("name"), properties.get("type")
        token = request.value[0] if request.value else None
        if properties.get("operation") != "put-token":
            return Reply(BAD_REQUEST, "the operation is put-token")
        if not isinstance(audience, str) or not isinstance(token, str):
            return Reply(BAD_REQUEST, "a name and a token are needed")
        if kind != SAS_TOKEN_TYPE:
            return Reply(UNAUTHORISED, "InvalidToken: only SAS tokens are known here")
        if self._authorisations.is_full() and not self._authorisations.holds(audience):
            return Reply(FORBIDDEN, "too many audiences on one connection")
        rules = self._runtime.rules.links
        try:
            verified = authorise(
                self._runtime, token, audience, rules.right_for(rules.audience_path(audience))
            )
        except Unauthorised as refusal:
            return Reply(UNAUTHORISED, f"InvalidSignature: {refusal.reason}")
        ends_at = rules.authorisation_ends(verified, self._runtime.now())
        self._authorisations.add(Authorisation(audience, ends_at))
        self._changed()
        return Reply(rules.put_token_status(), "OK")
