"""The statement of a run: the published form of every verdict, in a documented schema.

These models are the documentation: ``python -m conformance schema`` prints them as JSON Schema, and what is
written has been validated against them.
"""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from conformance.documents.catalogue import Level, Source
from conformance.verdict.consequences import told
from conformance.verdict.deviation_states import State
from conformance.verdict.verdicts import Verdict
from conformance.ways.depth import Depth

SCHEMA: Final = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_enum_values=False)


def _moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


class SuitePart(_Part):
    """Which suite judged; SHA-256 over the clause files (`clauses_digest`), over all sources (`digest`).

    `depth` is "whole", or "live" where a live hub was judged in few of the further ways; then the digest is
    another.
    """

    name: str
    version: str
    clauses_digest: str
    digest: str
    depth: Depth = "whole"


class SentencePart(_Part):
    """One sentence of the document, in the suite's words; `untestable` is why no clause can cover it.

    `lines` are those of the document's edition, ``67`` or ``69-73``; clauses name it by its `id`.
    """

    id: str
    lines: str
    says: str
    untestable: str | None = None


class DocumentPart(_Part):
    """The document whose sentences are checked, and these."""

    title: str
    date: str
    language: str
    url: str
    sentences: list[SentencePart] = []


class TargetPart(_Part):
    """The hub that was judged, as it was found; `ports` maps a listener to its port.

    `name` is the profile's word for a hub of its own, else what the hub calls itself. Where a device was
    judged, name and version are the device's, `hub_behind` is the hub that stood behind it, and `host` the
    name by which the device knew that.
    """

    name: str
    host: str
    ports: dict[str, int] = {}
    edition: str | None = None
    version: str | None = None
    hub_behind: str | None = None

    @property
    def title(self) -> str:
        """The hub's name, and which edition of it."""
        return f"{self.name}, edition {self.edition}" if self.edition else self.name

    @property
    def where(self) -> str:
        """Which hub, in which state, at which place."""
        version = f", version {self.version}" if self.version else ""
        edition = f", edition {self.edition}" if self.edition else ""
        if self.hub_behind is not None:
            return f"{self.name}{version}, on {self.hub_behind}"
        return f"{self.name}{version} at {self.host}{edition}"


class ProfilePart(_Part):
    """The profile of the run; `argument` is what --profile takes: its name, or its path."""

    name: str
    argument: str = ""


class CommandPart(_Part):
    """What runs on the same hub again, for pytest in the suite's environment.

    `cases` are the words that name all cases, `words` the options that name the hub. `folder` is where they
    must be given, of a hub that a profile of one's own starts; `variables` names those of the environment
    that the profile reads: they must be set as they were. `report` is the folder of this report, which a
    further run must not replace: as ``--report-dir`` said, or relative.
    """

    cases: list[str]
    words: list[str]
    folder: str = ""
    variables: list[str] = []
    report: str


class ClaimsPart(_Part):
    """What had to hold. `timing` in seconds; `large` whether large cases ran."""

    capabilities: list[str]
    timing: dict[str, float]
    large: bool


class SlowCase(_Part):
    """One of the slowest cases."""

    id: str
    clause: str
    seconds: float


class CostPart(_Part):
    """Where the time went, and what the run asked of the hub.

    `seconds_by_section` is the wall time of the cases, of all workers together; `slept_share` the part of
    the run's time that its workers paused. `messages` counts what a hub charges, from either side and in
    blocks of 4 KB, `free_messages` the same in those of 0.5 KB, as the free edition does;
    `registry_operations` the calls about identities, `connections` those of devices, with preflight and
    clearing up; `identities` the devices and modules that cases used.
    """

    seconds_by_section: dict[str, float] = {}
    slowest: list[SlowCase] = []
    slept_share: float = 0.0
    messages: int = 0
    free_messages: int = 0
    registry_operations: int = 0
    connections: int = 0
    identities: int = 0


