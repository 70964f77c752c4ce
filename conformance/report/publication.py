"""A run's judgements, put into the published form that the models of `statement` document."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from conformance.documents.catalogue import (
    DOCUMENT_DATE,
    DOCUMENT_LANGUAGE,
    DOCUMENT_TITLE,
    DOCUMENT_URL,
    Catalogue,
)
from conformance.documents.document import Statement as Sentence
from conformance.report.digest import suite_digest
from conformance.report.limits import fitted
from conformance.report.printable import plural
from conformance.report.statement import (
    CasePart,
    ClaimsPart,
    ClausePart,
    CommandPart,
    DeviationFoundPart,
    DeviationPart,
    DocumentPart,
    ProfilePart,
    RunPart,
    SectionPart,
    SentencePart,
    Statement,
    SuitePart,
    TargetPart,
)
from conformance.verdict.clause import Case, Judgement
from conformance.verdict.deviation_states import Found
from conformance.verdict.needs import Claims
from conformance.verdict.run import summary
from conformance.verdict.verdicts import Verdict
from conformance.ways.depth import Depth

SUITE: Final = "iothub-mqtt-conformance"
UNKNOWN: Final = "unknown"


def suite_version() -> str:
    """Return the version of the installed suite; `UNKNOWN` where it was never installed."""
    try:
        return version(SUITE)
    except PackageNotFoundError:
        return UNKNOWN


def make(
    catalogue: Catalogue,
    judgements: Sequence[Judgement],
    *,
    deviations: Sequence[Found] = (),
    profile: ProfilePart,
    sentences: Sequence[Sentence] = (),
    target: Mapping[str, object],
    claims: Claims,
    run: RunPart,
    command: CommandPart | None = None,
    depth: Depth = "whole",
) -> Statement:
    """Put a run's judgements into their published form."""
    statement = Statement(
        suite=SuitePart(
            name=SUITE,
            version=suite_version(),
            clauses_digest=catalogue.digest,
            digest=suite_digest(depth=depth),
            depth=depth,
        ),
        document=DocumentPart(
            title=DOCUMENT_TITLE,
            date=DOCUMENT_DATE,
            language=DOCUMENT_LANGUAGE,
            url=DOCUMENT_URL,
            sentences=[SentencePart(**asdict(sentence)) for sentence in sentences],
        ),
        target=TargetPart.model_validate(dict(target)),
        profile=profile,
        claims=ClaimsPart(
            capabilities=sorted(claims.capabilities), timing=dict(claims.timing), large=claims.large
        ),
        run=run.model_copy(update={"remarks": [*run.remarks, *_floods(judgements)]}),
        summary=dict(summary(judgements)),
        sections=[
            SectionPart(name=section.name, title=section.title, link=f"{DOCUMENT_URL}#{section.anchor}")
            for section in catalogue.sections
        ],
        clauses=[_clause(judgement, datetime.fromisoformat(run.started)) for judgement in judgements],
        deviations=[
            DeviationFoundPart(**asdict(found.deviation), state=found.state, cases=list(found.cases))
            for found in deviations
        ],
        command=command,
    )
    return fitted(statement)


def _floods(judgements: Sequence[Judgement]) -> Iterator[str]:
    """Say in how many cases the hub was not heard to the end: what came behind was held against no rule."""
    flooded = [case for judgement in judgements for case in judgement.cases if case.flood]
    if flooded:
        more = f" and {plural(len(flooded) - 1, 'more case')}" if len(flooded) > 1 else ""
        yield (
            f"The suite ended a connection in {flooded[0].id}{more}: {flooded[0].flood}. "
            "What came behind was not judged."
        )


def _clause(judgement: Judgement, started: datetime) -> ClausePart:
    clause = judgement.clause
    return ClausePart(
        id=clause.id,
        section=clause.section,
        level=clause.level,
        source=clause.source,
        says=clause.says,
        link=clause.link,
        note=clause.note,
        statements=list(clause.statements),
        mqtt=list(clause.mqtt),
        accepted=list(clause.readings),
        verdict=judgement.verdict,
        reason=judgement.reason,
        readings=list(judgement.readings),
        consequences={reading: list(words) for reading, words in judgement.consequences.items()},
        sightings=judgement.sightings,
        cases=[_case(case, started.timestamp()) for case in judgement.cases],
    )


def _case(case: Case, started: float) -> CasePart:
    return CasePart(
        id=case.id,
        title=case.title,
        verdict=case.verdict,
        reading=case.reading,
        observed=case.observed,
        began=round(max(case.began - started, 0.0), 3),
        seconds=case.seconds,
        worker=case.worker,
        message=case.message,
        deviation=None if case.deviation is None else DeviationPart(**asdict(case.deviation)),
        in_passing=case.in_passing,
        consequence=case.consequence or None,
        **_evidence(case),
    )


def _evidence(case: Case) -> dict[str, Any]:
    if case.in_passing:
        return {"count": case.count}
    if case.verdict is Verdict.PASS:
        return {"transcript": case.transcript or None}
    return {"expected": case.expected, "actual": case.actual, "transcript": case.transcript}
