"""The cross table of faults and clauses, as values and as Markdown."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from fault import Fault
from run import Told

# Over all faults; one that breaks what every case needs may turn many clauses red.
WIDEST_MEDIAN = 3
# In which part of the runs the clause that is named first is one of the fault's.
FIRST_NAMED = 0.9


def summary(faults: Sequence[Fault], rows: Mapping[str, Told]) -> dict[str, Any]:
    """Return the matrix: for each fault what it names, what is red and what is broken, and the figures."""
    entries = [_entry(fault, rows[fault.load]) for fault in faults]
    survivors = [entry for entry in entries if entry["not_red"]]
    return {
        "faults_run": len(entries),
        "killed": len(entries) - len(survivors),
        "kill_rate": round((len(entries) - len(survivors)) / len(entries), 4),
        "median_spread": median(len(entry["red"]) for entry in entries),
        "median_own": median(len(entry["own"]) for entry in entries),
        "first_named": sum(entry["first"] in entry["names"] for entry in entries),
        "survivors": survivors,
        "faults": entries,
    }


def _entry(fault: Fault, said: Told) -> dict[str, Any]:
    verdicts = said.verdicts
    red = [clause for clause, verdict in verdicts.items() if verdict == "violation"]
    return {
        "load": fault.load,
        "says": fault.says,
        "names": sorted(fault.breaks),
        "red": red,
        "own": said.own,
        "first": said.first,
        "broken": [clause for clause, verdict in verdicts.items() if verdict == "broken"],
        "not_red": sorted(fault.breaks - set(red)),
        "spreads": fault.spreads,
    }


def as_markdown(matrix: Mapping[str, Any]) -> str:
    """Return the matrix as a page."""
    lines = [
        "# Which fault turns which clause red",
        "",
        "Each row is a hub that is wrong in one decision, judged by the whole suite (`make kill-matrix`).",
        "A fault is killed when every clause that it names is a violation.",
        "",
        f"- faults: {matrix['faults_run']}, killed: {matrix['killed']} ({matrix['kill_rate']:.1%})",
        f"- clauses red per fault, median: {matrix['median_spread']:g}",
        f"- clauses red by their own cases, median: {matrix['median_own']:g}",
        f"- faults of which a clause is named first: {matrix['first_named']}",
        f"- survivors: {len(matrix['survivors'])}",
        "",
    ]
    if matrix["survivors"]:
        lines += ["## Survivors", "", "| fault | the hub | not red |", "|---|---|---|"]
        lines += [
            _row(f"`{entry['load']}`", entry["says"], _ids(entry["not_red"])) for entry in matrix["survivors"]
        ]
        lines.append("")
    lines += [
        "## All faults",
        "",
        "A fault marked * breaks what nearly every case needs.",
        "",
        "| fault | the hub | names | named first | red beside these | broken |",
        "|---|---|---|---|---|---|",
    ]
    for entry in matrix["faults"]:
        beside = [clause for clause in entry["red"] if clause not in entry["names"]]
        name = f"`{entry['load']}`" + (" *" if entry["spreads"] else "")
        first = "one of them" if entry["first"] in entry["names"] else entry["first"]
        names, broken = _ids(entry["names"]), _some(entry["broken"])
        lines.append(_row(name, entry["says"], names, first, _some(beside), broken))
    return "\n".join([*lines, "", *_by_clause(matrix["faults"]), ""])


def _by_clause(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """The other way round: how many faults turn each clause red."""
    clauses: dict[str, int] = {}
    for entry in entries:
        for clause in entry["red"]:
            clauses[clause] = clauses.get(clause, 0) + 1
    rows = [_row(clause, str(count)) for clause, count in sorted(clauses.items())]
    return ["## All clauses that turned red", "", "| clause | by how many faults |", "|---|---|", *rows]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _ids(clauses: Sequence[str]) -> str:
    return ", ".join(clauses)


def _some(clauses: Sequence[str], most: int = 8) -> str:
    more = f" and {len(clauses) - most} more" if len(clauses) > most else ""
    return ", ".join(clauses[:most]) + more
