"""A device that a person starts: what it is told once, and where it finds the tap in each case.

It has one identity. Its key goes into a file that nobody else can read, never on a terminal.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from conformance.tap.proxy import TapPorts
from conformance.target.credentials import Identity, Secret


@dataclass(frozen=True, kw_only=True)
class Introduced:
    """Identity, ports of the tap, and the key of the authority that the device was told to trust."""

    identity: Identity
    ports: TapPorts
    authority: Secret

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values, the keys among them, which travel to a worker."""
        return {
            "device_id": self.identity.device_id,
            "key": self.identity.primary_key.reveal(),
            "ports": [self.ports.mqtt, self.ports.connect],
            "authority": self.authority.reveal(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return what `to_json` took apart."""
        mqtt, connect = values["ports"]
        return cls(
            identity=Identity(device_id=values["device_id"], primary_key=Secret(values["key"])),
            ports=TapPorts(mqtt=mqtt, connect=connect),
            authority=Secret(values["authority"]),
        )


def written_down(variables: Mapping[str, str], folder: Path) -> tuple[Path, Mapping[str, str]]:
    """Write what a device is told as lines ``NAME='value'``, readable for this user alone.

    Returns the file, and what it says: the authority to trust is copied beside it.
    """
    authority = folder / "tap-ca.pem"
    shutil.copyfile(variables["IOTHUB_CA_FILE"], authority)
    told = {**variables, "IOTHUB_CA_FILE": str(authority)}
    file = folder / "device.env"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.writelines(f"{name}='{value}'\n" for name, value in sorted(told.items()))
    return file, told
