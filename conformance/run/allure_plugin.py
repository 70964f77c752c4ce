"""allure-pytest in a run of the suite: it writes the tests beside the suite, and never hears of a case.

A case is written once, from the statement. allure-pytest would write it a second time, with a file for each
of its fixtures, while it runs. Its options select cases all the same, by the labels that the results have.
"""

import functools
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Final

import allure_commons
import pytest
from allure_commons.model2 import ExecutableItem
from allure_commons.types import LabelType
from allure_pytest.listener import AllureListener
from allure_pytest.utils import ALLURE_LABEL_MARK

from conformance.documents.catalogue import DOCUMENT_TITLE, Catalogue, Clause
from conformance.report.allure import SEVERITY, story
from conformance.run.cases import CASE

NAME: Final = "allure_listener"
"""The name under which pytest knows allure-pytest's listener."""


def keep_cases_from_it(config: pytest.Config) -> None:
    """Put `Listener` in the place of allure-pytest's own, where that is to write something."""
    theirs = config.pluginmanager.get_plugin(NAME)
    if theirs is None:
        return
    ours = Listener(config)
    config.pluginmanager.unregister(theirs)
    config.pluginmanager.register(ours, NAME)
    allure_commons.plugin_manager.unregister(theirs)
    allure_commons.plugin_manager.register(ours)

    def put_back() -> None:
        allure_commons.plugin_manager.unregister(ours)
        allure_commons.plugin_manager.register(theirs)  # which it takes away itself, and must find

    config.add_cleanup(put_back)


class Listener(AllureListener):  # type: ignore[misc] # ships no types
    """allure-pytest's listener, deaf to what happens while a case runs.

    A fixture that a case sets up has no container of its own, whatever its scope. One that a test beside the
    suite set up is heard to its end, also where that comes behind a case.
    """

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config)
        self._in_case = False

    def _heard(self, wrapper: Generator[None, Any, None]) -> Generator[None, Any, None]:
        """Go through one of allure-pytest's own wrappers, or past it."""
        if self._in_case:
            yield
        else:
            yield from wrapper

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, Any, None]:
        """Know whether a case runs."""
        self._in_case = CASE in item.stash
        yield from self._heard(super().pytest_runtest_protocol(item, nextitem))
        self._in_case = False

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, None]:
        """Hear no case begin."""
        yield from self._heard(super().pytest_runtest_setup(item))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, None]:
        """Hear no case run."""
        yield from self._heard(super().pytest_runtest_call(item))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, None]:
        """Hear no case end."""
        yield from self._heard(super().pytest_runtest_teardown(item))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, None]:
        """Hear of no case how it ended."""
        yield from self._heard(super().pytest_runtest_makereport(item, call))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, None]:
        """Begin no container for a fixture that a case sets up."""
        yield from self._heard(super().pytest_fixture_setup(fixturedef, request))

    # What a test says through `allure`. A case has no place for it, and must not fail for that.

    @allure_commons.hookimpl
    def attach_data(self, body: Any, name: str, attachment_type: Any, extension: str) -> None:
        """Attach to what runs, where that is no case."""
        if self._has_place():
            super().attach_data(body, name, attachment_type, extension)

    @allure_commons.hookimpl
    def attach_file(self, source: str | Path, name: str, attachment_type: Any, extension: str) -> None:
        """Attach to what runs, where that is no case."""
        if self._has_place():
            super().attach_file(source, name, attachment_type, extension)

    @allure_commons.hookimpl
    def add_parameter(self, name: str, value: Any, excluded: bool, mode: Any) -> None:
        """Add to the test that runs, where that is no case."""
        if not self._in_case or self.allure_logger.get_test(None) is not None:
            super().add_parameter(name, value, excluded, mode)

    def _has_place(self) -> bool:
        return not self._in_case or self.allure_logger.get_last_item(ExecutableItem) is not None


class Labels:
    """Gives cases the labels by which allure-pytest's options select: those of their results.

    Section and clause have their short names beside those that a result shows, which may hold a comma.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._titles = {section.name: section.title for section in catalogue.sections}
        self._marks = functools.cache(self._of_clause)

    def give(self, item: pytest.Item, clause: Clause) -> None:
        """Mark a case; what its author marked it with comes behind."""
        for mark in self._marks(clause.id):
            item.add_marker(mark, append=False)

    def _of_clause(self, clause_id: str) -> Sequence[pytest.MarkDecorator]:
        clause = self._catalogue[clause_id]
        values: dict[str, list[str]] = {
            LabelType.EPIC: [DOCUMENT_TITLE],
            LabelType.FEATURE: [self._titles[clause.section], clause.section],
            LabelType.STORY: [story(clause), clause.id],
            LabelType.SEVERITY: [SEVERITY[clause.level]],
            "clause": [clause.id],
            "level": [clause.level],
        }
        label = getattr(pytest.mark, ALLURE_LABEL_MARK)
        return [label(*each, label_type=label_type) for label_type, each in values.items()]
