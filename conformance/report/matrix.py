"""Several statements side by side: each clause with what each target made of it. Pure.

A row differs where a verdict does, or the readings that were seen, or the words of what was observed. What a
statement says nothing about, since it has no such clause or left it out, makes no row differ.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.report.counts import CLAIMED, clause_counts, left_out, shown, words_of
from conformance.report.printable import first_line, plural
from conformance.report.statement import ClausePart, Statement
from conformance.report.summary_line import headline
from conformance.verdict.verdicts import Verdict

MOST_WORDS: Final = 4
"""So many readings, or observed words, does a cell show."""
_LONGEST_WORD: Final = 60


@dataclass(frozen=True, kw_only=True)
class Column:
    """One target; `name` is no other's, `page` where the evidence lies, empty where nowhere is known."""

    name: str
    statement: Statement
    page: str

    @property
    def claim(self) -> str:
        """What its statement claims, in a sentence."""
        return headline(self.statement).title

    @property
    def held(self) -> str:
        """How many of the claimed clauses held."""
        counts = clause_counts(shown(self.statement))
        claimed = sum(counts.get(verdict, 0) for verdict in CLAIMED)
        return f"{counts.get(Verdict.PASS, 0)} of {plural(claimed, 'claimed clause')} held"

    @property
    def identity(self) -> str:
        """Which hub was judged by what, and when."""
        made = self.statement
        partial = ", partial" if made.run.partial else ""
        return (
            f"{made.target.where}, profile {made.profile.name}; suite {made.suite.version} "
            f"{made.suite.digest[:12]}; {made.run.started[:10]}{partial}"
        )


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one target made of a clause; `clause` is None where its statement says nothing, for `why`."""

    clause: ClausePart | None
    words: Sequence[str] = ()
    link: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One clause; `about` is it as one of the statements has it."""

    about: ClausePart
    cells: Sequence[Cell]

    @property
    def differs(self) -> bool:
        """Whether two targets do not do the same."""
        said = [_said(cell.clause) for cell in self.cells if cell.clause is not None]
        return any(each != said[0] for each in said)


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Clauses by targets, section by section."""

    columns: Sequence[Column]
    sections: Sequence[tuple[str, Sequence[Row]]]
    remarks: Sequence[str]

    @property
    def rows(self) -> Sequence[Row]:
        """All rows, in the document's order."""
        return [row for _, rows in self.sections for row in rows]

    @property
    def differing(self) -> Sequence[Row]:
        """Those in which two targets do not do the same."""
        return [row for row in self.rows if row.differs]

    @property
    def title(self) -> str:
        """What the matrix shows, in a line."""
        return f"{plural(len(self.rows), 'clause')} on {plural(len(self.columns), 'target')}"

    @property
    def found(self) -> str:
        """In how many clauses the targets differ."""
        count = len(self.differing)
        if len(self.columns) == 1:
            return "One target: there is nothing to differ from."
        if not count:
            return "They do the same in all of them."
        return f"They differ in {count}, and do the same in {len(self.rows) - count}."


def matrix(statements: Sequence[tuple[Statement, str]]) -> Matrix:
    """Return the matrix of some statements; with each comes the address of its page, or nothing."""
    columns = list(_columns(statements))
    known: dict[str, dict[str, ClausePart]] = {}
    titles: dict[str, str] = {}
    for made, _ in statements:
        for section in made.sections:
            titles.setdefault(section.name, section.title)
        for clause in made.clauses:
            known.setdefault(clause.section, {}).setdefault(clause.id, clause)
    sections = [(titles.get(name, name), _rows(columns, own.values())) for name, own in known.items()]
    return Matrix(
        columns=columns,
        sections=[(title, rows) for title, rows in sections if rows],
        remarks=list(_remarks(columns)),
    )


def _rows(columns: Sequence[Column], clauses: Iterable[ClausePart]) -> Sequence[Row]:
    """Return the rows of some clauses, without those of which no statement says anything."""
    found = [{clause.id: clause for clause in column.statement.clauses} for column in columns]
    rows = (
        Row(
            about=about,
            cells=[_cell(column, own.get(about.id)) for column, own in zip(columns, found, strict=True)],
        )
        for about in clauses
    )
    return [row for row in rows if any(cell.clause is not None for cell in row.cells)]


def _columns(statements: Sequence[tuple[Statement, str]]) -> Iterator[Column]:
    """Yield a column for each statement, named by its target, and by more where two have one name."""
    taken: set[str] = set()
    titles = [made.target.title for made, _ in statements]
    for number, (made, page) in enumerate(statements, 1):
        name = made.target.title
        if titles.count(name) > 1 and made.target.version:
            name = f"{name}, version {made.target.version}"
        if name in taken or titles.count(name) > 1:
            name = f"{name}, profile {made.profile.name}"
        if name in taken:
            name = f"{number} {name}"
        taken.add(name)
        yield Column(name=name, statement=made, page=page)


def _cell(column: Column, clause: ClausePart | None) -> Cell:
    if clause is None:
        return Cell(clause=None, why="not in this suite")
    if left_out(column.statement, clause):
        return Cell(clause=None, why="not in this selection")
    said = list(clause.readings or words_of(clause))
    words = [first_line(word, _LONGEST_WORD) for word in said[:MOST_WORDS]]
    more = [f"and {len(said) - MOST_WORDS} more"] if len(said) > MOST_WORDS else []
    tells = clause.level == "disputed" or clause.verdict is Verdict.OBSERVED
    return Cell(
        clause=clause,
        words=[*words, *more] if tells else (),
        link=f"{column.page}#clause-{clause.id}" if column.page else "",
    )


def _said(clause: ClausePart) -> tuple[Verdict, Sequence[str], frozenset[str]]:
    words = words_of(clause) if clause.verdict is Verdict.OBSERVED else ()
    return clause.verdict, sorted(clause.readings), frozenset(words)


def _remarks(columns: Sequence[Column]) -> Iterator[str]:
    for column in columns:
        if column.statement.run.partial:
            yield f"{column.name} is a partial selection, which claims no conformance."
    by_digest: Mapping[str, Column] = {column.statement.suite.digest: column for column in columns}
    if len(by_digest) > 1:
        yield "Not all were judged by the same suite: a difference may be the suite's."
