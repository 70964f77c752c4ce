"""The values that actions draw from, by name: bags, properties of messages, patches that are refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class BagText:
    """A property bag as a topic has it, and what it says."""

    text: str
    properties: Mapping[str, str] = field(default_factory=dict)
    system: Mapping[str, str] = field(default_factory=dict)
    rule: str = "telemetry-bag"
    component: str = ""
    """Of a device that announced its model: the component that it names."""


_DECODED: Final = "telemetry-bag-decoded"
_SYSTEM: Final = "telemetry-system"

# How somebody logs in beside the plain way, with the rule that says that it is let in; by credential.
LOGINS: Final[Mapping[str, Mapping[str, str]]] = {
    "sas": {
        "fields": "login-fields",
        "escapes": "login-escapes",
        "secondary": "login-secondary",
        "newer": "login-username",
        "client-type": "login-username",
        "model": "login-username",
        "other-model": "login-username",
        "patient": "login-patient",
    },
    "thumbprint": {
        "secondary": "login-spare",
        "empty": "login-empty",
        "newer": "login-username",
        "model": "login-username",
        "other-model": "login-username",
        "patient": "login-patient",
    },
    "authority": {
        "secondary": "login-any-of-authority",
        "newer": "login-username",
        "patient": "login-patient",
    },
}
# Those that only an identity has that the registry made.
OF_REGISTRY: Final = frozenset({"secondary"})

# Which model a device announces by such a login. The two begin alike.
MODELS: Final[Mapping[str, str]] = {
    "model": "dtmi:com:example:Thermostat;1",
    "other-model": "dtmi:com:example:Thermostat:Outdoor;12",
}
# The name of a component in a bag, which says what the field means to a device of a model alone.
COMPONENT: Final = "$.sub"

# What a device writes behind its events topic. Sources: S28 to S30, and the facts' rows on bags.
BAGS: Final[Mapping[str, BagText]] = {
    "none": BagText("", rule="telemetry-bag-own"),
    "one": BagText("k=v", {"k": "v"}),
    "two": BagText("k=v&other=2", {"k": "v", "other": "2"}),
    "ten": BagText("&".join(f"p{n}={n}" for n in range(10)), {f"p{n}": str(n) for n in range(10)}),
    "words": BagText("n=007&t=true&z=null&f=1.0", {"n": "007", "t": "true", "z": "null", "f": "1.0"}),
    "alike": BagText("k=1&K=2&k1=3", {"k": "1", "K": "2", "k1": "3"}),
    "slash": BagText("k=v/", {"k": "v"}, rule="telemetry-slash"),
    "space": BagText("a=b%20c", {"a": "b c"}, rule=_DECODED),
    "plus": BagText("a=b%2Bc", {"a": "b+c"}, rule=_DECODED),
    "percent": BagText("a=%2525&b=%25", {"a": "%25", "b": "%"}, rule=_DECODED),
    "delimiters": BagText("a=%26x%3Dy%2Fz%3F%23", {"a": "&x=y/z?#"}, rule=_DECODED),
    "name": BagText("n%3Dm%26o=1", {"n=m&o": "1"}, rule=_DECODED),
    "lower": BagText("a=%c3%bc%2b", {"a": "ü+"}, rule=_DECODED),
    "utf-8": BagText("a=%C3%BC%E2%82%AC%F0%9F%90%9D", {"a": "ü€🐝"}, rule=_DECODED),
    "ids": BagText(
        "%24.mid=m-1&$.cid=c%201&k=v",
        {"k": "v"},
        {"message-id": "m-1", "correlation-id": "c 1"},
        _SYSTEM,
    ),
    "content": BagText(
        "$.ct=application%2Fjson&$.ce=utf-8",
        {},
        {"content-type": "application/json", "content-encoding": "utf-8"},
        _SYSTEM,
    ),
    "user": BagText("$.uid=somebody&k=v", {"k": "v"}, {"user-id": "somebody"}, _SYSTEM),
    "component": BagText("$.sub=thermostat1&k=v", {"k": "v"}, component="thermostat1"),
    "other-component": BagText("k=v&%24.sub=thermostat12", {"k": "v"}, component="thermostat12"),
}


@dataclass(frozen=True)
class Properties:
    """Properties of a message to a device: the application's, and those of the system by AMQP's names."""

    application: Mapping[str, str] = field(default_factory=dict)
    system: Mapping[str, str] = field(default_factory=dict)
    rule: str = "message-names"

    @property
    def bag(self) -> dict[str, str]:
        """Return them by the names that a device reads."""
        written = {"message_id": "$.mid", "correlation_id": "$.cid", "content_type": "$.ct"}
        return {**self.application, **{written[name]: value for name, value in self.system.items()}}


# What a back end sets on a message. Sources: S45 to S47; Microsoft's alphabet for properties.
PROPERTIES: Final[Mapping[str, Properties]] = {
    "none": Properties(),
    "one": Properties({"k": "v"}),
    "three": Properties({"k": "v", "K": "V", "k.1": "v-1"}),
    "words": Properties({"n": "007", "t": "true", "z": "null", "f": "1.0"}),
    "marks": Properties({"a!b": "#$%&'*+-.^_`|~"}, rule="message-encoding"),
    "escapes": Properties({"a": "%41%2525", "b%20": "+"}, rule="message-encoding"),
    "ids": Properties({"k": "v"}, {"message_id": "m-1", "correlation_id": "c-1"}),
    "content": Properties({}, {"content_type": "application/json"}),
}

# The property in which a device reads the id of a message.
MESSAGE_ID: Final = "$.mid"
# What the hub itself may add to a message's bag (S46, c2d.bag-contents).
OWN_PROPERTIES: Final = frozenset({"$.to", "$.exp", "iothub-ack"})


@dataclass(frozen=True)
class BadPatch:
    """A patch of reported properties that has to be refused, with which statuses and by which rule."""

    body: str
    least: int
    most: int
    rule: str


BAD_PATCHES: Final[Mapping[str, BadPatch]] = {
    "cut-off": BadPatch('{"a":1', 400, 400, "patch-malformed"),
    "no-value": BadPatch('{"a":', 400, 400, "patch-malformed"),
    "bare-word": BadPatch("a", 400, 400, "patch-malformed"),
    "brace": BadPatch("}", 400, 400, "patch-malformed"),
    "reserved": BadPatch('{"good":1,"$bad":2}', 400, 599, "patch-reserved"),
    "reserved-inside": BadPatch('{"good":1,"o":{"$bad":2}}', 400, 599, "patch-reserved"),
    "own-version": BadPatch('{"good":1,"$version":7}', 400, 599, "patch-reserved"),
    "dot": BadPatch('{"good":1,"b.d":2}', 400, 499, "patch-illegal"),
    "space": BadPatch('{"good":1,"o":{"b d":2}}', 400, 499, "patch-illegal"),
    "control": BadPatch('{"good":1,"b\\u0001d":2}', 400, 499, "patch-illegal"),
    "dollar": BadPatch('{"good":1,"b$d":2}', 400, 499, "patch-illegal"),
    "large": BadPatch('{"good":1,"i":4503599627370497}', 400, 499, "patch-integer"),
    "small": BadPatch('{"good":1,"i":-4503599627370497}', 400, 499, "patch-integer"),
    "long-string": BadPatch('{"good":1,"s":"' + "x" * 4200 + '"}', 400, 499, "patch-limits"),
    "long-name": BadPatch('{"good":1,"' + "n" * 1100 + '":1}', 400, 499, "patch-limits"),
    "deep": BadPatch('{"good":1,"o":' + '{"o":' * 12 + "1" + "}" * 13, 400, 499, "patch-limits"),
}

# Changes of desired properties that the service has to refuse.
BAD_CHANGES: Final[Mapping[str, Mapping[str, object]]] = {
    "reserved": {"good": 1, "$bad": 2},
    "dot": {"good": 1, "b.d": 2},
    "dollar": {"good": 1, "o": {"b$d": 2}},
}

# Filters that are not documented for who subscribes; {own} and {other} are paths. True: it may bring its own.
STRAYS: Final[Mapping[str, tuple[str, bool]]] = {
    "other": ("devices/{other}/messages/devicebound/#", False),
    "other-events": ("devices/{other}/messages/events/#", False),
    "own-events": ("devices/{own}/messages/events/#", False),
    "reported": ("$iothub/twin/PATCH/properties/reported/#", False),
    "responses": ("$iothub/methods/res/#", False),
    "everything": ("#", True),
    "any-device": ("devices/+/messages/devicebound/#", True),
    "one-level": ("devices/{own}/messages/devicebound/+", True),
}

# What no client may send, and the rule that says what comes of it. Packets as bytes, but for those that need
# a topic or a CONNECT of the device's own.
BREAKS: Final[Mapping[str, tuple[bytes, str]]] = {
    "hash-in-topic": (b"", "errors-close"),
    "plus-in-topic": (b"", "errors-close"),
    "qos-3": (b"", "errors-close"),
    "second-connect": (b"", "second-connect-closes"),
    "subscribe-flags": (b"\x80\x06\x00\x01\x00\x01a\x00", "malformed-closes"),
    "subscribe-nothing": (b"\x82\x02\x00\x01", "malformed-closes"),
    "unsubscribe-flags": (b"\xa0\x05\x00\x01\x00\x01a", "malformed-closes"),
    "unsubscribe-nothing": (b"\xa2\x02\x00\x01", "malformed-closes"),
    "ping-flags": (b"\xc1\x00", "malformed-closes"),
    "length-of-five": (b"\x30\xff\xff\xff\xff\x01", "malformed-closes"),
    "connack": (b"\x20\x02\x00\x00", "malformed-closes"),
    "suback": (b"\x90\x03\x00\x01\x00", "malformed-closes"),
    "unknown-type": (b"\xf0\x00", "malformed-closes"),
}
