"""The WebSocket port under any bytes: a server's frames and a close come out; others stay served."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_hub import live_hub
from mqtt_bytes import PINGREQ, PINGRESP, client_bytes
from test_mqtt_any_bytes import chunked
from websocket_client import BINARY, CLOSE, DEVICE_PATH, PONG, binary, connected, frame, open_tls, request

from iothub_emulator.net.rules import WEBSOCKET_PATHS


@pytest.fixture(scope="module")
def hub():
    with live_hub() as hub, connected(hub, "device-2") as bystander:
        yield hub, bystander


live = settings(max_examples=50)

frames = st.builds(
    frame,
    st.integers(0, 15),
    st.binary(max_size=150),
    final=st.booleans(),
    mask=st.none() | st.just(b"\x01\x02\x03\x04"),
    reserved=st.sampled_from([0, 0, 0, 4]),
)


def still_served(bystander):
    bystander.send(binary(PINGREQ))
    assert bystander.read_frame() == (BINARY, PINGRESP)


def answers(data):
    """Split what came into frames; each is whole and a server's, and nothing follows a Close frame."""
    found = []
    while data:
        first, size, data = data[0], data[1], data[2:]
        assert first & 0xF0 == 0x80
        assert size < 126
        assert len(data) >= size
        found.append((first & 0x0F, data[:size]))
        data = data[size:]
    opcodes = [opcode for opcode, _ in found]
    assert set(opcodes) <= {BINARY, PONG, CLOSE}
    assert CLOSE not in opcodes[:-1]
    return found


def exchange(hub, chunks):
    """Upgrade, send the chunks, end the sending half, and return all frames that come back."""
    with contextlib.closing(open_tls(hub)) as client:
        client.send(request())
        assert client.read_head()[0] == 101
        with contextlib.suppress(OSError):
            for chunk in chunks:
                client.send(chunk)
            client.end()
        return answers(client.read_to_the_end())


@live
@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=3))
def test_random_bytes_behind_the_upgrade(hub, data, cuts):
    hub, bystander = hub
    found = exchange(hub, chunked(data, cuts))
    assert all(payload == b"" or opcode != BINARY for opcode, payload in found)
    still_served(bystander)


@live
@given(
    st.lists(frames, max_size=6), st.lists(st.integers(0, 3000), max_size=3), st.lists(st.integers(0, 2000))
)
def test_any_frames_behind_connect(hub, sent, cuts, damage):
    """Valid and damaged frames of a client that was accepted."""
    hub, bystander = hub
    data = bytearray(b"".join(sent))
    for place in damage if data else ():
        data[place % len(data)] ^= 1 << place % 8
    connect = frame(BINARY, client_bytes(hub.connect_packet()))
    found = exchange(hub, [connect, *chunked(bytes(data), cuts)])
    assert found[0] == (BINARY, b"\x20\x02\x00\x00")
    still_served(bystander)


header_text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@live
@given(
    path=st.sampled_from([*WEBSOCKET_PATHS, f"{DEVICE_PATH}?", f"{DEVICE_PATH}/", "/$iothub", "/%ff"]),
    method=st.sampled_from(["GET", "POST", "CONNECT", "get", "X"]),
    version=st.sampled_from(["1.1", "1.0", "2.0", "1.x"]),
    headers=st.dictionaries(
        st.sampled_from(
            ["Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol"]
        ),
        st.none() | header_text,
    ),
    behind=st.binary(max_size=100),
)
def test_any_request(hub, path, method, version, headers, behind):
    """A status from 101 to 505 or a close: never a trace, never an echo, nobody disturbed."""
    hub, bystander = hub
    with contextlib.closing(open_tls(hub)) as client:
        with contextlib.suppress(OSError):
            client.send(request(path, method=method, version=version, **headers) + behind)
            client.end()
        said = client.read_to_the_end()
    assert said == b"" or said.startswith(b"HTTP/")
    assert b"Traceback" not in said
    assert b"\x20\x02" not in said
    still_served(bystander)
