"""What runs that were killed left on a hub: devices whose names say which run made them, and when it began.

A run deletes its devices when it ends, however it ends, unless its process is killed outright. Its id begins
with the second in which it began, so that no clock but ours is asked for an age.
"""

import re
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance.errors import HarnessError, Violation

if TYPE_CHECKING:  # a run that only collects needs an id, and no back end
    from conformance.backend import Service

# Names of devices begin so; what stands behind is the run's id, the worker, and a number.
PREFIX: Final = "conf-"
# Younger ones may be those of a run that is under way, in seconds.
OLD: Final = 3600.0

# Of this version, and of earlier ones, whose ids do not tell when they began.
_NAME: Final = re.compile(
    rf"{PREFIX}(?P<run>(?P<began>[0-9a-f]{{8}})[0-9a-f]{{4}}|[0-9a-f]{{8}}|preflight-[0-9a-f]{{12}})(?:-|$)"
)
_QUERY: Final = f"SELECT deviceId FROM devices WHERE STARTSWITH(deviceId, '{PREFIX}')"  # noqa: S608 - the hub's own language
_FIRST: Final = 1000
_PAGE: Final = 100


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """The devices of one run; `age` in seconds, None where their names do not tell."""

    run: str
    age: float | None
    ids: tuple[str, ...]

    def is_older(self, seconds: float) -> bool:
        """Tell whether the run began so many seconds ago; of an unknown age, only where any will do."""
        return seconds <= 0 if self.age is None else self.age >= seconds


def new_id(now: float | None = None) -> str:
    """Return the id of a run that begins now: eight hexadecimal digits of the second, and four of chance."""
    return f"{int(time.time() if now is None else now):08x}{secrets.token_hex(2)}"


def by_run(names: Iterable[str], now: float) -> list[Leftover]:
    """Return which of these devices are a run's, run by run, the oldest first."""
    found: dict[str, list[str]] = {}
    ages: dict[str, float | None] = {}
    for name in sorted(names):
        match = _NAME.match(name)
        if match is None:
            continue
        run, began = match["run"], match["began"]
        found.setdefault(run, []).append(name)
        ages[run] = None if began is None else now - int(began, 16)
    leftovers = [Leftover(run=run, age=ages[run], ids=tuple(ids)) for run, ids in found.items()]
    return sorted(leftovers, key=lambda each: (each.age is not None, -(each.age or 0)))


def names_on(service: "Service", *, all_pages: bool) -> list[str]:
    """Return the names of a hub's devices that begin as a run's do: all, or a first page of them.

    A hub that does not answer the query is asked for its first thousand devices. Raises HarnessError.
    """
    try:
        items = service.queries.found(_QUERY) if all_pages else service.queries.page(_QUERY, size=_PAGE).items
        return [str(item["deviceId"]) for item in items]
    except (HarnessError, Violation, LookupError, TypeError):
        return [str(each.members.get("deviceId", "")) for each in service.identities.first(_FIRST)]


def remark(leftovers: Sequence[Leftover], profile: str) -> str | None:
    """Say in one line that there are devices of other runs; None where there are none."""
    if not leftovers:
        return None
    count = sum(len(each.ids) for each in leftovers)
    at_least = "at least " if count >= _PAGE else ""
    oldest = max((each.age or 0.0 for each in leftovers), default=0.0)
    age = f", the oldest {in_words(oldest)} old" if oldest else ""
    return (
        f"{at_least}{count} devices of runs that were killed are on the hub{age}: "
        f"python -m conformance reap --profile={profile} shows them, --delete deletes them"
    )


def in_words(seconds: float | None) -> str:
    """Write an age as its largest unit."""
    if seconds is None:
        return "unknown"
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
