"""Who a device is, and what it shows to be let in."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conformance.mqtt import raw_packets
from conformance.mqtt.fields import NO_PASSWORD, Absent, Will
from conformance.mqtt.own_member import OwnMember
from conformance.target.certificates import ClientCertificate
from conformance.target.credentials import Escapes, Identity, SasToken, Secret, sas_token

# The document's own: #using-the-mqtt-protocol-directly-as-a-device.
API_VERSION: Final = "2018-06-30"


@dataclass(frozen=True)
class Topics:
    """The documented topics of one device or module: where it publishes, and the filter it subscribes to.

    `path` is ``{device}`` or ``{device}/modules/{module}``.
    """

    path: str

    @property
    def events(self) -> str:
        """Topic of device-to-cloud messages; a property bag goes behind it."""
        return f"devices/{self.path}/messages/events/"

    @property
    def devicebound(self) -> str:
        """Filter of cloud-to-device messages."""
        return f"devices/{self.path}/messages/devicebound/#"

    @property
    def own_messages(self) -> str:
        """The filter that the page names for messages: of a device `devicebound`, of a module its own (T23).

        A hub need not grant a module the filter of devices.
        """
        return f"devices/{self.path}/#" if "/modules/" in self.path else self.devicebound


class Bearer:
    """One identity of the hub, a device or a module of one, with its keys or its certificates.

    `host` is the hub's name in Username and token. With a `certificate` its CONNECT goes without Password;
    the hub knows it by `spare_certificate` too. Its tokens are of the primary key, or of the secondary
    one where it `signs_with_secondary`, and made for the hub's time: its clock is so many seconds ahead.
    `clean_session` is that of its CONNECTs where a test says none.
    `own_member` is what a run may write of its twin, None for all of it.
    """

    def __init__(
        self,
        identity: Identity,
        host: str,
        certificate: ClientCertificate | None,
        clock_ahead: float = 0.0,
        *,
        clean_session: bool = True,
        own_member: OwnMember | None = None,
    ) -> None:
        self.id = identity.id
        self.device_id = identity.device_id
        self.path = identity.path
        self.primary_key = identity.primary_key
        self.secondary_key = identity.secondary_key
        self.signs_with_secondary = False
        self.host = host
        self.topics = Topics(self.path)
        self.certificate = certificate
        self.spare_certificate: ClientCertificate | None = None
        self._clock_ahead = clock_ahead
        self.clean_session = clean_session
        self.own_member = own_member

    @property
    def key(self) -> Secret:
        """The one of its two keys that signs its tokens."""
        if self.signs_with_secondary and self.secondary_key is not None:
            return self.secondary_key
        return self.primary_key

    @property
    def username(self) -> str:
        """The documented Username."""
        return f"{self.host}/{self.id}/?api-version={API_VERSION}"

    @property
    def resource(self) -> str:
        """What a token of this device is for."""
        return f"{self.host}/devices/{self.path}"

    def token(
        self,
        *,
        key: Secret | None = None,
        resource: str | None = None,
        expires_in: float = 3600,
        order: Sequence[str] = ("sr", "sig", "se"),
        escapes: Escapes = "upper",
        signature_escapes: Escapes = "upper",
    ) -> SasToken:
        """Return a token: of its own key, for this device, for an hour, where nothing else is said.

        `expires_in` in seconds, negative for a token of the past; `escapes` and `signature_escapes` say how
        resource and signature are escaped.
        """
        return sas_token(
            self.resource if resource is None else resource,
            self.key if key is None else key,
            expiry=int(time.time() + self._clock_ahead + expires_in),
            order=order,
            escapes=escapes,
            signature_escapes=signature_escapes,
        )

    def connect_packet(
        self,
        *,
        protocol: str = "MQTT",
        level: int = 4,
        properties: bytes = b"",
        clean_session: bool | None = None,
        keep_alive: int = 60,
        will: Will | None = None,
        password: Secret | None = None,
    ) -> bytes:
        """Return a CONNECT that lets this device in, but for what is said; `keep_alive` in seconds."""
        return raw_packets.connect(
            self,
            protocol=protocol,
            level=level,
            properties=properties,
            clean_session=self.clean_session if clean_session is None else clean_session,
            keep_alive=keep_alive,
            will=will,
            password=self.password() if password is None else password,
        )

    def password(self) -> Secret | Absent:
        """Return a Password that lets this device in: a token, or none where it shows a certificate."""
        return self.token() if self.certificate is None else NO_PASSWORD
