"""The live MQTT port under any bytes: documented answers and the close come out, others stay served."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_hub import live_hub
from mqtt_bytes import PINGREQ, PINGRESP, client_bytes
from test_mqtt_any_bytes import chunked, packets

ANSWERS = {
    b"\x20\x02\x00\x00": "CONNACK",
    b"\x20\x02\x01\x00": "CONNACK",
    b"\x20\x02\x00\x05": "refused",
    b"\x20\x02\x00\x01": "refused",
    PINGRESP: "PINGRESP",
}


@pytest.fixture(scope="module")
def hub():
    with live_hub() as hub, hub.connected("device-2") as bystander:
        yield hub, bystander


def answers(data):
    """Split what the hub sent into packets; none but a server's may be there."""
    found = []
    while data:
        length = 2 + data[1]
        first, packet, data = data[0], data[:length], data[length:]
        assert len(packet) == length
        assert packet in ANSWERS or first in {0x40, 0x90, 0xB0}
        found.append(ANSWERS.get(packet, hex(first)))
    return found


def send_and_read(hub, chunks):
    """Send the chunks, end the stream's sending half, and return all that comes back."""
    with contextlib.closing(hub.open()) as client:
        with contextlib.suppress(OSError):
            for chunk in chunks:
                client.send(chunk)
            client.end()
        return client.read_to_the_end()


def still_served(bystander):
    bystander.send(PINGREQ)
    assert bystander.read(2) == PINGRESP


live = settings(max_examples=60)


@live
@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=3))
def test_random_bytes(hub, data, cuts):
    hub, bystander = hub
    assert answers(send_and_read(hub, chunked(data, cuts))) == []
    still_served(bystander)


@live
@given(st.lists(packets, max_size=5), st.lists(st.integers(0, 3000), max_size=3))
def test_any_packets_before_connect(hub, sent, cuts):
    """Only a CONNECT gets an answer, and with these credentials a refusal; nothing follows it."""
    hub, bystander = hub
    data = b"".join(client_bytes(packet) for packet in sent)
    assert answers(send_and_read(hub, chunked(data, cuts))) in ([], ["refused"])
    still_served(bystander)


@live
@given(
    st.lists(packets, max_size=5),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=4),
    st.lists(st.integers(0, 3000), max_size=3),
)
def test_any_packets_after_connect(hub, sent, changes, cuts):
    """Valid and damaged packets of an accepted client."""
    hub, bystander = hub
    data = bytearray(b"".join(client_bytes(packet) for packet in sent))
    for place, value in changes if data else ():
        data[place % len(data)] = value
    connect = client_bytes(hub.connect_packet())
    found = answers(send_and_read(hub, [connect, *chunked(bytes(data), cuts)]))
    assert found[0] == "CONNACK"
    assert "CONNACK" not in found[1:]
    assert "refused" not in found
    still_served(bystander)
