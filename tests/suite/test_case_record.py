"""A case's record crosses to the controller of a distributed run and is the same there."""

import json

import execnet

from conformance.run.cases import from_json, to_json
from conformance.verdict.clause import Breach, Case
from conformance.verdict.deviation import Deviation
from conformance.verdict.verdicts import Verdict

KNOWN = Deviation(
    clause="watch.ids",
    case="*",
    observed="puback *",
    reason="late",
    since="2026-01-01",
    expires="2026-12-31",
)


def test_a_record_with_all_there_can_be_in_it():
    """Execnet takes plain types alone: an enumeration in a breach once ended every run with workers."""
    case = Case(
        id="test_x.py::test_a",
        clause="s.a",
        verdict=Verdict.VIOLATION,
        breaches=(
            Breach(clause="watch.ids", message="PUBACK 7 was not asked for", observed="puback 7"),
            Breach(clause="watch.ids", message="8", verdict=Verdict.KNOWN_DEVIATION, deviation=KNOWN),
        ),
        sightings=(("watch.ids", 3),),
        deviation=KNOWN,
        transcript="0 ms",
    )

    crossed = execnet.loads(execnet.dumps(to_json(case)))

    assert from_json(crossed) == case
    assert from_json(json.loads(json.dumps(to_json(case)))) == case
