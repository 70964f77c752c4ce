"""The ready file of an embedded hub: where it listens and what it states of itself.

The embedded hub writes it when every listener listens. It is all that a run learns beside the hub's
public protocols, whether it launched the hub or was attached to it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from conformance.errors import ProfileError, UsageError
from conformance.profile.values import Port
from conformance.target.credentials import ConnectionString


class ReadyPorts(BaseModel):
    """The ports; `plain` is reserved and nothing listens on it. A later hub may state more."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    mqtt: Port
    https: Port
    amqp: Port
    plain: Port


class ReadyFile(BaseModel):
    """What a hub writes. Keys of later hubs are ignored: their capabilities are what counts."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, hide_input_in_errors=True)

    host: str = Field(min_length=1)
    address: str | None = Field(default=None, min_length=1)
    ports: ReadyPorts
    ca_file: str
    service_connection_string: str = Field(repr=False)
    events_connection_string: str = Field(repr=False)
    device_connection_strings: dict[str, str] = Field(repr=False)
    routed_events_connection_string: str | None = Field(default=None, repr=False)
    host_names: dict[str, Any] = Field(default_factory=dict, repr=False)
    name: str | None = Field(default=None, min_length=1)
    device_host: str | None = Field(default=None, min_length=1)
    edition: str
    timing: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]]
    capabilities: tuple[str, ...] = Field(strict=False)

    def service(self) -> ConnectionString:
        """Return the connection string of the service side."""
        return ConnectionString.parse(self.service_connection_string, where="the ready file's service string")

    def events(self) -> ConnectionString:
        """Return the connection string of the Event Hubs-compatible endpoint."""
        return ConnectionString.parse(self.events_connection_string, where="the ready file's events string")

    def device(self, device_id: str) -> ConnectionString | None:
        """Return the connection string of a device that the hub began with, or None."""
        text = self.device_connection_strings.get(device_id)
        return None if text is None else ConnectionString.parse(text, where="the ready file's device string")

    def routed_events(self) -> ConnectionString | None:
        """Return the connection string of the custom endpoint; None: no route leads to one."""
        if self.routed_events_connection_string is None:
            return None
        return ConnectionString.parse(
            self.routed_events_connection_string, where="the ready file's routed events string"
        )


def read(path: Path, *, option: str) -> ReadyFile:
    """Read a ready file; `option` says in a message where its path came from.

    Raises UsageError if there is none, ProfileError if it is not one.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{option}: {error.strerror}. Start the hub with --ready-file and name that file."
        ) from None
    try:
        values = json.loads(text)
    except ValueError:  # no JSON, or no UTF-8
        raise ProfileError(f"{option}: not JSON. Name the file that the hub wrote by --ready-file.") from None
    return parse(values, option=option)


def parse(values: Mapping[str, Any], *, option: str) -> ReadyFile:
    """Check what a ready file holds. Raises ProfileError naming the keys that are missing or wrong."""
    try:
        ready = ReadyFile.model_validate(values)
    except ValidationError as error:
        keys = ", ".join(".".join(map(str, problem["loc"])) or "the file" for problem in error.errors())
        raise ProfileError(
            f"{option}: not the ready file of a hub (wrong or missing: {keys}). Is it of this version?"
        ) from None
    ready.service()
    ready.events()
    ready.routed_events()
    return ready
