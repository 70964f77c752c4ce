"""junit.xml from a statement: for merged runs, of which pytest's own writer knows nothing."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Final

from conformance.report.case_text import case_text
from conformance.report.counts import case_counts
from conformance.report.printable import visible
from conformance.report.statement import CasePart, ClausePart, Statement
from conformance.verdict.verdicts import Verdict

# What pytest's writer makes of each verdict; the others are passed cases.
_KIND: Final = {
    Verdict.VIOLATION: "failure",
    Verdict.STALE_DEVIATION: "failure",
    Verdict.BROKEN: "error",
    Verdict.NOT_TESTED: "skipped",
    Verdict.NOT_CLAIMED: "skipped",
}
_ATTRIBUTE: Final = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def write(statement: Statement, file: Path) -> None:
    """Write one test case for each case of the statement."""
    counts = case_counts(statement)
    suite = ET.Element("testsuite", name="pytest", tests=str(sum(counts.values())))
    for kind, attribute in _ATTRIBUTE.items():
        number = sum(count for verdict, count in counts.items() if _KIND.get(verdict) == kind)
        suite.set(attribute, str(number))
    suite.set("time", f"{statement.run.seconds:.3f}")
    suite.set("timestamp", statement.run.started)
    selection = "partial" if statement.run.partial else "all cases"
    ET.SubElement(ET.SubElement(suite, "properties"), "property", name="selection", value=selection)
    for clause in statement.clauses:
        suite.extend(_case(clause, case) for case in clause.cases if not case.in_passing)
    root = ET.Element("testsuites", name="pytest tests")
    root.append(suite)
    ET.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def _case(clause: ClausePart, case: CasePart) -> ET.Element:
    module, _, name = case.id.partition("::")
    place = f"conformance.{module.removesuffix('.py')}"
    element = ET.Element("testcase", classname=place, name=visible(name), time=f"{case.seconds:.3f}")
    words = {
        "clause": clause.id,
        "verdict": str(case.verdict),
        "reading": case.reading,
        "observed": case.observed,
        "consequence": case.consequence,
    }
    properties = ET.SubElement(element, "properties")
    for key, word in words.items():
        if word:
            ET.SubElement(properties, "property", name=key, value=visible(word))
    kind = _KIND.get(case.verdict)
    if kind == "skipped":
        ET.SubElement(element, kind, type="pytest.skip", message=visible(f"{case.verdict}: {case.message}"))
    elif kind is not None:
        ET.SubElement(element, kind, message=visible(case.message)).text = visible(case_text(case, clause))
    return element
