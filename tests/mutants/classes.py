"""What came of each mutant, and the class that a reader gave to each survivor."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from draw import Mutant
from suite import Ran

# In the order of the table's rows: the rate of each counts the survivors of its own class and of those above.
CLASSES: Final = {
    "document": "breaks the document or MQTT 3.1.1",
    "rfc6455": "breaks RFC 6455",
    "microsoft": "breaks another page of Microsoft's",
    "no-source": "visible to a client, and no source says what is right",
    "observed": "seen, and described by a clause of level observe",
    "not-visible": "no client or back end can see it",
    "equivalent": "the same program",
}


class ClassError(Exception):
    """A file of classes that says what cannot be; the message names the entry."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One line of a file of results. `number` and `change` are those of the site and of its mutation."""

    name: str
    module: str
    line_number: int
    function: str
    number: int
    change: int
    operator: str
    words: str
    trigger: str | None
    verdict: str
    clause: str
    case: str
    message: str
    reached: int
    triggered: int
    tracebacks: int
    violations_in_crash: int
    exit_code: int | None
    seconds: float

    @classmethod
    def of(cls, mutant: Mutant, ran: Ran) -> Self:
        """Return what a run on a mutant came to."""
        change = mutant.site.mutations[mutant.change]
        said = ran.said or {}
        proof = said.get("proof") or {}
        return cls(
            name=mutant.name,
            module=mutant.site.module,
            line_number=mutant.site.line,
            function=mutant.site.function,
            number=mutant.site.number,
            change=mutant.change,
            operator=change.operator,
            words=change.words,
            trigger=mutant.trigger,
            verdict=ran.verdict,
            clause=proof.get("clause", ""),
            case=proof.get("case", ""),
            message=proof.get("message", "") if proof else ran.words,
            reached=ran.seen["reached"],
            triggered=ran.seen["triggered"],
            tracebacks=ran.seen["tracebacks"],
            violations_in_crash=said.get("violations_in_crash", 0),
            exit_code=ran.exit_code,
            seconds=ran.seconds,
        )

    @property
    def line(self) -> str:
        """Say it to a person."""
        only = f" [{self.trigger}; held {self.triggered} of {self.reached}]" if self.trigger else ""
        by = f" by {self.clause}" if self.clause else ""
        where = f"{self.module}:{self.line_number} {self.function}"
        change = f"{self.operator}: {self.words}{only}"
        return f"{self.name} {where}: {change}: {self.verdict}{by} ({self.seconds:.0f} s)"


@dataclass(frozen=True, kw_only=True)
class Class:
    """What a survivor is: its class, the id of the sentence or rule that it breaks, a line of proof."""

    word: str
    proof: str
    source: str = ""


def read_results(file: Path) -> list[Result]:
    """Return what is known so far, in the order of the draw."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    found = [Result(**json.loads(line)) for line in lines]
    return sorted(found, key=lambda result: _place(result.name))


def _place(name: str) -> tuple[int, int]:
    draw, _, turn = name.partition(".")
    return int(turn or 0), int(draw)


def read_classes(file: Path) -> dict[str, dict[str, Class]]:
    """Return the classes by kind of draw and name; none where there is no file. Raises ClassError."""
    values = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return {
        kind: {name: _class(f"{file.name}: {kind}.{name}", entry) for name, entry in entries.items()}
        for kind, entries in values.items()
    }


def _class(where: str, entry: dict[str, str]) -> Class:
    if entry.keys() - {"class", "source", "proof"} or entry.get("class") not in CLASSES:
        raise ClassError(f"{where}: needs a class of {', '.join(CLASSES)}, a proof, and at most a source")
    if not entry.get("proof"):
        raise ClassError(f"{where}: says no proof: one line of what a client sees, or why none sees anything")
    if entry["class"] in {"document", "rfc6455", "microsoft"} and not entry.get("source"):
        raise ClassError(f"{where}: names no source: the id of a sentence, a rule or a page")
    return Class(word=entry["class"], proof=entry["proof"], source=entry.get("source", ""))
