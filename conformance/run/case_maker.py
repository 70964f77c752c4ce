"""The cases of one collection: the one clause that each test cites, and in which ways it meets the hub."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.documents.catalogue import Catalogue, Clause
from conformance.errors import CatalogueError
from conformance.run.case_needs import unclaimed
from conformance.run.cases import RunningCase, mask_names
from conformance.run.halves import HALF, case_id
from conformance.run.run_state import STATE
from conformance.verdict.needs import shut
from conformance.ways.dealing import chosen, further_ways
from conformance.ways.way import FIRST, Way

# Where a collected test in a further way keeps that way.
WAY: Final = pytest.StashKey[Way]()
# The fixtures that make devices: a test that asks for none of them, directly or not, meets the hub in no way.
_DEVICES: Final = frozenset(
    {
        *("device", "other_device", "devices_alike", "unknown_device", "bystander", "silent_client"),
        *("register", "register_vouched", "formerly_keyed", "formerly_keyed_vouched"),
    }
)


class CaseMaker:
    """Makes the cases of one collection. `package` is the folder in which every test must cite a clause."""

    def __init__(self, config: pytest.Config, package: Path, catalogue: Catalogue, worker: str) -> None:
        self._config = config
        self._package = package
        self._catalogue = catalogue
        self._musts = frozenset(each.id for each in catalogue.clauses.values() if each.level == "must")
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
        way = item.stash.get(WAY, FIRST)
        return RunningCase(
            id=case_id(item),
            clause=clause,
            way=way,
            unclaimed=unclaimed(item, clause, way, state.claims) if state else None,
            shut=_shut(clause, way, state.shut) if state else None,
            title=_title(item),
            mask=mask_names(rf"conf-{state.id}(-\w+)*") if state else str,
            worker=self._worker,
            deviations=state.deviations if state else (),
            today=state.today if state else "",
            musts=self._musts,
        )

    def in_further_ways(self, cases: Sequence[pytest.Function]) -> list[pytest.Function]:
        """Return a test's cases in the ways that are dealt to it beside the first; `cases` are all of them.

        One of them runs in each way; of a test that is marked as crossed, all do.
        The id of such a case bears its way: ``test_x@websocket-module[y]``.
        """
        first = cases[0]
        cited = [mark.args[0] for mark in first.iter_markers("clause") if len(mark.args) == 1]
        if self._config.stash[HALF] == "devices":
            return []  # in which way a device meets the hub is its own affair
        if len(cited) != 1 or cited[0] not in self._catalogue or _DEVICES.isdisjoint(first.fixturenames):
            return []
        by_name = {case.name: case for case in cases}
        test = f"{first.path.name}::{first.originalname}"
        ways = further_ways(test, self._catalogue[cited[0]].fixed)
        if first.get_closest_marker("crossed") is not None:
            return [_in_way(case, way) for way in ways for case in cases]
        return [_in_way(by_name[chosen(tuple(by_name), way)], way) for way in ways]

    def _check_markers(self, item: pytest.Item, where: str) -> None:
        """Refuse a marker that nobody declared: outside a checkout no ini file makes pytest strict."""
        declared = {
            line.partition(":")[0].partition("(")[0].strip() for line in self._config.getini("markers")
        }
        for mark in item.iter_markers():
            if mark.name not in declared:
                raise CatalogueError(f"{where}: marker {mark.name!r} is not declared. Correct its spelling.")


def _in_way(case: pytest.Function, way: Way) -> pytest.Function:
    """Return a case again, in another way."""
    test = f"{case.originalname}@{way}"
    again: pytest.Function = pytest.Function.from_parent(
        case.parent,
        name=f"{test}{case.name.removeprefix(case.originalname)}",
        callspec=getattr(case, "callspec", None),
        callobj=case.obj,
        fixtureinfo=case._fixtureinfo,  # noqa: SLF001 - as pytest hands it to each case of a test itself
        originalname=test,
    )
    again.stash[WAY] = way
    return again


def _shut(clause: Clause, way: Way, shut_ways: Mapping[str, str]) -> str | None:
    outcome = shut_ways.get(str(way.entrance))
    return None if outcome is None or clause.id == way.judge else shut(outcome, way.judge)


def _cited(marks: Sequence[tuple[Any, ...]]) -> str:
    clauses = [str(argument) for arguments in marks for argument in arguments]
    return f"{len(clauses)} clauses ({', '.join(clauses)})" if clauses else "a clause without naming it"


def _title(item: pytest.Item) -> str:
    lines: Iterator[str] = iter(
        (getattr(getattr(item, "obj", None), "__doc__", None) or item.name).splitlines()
    )
    sentence = next((line.strip() for line in lines if line.strip()), item.name)
    bracket = item.name.partition("[")[2]
    if bracket and sentence != item.name:
        sentence = f"{sentence} [{bracket}"
    way = item.stash.get(WAY, None)
    return sentence if way is None else f"{sentence} ({way.in_words})"
