"""Whatever bytes come, the decoder yields packets or one `Malformed`, and nothing else."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from mqtt_bytes import client_bytes

from iothub_emulator.hub.packets import (
    Connect,
    Disconnect,
    Pingreq,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Subscribe,
    Unsubscribe,
    Will,
)
from iothub_emulator.mqtt.decoder import Decoder
from iothub_emulator.mqtt.rules import CodecRules, Malformed
from iothub_emulator.settings import Settings

ids = st.integers(1, 65535)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
topics = texts.filter(lambda text: text and "+" not in text and "#" not in text)
filters = st.lists(st.sampled_from(["#", "+", "a", "$iothub", "\u00e9"]), min_size=1, max_size=4).map(
    lambda levels: "/".join(level for level in levels if level != "#") + ("/#" if "#" in levels else "")
).filter(bool)  # fmt: skip
bodies = st.binary(max_size=300)
wills = st.builds(Will, topics, bodies, st.integers(0, 2), st.booleans())


def connects():
    def build(clean_session, keep_alive, client_id, will, credentials):
        username, password = credentials
        return Connect("MQTT", 4, clean_session, keep_alive, client_id, will, username, password)

    credentials = st.one_of(
        st.just((None, None)), st.tuples(texts, st.none()), st.tuples(texts, st.binary(max_size=40))
    )
    return st.builds(build, st.booleans(), st.integers(0, 65535), texts, st.none() | wills, credentials)


def publishes():
    def build(topic, body, qos, retain, dup, packet_id):
        return Publish(topic, body, qos, retain, dup and qos > 0, packet_id if qos else 0)

    return st.builds(build, topics, bodies, st.integers(0, 2), st.booleans(), st.booleans(), ids)


packets = st.one_of(
    connects(),
    publishes(),
    st.builds(Puback, ids),
    st.builds(Pubrec, ids),
    st.builds(Pubrel, ids),
    st.builds(Pubcomp, ids),
    st.builds(
        Subscribe, ids, st.lists(st.tuples(filters, st.integers(0, 2)), min_size=1, max_size=5).map(tuple)
    ),
    st.builds(Unsubscribe, ids, st.lists(filters, min_size=1, max_size=5).map(tuple)),
    st.just(Pingreq()),
    st.just(Disconnect()),
)


def chunked(data, cuts):
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(edges)]


def read(chunks):
    """Return the packets, and the number of the rule that ended them."""
    decoder = Decoder(CodecRules(Settings()))
    read = []
    for number, chunk in enumerate(chunks):
        decoder.feed(chunk)
        try:
            read.extend(decoder.packets())
        except Malformed as malformed:
            because = str(malformed)
            for later in chunks[number + 1 :]:
                decoder.feed(later)
                assert list(decoder.packets()) == []
            return read, because.partition("]")[0]
    return read, None


@given(st.lists(packets, max_size=6), st.lists(st.integers(0, 5000), max_size=12))
def test_packets_survive_any_chunking(sent, cuts):
    """What was written is what is read, wherever the stream was cut."""
    data = b"".join(client_bytes(packet) for packet in sent)
    assert read(chunked(data, cuts)) == (sent, None)


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_random_bytes_raise_nothing_else(data, cuts):
    """Random bytes, and the same result however they are cut."""
    assert read(chunked(data, cuts)) == read([data])


@given(
    st.lists(packets, min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 30),
)
def test_mutated_packets_raise_nothing_else(sent, changes, cut):
    """Valid packets with bytes changed and some of the end missing."""
    data = bytearray(b"".join(client_bytes(packet) for packet in sent))
    for place, value in changes:
        data[place % len(data)] = value
    _, rule = read([bytes(data[: len(data) - cut])])
    assert rule is None or rule.startswith("[MQTT-")
