"""The grammar of queries: from text to a tree, and `QueryRefused` for everything else.

Source: Microsoft, "IoT Hub query language". Understood are `SELECT` of `*`, of properties and of aggregates,
`TOP`, `FROM devices` and `devices.modules`, `WHERE` with all operators and functions, and `GROUP BY`. A
property that twins do not have is understood too, and has no value. Not understood is what the page has not:
`ORDER BY`, `DISTINCT`, `JOIN`, `LIKE`, functions in the list behind `SELECT`; nor jobs, which are not served.
"""

from typing import Final, Literal

from iothub_emulator.hub.query_expressions import ExpressionReader
from iothub_emulator.hub.query_tokens import LONGEST_NUMBER, tokens
from iothub_emulator.hub.query_tree import Aggregate, Column, Path, Query, QueryRefused

LONGEST_QUERY = 8192
"""Characters (Microsoft, "Queries for IoT Hub device and module twins")."""

_AGGREGATES: Final[dict[str, Literal["count", "avg", "sum", "min", "max"]]] = {
    "count": "count", "avg": "avg", "sum": "sum", "min": "min", "max": "max",
}  # fmt: skip


def parse(text: str) -> Query:
    """Return what a query says, or raise `QueryRefused`."""
    if len(text) > LONGEST_QUERY:
        raise QueryRefused(f"The query is longer than {LONGEST_QUERY} characters.")
    return _Parser(tokens(text), "query").query(text)


class _Parser(ExpressionReader):
    """Reads a whole query."""

    def query(self, text: str) -> Query:
        self._word("select")
        top = self._top()
        columns = self._columns()
        self._word("from")
        source = self._source()
        condition = self.any_of() if self.accept_word("where") else None
        group = self._group(source) if self.accept_word("group") else None
        self.end()
        query = Query(text, source, columns, top, condition, group)
        _check_aggregates(query)
        return query

    def _top(self) -> int | None:
        if not self.accept_word("top"):
            return None
        number = self.next()
        if number.kind != "number" or not number.text.isdecimal() or len(number.text) > LONGEST_NUMBER:
            raise QueryRefused("TOP is not followed by a whole number.")
        return int(number.text)

    def _columns(self) -> tuple[Column | Aggregate, ...]:
        if self.accept("*"):
            return ()
        columns = [self._column()]
        while self.accept(","):
            columns.append(self._column())
        if len({column.name for column in columns}) < len(columns):
            raise QueryRefused("Two columns have one name: give one of them another by AS.")
        return tuple(columns)

    def _column(self) -> Column | Aggregate:
        kind = _AGGREGATES.get(self.peek().text.lower())
        path = self.path()
        if kind is not None and self.accept("("):
            of = None if kind == "count" else self.path()
            self.expect(")")
            # unspecified: what it is called without a name of its own.
            self._word("as")
            return Aggregate(kind, of, self._name())
        return Column(path, self._name() if self.accept_word("as") else path.names[-1])

    def _name(self) -> str:
        token = self.next()
        if token.kind != "path" or token.word == "from" or "." in token.text:
            raise QueryRefused("AS is not followed by a name.")
        return token.text

    def _source(self) -> Literal["devices", "modules"]:
        match self.next().text.lower():
            case "devices":
                return "devices"
            case "devices.modules":
                return "modules"
            case "devices.jobs":
                raise QueryRefused("This hub serves no jobs, so that there are none to be queried.")
        raise QueryRefused("FROM is followed by neither devices nor devices.modules.")

    def _group(self, source: Literal["devices", "modules"]) -> Path:
        self._word("by")
        if source != "devices":
            raise QueryRefused("GROUP BY is for the twins of devices alone.")
        return self.path()

    def _word(self, word: str) -> None:
        if not self.accept_word(word):
            raise self.unexpected()


def _check_aggregates(query: Query) -> None:
    """Refuse columns that many twins may differ in: all but aggregates and what is grouped by."""
    if not query.is_aggregate:
        return
    plain = [column for column in query.columns if isinstance(column, Column)]
    if not query.columns or any(column.path != query.group for column in plain):
        raise QueryRefused("A column is neither an aggregate nor what the query groups by.")
