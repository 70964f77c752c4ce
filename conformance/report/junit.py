"""JUnit XML: pytest's own writer, which waits until the report is written.

What it cannot know is put right here: the properties of a case whose worker died, the number of cases where
one has both a passed call and a broken teardown, and that a broken case is an error, no failure, in whatever
phase it broke.
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from _pytest.junitxml import LogXML, xml_key

from conformance.verdict.verdicts import Verdict

_KINDS: Final = {"failures": "failure", "errors": "error", "skipped": "skipped"}
_INI: Final = ("suite_name", "logging", "duration_report", "family", "log_passing_tests")


class _Patient(LogXML):
    """pytest's writer; at the end of a session it would write, and say that it did, before the verdict."""

    def pytest_sessionfinish(self) -> None:
        """Write nothing yet."""

    def pytest_terminal_summary(  # type: ignore[override] # a hook takes the arguments that it names
        self,
    ) -> None:
        """Say nothing: where the report lies is said once it does."""

    def write(self, file: Path) -> None:
        """Write what was heard."""
        self.logfile = str(file)
        super().pytest_sessionfinish()


class JunitReport:
    """What pytest's writer hears of a run, until `write`; nothing where a run has ``-p no:junitxml``."""

    def __init__(self, config: pytest.Config) -> None:
        self._writer: _Patient | None = None
        if not config.pluginmanager.hasplugin("junitxml"):
            return
        config.option.xmlpath = None  # else pytest makes a writer of its own
        ini = [config.getini(f"junit_{name}") for name in _INI]
        self._writer = config.stash[xml_key] = _Patient("", config.option.junitprefix, *ini)
        config.pluginmanager.register(self._writer)  # pytest takes it away again, by its stash

    def add_died(self, report: pytest.TestReport, properties: Mapping[str, str]) -> None:
        """Add the properties of a case whose worker died: pytest's writer only reads those of a teardown."""
        if self._writer is not None:
            for name, value in properties.items():
                self._writer.node_reporter(report).add_property(name, value)

    def write(self, file: Path, *, partial: bool) -> None:
        """Write the file: count the cases as they are listed, and say whether all ran."""
        if self._writer is None:
            return
        self._writer.write(file)
        tree = ET.parse(file)  # noqa: S314 - our own file
        for suite in tree.iter("testsuite"):
            cases = list(suite.iter("testcase"))
            for case in cases:
                _call_broken_an_error(case)
            suite.set("tests", str(len(cases)))
            _say(suite, "selection", "partial" if partial else "all cases")
            for attribute, kind in _KINDS.items():
                suite.set(attribute, str(sum(case.find(kind) is not None for case in cases)))
        tree.write(file, encoding="utf-8", xml_declaration=True)


def _call_broken_an_error(case: ET.Element) -> None:
    verdict = case.find("properties/property[@name='verdict']")
    if verdict is not None and verdict.get("value") == Verdict.BROKEN:
        for failure in case.findall("failure"):
            failure.tag = "error"


def _say(suite: ET.Element, name: str, value: str) -> None:
    """Add a property of the whole run; JUnit wants them before the first case."""
    properties = suite.find("properties")
    if properties is None:
        properties = ET.Element("properties")
        suite.insert(0, properties)
    ET.SubElement(properties, "property", name=name, value=value)
