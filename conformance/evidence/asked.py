"""What this process has asked of the hub, as a hub counts it: messages, registry operations, connections.

A message is what Microsoft's "Azure IoT Hub pricing information" charges, in blocks of 4 KB, of 0.5 KB in
the free edition: what a device publishes and what the back end sends it, a read or an update of a twin from
either side, a call of a method and its answer. What a hub tells a device of itself, an answer or a change, is
not charged once more. Registry operations and new connections are what "Understand IoT Hub throttling and
quotas" limits: each call about identities, of one or of a hundred, and each connection of a device.
"""

import threading
from dataclasses import asdict, dataclass
from typing import Final, Self

# A hub counts a message in blocks of this many bytes; one of the free edition in smaller ones.
BLOCK: Final = 4096
FREE_BLOCK: Final = 512


@dataclass(frozen=True, kw_only=True)
class Asked:
    """So much was asked of the hub; `free_messages` are its messages as the free edition counts them."""

    messages: int = 0
    free_messages: int = 0
    registry_operations: int = 0
    connections: int = 0

    def __add__(self, other: "Asked") -> "Asked":
        return Asked(
            messages=self.messages + other.messages,
            free_messages=self.free_messages + other.free_messages,
            registry_operations=self.registry_operations + other.registry_operations,
            connections=self.connections + other.connections,
        )

    def since(self, before: "Asked") -> "Asked":
        """Return what was asked after `before`."""
        return Asked(
            messages=self.messages - before.messages,
            free_messages=self.free_messages - before.free_messages,
            registry_operations=self.registry_operations - before.registry_operations,
            connections=self.connections - before.connections,
        )

    def to_json(self) -> dict[str, int]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, int]) -> Self:
        """Return what `to_json` made plain."""
        return cls(**values)


_lock = threading.Lock()
_asked = Asked()


def so_far() -> Asked:
    """Return what this process has asked of the hub."""
    with _lock:
        return _asked


def message(size: int) -> None:
    """Count a message of so many bytes: an empty one too is a block."""
    _add(Asked(messages=_blocks(size, BLOCK), free_messages=_blocks(size, FREE_BLOCK)))


def connection() -> None:
    """Count a connection of a device."""
    _add(Asked(connections=1))


def call(segments: tuple[str, ...], size: int) -> None:
    """Count a call of the service, by its path; `size` is that of its body, in bytes.

    What is asked of twins and methods counts as messages, what is asked about identities as an operation.
    To empty a queue is neither.
    """
    if segments[:1] == ("twins",):
        message(size)
    elif segments[:1] == ("devices",) and segments[-1:] != ("commands",):
        _add(Asked(registry_operations=1))


def _blocks(size: int, block: int) -> int:
    return max(1, -(-size // block))


def _add(more: Asked) -> None:
    global _asked  # noqa: PLW0603 - one count per process, by design
    with _lock:
        _asked += more
