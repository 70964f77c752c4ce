"""A known difference between a hub and the document: run all the same, and must differ as stated.

A profile states it (`[[deviation]]`). A case that it names is *known deviation* while it fails with the
stated word, and *stale deviation* once it passes or the date has come. Another word is a violation.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from conformance.documents.catalogue import Catalogue
from conformance.errors import ProfileError
from conformance.verdict.outcome import Outcome
from conformance.verdict.verdicts import Verdict


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """One entry of a profile. Dates as YYYY-MM-DD; it holds through the day it `expires`.

    `case` is the case's id, `observed` the stable word that it must show; ``*`` stands for any text in both.
    """

    clause: str
    case: str
    observed: str
    reason: str
    since: str
    expires: str
    link: str = ""

    def concerns(self, clause: str, case: str) -> bool:
        """Tell whether the entry is about this case of this clause."""
        return clause == self.clause and fits(case, self.case)

    def is_expired(self, today: str) -> bool:
        """Tell whether its last day lies before `today`."""
        return today > self.expires


def applied(
    outcome: Outcome, deviations: Sequence[Deviation], today: str
) -> tuple[Outcome, Deviation | None]:
    """Return the outcome of a case that these deviations are about, and the one that decides.

    A case that is broken or not tested proves nothing about a deviation and stays what it is.
    """
    if not deviations:
        return outcome, None
    if outcome.verdict is Verdict.PASS:
        message = "the deviation is stale: the case passes now. Remove the [[deviation]] from the profile."
        return replace(outcome, verdict=Verdict.STALE_DEVIATION, message=message), deviations[0]
    if outcome.verdict is not Verdict.VIOLATION:
        return outcome, None
    deviation = next((each for each in deviations if fits(outcome.observed, each.observed)), None)
    if deviation is None:
        stated = " or ".join(repr(each.observed) for each in deviations)
        message = f"{outcome.message} (the profile states a deviation, but another one: {stated})"
        return replace(outcome, message=message), deviations[0]
    if deviation.is_expired(today):
        message = (
            f"the deviation expired on {deviation.expires}: {outcome.message}. "
            "Mend the hub, or give the [[deviation]] another date."
        )
        return replace(outcome, verdict=Verdict.STALE_DEVIATION, message=message), deviation
    return replace(outcome, verdict=Verdict.KNOWN_DEVIATION), deviation


def check(deviations: Sequence[Deviation], catalogue: Catalogue, file: str) -> None:
    """Refuse entries about clauses that do not exist or never fail. Raises ProfileError, a line each."""
    problems = []
    for number, deviation in enumerate(deviations, start=1):
        where = f"{file}: [[deviation]] number {number} clause: "
        if deviation.clause not in catalogue:
            problems.append(
                f"{where}no clause '{deviation.clause}'. List them with: python -m conformance clauses"
            )
        elif (level := catalogue[deviation.clause].level) in {"observe", "untestable"}:
            problems.append(f"{where}{deviation.clause} is of level {level}, so never fails. Remove it.")
    if problems:
        raise ProfileError(problems)


def fits(text: str, pattern: str) -> bool:
    """Tell whether a text has the form of a pattern, in which ``*`` stands for any text."""
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    """`*` alone is special: the ids of cases are full of brackets, which fnmatch would read as a choice."""
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
