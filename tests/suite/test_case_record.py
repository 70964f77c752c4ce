"""A case's record: what it says of a violation, and that it is the same where a distributed run reads it."""

import json

import execnet

from conformance.documents.catalogue import Clause
from conformance.errors import Violation
from conformance.evidence.case import Evidence
from conformance.run.cases import RunningCase, from_json, to_json
from conformance.verdict.clause import Breach, Case
from conformance.verdict.deviation import Deviation
from conformance.verdict.verdicts import Verdict

CLAUSE = Clause(id="s.a", section="s", level="must", source="document", says="The hub answers.")
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


def violated(evidence, connection):
    """Return what the record of a case says that found its connection closed."""
    case = RunningCase(id="test_x.py::test_a", clause=CLAUSE, evidence=evidence)
    case.fail(
        "call",
        Violation("closed", observed="closed", expected="PINGRESP", actual="closed", connection=connection),
    )
    return case.settle().actual


def test_what_a_connection_did_is_told_with_the_packet_behind_which_it_did_it():
    """A PINGREQ is a look at the hub, and an acknowledgement asks it for nothing."""
    evidence = Evidence()
    evidence.transcript.add("c1", "→", "PUBLISH  qos=2 packet=1 devices/d/messages/events/ (0 bytes)")
    evidence.transcript.add("c1", "←", "PUBREC   packet=1")
    evidence.transcript.add("c1", "→", "PINGREQ")

    assert violated(evidence, "c1") == (
        "closed, behind PUBLISH qos=2 packet=1 devices/d/messages/events/ (0 bytes)"
    )


def test_a_packet_of_another_connection_is_said_to_be_one():
    evidence = Evidence()
    evidence.transcript.add("c2", "→", "CONNECT  client=b")
    evidence.transcript.add("c1", "→", "SUBSCRIBE packet=1 # qos=0")

    assert violated(evidence, "c2") == "closed on c2, behind SUBSCRIBE packet=1 # qos=0 on c1"


def test_a_violation_that_is_no_connections_says_nothing_of_packets():
    evidence = Evidence()
    evidence.transcript.add("c1", "→", "CONNECT  client=a")

    assert violated(evidence, "") == "closed"
