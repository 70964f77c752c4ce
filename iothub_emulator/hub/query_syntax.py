"""The grammar of queries: from text to a tree, and `QueryRefused` for everything else.

Source: Microsoft, "IoT Hub query language". Understood are `SELECT` of `*`, of properties or one `COUNT()`,
`TOP`, `FROM devices` and `devices.modules`, and `WHERE` with comparisons, `IN`, `NIN`, `IS_DEFINED`, `AND`,
`OR`, `NOT` and parentheses. Grouping, other aggregates, arithmetic and jobs are not.
"""

from typing import Literal

from iothub_emulator.hub.condition_reader import ConditionReader
from iothub_emulator.hub.query_tokens import LONGEST_NUMBER, number_of, text_of, tokens
from iothub_emulator.hub.query_tree import (
    Column,
    Comparison,
    Constant,
    Count,
    IsDefined,
    Member,
    Operand,
    Operator,
    Path,
    Query,
    QueryRefused,
    Single,
    Truth,
)

LONGEST_QUERY = 8192
"""Characters (Microsoft, "Queries for IoT Hub device and module twins")."""

_OPERATORS: dict[str, Operator] = {
    "=": "=", "!=": "!=", "<>": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">=",
}  # fmt: skip
_ROOTS = {
    name.lower(): name
    for name in (
        *("deviceId", "moduleId", "etag", "deviceEtag", "status", "statusReason", "statusUpdateTime"),
        *("connectionState", "lastActivityTime", "cloudToDeviceMessageCount", "authenticationType"),
        *("x509Thumbprint", "modelId", "version", "properties", "capabilities", "tags"),
    )
}
_SECTIONS = ("desired", "reported")
_NAMED = {"true": True, "false": False, "null": None}


def parse(text: str) -> Query:
    """Return what a query says, or raise `QueryRefused`."""
    if len(text) > LONGEST_QUERY:
        raise QueryRefused(f"The query is longer than {LONGEST_QUERY} characters.")
    return _Parser(tokens(text), "query").query()


class _Parser(ConditionReader[Single]):
    """Reads tokens from left to right, each at most once."""

    # SELECT and FROM

    def query(self) -> Query:
        self._word("select")
        top = self._top()
        columns, count = self._columns()
        self._word("from")
        source = self._source()
        condition = self.any_of() if self.accept_word("where") else None
        self.end()
        return Query(source, columns, count, top, condition)

    def _top(self) -> int | None:
        if not self.accept_word("top"):
            return None
        number = self.next()
        if number.kind != "number" or not number.text.isdecimal() or len(number.text) > LONGEST_NUMBER:
            raise QueryRefused("TOP is not followed by a whole number.")
        return int(number.text)

    def _columns(self) -> tuple[tuple[Column, ...], Count | None]:
        if self.accept("*"):
            return (), None
        if self.accept_word("count"):
            self.expect("(")
            self.expect(")")
            self._word("as")
            return (), Count(self._name())
        columns = [self._column()]
        while self.accept(","):
            columns.append(self._column())
        if len({column.name for column in columns}) < len(columns):
            raise QueryRefused("Two columns have one name: give one of them another by AS.")
        return tuple(columns), None

    def _column(self) -> Column:
        path = self._path()
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
        raise QueryRefused("FROM is followed by neither devices nor devices.modules.")

    # WHERE

    def single(self) -> Single:
        if self.accept_word("is_defined"):
            self.expect("(")
            path = self._path()
            self.expect(")")
            return IsDefined(path)
        return self._relation(self._operand())

    def _relation(self, left: Operand) -> Single:
        for word, negated in (("in", False), ("nin", True)):
            if self.accept_word(word):
                return Member(left, self._constants(), negated)
        operator = _OPERATORS.get(self.peek().text)
        if operator is None or self.peek().kind != "sign":
            return Truth(left)
        self.next()
        return Comparison(left, operator, self._operand())

    def _constants(self) -> tuple[Constant, ...]:
        self.expect("[")
        constants = [self._constant()]
        while self.accept(","):
            constants.append(self._constant())
        self.expect("]")
        return tuple(constants)

    def _constant(self) -> Constant:
        operand = self._operand()
        if not isinstance(operand, Constant):
            raise QueryRefused("A list holds something that is no constant.")
        return operand

    def _operand(self) -> Operand:
        token = self.peek()
        lower = token.text.lower()
        match token.kind:
            case "text":
                constant = Constant(text_of(token.text[1:-1]))
            case "number":
                constant = Constant(number_of(token.text))
            case "path" if lower in _NAMED:
                constant = Constant(_NAMED[lower])
            case _:
                return self._path()
        self.next()
        return constant

    def _path(self) -> Path:
        """Read a property; only those that a twin has at its root, so that no misspelling finds nothing.

        Letter case does not matter down to the sections, where the names are the hub's. `devices.` and
        `devices.modules.` may stand before it, as examples of Microsoft's have it.
        """
        token = self.peek()
        if token.kind != "path" or token.word:
            raise self.unexpected()
        self.next()
        names = token.text.split(".")
        for prefix in (["devices", "modules"], ["devices"]):
            if [name.lower() for name in names[: len(prefix)]] == prefix:
                names = names[len(prefix) :]
                break
        root = _ROOTS.get(names[0].lower()) if names else None
        if root is None:
            raise QueryRefused("The query names a property that twins do not have.")
        names[0] = root
        if root == "properties" and len(names) > 1:
            if names[1].lower() not in _SECTIONS:
                raise QueryRefused("properties has desired and reported, and nothing else.")
            names[1] = names[1].lower()
        return Path(tuple(names))

    def _word(self, word: str) -> None:
        if not self.accept_word(word):
            raise self.unexpected()
