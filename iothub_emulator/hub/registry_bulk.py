"""Many changes of the registry in one call: each stands or fails alone."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from iothub_emulator.hub.identity import Fresh, Wanted
from iothub_emulator.hub.registry import Registry
from iothub_emulator.hub.service_errors import ErrorCode, Refused

ImportMode = Literal["create", "createOrUpdate", "update", "updateIfMatchETag", "delete", "deleteIfMatchETag"]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One change: in which mode, of what towards what, and under which etag (the `…IfMatchETag` modes)."""

    wanted: Wanted
    mode: ImportMode
    etag: str | None = None

    @property
    def device_id(self) -> str:
        """The device it changes."""
        return self.wanted.device_id


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A change that was not carried out, and why."""

    device_id: str
    code: ErrorCode
    message: str


def carry_out(
    registry: Registry, entries: Sequence[Operation | Failure], fresh: Callable[[], Fresh]
) -> list[Failure]:
    """Carry out the operations in order and return what failed; entries that failed earlier pass through.

    A device named more than once keeps its state: which of the entries should win is not defined.
    """
    named = Counter(entry.device_id for entry in entries)
    failures = []
    for entry in entries:
        if isinstance(entry, Failure):
            failures.append(entry)
        elif named[entry.device_id] > 1:
            failures.append(
                Failure(
                    device_id=entry.device_id,
                    code=ErrorCode.DeviceDefinedMultipleTimes,
                    message="The device is named more than once in this call.",
                )
            )
        else:
            try:
                _carry_out(registry, entry, fresh)
            except Refused as refused:
                failures.append(
                    Failure(device_id=entry.device_id, code=refused.code, message=refused.message)
                )
    return failures


def _carry_out(registry: Registry, operation: Operation, fresh: Callable[[], Fresh]) -> None:
    wanted = operation.wanted
    match operation.mode:
        case "create":
            registry.create(wanted, fresh())
        case "createOrUpdate" if registry.get(wanted.device_id) is None:
            registry.create(wanted, fresh())
        case "update" | "createOrUpdate":
            registry.replace(wanted, None, fresh())
        case "updateIfMatchETag":
            registry.replace(wanted, _etag(operation), fresh())
        case "delete":
            registry.delete(wanted.device_id, "*")
        case "deleteIfMatchETag":
            registry.delete(wanted.device_id, _etag(operation))


def _etag(operation: Operation) -> str:
    if operation.etag is None:
        raise Refused(ErrorCode.PreconditionFailed, f"Etag missing: {operation.mode} needs an eTag.")
    return operation.etag
