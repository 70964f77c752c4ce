"""The watch: what must hold of every packet that any hub sends on any connection, whatever a case is about.

Pure: packets go in, breaches come out. One `Watch` belongs to a case, one `ConnectionWatch` to a connection.
A breach worsens its own clause (section *watch*), not the case during which it was seen. A clause that never
had a packet to judge was not tested: `Watch.sightings` counts the packets that each clause judged.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from conformance.evidence.describe import cut, describe, word
from conformance.mqtt.packets import (
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
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
from conformance.mqtt.topics import Devicebound, TwinAnswer, echoes, matches, parse

IDS: Final = "watch.ids"
PACKET_IDS: Final = "watch.packet-ids"
CONNACK: Final = "watch.connack"
SERVER_ONLY: Final = "watch.server-only"
QOS: Final = "watch.qos"
FLAGS: Final = "watch.flags"
TOPICS: Final = "watch.topics"
IDENTITY: Final = "watch.identity"
# Judged by a look at other devices, not by packets (`run/neighbours.py`).
OTHERS: Final = "watch.others"

REQUEST_ID: Final = "watch.request-id"
TWIN_STATUS: Final = "watch.twin-status"
TWIN_STATUS_KNOWN: Final = "watch.twin-status-known"

CLAUSES: Final = (
    *(TWIN_STATUS, TWIN_STATUS_KNOWN, TOPICS, REQUEST_ID, QOS),
    *(FLAGS, IDS, PACKET_IDS, CONNACK, SERVER_ONLY, IDENTITY),
)

# A case tells in so many words how one clause was broken; all further ways have one word in common.
MOST_WORDS: Final = 20
MORE_WORDS: Final = "still other words"
# A topic has up to 64 KB, and a status in it may be anything.
LONGEST_MESSAGE: Final = 1000
LONGEST_WORD: Final = 80

MQTT_5: Final = 5
SUBSCRIPTION_FAILED: Final = 128


@dataclass(frozen=True, slots=True)
class Breach:
    """How packets break a watch clause: the first of them in a sentence, the way as a short stable word.

    `count` says how many there were. One that `rests_on_time`, on something that did not come within a time,
    says nothing where the suite itself was held up.
    """

    clause: str
    message: str
    observed: str
    count: int = 1
    rests_on_time: bool = False


class Watch:
    """All breaches and sightings of one case; its connections may be judged in any thread.

    Breaches of one clause with the same word are one, with their number: a flood takes no more room than a
    packet.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._breaches: dict[tuple[str, str], Breach] = {}
        self._words: Counter[str] = Counter()
        self._sightings: Counter[str] = Counter()

    @property
    def breaches(self) -> tuple[Breach, ...]:
        """Every way in which a clause was broken, in the order in which each was seen first."""
        with self._lock:
            return tuple(self._breaches.values())

    @property
    def sightings(self) -> dict[str, int]:
        """How many packets each clause judged; a clause that judged none is missing."""
        with self._lock:
            return dict(self._sightings)

    def forget_what_rests_on_time(self) -> None:
        """Drop the breaches that say nothing, because the suite was held up."""
        with self._lock:
            kept = {key: each for key, each in self._breaches.items() if not each.rests_on_time}
            self._breaches = kept

    def note(self, judged: "Judgement") -> None:
        """Add what a connection's watch made of one packet."""
        with self._lock:
            self._sightings.update(judged.clauses)
            for breach in judged.breaches:
                self._note(breach)

    def _note(self, breach: Breach) -> None:
        before = self._breaches.get((breach.clause, breach.observed))
        if before is None and self._words[breach.clause] >= MOST_WORDS:
            breach = replace(breach, observed=MORE_WORDS)
            before = self._breaches.get((breach.clause, MORE_WORDS))
        if before is None:
            self._words[breach.clause] += 1
            self._breaches[breach.clause, breach.observed] = breach
        else:
            again = replace(before, count=before.count + breach.count)
            self._breaches[breach.clause, breach.observed] = again


@dataclass(slots=True)
class Judgement:
    """Which clauses judged a packet, and what they found."""

    clauses: list[str] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)


