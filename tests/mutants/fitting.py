"""Which triggers fit which nodes; apart from `draw`, since this imports the hub for its packets."""

from collections.abc import Sequence

from served import KINDS
from triggers import all_triggers


def fitting() -> dict[str, Sequence[int]]:
    """Return, for each trigger, all that may be known when it can be asked, as bits."""
    everything = range(1 << len(KINDS))
    return {
        name: [kinds for kinds in everything if trigger.fits(kinds)]
        for name, trigger in all_triggers().items()
    }
