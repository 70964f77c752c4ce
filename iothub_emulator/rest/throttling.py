"""Throttles of the service's calls: which kind of operation a call is, and the refusal of one too many."""

from typing import Final

from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.throttle import Kind
from iothub_emulator.runtime import Runtime

_READS: Final = frozenset({"GET", "HEAD"})


class Throttled(Refused):
    """A call beyond its throttle; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(ErrorCode.ThrottlingException, "Too many calls of this kind. Try again later.")
        self.retry_after = retry_after


def check_throttle(runtime: Runtime, segments: tuple[str, ...], method: str) -> None:
    """Count one call of a path, or raise `Throttled`.

    Queries, messages to devices, and direct methods with their throttle by size, are not counted here.
    """
    kind = _kind(segments, method)
    rules = runtime.rules.throttle
    throttle = None if kind is None or not rules.counts_calls() else rules.throttle_of(kind)
    if kind is None or throttle is None:
        return
    if not runtime.state.throttles.admits(kind, "", rules, runtime.now()):
        raise Throttled(rules.retry_after(throttle))


def _kind(segments: tuple[str, ...], method: str) -> Kind | None:
    match tuple(segment.lower() for segment in segments):
        case ("devices", "query") | ("devices", _, "messages", *_) | ("twins", *_, "methods"):
            return None
        case ("devices", *_):
            return "registry"
        case ("twins", *_):
            return "twin-reads" if method in _READS else "twin-updates"
    return None
