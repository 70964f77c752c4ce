"""A way to meet the hub, as a value: which transport, credential, kind of identity and session a case uses.

None of it is part of a test. A test asks for a device, and the way of its case decides how that device
connects: a rule that holds over TLS for a device with a token holds for a module with a certificate over
WebSocket too, unless its clause says why not.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

Transport = Literal["tls", "websocket"]
Credential = Literal["sas", "x509"]
Kind = Literal["device", "module"]
CleanSession = Literal["clean", "persistent"]
Session = Literal["first", "later"]
Key = Literal["primary", "secondary"]


@dataclass(frozen=True, kw_only=True)
class Way:
    """One value on each axis; as it is, the first way, in which every case runs.

    `clean_session` is that flag of CONNECT, 1 or 0; `session` whether the identity had an earlier one of the
    same kind; `key` which of its two keys or certificates it proves itself with.
    """

    transport: Transport = "tls"
    credential: Credential = "sas"
    kind: Kind = "device"
    clean_session: CleanSession = "clean"
    session: Session = "first"
    key: Key = "primary"

    def __str__(self) -> str:
        """Return what differs from the first way, as the ids of cases have it: "websocket-x509-module"."""
        return "-".join(value for axis, value in self if value != VALUES[axis][0])

    @property
    def in_words(self) -> str:
        """What differs from the first way, for people: "over WebSocket, a module, with CleanSession 0"."""
        return ", ".join(_WORDS[value] for _, value in self if value in _WORDS)

    @property
    def entrance(self) -> "Way":
        """What of it decides whether a session opens at all."""
        return Way(transport=self.transport, credential=self.credential, kind=self.kind)

    @property
    def judge(self) -> str:
        """The clause that judges whether a session opens in this way."""
        needs = self.needs()
        return next(clause for need, clause in _JUDGES.items() if need in needs)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((field.name, getattr(self, field.name)) for field in fields(self))

    def needs(self, clause: Collection[str] = ()) -> tuple[str, ...]:
        """Return what a target must claim for a clause in this way, whose own needs are given.

        What no source promises together has a claim of its own.
        """
        if self == FIRST:
            return tuple(clause)
        over_websocket = self.transport == "websocket" or "websocket" in clause
        certified = self.credential != "sas" or "x509" in clause
        is_module = self.kind == "module" or "modules" in clause
        needs = {
            "websocket": over_websocket,
            "x509": certified,
            "registry": certified or is_module,
            "modules": is_module,
            "x509-over-websocket": certified and over_websocket,
            "x509-modules": certified and is_module,
        }
        return tuple(dict.fromkeys((*clause, *(need for need, is_needed in needs.items() if is_needed))))


# Each axis with its values, that of the first way first.
VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "transport": ("tls", "websocket"),
    "credential": ("sas", "x509"),
    "kind": ("device", "module"),
    "clean_session": ("clean", "persistent"),
    "session": ("first", "later"),
    "key": ("primary", "secondary"),
}
FIRST: Final = Way()
_ENTRANCE: Final = ("transport", "credential", "kind")
_WORDS: Final[Mapping[str, str]] = {
    "websocket": "over WebSocket",
    "x509": "with a certificate",
    "module": "as a module",
    "persistent": "with CleanSession 0",
    "later": "in a later session",
    "secondary": "with its secondary key or certificate",
}

# By what a way needs, the most particular first.
_JUDGES: Final[Mapping[str, str]] = {
    "x509-modules": "x509.module",
    "x509-over-websocket": "websocket.x509",
    "x509": "x509.no-password",
    "websocket": "websocket.mqtt",
    "modules": "module.connect",
}


def entrances(capabilities: Collection[str]) -> Iterator[Way]:
    """Yield each way to open a session, beside the first, that a target with these capabilities claims."""
    for transport, credential, kind in itertools.product(*(VALUES[axis] for axis in _ENTRANCE)):
        values: dict[str, Any] = {"transport": transport, "credential": credential, "kind": kind}
        way = Way(**values)
        if way != FIRST and set(way.needs()) <= set(capabilities):
            yield way


# On which axis a clause that needs this keeps to the first way, and the sentence that says so.
IMPOSSIBLE: Final[Mapping[str, tuple[str, str]]] = {
    "c2d": ("kind", "the back end sends messages to devices, a module receives none [S36, S37]"),
    "feedback": ("kind", "feedback is about messages to devices [S36, S37]"),
}


def only_in(failed: Iterable[str], passed: Iterable[str]) -> str:
    """Say what all cases that failed have in common and none that passed has, by their ids.

    "over WebSocket only"; empty where there is no such thing.
    """
    fine = [_values(case) for case in passed]
    common = frozenset.intersection(*(_values(case) for case in failed))
    telling = [value for value in _WORDS if value in common and not any(value in case for case in fine)]
    return f"{' and '.join(_WORDS[value] for value in telling)} only" if fine and telling else ""


def entrance_of(case_id: str) -> str:
    """Say how a case opens its session, by its id: "over WebSocket, as a module"."""
    return ", ".join(
        _WORDS[value] for axis in _ENTRANCE for value in VALUES[axis][1:] if value in _values(case_id)
    )


def _values(case_id: str) -> frozenset[str]:
    """Return in what the way of a case differs from the first: ``test_x.py::test_y@websocket-module[z]``."""
    test = case_id.partition("::")[2].partition("[")[0]
    return frozenset(test.partition("@")[2].split("-")) - {""}