class RunPart(_Part):
    """The run itself. `seconds` is wall time without set-up; `slept_seconds` the pauses of all workers.

    `partial`: a selection or an interruption left cases out, so the run claims no conformance; `selection`
    holds the words of the command line that left them out. `shards`: of how many runs it was merged; then
    `seconds` is the sum of theirs and `workers` the most of any. `remarks` are what a reader should know of
    the run itself: errors of collection, warnings of the preflight, a hub that ended early.
    """

    started: Annotated[str, AfterValidator(_moment)]
    seconds: float
    workers: int
    cases: int
    slept_seconds: float
    exit_code: int
    partial: bool
    selection: list[str] = []
    shards: int = 1
    remarks: list[str] = []
    cost: CostPart = CostPart()


class DeviationPart(_Part):
    """A known difference, as the profile states it; dates as YYYY-MM-DD.

    `case` is the pattern of the cases that deviate, `observed` the word that each of them must show; it
    holds through the day it `expires`.
    """

    clause: str
    case: str
    observed: str
    reason: str
    since: str
    expires: str
    link: str


class DeviationFoundPart(DeviationPart):
    """What became of a known difference; `cases` are the ids of the cases that it is about.

    *known*: they deviate as stated; *differs*: in another way; *stale*: not any more; *expired*: its last day
    is over; *not run*: nothing could be said about it; *unmatched*: no case is about it.
    """

    state: State
    cases: list[str]


class CasePart(_Part):
    """One case. `title` is the rule its test states.

    It `began` so many seconds after the run's start, in `worker`.
    `expected`, `actual` and `transcript` are present where it is not a pass; `deviation` where one applies.
    The transcript of a scenario in which nothing was broken is empty.
    The transcript is also present where a watched rule was broken during the case, or a connection was ended
    because the hub sent too much.
    `in_passing` is present, and true, where the clause is a watched one that was broken during a case of
    another clause: the entry repeats that case's id and counts as no case of its own. Then `count` says how
    many packets broke the rule; the transcript stands with the case's own entry, and nowhere else.
    `consequence` is present where a known client cannot work with the reading that was seen, and says so.
    """

    id: str
    title: str
    verdict: Verdict
    reading: str | None
    observed: str
    began: float = 0.0
    seconds: float
    worker: str = ""
    message: str
    expected: str | None = None
    actual: str | None = None
    transcript: str | None = None
    deviation: DeviationPart | None = None
    in_passing: bool = False
    consequence: str | None = None
    count: int | None = None


class ClausePart(_Part):
    """One clause. `reason` says why it is not tested, not claimed or untestable, or what was wrong.

    `link` is the address of the paragraph that states the rule; `statements` and `mqtt` number what it covers
    in the document and in MQTT 3.1.1. Of a disputed clause, `accepted` names the readings, `readings` those
    that were seen; `consequences` says of some of these which known clients cannot work with them.
    `cases` of a watched clause also name each case during which its rule was broken, whatever that case was
    about; `sightings` counts the packets that were held against it.
    """

    id: str
    section: str
    level: Level
    source: Source
    says: str
    link: str
    note: str | None
    statements: list[str]
    mqtt: list[str]
    accepted: list[str]
    verdict: Verdict
    reason: str
    readings: list[str]
    consequences: dict[str, list[str]] = {}
    sightings: int
    cases: list[CasePart]

    @property
    def readings_told(self) -> list[str]:
        """The readings that were seen, each with what it keeps known clients from."""
        return [told(reading, self.consequences.get(reading, ())) for reading in self.readings]


class SectionPart(_Part):
    """One section of the document: `name` begins the ids of its clauses."""

    name: str
    title: str
    link: str


class Statement(_Part):
    """Everything a run found out."""

    schema_: Annotated[Literal[1], Field(alias="schema")] = SCHEMA
    suite: SuitePart
    document: DocumentPart
    target: TargetPart
    profile: ProfilePart
    claims: ClaimsPart
    run: RunPart
    summary: dict[Verdict, int]
    sections: list[SectionPart]
    clauses: list[ClausePart]
    deviations: list[DeviationFoundPart] = []
    command: CommandPart | None = None
