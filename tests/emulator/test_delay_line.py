"""`--latency` and `--jitter`: later in each direction, in order, the same at each start, and no slower."""

import asyncio
import socket
import time
from itertools import islice, repeat

import pytest
import websocket_client
from hub_program import FREE_PORTS
from live_hub import PATIENCE, live_hub
from mqtt_bytes import PINGREQ, PINGRESP, client_bytes

from iothub_emulator import options
from iothub_emulator.banner import banner
from iothub_emulator.hub.packets import Publish
from iothub_emulator.net.delay_line import DelayLine, delays, far_away
from iothub_emulator.ready import description
from iothub_emulator.settings import Settings

LATENCY, JITTER = 0.04, 0.02
FAR = Settings(latency=LATENCY, jitter=JITTER, seed="a seed")


@pytest.fixture(scope="module")
def hub():
    with live_hub(latency=LATENCY, jitter=JITTER) as hub:
        yield hub


# What is drawn


def drawn(settings=FAR, port="mqtt", connection=1, direction="to the hub"):
    return list(islice(delays(settings, port, connection, direction), 1000))


def test_delays_are_the_latency_and_up_to_the_jitter_more():
    assert min(drawn()) >= LATENCY
    assert max(drawn()) < LATENCY + JITTER
    assert len(set(drawn())) == 1000


@pytest.mark.parametrize("seed", ["a seed", None])
def test_the_same_seed_has_the_same_delays(seed):
    settings = Settings(latency=LATENCY, jitter=JITTER, seed=seed)
    assert drawn(settings) == drawn(settings)


def test_without_jitter_every_delay_is_the_latency():
    assert set(drawn(Settings(latency=LATENCY))) == {LATENCY}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"settings": Settings(latency=LATENCY, jitter=JITTER, seed="another")}, id="seed"),
        pytest.param({"port": "https"}, id="port"),
        pytest.param({"connection": 2}, id="connection"),
        pytest.param({"direction": "to the client"}, id="direction"),
    ],
)
def test_each_has_delays_of_its_own(other):
    assert drawn(**other) != drawn()


def test_a_hub_that_is_near_has_no_line():
    """Nothing stands between TCP and the protocol that no option asked for."""
    assert far_away(Settings(), "mqtt", asyncio.Protocol) is asyncio.Protocol


# A line


class Clock:
    """A loop whose time a test puts forward."""

    def __init__(self):
        self.now = 100.0
        self._loop = asyncio.get_running_loop()
        self._loop.time = lambda: self.now

    async def put_forward(self, seconds):
        self.now += seconds
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def test_what_is_put_in_comes_out_in_order_each_after_its_delay():
    """The second piece has the shorter delay, and does not overtake the first."""

    async def told():
        clock, out = Clock(), []
        line = DelayLine(iter([0.75, 0.25, 1.0]))
        for piece in "abc":
            line.put(lambda piece=piece: out.append((piece, clock.now - 100)))
        for _ in range(5):
            await clock.put_forward(0.25)
        return out

    assert asyncio.run(told()) == [("a", 0.75), ("b", 0.75), ("c", 1.0)]


def test_a_thousand_pieces_take_as_long_as_one():
    """A delay line is no bottleneck: they are all under way at the same time."""

    async def told():
        clock, out = Clock(), []
        line = DelayLine(repeat(0.1))
        for piece in range(1000):
            line.put(lambda piece=piece: out.append(piece))
        await clock.put_forward(0.1)
        return out

    assert asyncio.run(told()) == list(range(1000))


def test_a_line_that_is_held_lets_out_nothing_until_it_is_released():
    async def told():
        clock, out = Clock(), []
        line = DelayLine(repeat(0.1))
        line.put(lambda: (out.append("a"), line.hold()))
        line.put(lambda: out.append("b"))
        await clock.put_forward(1)
        held = list(out)
        line.release()
        await clock.put_forward(0)
        return held, out

    assert asyncio.run(told()) == (["a"], ["a", "b"])


def test_a_line_that_is_cleared_loses_what_is_under_way():
    async def told():
        clock, out = Clock(), []
        line = DelayLine(repeat(0.1))
        line.put(lambda: out.append("lost"))
        line.clear()
        line.put(lambda: out.append("kept"))
        await clock.put_forward(1)
        return out

    assert asyncio.run(told()) == ["kept"]


