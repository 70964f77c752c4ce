"""The tables of a profile, as pydantic models: which keys there are."""

import ipaddress
import re
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationInfo, field_validator, model_validator

from conformance.mqtt.route import bare
from conformance.profile import problems
from conformance.profile.values import (
    DEVICE_CA,
    PLACEHOLDER,
    TIMINGS,
    Capability,
    CertificateText,
    DeviceCapability,
    DeviceText,
    EventsText,
    PlainText,
    Port,
    Reading,
    Seconds,
    SecondsOrZero,
    SecretText,
    ServiceText,
    Trust,
)
from conformance.target.certificates import DeviceAuthority


class Table(BaseModel):
    """A table of a profile: keys in kebab case, none beside the known ones, no type bent into another."""

    model_config = ConfigDict(
        alias_generator=lambda name: name.replace("_", "-"),
        arbitrary_types_allowed=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        strict=True,
    )


class Ports(Table):
    """Where the hub listens; `plain` is the port on which it must not speak MQTT in clear text."""

    mqtt: Port = 8883
    https: Port = 443
    amqp: Port = 5671
    plain: Port = 1883


class TargetTable(Table):
    """[target]: which hub, whom to trust for it, and whether its clock is known to be right.

    `host` is its name, `address` where that name is reached, if not by asking DNS.
    """

    name: PlainText
    version: PlainText | None = None
    host: PlainText | None = None
    address: PlainText | None = None
    ports: Ports = Ports()
    trust: Trust = "system"
    clock: Literal["synchronised"] | None = None

    @field_validator("address")
    @classmethod
    def _alone(cls, address: str | None) -> str | None:
        if address is None:
            return None
        alone = bare(address)
        try:
            ipaddress.ip_address(alone)
        except ValueError:
            if not re.fullmatch(r"[^\s:/@\[\]]+", alone):
                raise ValueError(
                    "must be a host name or an IP address alone. Ports are in [target.ports]."
                ) from None
        return alone


