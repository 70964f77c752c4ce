"""Statements made of a few words: what the suite writes, without a run."""

from collections.abc import Sequence
from typing import Any

from conformance.report.statement import Statement
from conformance.verdict.run import exit_code, summary
from conformance.verdict.verdicts import Verdict

DOCUMENT = "https://learn.microsoft.com/azure/iot-hub/iot-mqtt-connect-to-iot-hub"

WIRE = """\
   0.0 ms  c1 = opened for conf-1, TLSv1.3
   1.2 ms  c1 → CONNECT  client=conf-1 password=(redacted)
   2.0 ms  c1 ← CONNACK  accepted, session_present=0
   3.0 ms  c1 → PUBLISH  qos=2 packet=1 devices/conf-1/messages/events/ (3 bytes) "21C"
   9.5 ms  c1 ← PUBREC   packet=1
  12.0 ms  service = telemetry of conf-1: 3 bytes, properties: none"""


def case(number: int | str, verdict: str = "pass", **fields: Any) -> dict[str, Any]:
    return {
        "id": f"test_small.py::test_rule[{number}]",
        "title": f"The hub keeps the rule. [{number}]",
        "verdict": verdict,
        "reading": None,
        "observed": "",
        "seconds": 0.012,
        "message": "",
    } | fields


def violation(number: int | str, **fields: Any) -> dict[str, Any]:
    told = {
        "message": "PUBREC instead of a close",
        "observed": "pubrec",
        "expected": "closed",
        "actual": "PUBREC packet=1",
        "transcript": WIRE,
    }
    return case(number, "violation", **(told | fields))


def clause(
    clause_id: str, *cases: dict[str, Any], verdict: str | None = None, **fields: Any
) -> dict[str, Any]:
    worst = min((Verdict(each["verdict"]) for each in cases), key=list(Verdict).index, default="not tested")
    return {
        "id": clause_id,
        "section": clause_id.partition(".")[0],
        "level": "must",
        "source": "document",
        "says": f"The hub does what {clause_id} says.",
        "link": f"{DOCUMENT}#small-things",
        "note": None,
        "statements": ["S1"],
        "mqtt": ["MQTT-4.3.2-2"],
        "accepted": [],
        "verdict": verdict or str(worst),
        "reason": "; ".join(dict.fromkeys(each["message"] for each in cases if each["message"])),
        "readings": [],
        "sightings": 0,
        "cases": list(cases),
    } | fields


def statement(
    *clauses: dict[str, Any], partial: bool = False, deviations: Sequence[Any] = (), **fields: Any
) -> Statement:
    """Return a statement of these clauses; `fields` replace keys of a part, ``run={"workers": 2}``."""
    sections = dict.fromkeys(each["section"] for each in clauses)
    values: dict[str, Any] = {
        "schema": 1,
        "suite": {
            "name": "iothub-mqtt-conformance",
            "version": "2026.11.0",
            "clauses_digest": "c" * 64,
            "digest": "d" * 64,
        },
        "document": {"title": "The document", "date": "2018-10-12", "language": "pt-BR", "url": DOCUMENT},
        "target": {"name": "pretended hub", "host": "hub.example", "ports": {"mqtt": 8883}, "edition": None},
        "profile": {"name": "small"},
        "claims": {"capabilities": ["telemetry"], "timing": {"c2d-lock": 1.0}, "large": False},
        "run": {
            "started": "2026-11-23T02:00:00+00:00",
            "seconds": 2.5,
            "workers": 1,
            "cases": sum(not each.get("in_passing") for one in clauses for each in one["cases"]),
            "slept_seconds": 0.1,
            "exit_code": 0,
            "partial": partial,
        },
        "summary": {},
        "sections": [
            {"name": name, "title": f"All about {name}", "link": f"{DOCUMENT}#{name}"} for name in sections
        ],
        "clauses": list(clauses),
        "deviations": list(deviations),
        "command": {
            "cases": ["--pyargs", "conformance"],
            "words": ["--profile=small", "--same-hub=c0ffee"],
            "report": "reports/small",
        },
    }
    made = Statement.model_validate(values)
    values["summary"] = dict(summary(made.clauses))
    cases = [each for one in made.clauses for each in one.cases]
    values["run"]["exit_code"] = int(exit_code(made.clauses, cases, partial=partial))
    for part, changes in fields.items():
        values[part] = values[part] | changes if isinstance(changes, dict) else changes
    return Statement.model_validate(values)


def mixed(**fields: Any) -> Statement:
    """Return a statement with every verdict, a deviation, readings, and a rule broken in passing."""
    deviation = {
        "clause": "twin.get",
        "case": "*",
        "observed": "status 200",
        "reason": "the table says 200",
        "since": "2026-01-01",
        "expires": "2027-01-01",
        "link": "https://tracker.example/12",
    }
    known = case("known", "known deviation", observed="status 200", deviation=deviation, transcript=WIRE)
    other = deviation | {"clause": "twin.patch"}
    stale = case("stale", "stale deviation", message="the clause holds now", deviation=other)
    found = [
        deviation | {"state": "known", "cases": [known["id"]]},
        other | {"state": "stale", "cases": [stale["id"]]},
    ]
    return statement(
        clause("d2c.qos2", case(1), violation(2), violation(3)),
        clause("d2c.topic", case(4), case(5)),
        clause(
            "d2c.retain", case(6, reading="x-opt-retain"), level="disputed",
            accepted=["x-opt-retain", "mqtt-retain"], readings=["x-opt-retain"], note="Two names are about.",
        ),
        clause("d2c.order", case(7, "observed", observed="in order", transcript=WIRE), level="observe"),
        clause("twin.get", known),
        clause("twin.patch", stale),
        clause("twin.broken", case(8, "broken", message="setting the stage: no CONNACK", transcript=WIRE)),
        clause("twin.unseen", case(9, "not tested", message="the hub never asked")),
        clause("c2d.deliver", case(10, "not claimed", message="needs c2d"), reason="needs c2d"),
        clause("c2d.inside", verdict="untestable", level="untestable", reason="no one can provoke it"),
        clause("watch.ids", case(11), violation(3, in_passing=True), sightings=12),
        deviations=found,
        **fields,
    )  # fmt: skip


def holding(**fields: Any) -> Statement:
    """Return a statement of a run in which all is well."""
    return statement(
        clause("d2c.qos2", case(1), case(2)),
        clause("d2c.topic", case(3)),
        clause("d2c.order", case(4, "observed", observed="in order"), level="observe"),
        clause("c2d.deliver", case(5, "not claimed", message="needs c2d"), reason="needs c2d"),
        **fields,
    )
