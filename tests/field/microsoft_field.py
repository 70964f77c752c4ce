"""A hub as Microsoft's own suites, SDKs and pages of 2025 and 2026 have it."""

import itertools

from latitude import acted, right, wrapped

MOST = 5


@right(
    "T36: a device can subscribe to five topics at a time; of a sixth nothing is said",
    "hub facts 1: JS end-to-end tests meet UnauthorizedError and NotConnectedError, both of a real hub",
    "F2, F3, F5, F6, F8, F13, F14, F15, F16, F17: what end-to-end suites of Microsoft's expect",
    "edition current",
)
def hub_of_microsofts_suites(rules):
    """A sixth filter is refused, and of two refused CONNECTs one has a CONNACK."""
    turns = itertools.cycle((True, False))

    def in_turns(code_of):
        def code(reason):
            if next(turns):
                return code_of(reason)
            acted()
            return None

        return code

    def five(_accepts):
        def accepts(count):
            if count >= MOST:
                acted()
            return count < MOST

        return accepts

    wrapped(rules.connect, "refusal_code", in_turns)
    wrapped(rules.subscribe, "accepts_another", five)
