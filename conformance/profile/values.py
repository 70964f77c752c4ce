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

from conformance.documents.catalogue import CAPABILITIES
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


@dataclass
class Reading:
    """What validators need to know beside the value, and what they found out."""

    environment: Mapping[str, str]
    folder: Path
    names_read: list[str] = field(default_factory=list)

    @staticmethod
    def of(info: ValidationInfo) -> "Reading":
        """Return what `profile.load` handed to the validators."""
        assert isinstance(info.context, Reading), "a profile is validated through load() alone"  # noqa: S101
        return info.context

    def variable(self, reference: str) -> str:
        """Return what "env:NAME" stands for; raises ValueError where it is not set or empty."""
        name = reference.removeprefix("env:")
        value = self.environment.get(name, "").strip()
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


def _secret_text(value: object, info: ValidationInfo) -> Secret:
    if not isinstance(value, str) or not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError('must be "env:NAME": a secret is read from the environment, never from a profile.')
    return Secret(Reading.of(info).variable(value))


def _connection_string(value: object, info: ValidationInfo) -> ConnectionString:
    secret = _secret_text(value, info)
    try:
        return ConnectionString.parse(secret, where=str(value))
    except ProfileError as error:
        raise ValueError(str(error)) from None


@dataclass(frozen=True)
class ReadyDevice:
    """``ready:ID``: a device whose connection string stands in the ready file of the embedded hub."""

    device_id: str


def _device_string(value: object, info: ValidationInfo) -> ConnectionString | ReadyDevice:
    if isinstance(value, str) and value.startswith("ready:") and value != "ready:":
        return ReadyDevice(value.removeprefix("ready:"))
    string = _connection_string(value, info)
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


PlainText: TypeAlias = Annotated[str, BeforeValidator(_plain_text)]
SecretText: TypeAlias = Annotated[Secret, BeforeValidator(_secret_text)]
ConnectionText: TypeAlias = Annotated[ConnectionString, BeforeValidator(_connection_string)]
DeviceText: TypeAlias = Annotated[ConnectionString | ReadyDevice, BeforeValidator(_device_string)]
Trust: TypeAlias = Annotated[str, BeforeValidator(_trust)]
CertificateText: TypeAlias = Annotated[str, BeforeValidator(_certificate_text)]
Capability: TypeAlias = Annotated[str, BeforeValidator(_capability)]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65535)]
Seconds: TypeAlias = Annotated[float, Field(gt=0, le=86_400)]
SecondsOrZero: TypeAlias = Annotated[float, Field(ge=0, le=86_400)]