@dataclass(slots=True)
class ConnectionWatch:
    """What one connection has seen so far, as far as the rules need it; it belongs to `device_id`.

    `device_id` is ``{device}``, or ``{device}/{module}``.
    """

    device_id: str
    _level: int = 4
    _received: int = 0
    _refused: str = ""
    _session_present: bool = False
    _unread: bool = False
    _awaited: Counter[tuple[type[Packet], int]] = field(default_factory=Counter)
    _asked: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _granted: dict[str, int] = field(default_factory=dict)
    _in_flight: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    _requests: list[frozenset[str]] = field(default_factory=list)

    def sent(self, packet: Packet) -> None:
        """Take note of a packet that the device sent."""
        match packet:
            case Connect(level=level):
                self._level = level
            case Publish(topic=topic, qos=qos, packet_id=packet_id):
                if qos:
                    self._awaited[Puback, packet_id] += 1
                request = echoes(topic)
                if request is not None:
                    self._requests.append(request)
            case Subscribe(packet_id, filters):
                self._awaited[Suback, packet_id] += 1
                self._asked[packet_id] = tuple(item for item, _ in filters)
            case Unsubscribe(packet_id, filters):
                self._awaited[Unsuback, packet_id] += 1
                for item in filters:
                    self._granted.pop(item, None)
            case Puback(packet_id) | Pubcomp(packet_id):
                self._in_flight.pop(packet_id, None)
            case Unreadable():
                # A packet broken on purpose: which ids the hub read in it, nobody can say.
                self._unread = True
            case _:
                pass

    def received(self, packet: Packet) -> Judgement:
        """Judge a packet that the hub sent."""
        judgement = Judgement()
        rules = (self._connack, self._server_only, self._ids, self._qos, self._flags, self._topics)
        for rule in rules:
            for clause, observed, complaint in rule(packet):
                if clause not in judgement.clauses:
                    judgement.clauses.append(clause)
                if complaint:
                    what = " ".join(describe(packet).split())
                    to = f", to {self.device_id}" if isinstance(packet, Publish) else ""
                    message = cut(f"{complaint}: {what}", LONGEST_MESSAGE) + to
                    judgement.breaches.append(Breach(clause, message, cut(observed, LONGEST_WORD)))
        self._received += 1
        return judgement

    # Each rule yields (clause, observed, complaint) for a packet that it judges; an empty complaint is none.

    def _connack(self, packet: Packet) -> "_Findings":
        # [MQTT-3.2.0-1]: the first packet is a CONNACK. [MQTT-3.2.2-5]: after a refusal, the end.
        first, is_connack = self._received == 0, isinstance(packet, Connack)
        complaint = ""
        if first and not is_connack:
            complaint = "the hub's first packet is not a CONNACK"
        elif is_connack and not first:
            complaint = "a CONNACK that is not the hub's first packet"
        elif self._refused:
            complaint = f"the hub sends more after its {self._refused}"
        elif isinstance(packet, Connack) and packet.properties is not None and self._level < MQTT_5:
            complaint = "a CONNACK longer than MQTT 3.1.1 has it"
        yield CONNACK, word(packet), complaint
        if isinstance(packet, Connack):
            self._session_present = packet.session_present != 0
            self._refused = self._refused or (word(packet) if packet.code else "")

    def _server_only(self, packet: Packet) -> "_Findings":
        complaint = ""
        match packet:
            case Unreadable():
                complaint = "the hub sends bytes that are no MQTT packet"
            case Connect() | Subscribe() | Unsubscribe() | Pingreq():
                complaint = "a packet that only a client sends"
            case Disconnect() if self._level < MQTT_5:
                complaint = "a packet that only a client sends"
            case _:
                pass
        yield SERVER_ONLY, word(packet), complaint

    def _ids(self, packet: Packet) -> "_Findings":
        # [MQTT-2.3.1-6], [MQTT-2.3.1-7]: an acknowledgement carries the id of what it acknowledges.
        match packet:
            case Puback(packet_id) | Suback(packet_id) | Unsuback(packet_id):
                waiting = (type(packet), packet_id)
                if self._awaited[waiting]:
                    self._awaited[waiting] -= 1
                    yield IDS, word(packet), ""
                elif not self._unread:
                    yield IDS, word(packet), f"packet id {packet_id} waits for no such acknowledgement"
            case Publish(qos=1 | 2, packet_id=0):
                # [MQTT-2.3.1-1]
                yield PACKET_IDS, "publish", "a packet id of 0"
            case Publish(topic, payload, qos=1 | 2, packet_id=packet_id, dup=dup):
                # [MQTT-2.3.1-4]: an id in use is not used for another packet. The same message once more is
                # a resend; whether it has DUP is c2d.redelivered-same-connection's affair.
                same = self._in_flight.get(packet_id, (topic, payload)) == (topic, payload)
                reused = not same and not dup
                yield (
                    PACKET_IDS,
                    "publish",
                    f"packet id {packet_id} is still unacknowledged" if reused else "",
                )
                self._in_flight[packet_id] = topic, payload
            case _:
                pass

    def _qos(self, packet: Packet) -> "_Findings":
        match packet:
            case Pubrec() | Pubrel() | Pubcomp():
                yield QOS, word(packet), "a packet of QoS 2, which the hub does not speak"
            case Puback():
                yield QOS, "puback", ""
            case Suback(packet_id, codes):
                granted = zip(self._asked.pop(packet_id, ()), codes, strict=False)
                self._granted |= {item: code for item, code in granted if code != SUBSCRIPTION_FAILED}
            case Publish(topic=topic, qos=qos):
                # [MQTT-3.8.4-6]: at most what was granted; an old session's subscriptions are not known here.
                ceilings = [code for item, code in self._granted.items() if matches(item, topic)]
                if ceilings and not self._session_present:
                    above = qos > max(ceilings)
                    yield QOS, f"qos {qos}", f"delivered above QoS {max(ceilings)}" if above else ""
            case _:
                pass

    def _flags(self, packet: Packet) -> "_Findings":
        if isinstance(packet, Publish):
            # [MQTT-3.3.1-9]: RETAIN 0 on live messages. [MQTT-3.3.1-2]: DUP 0 at QoS 0.
            yield (
                FLAGS,
                "retain",
                "RETAIN on a message of a hub, which retains nothing" if packet.retain else "",
            )
            yield FLAGS, "dup", "DUP at QoS 0" if packet.dup and packet.qos == 0 else ""

    def _topics(self, packet: Packet) -> "_Findings":
        if not isinstance(packet, Publish):
            return
        topic = parse(packet.topic)
        yield TOPICS, "publish", "a topic that the document does not know" if topic is None else ""
        match topic:
            case Devicebound(addressees=addressees):
                others = [name for name in addressees if name != self.device_id]
                yield (
                    IDENTITY,
                    "publish",
                    f"a message for {others[0]} on a connection of {self.device_id}" if others else "",
                )
            case TwinAnswer():
                yield from self._twin_answer(topic)
            case None if packet.topic.startswith("devices/"):
                # Whatever it is, it speaks of a device, and it may be another one.
                owner = packet.topic.split("/")[1]
                foreign = owner != self.device_id.partition("/")[0]
                yield IDENTITY, "publish", f"a message about {owner} for {self.device_id}" if foreign else ""
            case _:
                pass

    def _twin_answer(self, answer: TwinAnswer) -> "_Findings":
        status = f"status {answer.status}"
        yield TWIN_STATUS, status, "" if answer.is_whole_number else "a twin status that is no whole number"
        yield (
            TWIN_STATUS_KNOWN,
            status,
            "" if answer.is_known else f"{status} is none of those that the document names",
        )
        asked = next((request for request in self._requests if answer.request_id in request), None)
        if asked is not None:
            self._requests.remove(asked)
            yield REQUEST_ID, "publish", ""
        elif not self._unread:
            yield REQUEST_ID, "publish", f"no request with id {answer.request_id!r} waits for an answer"


_Findings = Iterator[tuple[str, str, str]]
