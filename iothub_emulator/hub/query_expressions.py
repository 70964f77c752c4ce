"""Reads the expressions of a query: values, arithmetic, functions, and the conditions made of them.

Arithmetic binds closer than comparison, `*` `/` `%` closer than `+` and `-`. Parentheses may hold a value, or
a condition, which is a value too: true, false or undefined.
"""

from iothub_emulator.hub.condition_reader import ConditionReader
from iothub_emulator.hub.conditions import Condition, One
from iothub_emulator.hub.query_functions import FUNCTIONS
from iothub_emulator.hub.query_tokens import number_of, text_of
from iothub_emulator.hub.query_tree import (
    Bracketed,
    Call,
    Chain,
    Comparison,
    Constant,
    Member,
    Operand,
    Operator,
    Path,
    QueryRefused,
    Sign,
    Single,
    Truth,
)
from iothub_emulator.hub.query_values import UNDEFINED, Value, numbers

_OPERATORS: dict[str, Operator] = {
    "=": "=", "!=": "!=", "<>": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">=",
}  # fmt: skip
_SUMS: tuple[Sign, ...] = ("+", "-")
_PRODUCTS: tuple[Sign, ...] = ("*", "/", "%")
_NAMED: dict[str, Value] = {"true": True, "false": False, "null": None, "undefined": UNDEFINED}
_ROOTS = {
    name.lower(): name
    for name in (
        *("deviceId", "moduleId", "etag", "deviceEtag", "status", "statusReason", "statusUpdateTime"),
        *("connectionState", "lastActivityTime", "cloudToDeviceMessageCount", "authenticationType"),
        *("x509Thumbprint", "modelId", "version", "properties", "capabilities", "tags"),
        *("deviceScope", "parentScopes"),
    )
}
_SECTIONS = {"desired", "reported"}


class ExpressionReader(ConditionReader[Single]):
    """Reads tokens from left to right, each at most once."""

    deepest = 32  # of parentheses, NOT and functions: each takes more of the stack than in a plain condition

    def part(self) -> Condition[Single]:
        """Read what stands between the joints; parentheses around a condition leave it as it is."""
        single = self.single()
        if isinstance(single, Truth) and isinstance(single.operand, Bracketed):
            return single.operand.condition
        return One(single)

    def single(self) -> Single:
        """Read a comparison, a look among constants, or a value that stands for a condition."""
        left = self._sum()
        for word, negated in (("in", False), ("nin", True)):
            if self.accept_word(word):
                return Member(left, self._constants(), negated)
        operator = _OPERATORS.get(self.peek().text)
        if operator is None or self.peek().kind != "sign":
            return Truth(left)
        self.next()
        return Comparison(left, operator, self._sum())

    # Values

    def _sum(self) -> Operand:
        first = self._product()
        rest: list[tuple[Sign, Operand]] = []
        while (sign := self._accepted(_SUMS)) is not None:
            rest.append((sign, self._product()))
        return Chain(first, tuple(rest)) if rest else first

    def _product(self) -> Operand:
        first = self._signed()
        rest: list[tuple[Sign, Operand]] = []
        while (sign := self._accepted(_PRODUCTS)) is not None:
            rest.append((sign, self._signed()))
        return Chain(first, tuple(rest)) if rest else first

    def _accepted(self, signs: tuple[Sign, ...]) -> Sign | None:
        return next((sign for sign in signs if self.accept(sign)), None)

    def _signed(self) -> Operand:
        negative = False
        while self.accept("-"):
            negative = not negative
        operand = self._primary()
        if not negative:
            return operand
        known = numbers(operand.value) if isinstance(operand, Constant) else None
        if known is not None:
            return Constant(-known[0])
        return Chain(Constant(0), (("-", operand),))

    def _primary(self) -> Operand:
        token = self.peek()
        match token.kind:
            case "text":
                return Constant(text_of(self.next().text[1:-1]))
            case "number":
                return Constant(number_of(self.next().text))
            case "sign" if self.accept("("):
                return _unwrapped(self.bracketed())
            case "sign" if token.text == "[":
                return Constant([each.value for each in self._constants() if each.value is not UNDEFINED])
            case "path" if not token.word:
                self.next()
                return self._named(token.text)
        raise self.unexpected()

    def _named(self, text: str) -> Operand:
        """Return what a word stands for: a constant, a function's value, a property."""
        lower = text.lower()
        if self.accept("("):
            return self._call(lower)
        return Constant(_NAMED[lower]) if lower in _NAMED else path_of(text)

    def _call(self, name: str) -> Operand:
        function = FUNCTIONS.get(name)
        if function is None:
            raise QueryRefused("The query calls a function that there is not.")
        arguments: list[Operand] = []
        while not self.accept(")"):
            if arguments:
                self.expect(",")
            arguments.append(_unwrapped(self.any_of()))
        if not function.fewest <= len(arguments) <= function.most:
            raise QueryRefused(f"{name.upper()} has another number of arguments.")
        if name == "is_defined" and not isinstance(arguments[0], Path):
            raise QueryRefused("IS_DEFINED is asked of a property.")
        return Call(name, tuple(arguments))

    def _constants(self) -> tuple[Constant, ...]:
        self.expect("[")
        constants = [self._constant()]
        while self.accept(","):
            constants.append(self._constant())
        self.expect("]")
        return tuple(constants)

    def _constant(self) -> Constant:
        operand = self._signed()
        if not isinstance(operand, Constant) or isinstance(operand.value, list):
            raise QueryRefused("A list holds something that is no constant.")
        return operand

    def path(self) -> Path:
        """Read a property."""
        token = self.peek()
        if token.kind != "path" or token.word:
            raise self.unexpected()
        self.next()
        return path_of(token.text)


def _unwrapped(condition: Condition[Single]) -> Operand:
    """Return what parentheses hold: a value as it is, a condition as a value that tells its truth."""
    if isinstance(condition, One) and isinstance(condition.single, Truth):
        return condition.single.operand
    return Bracketed(condition)


def path_of(text: str) -> Path:
    """Return the property that a query names; one that twins do not have has no value, in any of them.

    Letter case does not matter down to the sections, where the names are the hub's. `devices.` and
    `devices.modules.` may stand before it, as examples of Microsoft's have it.
    """
    names = text.split(".")
    for prefix in (["devices", "modules"], ["devices"]):
        if [name.lower() for name in names[: len(prefix)]] == prefix and names[len(prefix) :]:
            names = names[len(prefix) :]
            break
    names[0] = _ROOTS.get(names[0].lower(), names[0])
    if names[0] == "properties" and len(names) > 1 and names[1].lower() in _SECTIONS:
        names[1] = names[1].lower()
    return Path(tuple(names))
