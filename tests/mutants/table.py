"""The figures of a draw, as text: rates by class, each with its interval, and the list of what survived."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from classes import CLASSES, Class, Result

# Of the normal distribution, for an interval that holds the rate in 95 of 100 draws.
Z = 1.959964


def wilson(killed: int, number: int) -> tuple[float, float]:
    """Return Wilson's interval of a rate, 95 %; all is possible where nothing was counted."""
    if not number:
        return 0.0, 1.0
    rate, spread = killed / number, Z * Z / number
    middle = rate + spread / 2
    half = Z * math.sqrt((rate * (1 - rate) + spread / 4) / number)
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


def table(
    kind: str, commit: str, results: Sequence[Result], classes: Mapping[str, Mapping[str, Class]]
) -> str:
    """Return the rows of a draw as Markdown; what no reader classed is counted and named."""
    known = classes.get(kind, {})
    words = Counter(result.verdict for result in results)
    killed = words["killed"]
    survivors = [result for result in results if result.verdict == "survived"]
    survived = Counter(known[each.name].word for each in survivors if each.name in known)
    lines = [
        f"{kind}, {commit}: {len(results)} mutants",
        "",
        "| | mutants |",
        "|---|--:|",
        *(f"| {word} | {count} |" for word, count in sorted(words.items())),
        "",
        "| survivors that count | killed | survived | rate | 95 % |",
        "|---|--:|--:|--:|--:|",
    ]
    counted = 0
    for word, meaning in CLASSES.items():
        counted += survived[word]
        lines.append(_row(meaning if word == "document" else f"… or: {meaning}", killed, counted))
    lines.append(_row("all", killed, len(survivors)))
    unclassed = [each.name for each in survivors if each.name not in known]
    if unclassed:
        lines += ["", f"{len(unclassed)} survivors without a class: {', '.join(unclassed)}"]
    if kind == "conditional":
        lines += ["", _seen(results)]
    return "\n".join(lines)


def _row(meaning: str, killed: int, survived: int) -> str:
    low, high = wilson(killed, killed + survived)
    rate = f"{killed / (killed + survived):.1%}" if killed + survived else "none"
    return f"| {meaning} | {killed} | {survived} | {rate} | {low:.1%} to {high:.1%} |"


def _seen(results: Sequence[Result]) -> str:
    judged = [result for result in results if result.verdict in {"killed", "survived"}]
    seen = [result for result in judged if result.triggered]
    killed = sum(result.verdict == "killed" for result in seen)
    return f"trigger seen in {len(seen)} of {len(judged)}; of these killed {killed}"


def listing(
    kind: str, commit: str, results: Sequence[Result], classes: Mapping[str, Mapping[str, Class]]
) -> str:
    """Return what survived, a paragraph each."""
    known = classes.get(kind, {})
    lines = [f"{kind}, {commit}"]
    for result in results:
        if result.verdict == "survived":
            given = known.get(result.name)
            about = "no class" if given is None else f"{given.word} {given.source}: {given.proof}"
            lines += ["", result.line, f"  {about}"]
    return "\n".join(lines)
