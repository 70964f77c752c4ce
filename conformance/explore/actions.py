"""What a scenario can do, as data, and each action's form as a line of text. Pure.

An action is a number, the identity that it is about, a verb and arguments:
``7 a publish qos=1 retain=0 size=20 bag=one cut=whole``. The number names what the action makes: bodies,
request ids, methods. It stays when other actions are left out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from conformance.errors import UsageError

# No space, so that a line falls into words, and no equals sign in a name.
_WORD: Final = re.compile(r"[^\s]+")
_ARGUMENT: Final = re.compile(r"(?P<name>[a-z-]+)=(?P<value>[^\s]*)")


@dataclass(frozen=True)
class Verb:
    """A kind of action: what it does, the names of its arguments, and the capabilities that it needs."""

    says: str
    arguments: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Action:
    """One action of a scenario."""

    number: int
    who: str
    verb: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.arguments[name]

    def flag(self, name: str) -> bool:
        """Tell whether an argument is ``1``."""
        return self.arguments[name] == "1"

    @property
    def id(self) -> str:
        """The number as text: what bodies and request ids begin with."""
        return str(self.number)

    def __str__(self) -> str:
        words = (f"{name}={value}" for name, value in self.arguments.items())
        return " ".join((self.id, self.who, self.verb, *words))


_ENDING = ("timing.keep-alive-tolerance",)
_EXPIRY = ("timing.sas-skew", "timing.sas-grace")
_LOCK = ("timing.c2d-lock",)
_FEEDBACK = ("feedback", "timing.feedback")
_MESSAGES = ("c2d", "registry")
_TWIN = ("twin", "registry")
_METHODS = ("methods", "registry")

_CONNECT = ("over", "clean", "login", "will", "bag")

VERBS: Final[Mapping[str, Verb]] = {
    # -- connections
    "connect": Verb("connects, and takes over where it is connected", _CONNECT),
    "refused": Verb("tries to connect on a ground to be refused", ("over", "ground", "other", "behind")),
    "disconnect": Verb("leaves with DISCONNECT"),
    "drop": Verb("ends its connection without DISCONNECT", ("how",)),
    "fall-silent": Verb("connects and says no more", _CONNECT, _ENDING),
    "outlive": Verb("connects with a token that runs out", _CONNECT, _EXPIRY),
    "ping": Verb("sends so many PINGREQs at once", ("count",)),
    "break": Verb("sends what no client may", ("what",)),
    # -- publishing
    "publish": Verb("publishes telemetry", ("qos", "retain", "dup", "size", "bag", "cut")),
    "burst": Verb("sends several packets in one go, cut somewhere", ("items", "cut")),
    "trespass": Verb("publishes to another identity's events topic", ("other", "qos")),
    "publish-twice-over": Verb("publishes with QoS 2"),
    # -- subscribing
    "subscribe": Verb("subscribes to documented filters at once", ("filters",)),
    "renew": Verb("subscribes again to filters that its session has", ("filters",)),
    "unsubscribe": Verb("unsubscribes from filters at once", ("filters",)),
    "stray": Verb("subscribes to a filter that is not documented for it", ("filter", "other", "qos")),
    # -- messages to devices
    "send": Verb("is sent a message", ("size", "properties"), _MESSAGES),
    "send-asking": Verb(
        "is sent a message of whose fate the sender hears", ("size", "ack"), (*_MESSAGES, *_FEEDBACK)
    ),
    "send-stale": Verb("is sent a message that expires before anybody hears it", ("size",), _MESSAGES),
    "acknowledge": Verb("acknowledges messages", ("which",), _MESSAGES),
    "await-again": Verb("waits until messages come again that were lost", (), (*_MESSAGES, *_LOCK)),
    "purge": Verb("has its queue emptied by the back end", (), _MESSAGES),
    # -- twins
    "get": Verb("asks for its twin", ("qos", "form", "payload"), _TWIN),
    "report": Verb("reports properties", ("qos", "patch"), _TWIN),
    "misreport": Verb("sends a patch that has to be refused", ("what",), _TWIN),
    "report-for": Verb("reports for a version of its properties", ("version", "patch"), _TWIN),
    "desire": Verb("has its desired properties changed", ("patch",), _TWIN),
    "replace": Verb("has its desired properties replaced", ("document",), _TWIN),
    "misdesire": Verb("has a change tried that has to be refused", ("what",), _TWIN),
    "tag": Verb("has its tags changed", ("patch",), _TWIN),
    "read": Verb("has its twin read by the back end", (), _TWIN),
    # -- methods
    "call": Verb("has a method called", ("name", "payload"), _METHODS),
    "answer": Verb("answers a call", ("call", "status", "payload", "qos"), _METHODS),
    "misanswer": Verb("answers a call under a request id that is not its own", ("call", "how"), _METHODS),
    "meddle": Verb("answers a call of another identity", ("call",), _METHODS),
    "lapse": Verb("lets a call time out", (), (*_METHODS, "timing.method-timeout")),
    "answer-late": Verb("answers a call that has timed out", ("call",), _METHODS),
    # -- identities
    "disable": Verb("is disabled", (), ("registry",)),
    "enable": Verb("is enabled again", (), ("registry",)),
    "rekey": Verb("is given new keys", (), ("registry",)),
    "delete": Verb("is deleted", (), ("registry",)),
    "create": Verb("is made again under the same name", (), ("registry",)),
}


def parse(line: str) -> Action:
    """Return the action that a line says. Raises UsageError with what is wrong in it."""
    words = _WORD.findall(line)
    if len(words) < 3 or not words[0].isascii() or not words[0].isdecimal():  # noqa: PLR2004 - number, who, verb
        raise UsageError(f"{line!r}: not an action. Write: NUMBER WHO VERB name=value ...")
    number, who, verb, *rest = words
    if verb not in VERBS:
        raise UsageError(f"{line!r}: no verb {verb!r}. There are: {', '.join(VERBS)}.")
    arguments: dict[str, str] = {}
    for word in rest:
        found = _ARGUMENT.fullmatch(word)
        if found is None:
            raise UsageError(f"{line!r}: {word!r} is no argument. Write name=value, without spaces.")
        arguments[found["name"]] = found["value"]
    wanted = VERBS[verb].arguments
    if tuple(arguments) != wanted:
        raise UsageError(f"{line!r}: {verb} takes {' '.join(f'{name}=' for name in wanted) or 'nothing'}")
    return Action(int(number), who, verb, arguments)
