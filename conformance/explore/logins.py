"""How somebody logs in, in each way in which it has to be let in."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from conformance.explore.corpus import MODELS
from conformance.explore.stage import Stage
from conformance.mqtt import raw_packets
from conformance.mqtt.device import Device
from conformance.mqtt.fields import Absent, Will
from conformance.target.credentials import Secret

# Today's, where the document's own is older; and what Microsoft's SDKs put behind it.
NEWER: Final = "api-version=2021-04-12"
CLIENT_TYPE: Final = "&DeviceClientType=conformance%2F1.0"
MODEL: Final = "&model-id="
LONGEST_KEEP_ALIVE: Final = 65535
KEEP_ALIVE: Final = 60


@dataclass(frozen=True)
class Claim:
    """Who a CONNECT says it is."""

    id: str
    username: str
    password: Secret | Absent

    def token(self) -> Secret:
        """Return the Password; never asked for where it is absent."""
        return self.password if isinstance(self.password, Secret) else Secret("")


class Logins:
    """Makes the CONNECT of somebody who has to be let in."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def device(self, device: Device, login: str) -> Device:
        """Return who opens the connection: with the spare certificate, where that is the way."""
        if login == "secondary" and device.spare_certificate is not None:
            return self._stage.bench.pretender(device, device.spare_certificate)
        return device

    def connect(
        self,
        device: Device,
        login: str,
        *,
        clean_session: bool,
        keep_alive: int | None,
        expires_in: float,
        will: Will | None,
    ) -> bytes:
        """Return the CONNECT; `keep_alive` is the way's own where it is None, `expires_in` in seconds."""
        own = LONGEST_KEEP_ALIVE if login == "patient" else KEEP_ALIVE
        password = self._password(device, login, expires_in)
        return raw_packets.connect(
            Claim(device.id, _username(device, login), password),
            clean_session=clean_session,
            keep_alive=own if keep_alive is None else keep_alive,
            password=password,
            will=will,
        )

    @staticmethod
    def _password(device: Device, login: str, expires_in: float) -> Secret | Absent:
        if login == "empty":
            return Secret("")
        if device.certificate is not None:
            return device.password()
        return device.token(
            key=device.secondary_key if login == "secondary" else None,
            expires_in=expires_in,
            order=("se", "sig", "sr") if login == "fields" else ("sr", "sig", "se"),
            escapes="lower" if login == "escapes" else "upper",
        )


def _username(device: Device, login: str) -> str:
    before, _, _ = device.username.partition("?")
    if login in MODELS:
        return f"{before}?{NEWER}{MODEL}{quote(MODELS[login], safe='')}"
    if login == "newer":
        return f"{before}?{NEWER}"
    return f"{device.username}{CLIENT_TYPE}" if login == "client-type" else device.username
