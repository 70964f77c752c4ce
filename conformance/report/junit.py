"""JUnit XML: pytest's own writer, aimed at the report folder.

What it cannot know is put right here: where the file will lie once the report is in place, the properties of
a case whose worker died, the number of cases where one has both a passed call and a broken teardown, and that
a broken case is an error, no failure, in whatever phase it broke.
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from _pytest.junitxml import LogXML

from conformance.verdict.words import Verdict

_KINDS: Final = {"failures": "failure", "errors": "error", "skipped": "skipped"}


class JunitReport:
    """pytest's writer, told to write `file`; None where the run writes no JUnit file of ours."""

    def __init__(self, config: pytest.Config, file: Path) -> None:
        self._config = config
        self._file = file
        config.option.xmlpath = str(file)

    def add_died(self, report: pytest.TestReport, properties: Mapping[str, str]) -> None:
        """Add the properties of a case whose worker died: pytest's writer only reads those of a teardown."""
        writer = self._writer()
        if writer is not None:
            for name, value in properties.items():
                writer.node_reporter(report).add_property(name, value)

    def finish(self, final: Path, *, partial: bool) -> None:
        """Count the cases as they are listed, say whether all ran, name the place where the file will lie."""
        writer = self._writer()
        if writer is None or not self._file.exists():
            return
        writer.logfile = str(final)
        tree = ET.parse(self._file)  # noqa: S314 - our own file
        for suite in tree.iter("testsuite"):
            cases = list(suite.iter("testcase"))
            for case in cases:
                _call_broken_an_error(case)
            suite.set("tests", str(len(cases)))
            _say(suite, "selection", "partial" if partial else "all cases")
            for attribute, kind in _KINDS.items():
                suite.set(attribute, str(sum(case.find(kind) is not None for case in cases)))
        tree.write(self._file, encoding="utf-8", xml_declaration=True)

    def _writer(self) -> LogXML | None:
        plugins = self._config.pluginmanager.get_plugins()
        return next((plugin for plugin in plugins if isinstance(plugin, LogXML)), None)


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
