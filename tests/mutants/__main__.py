"""The unbiased measure: mutants of the hub, drawn by a commit's digest, held against that commit's suite.

Results stand in reports/mutants/COMMIT, one line for each mutant, and a later call goes on behind them. What
survives has its class in tests/mutants/classes-COMMIT.toml, set by a reader. Exit code 4: a wrong argument.
"""

import argparse
import json
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from baseline import Baseline, CommitError, all_sites, export, full_commit, measure
from classes import ClassError, Result, read_classes, read_results
from draw import Mutant, conditional, plain
from operators import OPERATORS
from sites import Site
from suite import CHECKOUT, HERE, run
from table import listing, table

KINDS = ("plain", "conditional")
MOST_ROUNDS = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/mutants", description=__doc__)
    parser.add_argument("--commit", default="HEAD", help="whose hub and suite (%(default)s)")
    parser.add_argument("--kind", choices=KINDS, default="plain", help="(%(default)s)")
    parser.add_argument("--number", type=int, default=200, metavar="N", help="so many in all (%(default)s)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="runs at once (%(default)s)")
    parser.add_argument("--table", action="store_true", help="run nothing: print what there is")
    parser.add_argument(
        "--survivors", action="store_true", help="run nothing: list what survived, with its class"
    )
    parser.add_argument("--operators", action="store_true", help="run nothing: list what a mutation may do")
    options = parser.parse_args()
    if options.operators:
        say("\n".join(f"{name:12} {words}" for name, words in OPERATORS.items()))
        return 0
    try:
        commit = full_commit(CHECKOUT, options.commit)
        draw = Draw(commit, options.kind)
        if not (options.table or options.survivors):
            draw.run(options.number, options.jobs)
        classes = read_classes(HERE / f"classes-{commit[:12]}.toml")
        show = listing if options.survivors else table
        say(show(options.kind, commit, read_results(draw.results), classes))
    except (CommitError, ClassError) as error:
        sys.stderr.write(f"mutants: {error}\n")
        return 4
    except KeyboardInterrupt:
        sys.stderr.write("mutants: stopped; the same command goes on from here\n")
        return 130
    return 0


class Draw:
    """The draw of one kind at one commit, and what came of it so far."""

    def __init__(self, commit: str, kind: str) -> None:
        self._commit = commit
        self._kind = kind
        self._folder = CHECKOUT / "reports" / "mutants" / commit
        self._work = CHECKOUT / "build" / "mutants" / commit
        self._written = threading.Lock()

    @property
    def results(self) -> Path:
        """The file with one line for each mutant that ran."""
        return self._folder / f"{self._kind}.jsonl"

    def run(self, number: int, jobs: int) -> None:
        """Run the first `number` mutants of the draw, those left out that have their line already."""
        self._work.mkdir(parents=True, exist_ok=True)
        tree = export(CHECKOUT, self._commit, self._work / "checkout")
        baseline = measure(tree, self._work / "baseline", self._folder / "baseline.json")
        found = all_sites(tree)
        say(
            f"{self._commit}: {len(found)} nodes may be mutated, {len(baseline.reached)} are reached by "
            f"{len(baseline.cases)} cases in {baseline.seconds:.0f} s"
        )
        known = {result.name for result in read_results(self.results)}
        wanted = list(islice(self._mutants(found, baseline), number))
        todo = [mutant for mutant in wanted if mutant.name not in known]
        say(f"{len(wanted)} drawn, {len(wanted) - len(todo)} known")
        with ThreadPoolExecutor(jobs) as pool:
            judged = [pool.submit(self._judge, tree, baseline, mutant) for mutant in todo]
            try:
                for left, done in enumerate(as_completed(judged), 1):
                    say(f"[{left}/{len(todo)}] {done.result().line}")
            except KeyboardInterrupt:
                pool.shutdown(cancel_futures=True)
                raise

    def _mutants(self, found: list[Site], baseline: Baseline) -> Iterator[Mutant]:
        drawn = plain(self._commit, found, baseline)
        if self._kind == "plain":
            return drawn
        from fitting import fitting

        of_plain = read_results(self._folder / "plain.jsonl")
        killed = {result.name for result in of_plain if result.verdict == "killed"}
        alone = [mutant for mutant in islice(drawn, len(of_plain)) if mutant.name in killed]
        return conditional(self._commit, alone, fitting(), MOST_ROUNDS)

    def _judge(self, tree: Path, baseline: Baseline, mutant: Mutant) -> Result:
        directory = Path(tempfile.mkdtemp(prefix="run-", dir=self._work))
        first = baseline.first(mutant.reached)
        ran = run(
            tree,
            directory,
            mutant.plan,
            first=first,
            alone=baseline.is_reached_in_cases_alone(mutant.reached),
            violated=baseline.violated,
        )
        shutil.rmtree(directory)
        if ran.is_cut_short:
            raise KeyboardInterrupt  # nothing is known of it: the next call runs it again
        result = Result.of(mutant, ran)
        with self._written, self.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
        return result


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
