"""The device of a run, as a value: its name, how it is started, what it claims and states of itself."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from conformance.profile.tables import DeviceTable


@dataclass(frozen=True, kw_only=True)
class Described:
    """One device. `command` is None where a person starts it; `timing` is in seconds."""

    name: str
    version: str | None
    command: tuple[str, ...] | None
    has_adapter: bool
    timing: Mapping[str, float]
    claims: frozenset[str]
    address: str = "127.0.0.1"
    port: int = 0

    @classmethod
    def of(cls, table: DeviceTable) -> Self:
        """Return the device of a profile."""
        return cls(
            name=table.name,
            version=table.version,
            command=table.command,
            has_adapter=table.adapter,
            timing=table.timing.stated(),
            claims=table.claims,
            address=table.address,
            port=table.port or 0,
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values, which travel to a worker."""
        return {**asdict(self), "claims": sorted(self.claims)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return what `to_json` took apart."""
        command = None if values["command"] is None else tuple(values["command"])
        return cls(**{**values, "command": command, "claims": frozenset(values["claims"])})
