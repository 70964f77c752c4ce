"""What the model knows of a hub at one moment: identities, connections, messages, twins and calls. Pure.

Where a source leaves open what holds, the state says so: a subscription that `may` be there, a message that
`may` come. What may be is never asked for, and never counted as a breach.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

# How sure it is that a subscription is there.
Sure = Literal["yes", "maybe"]

DEVICEBOUND = "devicebound"
ANSWERS = "answers"
DESIRED = "desired"
METHODS = "methods"
DOCUMENTED = (DEVICEBOUND, ANSWERS, DESIRED, METHODS)


@dataclass(frozen=True)
class Cast:
    """An identity of a scenario: its name there, how it shows who it is.

    `name` is ``a``, or ``a/m`` of a module of ``a``; `credential` is ``sas``, or what a certificate of it is
    known by: ``thumbprint`` or ``authority``.
    """

    name: str
    credential: str = "sas"

    @property
    def device(self) -> str:
        """The name of the device: its own, or the module's."""
        return self.name.partition("/")[0]

    @property
    def is_module(self) -> bool:
        """Whether it is a module."""
        return "/" in self.name

    @property
    def is_certified(self) -> bool:
        """Whether it is known by a certificate."""
        return self.credential != "sas"

    def __str__(self) -> str:
        return f"{self.name} {self.credential}"


@dataclass
class Subscription:
    """A filter that a session has, with the QoS that was granted; `again`: it replaced another.

    `left`: its session had it for sure when its connection ended, and goes on.
    """

    qos: int
    sure: Sure = "yes"
    again: bool = False
    left: bool = False


@dataclass
class Will:
    """The message that a connection leaves: its number, and the looks of the telemetry that it becomes."""

    number: str
    retain: bool
    bag: str


@dataclass
class Link:
    """A connection.

    `doomed`: the hub may end it at any time, and nothing on it is owed any more. `shaky`: it may do so for
    something that was sent; until then all is owed.
    `wild`: a filter may be there that brings the identity's own messages twice, or without another filter.
    `model` is what it announced, if anything.
    """

    label: str
    who: str
    over: str
    clean: bool
    will: Will | None = None
    open: bool = True
    doomed: bool = False
    shaky: bool = False
    wild: bool = False
    model: str = ""
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    unsubscribed: set[str] = field(default_factory=set)
    loose: set[tuple[str, str]] = field(default_factory=set)
    """Acknowledgements, by kind and key, that may come at any time, or never."""
    held: list[str] = field(default_factory=list)
    """Messages that came and wait for their PUBACK, in the order in which they came."""

    @property
    def is_uncertain(self) -> bool:
        """Whether the hub may have ended it, or be about to."""
        return self.doomed or self.shaky

    def has(self, name: str) -> bool:
        """Tell whether a subscription is surely there."""
        return name in self.subscriptions and self.subscriptions[name].sure == "yes"

    def may_have(self, name: str) -> bool:
        """Tell whether it may be there."""
        return name in self.subscriptions or self.wild


@dataclass
class Message:
    """A message to a device.

    `fate`: ``due`` has to be delivered to who is subscribed; ``open`` may be; ``gone`` must not be.
    `why_gone` is the rule that a delivery would break then. `seen`: it was delivered at least once; `locked`:
    to a connection that has ended, so it comes again only when its lock has run out. `alone`: nobody was
    connected since it was sent, so it waits. `ack`: of which of its fates its sender wants to hear, nothing
    where of none; `settled` is the fate that is sure. `locked_in_a_purge`: whether the purge took
    it, no source says.
    """

    number: str
    to: str
    size: int
    properties: str
    fate: Literal["due", "open", "gone"] = "due"
    why_gone: str = ""
    seen: bool = False
    locked: bool = False
    sent_while: Literal["subscribed", "away", "back", "deaf"] = "subscribed"
    """``back``: its device has returned to a session with the subscription, and has not renewed it."""
    alone: bool = False
    ack: str = ""
    settled: Literal["", "acknowledged", "purged"] = ""
    locked_in_a_purge: bool = False


@dataclass
class TwinState:
    """A twin: what each section holds, and its version where it is known.

    `unsure` are the sections of which it is not known what they hold. `nulled`: a member was removed.
    `models` are those that it may name; nothing where that is not known.
    """

    desired: dict[str, Any] = field(default_factory=dict)
    reported: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, Any] = field(default_factory=dict)
    desired_version: int | None = None
    reported_version: int | None = None
    unsure: set[str] = field(default_factory=set)
    nulled: bool = False
    models: frozenset[str] = frozenset({""})


@dataclass
class Call:
    """A call of a method: which connection has to hear it, the request id that the hub gave it."""

    number: str
    to: str
    label: str
    request_id: str = ""
    state: Literal["called", "heard", "answered", "timed out", "lost"] = "called"
    short: bool = False


@dataclass
class Person:
    """An identity as the hub knows it."""

    cast: Cast
    exists: bool = True
    enabled: bool = True
    was_disabled: bool = False
    has_announced: bool = False
    """Whether it has ever said of which model it is."""
    keys: int = 0
    connections: int = 0
    link: Link | None = None
    kept: dict[str, Subscription] | None = None
    """The subscriptions of a session with CleanSession 0 that has ended; None where there is no session."""
    kept_held: list[str] = field(default_factory=list)
    was_unsubscribed: set[str] = field(default_factory=set)
    ever_subscribed: bool = False
    queue: list[Message] = field(default_factory=list)
    twin: TwinState = field(default_factory=TwinState)

    @property
    def name(self) -> str:
        """Its name in the scenario."""
        return self.cast.name

    def message(self, number: str) -> Message | None:
        """Return a message to it."""
        return next((each for each in self.queue if each.number == number), None)


@dataclass
class State:
    """Everything.

    `replaced` are connections that a newer one took the place of; `published` are the numbers of what each
    identity published and had acknowledged, in order.
    """

    people: dict[str, Person]
    calls: dict[str, Call] = field(default_factory=dict)
    replaced: list[Link] = field(default_factory=list)
    published: dict[str, list[str]] = field(default_factory=dict)

    def links(self) -> Iterator[Link]:
        """Return every open connection."""
        for person in self.people.values():
            if person.link is not None and person.link.open:
                yield person.link

    def link(self, label: str) -> Link | None:
        """Return the open connection of this label."""
        return next((link for link in self.links() if link.label == label), None)

    def modules_of(self, device: str) -> Iterator[Person]:
        """Return the modules of a device."""
        return (each for each in self.people.values() if each.cast.is_module and each.cast.device == device)
