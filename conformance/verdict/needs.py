"""What a clause needs of a target, held against what the target claims."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

TIMING = "timing."

# Why a case that depends on the hub's clock is not claimed, and what to do about it.
NO_CLOCK = (
    "depends on the hub's clock, which neither a service nor an HTTPS answer tells: "
    'set it, and say so in the profile, [target] clock = "synchronised"'
)

# Why a case that writes a twin is not claimed on ready-made devices, and what to do about it.
NO_WRITING = (
    "writes the twin of a ready-made device, under one member that it takes away again: "
    "allow it in the profile, [limits] writes-twin = true"
)

# Why a case that uses the second key of a ready-made device is not claimed, and what to do about it.
NO_SECOND_KEY = "needs the second key of a ready-made device: add secondary-key to its [[identity]] table"

# How the reason of a case begins in whose way the hub opened no session, before the first case.
_SHUT = "no session in this way"


def shut(outcome: str, clause: str) -> str:
    """Return why a case is not tested in whose way no session opens; `clause` is the one that judges that."""
    return f"{_SHUT} ({outcome}): see {clause}"


def is_shut(message: str) -> bool:
    """Tell whether a case was left out for that reason."""
    return message.startswith(_SHUT)


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What must hold on a target: capabilities, figures it states of itself in seconds, and large cases.

    `clock`: it is known how far the hub's clock is from ours. `writes_twin`: cases may write twins.
    """

    capabilities: frozenset[str] = frozenset()
    timing: Mapping[str, float] = field(default_factory=dict)
    large: bool = False
    clock: bool = True
    writes_twin: bool = True


def not_claimed(
    needs: Iterable[str],
    claims: Claims,
    *,
    large: bool = False,
    clock: bool = False,
    writes_twin: bool = False,
) -> str | None:
    """Return why a case does not apply to a target, or None if it does.

    `large`: the case is a large one; `clock`: it depends on the hub's clock; `writes_twin`: it writes a twin.
    """
    wanted = tuple(needs)
    unclaimed = [need for need in wanted if not need.startswith(TIMING) and need not in claims.capabilities]
    unstated = [
        need for need in wanted if need.startswith(TIMING) and need[len(TIMING) :] not in claims.timing
    ]
    reasons = []
    if unclaimed:
        reasons.append(f"needs {' and '.join(unclaimed)}, which the profile does not claim")
    if unstated:
        reasons.append(f"needs {' and '.join(unstated)}, which the profile does not state")
    if large and not claims.large:
        reasons.append("a large case: run with --large")
    if clock and not claims.clock:
        reasons.append(NO_CLOCK)
    if writes_twin and not claims.writes_twin:
        reasons.append(NO_WRITING)
    return "; ".join(reasons) or None
