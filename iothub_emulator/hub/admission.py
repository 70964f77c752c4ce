"""From a CONNECT packet to a sender, or a refusal: in which order the rules are asked."""

from collections.abc import Mapping
from dataclasses import dataclass

from iothub_emulator.hub.connect import Identities, Username
from iothub_emulator.hub.identity import DeviceIdentity
from iothub_emulator.hub.packets import Connect
from iothub_emulator.hub.policies import Policy, Right
from iothub_emulator.hub.rulebook import Rulebook
from iothub_emulator.hub.telemetry import Sender
from iothub_emulator.hub.tokens import SasToken, TokenRefused


class Refused(Exception):  # noqa: N818 - an answer, not a malfunction
    """A CONNECT that opens nothing. `reason` is a clause id, perhaps with words; it holds no secret."""

    def __init__(self, reason: str, identity: DeviceIdentity | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.identity = identity


@dataclass(frozen=True, slots=True)
class Admission:
    """Who was let in, and until when (unix seconds; None: no end)."""

    sender: Sender
    ends_at: float | None


def admit(
    packet: Connect, identities: Identities, policies: Mapping[str, Policy], rules: Rulebook, now: float
) -> Admission:
    """Return who `packet` proves to come from; raise `Refused` if it does not."""
    username = _username(packet, rules)
    identity = rules.connect.identity_of(identities, username)
    if identity is None:
        raise Refused("connect.unknown-device")
    if not rules.connect.accepts_status(identity):
        raise Refused("connect.disabled-device", identity)
    if not rules.connect.checks_token(identity):
        return Admission(sender_for(identity, "device", rules), None)
    if packet.password is None:
        if rules.connect.requires_password(identity):
            raise Refused("connect.no-credentials", identity)
        return Admission(sender_for(identity, "device", rules), None)
    try:
        token, scope = _token(packet.password, username, identity, policies, rules, now)
    except TokenRefused as refused:
        raise Refused(f"sas: {refused.reason}", identity) from None
    return Admission(sender_for(identity, scope, rules), rules.tokens.ends_at(token))


def sender_for(identity: DeviceIdentity, scope: str, rules: Rulebook) -> Sender:
    """Return the stamp of an identity that came with a token; `scope` is "device" or "hub"."""
    return Sender(identity.device_id, identity.generation_id, rules.telemetry.auth_method(scope, "sas"))


def _username(packet: Connect, rules: Rulebook) -> Username:
    connect = rules.connect
    if not connect.accepts_protocol(packet.protocol_name, packet.protocol_level):
        raise Refused("connect.protocol-level")
    if not connect.accepts_client_id(packet.client_id):
        raise Refused("connect.empty-client-id")
    if not connect.accepts_keep_alive(packet.keep_alive):
        raise Refused("connect.keep-alive-long")
    if packet.username is None:
        username = connect.username_without(packet.client_id)
        missing = "connect.no-credentials"
    else:
        username = connect.parse_username(packet.username)
        missing = "connect.username-mismatch: not a Username"
    if username is None:
        raise Refused(missing)
    if not connect.accepts_host(username.host):
        raise Refused("connect.username-host")
    if not connect.same_device(packet.client_id, username):
        raise Refused("connect.client-id-mismatch")
    return username


def _token(
    password: bytes,
    username: Username,
    identity: DeviceIdentity,
    policies: Mapping[str, Policy],
    rules: Rulebook,
    now: float,
) -> tuple[SasToken, str]:
    """Return the token and the scope it was given for; raise `TokenRefused`."""
    text = rules.connect.password_text(password)
    if text is None:
        raise TokenRefused("not text")
    token = rules.tokens.parse(text)
    resource = rules.connect.resource_of(username)
    if token.policy is not None:
        rules.policies.authorise(rules.tokens, policies, text, resource, Right.DEVICE_CONNECT, now)
        return token, "hub"
    if not any(rules.tokens.is_signed_with(token, key) for key in rules.connect.keys_of(identity)):
        raise TokenRefused("wrong signature")
    if rules.tokens.is_expired(token, now):
        raise TokenRefused("token expired")
    if not rules.tokens.covers(token, resource):
        raise TokenRefused("the token is for another resource")
    return token, "device"
