"""What must hold of every packet that any device sends, whatever a case is about.

Pure: packets go in, breaches come out. One `DeviceWatch` belongs to a device in a case, over all of its
connections: what was not acknowledged on one may be sent again on the next. A breach worsens its own clause
(section *device-watch*), not the case during which it was seen.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from conformance.evidence.describe import cut, describe, word
from conformance.evidence.watch import LONGEST_MESSAGE, Breach, Judgement
from conformance.mqtt.packets import (
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unreadable,
    Unsuback,
    Unsubscribe,
)
from conformance.target.credentials import Secret

READABLE: Final = "device-watch.readable"
CONNECT_FIRST: Final = "device-watch.connect-first"
CLIENT_ONLY: Final = "device-watch.client-only"
QOS: Final = "device-watch.qos"
DUP_AT_QOS_0: Final = "device-watch.dup-at-qos-0"
DUP: Final = "device-watch.dup"
PACKET_IDS: Final = "device-watch.packet-ids"
ACKNOWLEDGED: Final = "device-watch.acknowledges"
TOPICS: Final = "device-watch.topics"
FILTERS: Final = "device-watch.filters"
FIVE_FILTERS: Final = "device-watch.five-filters"
DISCONNECT: Final = "device-watch.disconnect-last"
SECRETS: Final = "device-watch.secrets"
SIZE: Final = "device-watch.size"

# "A device can subscribe to five topics at a time" (the page of today).
MOST_FILTERS: Final = 5
# "Device-to-cloud messaging: maximum message size 256 KB" (Microsoft's page on quotas).
LARGEST: Final = 256 * 1024
# What only a server sends, and what only QoS 2 asks for.
_OF_A_SERVER: Final = (Connack, Suback, Unsuback, Pingresp)
_OF_QOS_2: Final = (Pubrec, Pubrel, Pubcomp)
_TWIN: Final = re.compile(r"\$iothub/twin/(GET|PATCH/properties/reported)/\?\$rid=.*", re.DOTALL)
_METHOD: Final = re.compile(r"\$iothub/methods/res/-?[0-9]+/\?\$rid=.+", re.DOTALL)
_FILTERS: Final = frozenset(
    {
        "$iothub/twin/res/#",
        "$iothub/twin/PATCH/properties/desired/#",
        "$iothub/methods/POST/#",
    }
)

# (clause, observed, complaint); an empty complaint is none.
_Findings = Iterator[tuple[str, str, str]]


@dataclass(slots=True)
class _Connection:
    """What one connection has seen so far."""

    sent: int = 0
    is_over: bool = False
    used: set[int] = field(default_factory=set)
    to_acknowledge: list[int] = field(default_factory=list)
    filters: set[str] = field(default_factory=set)


class DeviceWatch:
    """The watch over one device; `path` is its place in topics, `keys` what it must not give away."""

    def __init__(self, path: str, keys: tuple[Secret, ...] = ()) -> None:
        self._events = f"devices/{path}/messages/events/"
        self._filters = _FILTERS | {
            f"devices/{path}/messages/devicebound/#",
            *({f"devices/{path}/#"} if "/modules/" in path else ()),
        }
        self._keys = tuple(key.reveal() for key in keys)
        self._connections: dict[str, _Connection] = {}
        # Messages that the hub has not acknowledged yet, by packet id; they outlive a connection.
        self._in_flight: dict[int, tuple[str, bytes]] = {}

    def received(self, connection: str, packet: Packet) -> None:
        """Take note of a packet that the device got, from whoever."""
        own = self._of(connection)
        match packet:
            case Puback(packet_id) | Pubcomp(packet_id):
                self._in_flight.pop(packet_id, None)
                own.used.discard(packet_id)
            case Suback(packet_id) | Unsuback(packet_id):
                own.used.discard(packet_id)
            case Publish(qos=1, packet_id=packet_id):
                own.to_acknowledge.append(packet_id)
            case Connack(session_present=0, code=0):
                own.filters.clear()
            case _:
                pass

    def sent(self, connection: str, packet: Packet) -> Judgement:
        """Judge a packet that the device sent."""
        own, judgement = self._of(connection), Judgement()
        rules = (self._order, self._kind, self._publish, self._ids, self._subscribe, self._secrets)
        for rule in rules:
            for clause, observed, complaint in rule(own, packet):
                if clause not in judgement.clauses:
                    judgement.clauses.append(clause)
                if complaint:
                    message = cut(f"{complaint}: {' '.join(describe(packet).split())}", LONGEST_MESSAGE)
                    judgement.breaches.append(Breach(clause, message, observed))
        own.sent += 1
        own.is_over = own.is_over or isinstance(packet, Disconnect)
        return judgement

    def _of(self, connection: str) -> _Connection:
        return self._connections.setdefault(connection, _Connection())

    def _order(self, own: _Connection, packet: Packet) -> _Findings:
        # [MQTT-3.1.0-1]: the first packet is a CONNECT. [MQTT-3.1.0-2]: there is one alone.
        is_connect = isinstance(packet, Connect)
        if own.sent == 0:
            yield CONNECT_FIRST, word(packet), "" if is_connect else "the first packet is no CONNECT"
        elif is_connect:
            yield CONNECT_FIRST, "connect again", "a second CONNECT on one connection"
        # [MQTT-3.14.4-2]: nothing comes behind DISCONNECT.
        if isinstance(packet, Disconnect):
            yield DISCONNECT, "disconnect", ""
        elif own.is_over:
            yield DISCONNECT, word(packet), "a packet behind DISCONNECT"

    def _kind(self, own: _Connection, packet: Packet) -> _Findings:  # noqa: ARG002 - a rule's
        reason = packet.reason if isinstance(packet, Unreadable) else ""
        yield READABLE, "unreadable", f"bytes that are no MQTT packet ({reason})" if reason else ""
        of_server = isinstance(packet, _OF_A_SERVER)
        yield CLIENT_ONLY, word(packet), "a packet that only a server sends" if of_server else ""
        if isinstance(packet, _OF_QOS_2):
            yield QOS, word(packet), "a packet of QoS 2, which the hub does not speak"

    def _publish(self, own: _Connection, packet: Packet) -> _Findings:
        if isinstance(packet, Puback):
            # [MQTT-2.3.1-6]: it carries the id of what it acknowledges.
            waits = packet.packet_id in own.to_acknowledge
            yield ACKNOWLEDGED, "puback", "" if waits else "no message with this packet id waits for it"
            if waits:
                own.to_acknowledge.remove(packet.packet_id)
        if not isinstance(packet, Publish):
            return
        above = packet.qos > 1
        yield QOS, f"qos {packet.qos}", "a message of QoS 2, on which the hub closes" if above else ""
        # [MQTT-3.3.1-2]
        yield DUP_AT_QOS_0, "dup", "DUP at QoS 0" if packet.dup and not packet.qos else ""
        if packet.qos:
            # [MQTT-3.3.1-1]: DUP is 0 where a message is sent for the first time, 1 where it is sent again.
            known = self._in_flight.get(packet.packet_id) == (packet.topic, packet.payload)
            wrong = packet.dup and not known
            yield DUP, "dup", "DUP on a message that was not sent before" if wrong else ""
            self._in_flight[packet.packet_id] = packet.topic, packet.payload
        large = len(packet.topic.encode("utf-8", "replace")) + len(packet.payload) > LARGEST
        yield SIZE, "publish", "a message of more than 256 KB" if large else ""
        known_topic = (
            packet.topic.startswith((self._events, self._events.rstrip("/")))
            and packet.topic[len(self._events) - 1 : len(self._events)] in {"", "/"}
        ) or bool(_TWIN.fullmatch(packet.topic) or _METHOD.fullmatch(packet.topic))
        has_wildcard = "#" in packet.topic or "+" in packet.topic
        is_right = known_topic and not has_wildcard
        yield TOPICS, "publish", "" if is_right else "a topic that the document does not give this device"

    def _ids(self, own: _Connection, packet: Packet) -> _Findings:
        if not isinstance(packet, Subscribe | Unsubscribe | Publish):
            return
        if isinstance(packet, Publish) and not packet.qos:
            return
        packet_id = packet.packet_id
        if packet_id == 0:
            # [MQTT-2.3.1-1]
            yield PACKET_IDS, word(packet), "a packet id of 0"
            return
        is_again = isinstance(packet, Publish) and packet.dup
        reused = packet_id in own.used and not is_again
        # [MQTT-2.3.1-2], [MQTT-2.3.1-3]: not one that is in use.
        yield PACKET_IDS, word(packet), "a packet id that waits for its acknowledgement" if reused else ""
        own.used.add(packet_id)

    def _subscribe(self, own: _Connection, packet: Packet) -> _Findings:
        if isinstance(packet, Unsubscribe):
            own.filters.difference_update(packet.filters)
        if not isinstance(packet, Subscribe):
            return
        own.filters.update(item for item, _ in packet.filters)
        unknown = [item for item, _ in packet.filters if item not in self._filters]
        yield FILTERS, "subscribe", f"no filter that the page names: {unknown[0]}" if unknown else ""
        many = len(own.filters) > MOST_FILTERS
        yield FIVE_FILTERS, "subscribe", f"{len(own.filters)} filters at a time" if many else ""

    def _secrets(self, own: _Connection, packet: Packet) -> _Findings:  # noqa: ARG002 - a rule's
        match packet:
            case Connect(client_id=client_id, username=username, will=will, has_password=True):
                texts = [client_id, username or ""]
                texts += [] if will is None else [will.topic, will.payload.decode("latin-1")]
            case Publish(topic=topic, payload=payload):
                texts = [topic, payload.decode("latin-1")]
            case Subscribe(filters=filters):
                texts = [item for item, _ in filters]
            case _:
                return
        told = any(key in text or "SharedAccessSignature" in text for text in texts for key in self._keys)
        yield SECRETS, word(packet), "a key, or a token, outside the Password" if told else ""