# The ports of a hub


def mqtt(hub):
    with hub.connected() as client:
        began = time.monotonic()
        client.send(PINGREQ)
        assert client.read(len(PINGRESP)) == PINGRESP
        return time.monotonic() - began


def over_websocket(hub):
    with websocket_client.connected(hub) as client:
        began = time.monotonic()
        client.send(websocket_client.binary(PINGREQ))
        assert client.read_frame() == (websocket_client.BINARY, PINGRESP)
        return time.monotonic() - began


def https(hub):
    client = websocket_client.open_tls(hub)
    began = time.monotonic()
    client.send(b"GET /devices HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert client.read_head()[0] == 401
    took = time.monotonic() - began
    client.close()
    return took


def amqp(hub):
    client = websocket_client.open_tls(hub, "amqp")
    began = time.monotonic()
    client.send(b"AMQP\3\1\0\0")
    assert client.read(8) == b"AMQP\3\1\0\0"
    took = time.monotonic() - began
    client.close()
    return took


def amqp_in_clear(hub):
    with socket.create_connection(("127.0.0.1", hub.ports.amqp_plain), timeout=PATIENCE) as plain:
        began = time.monotonic()
        plain.sendall(b"AMQP\0\1\0\0")
        assert plain.recv(8) == b"AMQP\0\1\0\0"
        return time.monotonic() - began


@pytest.mark.parametrize("round_trip", [mqtt, over_websocket, https, amqp, amqp_in_clear])
def test_a_round_trip_takes_at_least_twice_the_latency(hub, round_trip):
    assert round_trip(hub) >= 2 * LATENCY


def test_what_is_written_byte_by_byte_arrives_in_order(hub):
    """Each byte has a delay of its own, and so has each answer."""
    topic = "devices/device-1/messages/events/"
    sent = [Publish(topic, b"", 1, packet_id=number) for number in range(1, 6)]
    with hub.connected() as client:
        for packet in sent:
            for byte in client_bytes(packet):
                client.send(bytes([byte]))
        assert client.read(20) == b"".join(bytes([0x40, 2, 0, number]) for number in range(1, 6))


def test_a_large_message_arrives_whole(hub):
    topic = "devices/device-1/messages/events/"
    with hub.connected() as client:
        client.send(Publish(topic, bytes(200_000), 1, packet_id=7))
        assert client.read(4) == b"\x40\x02\x00\x07"


def test_a_close_of_the_hub_s_comes_behind_what_it_said(hub):
    """PINGRESP, and then the end: a second CONNECT is an error."""
    with hub.connected() as client:
        client.send(PINGREQ, hub.connect_packet())
        assert client.read_to_the_end() == PINGRESP


def test_a_client_s_end_comes_behind_what_it_said(hub):
    """Not cut off by FIN: the message is acknowledged."""
    with hub.connected() as client:
        client.send(Publish("devices/device-1/messages/events/", b"last", 1, packet_id=9))
        client.end()
        assert client.read_to_the_end() == b"\x40\x02\x00\x09"


def test_a_client_that_has_gone_when_the_hub_s_end_arrives_is_no_crash(caplog):
    """A first packet that is no CONNECT ends the connection; the client has left without waiting for it."""
    with live_hub(latency=LATENCY) as hub:
        gone, staying = hub.open(), hub.open()
        gone.send(PINGREQ)
        gone.close()
        staying.send(PINGREQ)
        assert staying.read_to_the_end() == b""
        staying.close()
    assert caplog.records == []


# The program


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(("--latency", "80ms"), (0.08, 0.0), id="milliseconds"),
        pytest.param(("--latency", "1.5s", "--jitter", "20ms"), (1.5, 0.02), id="seconds, and jitter"),
        pytest.param((), (0.0, 0.0), id="none"),
    ],
)
def test_options(words, expected):
    settings = options.settings(options.parse([*FREE_PORTS, *words]))
    assert (settings.latency, settings.jitter) == expected


def test_the_ready_file_and_the_banner_say_how_far_away_the_hub_is(hub, tmp_path):
    about = description(hub.runtime, hub.ports, tmp_path / "ca.pem")
    assert about["network"] == {"latency": LATENCY, "jitter": JITTER}
    line = "What is sent takes 40 ms and up to 20 ms more, drawn by --seed, in each direction"
    assert line in banner(about).splitlines()
