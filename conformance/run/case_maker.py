"""From a collected test to its case: the one clause that it cites, and whether the target claims it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from conformance.documents.catalogue import Catalogue, Clause
from conformance.errors import CatalogueError
from conformance.run.cases import RunningCase, case_id, mask_names
from conformance.run.run_state import STATE
from conformance.verdict.needs import Claims, not_claimed


class CaseMaker:
    """Makes the cases of one collection. `package` is the folder in which every test must cite a clause."""

    def __init__(self, config: pytest.Config, package: Path, catalogue: Catalogue, worker: str) -> None:
        self._config = config
        self._package = package
        self._catalogue = catalogue
        self._worker = worker

    def __call__(self, item: pytest.Item) -> RunningCase | None:
        """Return a test's case, or None for a test that is none of the suite's.

        Raises CatalogueError where a test cites nothing, more than one clause, or what does not exist.
        """
        cited = [mark.args for mark in item.iter_markers("clause")]
        is_ours = self._package in item.path.parents
        where = item.nodeid.partition("[")[0]
        if not cited:
            if not is_ours:
                return None
            raise CatalogueError(f'{where}: cites no clause. Add @pytest.mark.clause("section.name").')
        if len(cited) > 1 or len(cited[0]) != 1:
            raise CatalogueError(f"{where}: cites {_cited(cited)}. One test checks one clause: split it.")
        clause_id = cited[0][0]
        if clause_id not in self._catalogue:
            raise CatalogueError(
                f"{where}: cites clause {clause_id!r}, which does not exist. "
                "List them with: python -m conformance clauses"
            )
        clause = self._catalogue[clause_id]
        if clause.level == "untestable":
            raise CatalogueError(
                f"{where}: cites {clause_id}, which is untestable. Give the clause another level."
            )
        self._check_markers(item, where)
        state = self._config.stash.get(STATE, None)
        return RunningCase(
            id=case_id(item.nodeid),
            clause=clause,
            unclaimed=_unclaimed(item, clause, state.claims) if state else None,
            title=_title(item),
            mask=mask_names(rf"conf-{state.id}(-\w+)*") if state else str,
            worker=self._worker,
            deviations=state.deviations if state else (),
            today=state.today if state else "",
        )

    def _check_markers(self, item: pytest.Item, where: str) -> None:
        """Refuse a marker that nobody declared: outside a checkout no ini file makes pytest strict."""
        declared = {
            line.partition(":")[0].partition("(")[0].strip() for line in self._config.getini("markers")
        }
        for mark in item.iter_markers():
            if mark.name not in declared:
                raise CatalogueError(f"{where}: marker {mark.name!r} is not declared. Correct its spelling.")


def _unclaimed(item: pytest.Item, clause: Clause, claims: Claims) -> str | None:
    large, clock = (item.get_closest_marker(name) is not None for name in ("large", "clock"))
    return not_claimed(clause.needs, claims, large=large, clock=clock)


def _cited(marks: Sequence[tuple[Any, ...]]) -> str:
    clauses = [str(argument) for arguments in marks for argument in arguments]
    return f"{len(clauses)} clauses ({', '.join(clauses)})" if clauses else "a clause without naming it"


def _title(item: pytest.Item) -> str:
    lines: Iterator[str] = iter(
        (getattr(getattr(item, "obj", None), "__doc__", None) or item.name).splitlines()
    )
    sentence = next((line.strip() for line in lines if line.strip()), item.name)
    bracket = item.name.partition("[")[2]
    return f"{sentence} [{bracket}" if bracket and sentence != item.name else sentence
