"""The values of a profile, and how each is read: texts, secrets, files, capabilities, seconds.

A validator never quotes a value in its message, since a value in the wrong place may be a secret.
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from pydantic import BeforeValidator, Field, ValidationInfo

from conformance.documents.catalogue import CAPABILITIES, DEVICE_CAPABILITIES
from conformance.errors import ProfileError
from conformance.profile import problems
from conformance.target.credentials import ConnectionString, Secret

TIMINGS: Final = (
    "c2d-lock",
    "c2d-expiry",
    "sas-skew",
    "sas-grace",
    "keep-alive-tolerance",
    "connection-events",
    "connection-state",
    "method-timeout",
    "feedback",
)

# In the command of a hub: a file with the certificate of the authority that signs devices in this run.
DEVICE_CA: Final = "device_ca"
PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


# What stands for what a run would read, where nothing of it is used.
UNSET: Final = "unset.invalid"
_UNSET_KEY: Final = "dW5zZXQ="
_UNSET_STRINGS: Final = {
    "device": f"HostName={UNSET};DeviceId=unset;SharedAccessKey={_UNSET_KEY}",
    "events": f"Endpoint=sb://{UNSET}/;SharedAccessKeyName=unset;SharedAccessKey={_UNSET_KEY};EntityPath=unset",
    "service": f"HostName={UNSET};SharedAccessKeyName=unset;SharedAccessKey={_UNSET_KEY}",
}


@dataclass
class Reading:
    """What validators need to know beside the value, and what they found out.

    `stands_in`: a variable that is not set is no error, and something of its kind stands for it.
    """

    environment: Mapping[str, str]
    folder: Path
    stands_in: bool = False
    names_read: list[str] = field(default_factory=list)
    names_unset: list[str] = field(default_factory=list)

    @staticmethod
    def of(info: ValidationInfo) -> "Reading":
        """Return what `profile.load` handed to the validators."""
        assert isinstance(info.context, Reading), "a profile is validated through load() alone"  # noqa: S101
        return info.context

    def variable(self, reference: str, stand_in: str = UNSET) -> str:
        """Return what "env:NAME" stands for; raises ValueError where it is not set or empty."""
        name = reference.removeprefix("env:")
        value = self.environment.get(name, "").strip()
        if not value and self.stands_in:
            self.names_unset.append(name)
            return stand_in
        if not value:
            raise ValueError(f"reads env:{name}, which is not set. Export {name}, or edit the profile.")
        self.names_read.append(name)
        return value


def _plain_text(value: object, info: ValidationInfo) -> object:
    """Accept a text or "env:NAME"; refuse a key that was pasted into it."""
    if not isinstance(value, str):
        return value
    if "sharedaccess" in value.casefold():
        raise ValueError('holds a secret. Put it into an environment variable and write "env:NAME" here.')
    return Reading.of(info).variable(value) if value.startswith("env:") else value


def _secret_text(value: object, info: ValidationInfo, stand_in: str = _UNSET_KEY) -> Secret:
    if not isinstance(value, str) or not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError('must be "env:NAME": a secret is read from the environment, never from a profile.')
    return Secret(Reading.of(info).variable(value, stand_in))


def _key_text(value: object, info: ValidationInfo) -> Secret:
    return _secret_text(value, info)


def _connection_string(value: object, info: ValidationInfo, kind: str) -> ConnectionString:
    secret = _secret_text(value, info, _UNSET_STRINGS[kind])
    try:
        return ConnectionString.parse(secret, where=str(value))
    except ProfileError as error:
        raise ValueError(str(error)) from None


# What each string is, and where its owner finds it.
_KINDS: Final = {
    "device": ("of a device", "az iot hub device-identity connection-string show"),
    "events": (
        "of an Event Hub-compatible endpoint",
        "az iot hub connection-string show --hub-name NAME --default-eventhub",
    ),
    "service": ("of a hub's policy", "az iot hub connection-string show --hub-name NAME"),
}


def _of_kind(value: object, info: ValidationInfo, kind: str) -> ConnectionString:
    """Read a connection string, and say so where it is another one than the key wants."""
    string = _connection_string(value, info, kind)
    if string.kind != kind:
        wanted, command = _KINDS[kind]
        raise ValueError(
            f"{value} is the connection string {_KINDS[string.kind][0]}; this key wants the one {wanted}: "
            f"{command}"
        )
    if kind == "events" and string.entity is None:
        raise ValueError(f"{value} has no EntityPath, so it names no event hub: {_KINDS[kind][1]}")
    if string.policy is None:
        raise ValueError(f"{value} has no SharedAccessKeyName: {_KINDS[kind][1]}")
    return string


def _service_string(value: object, info: ValidationInfo) -> ConnectionString:
    return _of_kind(value, info, "service")


def _events_string(value: object, info: ValidationInfo) -> ConnectionString:
    return _of_kind(value, info, "events")


@dataclass(frozen=True)
class ReadyDevice:
    """``ready:ID``: a device whose connection string stands in the ready file of the embedded hub."""

    device_id: str


def _device_string(value: object, info: ValidationInfo) -> ConnectionString | ReadyDevice:
    if isinstance(value, str) and value.startswith("ready:") and value != "ready:":
        return ReadyDevice(value.removeprefix("ready:"))
    string = _connection_string(value, info, "device")
    if string.device_id is None:
        raise ValueError("no DeviceId in it. Name the variable that holds a device's connection string.")
    return string


def _trust(value: object, info: ValidationInfo) -> object:
    if value == "system" or not isinstance(value, str):
        return value
    file = Reading.of(info).folder / value
    if not file.is_file():
        raise ValueError('no such file. Write "system", or the path of a PEM file relative to the profile.')
    if not holds_certificates(str(file)):
        raise ValueError("holds no certificate that can be read. Name a PEM file with the hub's CA.")
    return str(file.resolve())


def holds_certificates(ca_file: str) -> bool:
    """Tell whether TLS can trust what is in a file: at least one certificate, PEM."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
    except OSError:  # ssl.SSLError is one
        return False
    return True


