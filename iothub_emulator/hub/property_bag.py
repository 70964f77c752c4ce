"""The property bag behind an events topic: `name=value` pairs, percent-encoded, joined by `&`."""

from dataclasses import dataclass, field
from urllib.parse import unquote

# By the names that SDKs write (azure-iot-sdk-csharp, MQTT adapter), what Microsoft's page on messages and the
# SDKs' own AMQP call them. `$.cdid` and `$.cmid` are not here: who sent a message is not the sender's to say.
_SYSTEM_NAMES = {
    "$.mid": "message-id",
    "$.cid": "correlation-id",
    "$.uid": "user-id",
    "$.ct": "content-type",
    "$.ce": "content-encoding",
    "$.to": "to",
    "$.exp": "absolute-expiry-time",
    "$.sub": "dt-subject",
    "$.on": "iothub-outputname",
    "$.ifid": "iothub-interface-id",
    "$.schema": "iothub-message-schema",
    "iothub-message-schema": "iothub-message-schema",
    "$.diagid": "iothub-diag-id",
    "$.diagctx": "diag-correlation-context",
}
_APPLICATION_NAMES = {"$.ctime": "iothub-creation-time-utc"}


class BagRefused(Exception):  # noqa: N818 - an answer, not a malfunction
    """A bag that no parser of the hub's makes sense of."""


@dataclass(slots=True)
class Bag:
    """Decoded properties: the sender's own, and the system's by their Event Hubs names."""

    properties: dict[str, str] = field(default_factory=dict)
    system: dict[str, str] = field(default_factory=dict)


class PropertyBagRules:
    """Each decision about a bag."""

    def parse(self, text: str) -> Bag:
        """bag.properties, bag.not-shared: return the properties, or raise `BagRefused`."""
        bag = Bag()
        for raw_name, raw_value in self.pairs(text) if text else ():
            name = self.decode(raw_name)
            value = self.missing_value() if raw_value is None else self.decode(raw_value)
            system_name = self.system_name(name)
            if system_name is not None:
                self.add(bag.system, system_name, value)
            else:
                self.add(bag.properties, self.application_name(name), value)
        return bag

    def pairs(self, text: str) -> list[tuple[str, str | None]]:
        """bag.raw-delimiters: split at `&` and `=`; None is the value of a name without `=`.

        A second `=` in a pair, an empty pair or an empty name ends the connection, as was seen character by
        character on a hub (azure-iot-sdk-c issue 1695). A leading `?` belongs to the first name (issue
        sdk-nrf 5906).
        """
        pairs: list[tuple[str, str | None]] = []
        for pair in text.split("&"):
            name, equals, value = pair.partition("=")
            if not name or "=" in value:
                raise BagRefused("bag.raw-delimiters")
            pairs.append((name, value if equals else None))
        return pairs

    def decode(self, text: str) -> str:
        """bag.encoding, bag.bad-escape: percent-decode once; `+` is a plus, and what is no escape stays."""
        return unquote(text)

    def missing_value(self) -> str:
        """bag.no-value: a name without `=` reaches the back end as the empty string (Tasmota issue 11771)."""
        return ""

    def add(self, properties: dict[str, str], name: str, value: str) -> None:
        """bag.duplicates: the last of a name wins."""
        properties[name] = value

    def system_name(self, name: str) -> str | None:
        """bag.system-properties, bag.more-system-properties, d2c.component: its name among Event Hubs'.

        None for any other name. Of `iothub-message-schema` speaks azure-iot-sdk-csharp issue 1953 alone.
        """
        return _SYSTEM_NAMES.get(name)

    def application_name(self, name: str) -> str:
        """bag.creation-time, bag.unknown-system: creation time is renamed, the rest keeps its name."""
        return _APPLICATION_NAMES.get(name, name)
