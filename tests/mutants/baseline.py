"""What the suite reaches of a commit's hub: which nodes, in which cases, and what was known then."""

import io
import json
import subprocess
import sys
import tarfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from hits import read_hits
from sites import HUB, Site, modules, sites
from suite import run

# The case of what runs before the first one: the start.
START: Final = 0


class CommitError(Exception):
    """A commit that is none, or whose suite does not hold on its own hub."""


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A node as a run met it.

    `cases` are the numbers of those that reached it, `kinds` what was known then, as bits of `served.KINDS`.
    """

    module: str
    number: int
    line: int
    cases: tuple[int, ...]
    kinds: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """One run on the hub as it is. `cases` are ids, the first of number 1; `violated` those that are red."""

    python: str
    nodes: int
    cases: tuple[str, ...]
    violated: tuple[str, ...]
    reached: tuple[Reached, ...]
    seconds: float

    def first(self, site: Reached) -> tuple[str, ...]:
        """Return the cases that reach a node."""
        return tuple(self.cases[number - 1] for number in site.cases if number != START)

    def is_reached_in_cases_alone(self, site: Reached) -> bool:
        """Tell whether no case but those can come to know of a change there: the start does not reach it."""
        return START not in site.cases


def full_commit(checkout: Path, name: str) -> str:
    """Return the digest of a commit; raises CommitError."""
    found = _git(checkout, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if found is None:
        raise CommitError(f"{name}: no such commit: give a digest, a branch or a tag")
    return found.decode().strip()


def export(checkout: Path, commit: str, folder: Path) -> Path:
    """Return a folder with the files of a commit; they are written there once."""
    if not folder.exists():
        archive = _git(checkout, "archive", "--format=tar", commit)
        if archive is None:
            raise CommitError(f"{commit}: git makes no archive of it")
        unfinished = folder.with_suffix(".part")
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            opened.extractall(unfinished, filter="data")
        unfinished.rename(folder)
    return folder


def all_sites(tree: Path) -> list[Site]:
    """Return every node of a checkout's hub that may be mutated, in the order of files and of `ast.walk`."""
    return [
        site for module in modules(tree) for site in sites(module, (tree / HUB / module).read_text("utf-8"))
    ]


def numbered(found: Sequence[Site]) -> dict[str, dict[int, int]]:
    """Return, by module and the site's own number, the number that its probe says: its place among all."""
    numbers: dict[str, dict[int, int]] = {}
    for name, site in enumerate(found):
        numbers.setdefault(site.module, {})[site.number] = name
    return numbers


def measure(tree: Path, directory: Path, kept: Path) -> Baseline:
    """Return the baseline of a checkout: as it was kept, or by a run; raises CommitError if it is red."""
    if kept.exists():
        values = json.loads(kept.read_text())
        return Baseline(**{**values, "reached": tuple(Reached(**each) for each in values["reached"])})
    found = all_sites(tree)
    numbers = numbered(found)
    hits_file = directory / "hits"
    ran = run(tree, directory, {"numbers": numbers, "hits": str(hits_file)}, stops=False)
    if ran.exit_code != 0 or ran.said is None or not hits_file.exists():
        raise CommitError(f"the suite does not hold on the hub without a mutant: {ran.words}")
    cases: defaultdict[int, set[int]] = defaultdict(set)
    kinds: defaultdict[int, set[int]] = defaultdict(set)
    for hit in read_hits(hits_file):
        cases[hit.number].add(hit.case)
        kinds[hit.number].add(hit.kinds)
    baseline = Baseline(
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        nodes=len(found),
        cases=tuple(ran.said["order"]),
        violated=tuple(case for case, word in ran.said["verdicts"].items() if word == "violation"),
        reached=tuple(
            Reached(
                module=site.module,
                number=site.number,
                line=site.line,
                cases=tuple(sorted(cases[name])),
                kinds=tuple(sorted(kinds[name])),
            )
            for name, site in enumerate(found)
            if name in cases
        ),
        seconds=ran.seconds,
    )
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(asdict(baseline)))
    return baseline


def _git(checkout: Path, *words: str) -> bytes | None:
    done = subprocess.run(("git", *words), cwd=checkout, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None
