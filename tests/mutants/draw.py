"""Which mutants are made of a commit: drawn by its digest, so that no case can have been written for one."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from baseline import Baseline, Reached
from sites import Site


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One mutant. `name` is its place in the order of all nodes: `12`, or `12.0` with a first condition."""

    name: str
    site: Site
    reached: Reached
    change: int
    trigger: str | None = None

    @property
    def plan(self) -> dict[str, object]:
        """What the program that runs the hub has to know."""
        site = self.site
        return {
            "module": site.module,
            "number": site.number,
            "change": self.change,
            "trigger": self.trigger,
        }


def plain(commit: str, sites: Sequence[Site], baseline: Baseline) -> Iterator[Mutant]:
    """Yield mutants, each of another node that the suite reached, until there is no other.

    All nodes are put in an order, then those that were not reached are left out: one that a run reached by
    chance moves no other. Of a node each operator is as likely as any other, and so is each of its changes.
    """
    reached = {(each.module, each.number): each for each in baseline.reached}
    order = list(range(len(sites)))
    random.Random(f"{commit} plain").shuffle(order)
    for place, at in enumerate(order):
        site = sites[at]
        if (site.module, site.number) not in reached:
            continue
        dice = random.Random(f"{commit} {site.module} {site.number}")
        operator = dice.choice(sorted({change.operator for change in site.mutations}))
        changes = [number for number, change in enumerate(site.mutations) if change.operator == operator]
        yield Mutant(
            name=str(place),
            site=site,
            reached=reached[site.module, site.number],
            change=dice.choice(changes),
        )


def conditional(
    commit: str, killed: Iterable[Mutant], fitting: dict[str, Sequence[int]], rounds: int = 1
) -> Iterator[Mutant]:
    """Yield each killed mutant under a trigger that fits its node, in another round under another trigger.

    `fitting` gives for each trigger what may be known when it is asked, as bits; a node that is reached only
    while the hub is imported has none.
    """
    alone = list(killed)
    for turn in range(rounds):
        for mutant in alone:
            known = set(mutant.reached.kinds)
            triggers = sorted(name for name, kinds in fitting.items() if known & set(kinds))
            random.Random(f"{commit} conditional {mutant.name}").shuffle(triggers)
            if turn < len(triggers):
                yield Mutant(
                    name=f"{mutant.name}.{turn}",
                    site=mutant.site,
                    reached=mutant.reached,
                    change=mutant.change,
                    trigger=triggers[turn],
                )
