"""CONNECT: who may open a connection, and how the hub answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from iothub_emulator.hub import host_names
from iothub_emulator.hub.effects import Close, Effect, Send
from iothub_emulator.hub.identity import DeviceIdentity, Identity, ModuleIdentity
from iothub_emulator.hub.packets import Connack
from iothub_emulator.settings import Settings

NOT_AUTHORISED = 5
UNACCEPTABLE_PROTOCOL = 1

# Of a Username, as SDKs write them.
_PARAMETERS = ("api-version=", "DeviceClientType=", "model-id=", "auth-chain=")


class Identities(Protocol):
    """The part of the registry that CONNECT needs."""

    def get(self, device_id: str) -> DeviceIdentity | None:
        """Return the identity of exactly that id."""

    def module(self, device_id: str, module_id: str) -> ModuleIdentity | None:
        """Return the module of exactly these ids."""


@dataclass(frozen=True, slots=True)
class Username:
    """`{host}/{device}[/{module}]/?{parameters}`, the parameters as sent."""

    host: str
    device_id: str
    module_id: str | None
    parameters: str

    @property
    def client_id(self) -> str:
        """The ClientId that goes with it."""
        return self.device_id if self.module_id is None else f"{self.device_id}/{self.module_id}"


class ConnectRules:
    """Each decision about a CONNECT. Any doubt is a refusal; the reasons are for the log only."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    # Who it is

    def accepts_protocol(self, name: str, level: int) -> bool:
        """connect.protocol-level: MQTT 3.1.1 and nothing else [MQTT-3.1.2-1, -2]."""
        return (name, level) == ("MQTT", 4)

    def accepts_client_id(self, client_id: str) -> bool:
        """connect.empty-client-id: a client has to name itself."""
        return bool(client_id)

    def accepts_keep_alive(self, keep_alive: int) -> bool:
        """connect.keep-alive-long: any keep-alive is accepted; a long one is shortened, not refused."""
        return True

    def accepts_session(self, *, clean_session: bool) -> bool:
        """connect.sdk-defaults: with CleanSession 0, as SDKs connect, and with CleanSession 1."""
        return True

    def parse_username(self, text: str) -> Username | None:
        """connect.username, connect.api-version-missing: None for what is no Username of a hub.

        Parameters may follow behind `/?` or, as older SDKs have it, behind `/` alone; none of them is needed.
        module.special-characters: what else stands there is a module's name, which may hold `=` too.
        """
        host, _, rest = text.partition("/")
        device_id, _, rest = rest.partition("/")
        module_id = None
        if rest and not rest.startswith(("?", *_PARAMETERS)):
            module_id, _, rest = rest.partition("/")
        if not host or not device_id or module_id == "":
            return None
        return Username(host, device_id, module_id, rest.removeprefix("?"))

    def api_version(self, username: str | None) -> str | None:
        """connect.api-version-missing, twin.without-api-version: the Username's; None where it has none."""
        parsed = None if username is None else self.parse_username(username)
        pairs = (pair.partition("=") for pair in (parsed.parameters if parsed else "").split("&"))
        return next((value for name, _, value in pairs if name == "api-version" and value), None)

    def model_id(self, username: str | None) -> str:
        """d2c.model-id, twin.model-id: the model that the Username announces; empty where it has none."""
        parsed = None if username is None else self.parse_username(username)
        pairs = (pair.partition("=") for pair in (parsed.parameters if parsed else "").split("&"))
        return next((unquote(value) for name, _, value in pairs if name == "model-id"), "")

    def username_without(self, client_id: str) -> Username | None:
        """connect.no-credentials: without a Username nobody is let in."""
        return None

    def accepts_host(self, host: str) -> bool:
        """connect.username-host, connect.device-name: the host is one of the hub's names for devices."""
        return host_names.is_accepted(host, host_names.said_by("device", self.settings), "device")

    def same_device(self, client_id: str, username: Username) -> bool:
        """connect.client-id-mismatch, connect.username-mismatch: equal to the letter, with its case."""
        return client_id == username.client_id

    def identity_of(self, identities: Identities, username: Username) -> Identity | None:
        """connect.unknown-device, module.connect: the registered identity, None where there is none."""
        if username.module_id is None:
            return identities.get(username.device_id)
        return identities.module(username.device_id, username.module_id)

    def accepts_status(self, identity: DeviceIdentity) -> bool:
        """connect.disabled-device, module.of-disabled-device: only an enabled device connects.

        A module has no status of its own; its device's is asked for.
        """
        return identity.status == "enabled"

    # What proves it

    def checks_token(self, identity: Identity) -> bool:
        """connect.unknown-device, sas.bad-signature, …: whoever an identity is, it proves itself."""
        return True

    def uses_certificate(self, identity: Identity) -> bool:
        """x509.no-password, x509.token-instead, x509.module: as it was registered; no token opens it.

        unspecified: what a hub does with a token in place of the certificate.
        """
        return identity.authentication_type in {"selfSigned", "certificateAuthority"}

    def uses_authority(self, identity: Identity) -> bool:
        """x509-ca.accepted: as it was registered, any certificate of an authority will do, or two alone."""
        return identity.authentication_type == "certificateAuthority"

    def accepts_vouched(self, identity: Identity, names: tuple[str, ...]) -> bool:
        """x509-ca.accepted, x509-ca.wrong-name: the common name is the device's id, to the letter.

        `names` are those of a certificate that an authority vouches for, none for another. unspecified: what
        a module is called in its own; here `{device}/{module}`.
        """
        return identity.key in names

    def accepts_password_beside_certificate(self, password: bytes | None) -> bool:
        """x509.no-password, x509.empty-password, x509.token-instead: the Password is not looked at."""
        return True

    def accepts_certificate(self, identity: Identity, thumbprints: tuple[str, ...]) -> bool:
        """x509.secondary-thumbprint, x509.thumbprint-mismatch, x509.no-certificate: a registered one.

        `thumbprints`, in upper case, are those of the certificate that the client proved to have; or none.
        """
        return any(registered.upper() in thumbprints for registered in identity.thumbprints)

    def requires_password(self, identity: Identity) -> bool:
        """connect.no-credentials: without a token nobody is let in."""
        return True

    def password_text(self, password: bytes) -> str | None:
        """sas.malformed: a token is text; None for bytes that are none."""
        try:
            return password.decode()
        except UnicodeDecodeError:
            return None

    def keys_of(self, identity: Identity) -> tuple[str, ...]:
        """sas.accepted, sas.secondary-key, module.other-module-token: either of its own keys signs."""
        return identity.keys

    def keys_above(self, identity: Identity, device: DeviceIdentity) -> tuple[str, ...]:
        """module.device-token: a module's device signs for it too.

        So an end-to-end suite of Microsoft's has connected modules since 2018; no page says it.
        """
        return () if identity is device else device.keys

    def resource_of(self, username: Username) -> str:
        """sas.accepted, sas.device-scope, module.connect: what the token has to cover.

        `{host}/devices/{device}`, for a module `{host}/devices/{device}/modules/{module}`.
        """
        device = f"{username.host}/devices/{username.device_id}"
        return device if username.module_id is None else f"{device}/modules/{username.module_id}"

    # The answer

    def refusal_code(self, reason: str) -> int | None:
        """connect.refusal-code: 5, and 1 for another protocol [MQTT-3.1.2-2]; None: no CONNACK."""
        return UNACCEPTABLE_PROTOCOL if reason == "connect.protocol-level" else NOT_AUTHORISED

    def closes_after_refusal(self) -> bool:
        """connect.refusal-closes [MQTT-3.2.2-5]: behind a refusal comes the end of the stream.

        session.refused-leaves-it, connection.refused-leaves-it: and nothing else comes of it.
        """
        return True

    def refusal(self, reason: str) -> tuple[Effect, ...]:
        """Return CONNACK and close; session-present is 0 [MQTT-3.2.2-4], connect.clean-session-present."""
        code = self.refusal_code(reason)
        answer: tuple[Effect, ...] = () if code is None else (Send(Connack(0, code)),)
        return (*answer, Close(reason)) if self.closes_after_refusal() else answer

    def serves_refused(self) -> bool:
        """connect.rejected-data [MQTT-3.1.4-5]: packets behind a refused CONNECT have no effect."""
        return False

    def session_present(self, *, clean_session: bool, stored: bool) -> int:
        """connect.session-present, .clean-session-present [MQTT-3.2.2-1, -2]: 1 if a session goes on."""
        return int(stored and not clean_session)

    def restored(self, stored: Mapping[str, int] | None, *, clean_session: bool) -> dict[str, int]:
        """session.subscription-persists [MQTT-3.1.2-4, -6]: the subscriptions to begin with."""
        return dict(stored) if stored is not None and not clean_session else {}

    def forgets_session(self, *, clean_session: bool) -> bool:
        """session.clean-forgets-subscription [MQTT-3.1.2-6]: CleanSession 1 discards an earlier session."""
        return clean_session

    def keeps_session(self, *, clean_session: bool) -> bool:
        """session.subscription-persists, session.clean-forgets-subscription: CleanSession 0 outlives."""
        return not clean_session

    def acceptance(self, present: int) -> tuple[Effect, ...]:
        """connect.client-id, watch.connack [MQTT-3.2.0-1]: one CONNACK, before anything else."""
        return (Send(Connack(present, 0)),)
