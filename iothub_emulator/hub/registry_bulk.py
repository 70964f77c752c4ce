"""Many changes of the registry in one call: each stands or fails alone."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from iothub_emulator.hub.identity import Fresh, Wanted, WantedModule
from iothub_emulator.hub.registry import Registry
from iothub_emulator.hub.service_errors import ErrorCode, Refused

ImportMode = Literal["create", "createOrUpdate", "update", "updateIfMatchETag", "delete", "deleteIfMatchETag"]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One change: in which mode, of what towards what, and under which etag (the `…IfMatchETag` modes)."""

    wanted: Wanted | WantedModule
    mode: ImportMode
    etag: str | None = None

    @property
    def device_id(self) -> str:
        """The device it changes, or whose module."""
        return self.wanted.device_id

    @property
    def names(self) -> tuple[str, str | None]:
        """The device it changes, or the device and the module."""
        module_id = self.wanted.module_id if isinstance(self.wanted, WantedModule) else None
        return self.wanted.device_id, module_id


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A change that was not carried out, and why."""

    device_id: str
    code: ErrorCode
    message: str
    module_id: str | None = None

    @property
    def names(self) -> tuple[str, str | None]:
        """The device, or the device and the module."""
        return self.device_id, self.module_id


def carry_out(
    registry: Registry, entries: Sequence[Operation | Failure], fresh: Callable[[str], Fresh]
) -> list[Failure]:
    """Carry out the operations in order and return what failed; entries that failed earlier pass through.

    An identity named more than once keeps its state: which of the entries should win is not defined.
    `fresh` gets an identity key.
    """
    named = Counter(entry.names for entry in entries)
    failures = []
    for entry in entries:
        if isinstance(entry, Failure):
            failures.append(entry)
        elif named[entry.names] > 1:
            failures.append(
                _failure(
                    entry,
                    Refused(
                        ErrorCode.DeviceDefinedMultipleTimes,
                        "The identity is named more than once in this call.",
                    ),
                )
            )
        else:
            try:
                if isinstance(entry.wanted, WantedModule):
                    _carry_out_on_module(registry, entry.wanted, entry, fresh)
                else:
                    _carry_out(registry, entry.wanted, entry, fresh)
            except Refused as refused:
                failures.append(_failure(entry, refused))
    return failures


def _failure(operation: Operation, refused: Refused) -> Failure:
    device_id, module_id = operation.names
    return Failure(device_id=device_id, module_id=module_id, code=refused.code, message=refused.message)


def _carry_out(
    registry: Registry, wanted: Wanted, operation: Operation, fresh: Callable[[str], Fresh]
) -> None:
    match operation.mode:
        case "create":
            registry.create(wanted, fresh(wanted.device_id))
        case "createOrUpdate" if registry.get(wanted.device_id) is None:
            registry.create(wanted, fresh(wanted.device_id))
        case "update" | "createOrUpdate":
            registry.replace(wanted, None, fresh(wanted.device_id))
        case "updateIfMatchETag":
            registry.replace(wanted, _etag(operation), fresh(wanted.device_id))
        case "delete":
            registry.delete(wanted.device_id, "*")
        case "deleteIfMatchETag":
            registry.delete(wanted.device_id, _etag(operation))


def _carry_out_on_module(
    registry: Registry, wanted: WantedModule, operation: Operation, fresh: Callable[[str], Fresh]
) -> None:
    registry.require(wanted.device_id)
    modules = registry.modules
    match operation.mode:
        case "create":
            modules.create(wanted, fresh(wanted.key))
        case "createOrUpdate" if modules.get(wanted.device_id, wanted.module_id) is None:
            modules.create(wanted, fresh(wanted.key))
        case "update" | "createOrUpdate":
            modules.replace(wanted, None, fresh(wanted.key))
        case "updateIfMatchETag":
            modules.replace(wanted, _etag(operation), fresh(wanted.key))
        case "delete":
            modules.delete(wanted.device_id, wanted.module_id, "*")
        case "deleteIfMatchETag":
            modules.delete(wanted.device_id, wanted.module_id, _etag(operation))


def _etag(operation: Operation) -> str:
    if operation.etag is None:
        raise Refused(ErrorCode.PreconditionFailed, f"Etag missing: {operation.mode} needs an eTag.")
    return operation.etag