def _certificate_text(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str):
        return value
    file = Reading.of(info).folder / value
    try:
        text = file.read_text(encoding="ascii", errors="ignore")
    except OSError:
        raise ValueError(
            "no such file. Name the PEM file of the authority, relative to the profile."
        ) from None
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise ValueError("holds no certificate. Name the PEM file of the authority.")
    return text


def _capability(value: object) -> object:
    if isinstance(value, str) and value not in CAPABILITIES:
        raise ValueError(f"unknown capability '{value}'; {problems.did_you_mean(value, CAPABILITIES)}")
    return value


def _device_capability(value: object) -> object:
    if isinstance(value, str) and value not in DEVICE_CAPABILITIES:
        raise ValueError(
            f"unknown capability '{value}' of a device; {problems.did_you_mean(value, DEVICE_CAPABILITIES)}"
        )
    return value


PlainText: TypeAlias = Annotated[str, BeforeValidator(_plain_text)]
SecretText: TypeAlias = Annotated[Secret, BeforeValidator(_key_text)]
ServiceText: TypeAlias = Annotated[ConnectionString, BeforeValidator(_service_string)]
EventsText: TypeAlias = Annotated[ConnectionString, BeforeValidator(_events_string)]
DeviceText: TypeAlias = Annotated[ConnectionString | ReadyDevice, BeforeValidator(_device_string)]
Trust: TypeAlias = Annotated[str, BeforeValidator(_trust)]
CertificateText: TypeAlias = Annotated[str, BeforeValidator(_certificate_text)]
Capability: TypeAlias = Annotated[str, BeforeValidator(_capability)]
DeviceCapability: TypeAlias = Annotated[str, BeforeValidator(_device_capability)]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65535)]
Seconds: TypeAlias = Annotated[float, Field(gt=0, le=86_400)]
SecondsOrZero: TypeAlias = Annotated[float, Field(ge=0, le=86_400)]