class LaunchTable(Table):
    """[launch]: the command that starts a hub; its ready file overlays [target] and [service].

    `arguments` come behind the command: what a profile that extends another one adds to it.
    """

    command: Annotated[tuple[PlainText, ...], Strict(strict=False), Field(min_length=1)]
    arguments: Annotated[tuple[PlainText, ...], Strict(strict=False)] = ()

    @field_validator("command", "arguments")
    @classmethod
    def _placeholders(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        known = ("python", "ready_file", DEVICE_CA, *TIMINGS)
        for name in PLACEHOLDER.findall(" ".join(words)):
            if name not in known:
                raise ValueError(f"unknown placeholder {{{name}}}; {problems.did_you_mean(name, known)}")
        return words

    @field_validator("command")
    @classmethod
    def _ready_file(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        if "{ready_file}" not in " ".join(command):
            raise ValueError(
                "no {ready_file} in it: the run waits for that file to know where the hub listens."
            )
        return command


class ServiceTable(Table):
    """[service]: how tests act as the back end."""

    connection_string: ServiceText
    events_connection_string: EventsText | None = None
    routed_events_connection_string: EventsText | None = None
    consumer_groups: Annotated[tuple[PlainText, ...], Strict(strict=False), Field(min_length=1)] = (
        "$Default",
    )


class IdentityTable(Table):
    """[[identity]]: a ready-made device, for a target without a service side."""

    connection_string: DeviceText
    secondary_key: SecretText | None = None


class DeviceAuthorityTable(Table):
    """[device-authority]: an authority that the hub trusts for devices, with which the suite signs."""

    certificate: CertificateText
    key: SecretText

    @model_validator(mode="after")
    def _belong_together(self, info: ValidationInfo) -> "DeviceAuthorityTable":
        if Reading.of(info).names_unset:  # its own may be among them, and nothing is signed then
            return self
        try:
            DeviceAuthority(self.certificate, self.key)
        except ValueError as error:
            raise ValueError(f"{error}. Name the two that belong together.") from None
        return self


class Claims(Table):
    """[claims]: what must hold here; the rest is "not claimed".

    `stated`: what the ready file of the hub states, in place of a list.
    """

    capabilities: Annotated[tuple[Capability, ...], Strict(strict=False)] = ()
    stated: bool = False

    @model_validator(mode="after")
    def _one_of_them(self) -> "Claims":
        if self.stated and self.capabilities:
            raise ValueError(
                "both capabilities and stated = true. Write one of them; "
                "stated = false takes back what another profile says."
            )
        return self


# How long a change of an identity is given to count where devices connect, in seconds. A hub of which nothing
# is observed beside a fence is one process, and needs none.
SETTLING: Final = 5.0


class Timeouts(Table):
    """[timeouts], in seconds. The defaults suit a live hub."""

    connect: Seconds = 60.0
    reaction: Seconds = 30.0
    silence: SecondsOrZero = 2.0
    will_silence: SecondsOrZero = 10.0
    settling: SecondsOrZero | None = None

    @property
    def settled(self) -> float:
        """How long a change is given to count, whether the profile says so or not."""
        if self.settling is not None:
            return self.settling
        return SETTLING if self.silence else 0.0


class Timing(Table):
    """[timing]: figures that the target states of itself, in seconds; one that is absent is not claimed."""

    c2d_lock: SecondsOrZero | None = None
    c2d_expiry: SecondsOrZero | None = None
    sas_skew: SecondsOrZero | None = None
    sas_grace: SecondsOrZero | None = None
    keep_alive_tolerance: SecondsOrZero | None = None
    connection_events: SecondsOrZero | None = None
    connection_state: SecondsOrZero | None = None
    method_timeout: SecondsOrZero | None = None
    feedback: SecondsOrZero | None = None

    def stated(self) -> dict[str, float]:
        """Return the figures that are stated, by their names in the profile."""
        return {
            name: float(value) for name, value in self.model_dump(by_alias=True).items() if value is not None
        }


class Limits(Table):
    """[limits]: what one run may ask of this target."""

    workers: Annotated[int, Field(ge=1)] | None = None
    messages: Annotated[int, Field(ge=1)] | None = None
    large: bool = False
    writes_twin: bool = False


class DeviationTable(Table):
    """[[deviation]]: a difference that is known, run all the same, and must show as stated until it expires.

    In `case` and `observed`, ``*`` stands for any text.
    """

    clause: PlainText
    case: PlainText = "*"
    observed: PlainText
    reason: PlainText
    since: date
    expires: date
    link: PlainText = ""

    @field_validator("reason", "observed", "case")
    @classmethod
    def _filled(cls, text: str, info: ValidationInfo) -> str:
        if not text.strip():
            raise ValueError(f"is blank. Fill in the {info.field_name}: a reviewer reads it.")
        return text

    @model_validator(mode="after")
    def _in_order(self) -> "DeviationTable":
        if self.expires < self.since:
            raise ValueError("expires before since. Correct one of the two dates.")
        return self


class DeviceTiming(Table):
    """[device.timing]: what the device states of its own times, in seconds; absent ones are not claimed."""

    keep_alive: Seconds | None = None
    reconnect: Seconds | None = None
    token_life: Seconds | None = None
    start: Seconds | None = None

    def stated(self) -> dict[str, float]:
        """Return the figures that are stated, by their names in the profile."""
        return {
            name: float(value) for name, value in self.model_dump(by_alias=True).items() if value is not None
        }


class DeviceTable(Table):
    """[device]: the device that is judged; the hub of the profile stands behind it, as a tool.

    Without a `command` a person starts it, and it dials `address` and `port` of this machine; with an
    `adapter` it takes orders and tells events.
    """

    name: PlainText
    version: PlainText | None = None
    command: Annotated[tuple[PlainText, ...], Strict(strict=False), Field(min_length=1)] | None = None
    address: PlainText = "127.0.0.1"
    port: Port | None = None
    adapter: bool = False
    capabilities: Annotated[tuple[DeviceCapability, ...], Strict(strict=False)] = ()
    timing: DeviceTiming = DeviceTiming()

    @field_validator("command")
    @classmethod
    def _placeholders(cls, words: tuple[str, ...] | None) -> tuple[str, ...] | None:
        timings = (field.alias or name for name, field in DeviceTiming.model_fields.items())
        known = ("python", "adapters", *timings)
        for name in PLACEHOLDER.findall(" ".join(words or ())):
            if name not in known:
                raise ValueError(f"unknown placeholder {{{name}}}; {problems.did_you_mean(name, known)}")
        return words

    @model_validator(mode="after")
    def _an_adapter_is_a_program(self) -> "DeviceTable":
        if self.adapter and self.command is None:
            raise ValueError("an adapter takes its orders on stdin: say its command, or leave out adapter.")
        return self

    @property
    def claims(self) -> frozenset[str]:
        """All that the device claims."""
        return frozenset(self.capabilities) | ({"adapter"} if self.adapter else set())


class ProfileFile(Table):
    """The whole file."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    extends: str | None = None
    target: TargetTable
    launch: LaunchTable | None = None
    service: ServiceTable | None = None
    identity: Annotated[tuple[IdentityTable, ...], Strict(strict=False)] = ()
    device_authority: DeviceAuthorityTable | None = None
    device: DeviceTable | None = None
    claims: Claims = Claims()
    timeouts: Timeouts = Timeouts()
    timing: Timing = Timing()
    limits: Limits = Limits()
    deviation: Annotated[tuple[DeviationTable, ...], Strict(strict=False)] = ()
