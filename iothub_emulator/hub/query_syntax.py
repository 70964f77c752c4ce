"""The grammar of queries: from text to a tree, and `QueryRefused` for everything else.

Source: Microsoft, "IoT Hub query language". Understood are `SELECT` of `*`, of properties or one `COUNT()`,
`TOP`, `FROM devices` and `devices.modules`, and `WHERE` with comparisons, `IN`, `NIN`, `IS_DEFINED`, `AND`,
`OR`, `NOT` and parentheses. Grouping, other aggregates, arithmetic and jobs are not.
"""

from typing import Literal

from iothub_emulator.hub.query_tokens import END, LONGEST_NUMBER, Token, number_of, text_of, tokens
from iothub_emulator.hub.query_tree import (
    All,
    AnyOf,
    Column,
    Comparison,
    Condition,
    Constant,
    Count,
    IsDefined,
    Member,
    Not,
    Operand,
    Operator,
    Path,
    Query,
    QueryRefused,
    Truth,
)

LONGEST_QUERY = 8192
"""Characters (Microsoft, "Queries for IoT Hub device and module twins")."""
DEEPEST_CONDITION = 64
"""Parentheses and NOT inside each other; ours, so that no query exhausts the stack."""

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
    return _Parser(tokens(text)).query()


class _Parser:
    """Reads tokens from left to right, each at most once."""

    def __init__(self, read: list[Token]) -> None:
        self._tokens = read
        self._position = 0
        self._depth = 0

    # SELECT and FROM

    def query(self) -> Query:
        self._word("select")
        top = self._top()
        columns, count = self._columns()
        self._word("from")
        source = self._source()
        condition = self._any_of() if self._accept_word("where") else None
        if self._peek() is not END:
            raise self._unexpected()
        return Query(source, columns, count, top, condition)

    def _top(self) -> int | None:
        if not self._accept_word("top"):
            return None
        number = self._next()
        if number.kind != "number" or not number.text.isdecimal() or len(number.text) > LONGEST_NUMBER:
            raise QueryRefused("TOP is not followed by a whole number.")
        return int(number.text)

    def _columns(self) -> tuple[tuple[Column, ...], Count | None]:
        if self._accept("*"):
            return (), None
        if self._accept_word("count"):
            self._expect("(")
            self._expect(")")
            self._word("as")
            return (), Count(self._name())
        columns = [self._column()]
        while self._accept(","):
            columns.append(self._column())
        return tuple(columns), None

    def _column(self) -> Column:
        path = self._path()
        return Column(path, self._name() if self._accept_word("as") else path.names[-1])

    def _name(self) -> str:
        token = self._next()
        if token.kind != "path" or token.word == "from" or "." in token.text:
            raise QueryRefused("AS is not followed by a name.")
        return token.text

    def _source(self) -> Literal["devices", "modules"]:
        match self._next().text.lower():
            case "devices":
                return "devices"
            case "devices.modules":
                return "modules"
        raise QueryRefused("FROM is followed by neither devices nor devices.modules.")

    # WHERE

    def _any_of(self) -> Condition:
        conditions = [self._all()]
        while self._accept_word("or"):
            conditions.append(self._all())
        return conditions[0] if len(conditions) == 1 else AnyOf(tuple(conditions))

    def _all(self) -> Condition:
        conditions = [self._one()]
        while self._accept_word("and"):
            conditions.append(self._one())
        return conditions[0] if len(conditions) == 1 else All(tuple(conditions))

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > DEEPEST_CONDITION:
            raise QueryRefused(f"The condition is nested deeper than {DEEPEST_CONDITION}.")
        condition = self._simple()
        self._depth -= 1
        return condition

    def _simple(self) -> Condition:
        if self._accept_word("not"):
            return Not(self._one())
        if self._accept("("):
            inner = self._any_of()
            self._expect(")")
            return inner
        if self._accept_word("is_defined"):
            self._expect("(")
            path = self._path()
            self._expect(")")
            return IsDefined(path)
        return self._relation(self._operand())

    def _relation(self, left: Operand) -> Condition:
        for word, negated in (("in", False), ("nin", True)):
            if self._accept_word(word):
                return Member(left, self._constants(), negated)
        operator = _OPERATORS.get(self._peek().text)
        if operator is None or self._peek().kind != "sign":
            return Truth(left)
        self._next()
        return Comparison(left, operator, self._operand())

    def _constants(self) -> tuple[Constant, ...]:
        self._expect("[")
        constants = [self._constant()]
        while self._accept(","):
            constants.append(self._constant())
        self._expect("]")
        return tuple(constants)

    def _constant(self) -> Constant:
        operand = self._operand()
        if not isinstance(operand, Constant):
            raise QueryRefused("A list holds something that is no constant.")
        return operand

    def _operand(self) -> Operand:
        token = self._peek()
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
        self._next()
        return constant

    def _path(self) -> Path:
        """Read a property; only those that a twin has at its root, so that no misspelling finds nothing.

        Letter case does not matter down to the sections, where the names are the hub's. `devices.` and
        `devices.modules.` may stand before it, as examples of Microsoft's have it.
        """
        token = self._peek()
        if token.kind != "path" or token.word:
            raise self._unexpected()
        self._next()
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

    # Tokens

    def _peek(self) -> Token:
        return self._tokens[self._position] if self._position < len(self._tokens) else END

    def _next(self) -> Token:
        token = self._peek()
        self._position += token is not END
        return token

    def _accept(self, sign: str) -> bool:
        token = self._peek()
        found = token.kind == "sign" and token.text == sign
        self._position += found
        return found

    def _accept_word(self, word: str) -> bool:
        found = self._peek().word == word
        self._position += found
        return found

    def _expect(self, sign: str) -> None:
        if not self._accept(sign):
            raise self._unexpected()

    def _word(self, word: str) -> None:
        if not self._accept_word(word):
            raise self._unexpected()

    def _unexpected(self) -> QueryRefused:
        """unspecified: the wording of a real hub; this one says which part of the query it is."""
        where = "at its end" if self._peek() is END else f"at its part {self._position + 1}"
        return QueryRefused(f"The query is not understood {where}.")
