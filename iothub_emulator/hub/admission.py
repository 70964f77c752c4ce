"""From a CONNECT packet to a sender, or a refusal: in which order the rules are asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from iothub_emulator.hub.connect import Identities, Username
from iothub_emulator.hub.identity import ClientCertificate, Identity, ModuleIdentity
from iothub_emulator.hub.packets import Connect
from iothub_emulator.hub.policies import Policy, Right
from iothub_emulator.hub.rulebook import Rulebook
from iothub_emulator.hub.telemetry import Sender
from iothub_emulator.hub.tokens import SasToken, TokenRefused

NO_CERTIFICATE = ClientCertificate()


class Refused(Exception):  # noqa: N818 - an answer, not a malfunction
    """A CONNECT that opens nothing. `reason` is a clause id, perhaps with words; it holds no secret."""

    def __init__(self, reason: str, identity: Identity | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.identity = identity


@dataclass(frozen=True, slots=True)
class Admission:
    """Who was let in, and until when (unix seconds; None: no end)."""

    sender: Sender
    ends_at: float | None


def admit(
    packet: Connect,
    identities: Identities,
    policies: Mapping[str, Policy],
    rules: Rulebook,
    now: float,
    certificate: ClientCertificate = NO_CERTIFICATE,
) -> Admission:
    """Return who `packet` proves to come from; raise `Refused` if it does not.

    `certificate` is the one that the client proved to have.
    """
    username = _username(packet, rules)
    identity = rules.connect.identity_of(identities, username)
    if identity is None:
        raise Refused("connect.unknown-device")
    device = identities.get(identity.device_id) if isinstance(identity, ModuleIdentity) else identity
    if device is None or not rules.connect.accepts_status(device):
        raise Refused("connect.disabled-device", identity)
    if not rules.connect.checks_token(identity):
        return Admission(sender_for(identity, rules), None)
    if rules.connect.uses_certificate(identity):
        reason = _problem_with(certificate, identity, rules)
        if reason is not None:
            raise Refused(reason, identity)
        if not rules.connect.accepts_password_beside_certificate(packet.password):
            raise Refused("x509.no-password", identity)
        return Admission(sender_for(identity, rules, kind="x509"), None)
    if packet.password is None:
        if rules.connect.requires_password(identity):
            raise Refused("connect.no-credentials", identity)
        return Admission(sender_for(identity, rules), None)
    try:
        keys = (*rules.connect.keys_of(identity), *rules.connect.keys_above(identity, device))
        token, scope = _token(packet.password, username, keys, policies, rules, now)
    except TokenRefused as refused:
        raise Refused(f"sas: {refused.reason}", identity) from None
    return Admission(sender_for(identity, rules, scope=scope), rules.tokens.ends_at(token))


def sender_for(identity: Identity, rules: Rulebook, *, scope: str = "", kind: str = "sas") -> Sender:
    """Return the stamp of an identity; `scope` is "hub" for a policy's token, else the identity's own."""
    module_id = identity.module_id if isinstance(identity, ModuleIdentity) else None
    own_scope = "device" if module_id is None else "module"
    method = rules.telemetry.auth_method(scope or own_scope, kind)
    return Sender(identity.device_id, identity.generation_id, method, module_id)


def _problem_with(certificate: ClientCertificate, identity: Identity, rules: Rulebook) -> str | None:
    if rules.connect.uses_authority(identity):
        accepted = rules.connect.accepts_vouched(identity, certificate.vouched_names)
        mismatch = (
            "x509-ca.wrong-name" if certificate.vouched_names else "x509-ca: no authority vouches for it"
        )
    else:
        accepted = rules.connect.accepts_certificate(identity, certificate.thumbprints)
        mismatch = "x509.thumbprint-mismatch"
    if accepted:
        return None
    return mismatch if certificate.thumbprints else "x509.no-certificate"


def _username(packet: Connect, rules: Rulebook) -> Username:
    connect = rules.connect
    if not connect.accepts_protocol(packet.protocol_name, packet.protocol_level):
        raise Refused("connect.protocol-level")
    if not connect.accepts_client_id(packet.client_id):
        raise Refused("connect.empty-client-id")
    if not connect.accepts_keep_alive(packet.keep_alive):
        raise Refused("connect.keep-alive-long")
    if not connect.accepts_session(clean_session=packet.clean_session):
        raise Refused("connect.sdk-defaults")
    if packet.will is not None and not rules.will.accepts(packet.will):
        raise Refused("will.accepted")
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
    keys: Iterable[str],
    policies: Mapping[str, Policy],
    rules: Rulebook,
    now: float,
) -> tuple[SasToken, str]:
    """Return the token and, for a policy's, the scope "hub"; raise `TokenRefused`."""
    text = rules.connect.password_text(password)
    if text is None:
        raise TokenRefused("not text")
    token = rules.tokens.parse(text)
    resource = rules.connect.resource_of(username)
    if token.policy is not None:
        rules.policies.authorise(rules.tokens, policies, text, resource, Right.DEVICE_CONNECT, now)
        return token, "hub"
    rules.tokens.check_of_identity(token, keys, resource, now)
    return token, ""
