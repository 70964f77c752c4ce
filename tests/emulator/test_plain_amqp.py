"""AMQP without TLS: on loopback alone, and what `UseDevelopmentEmulator=true` makes of it."""

import contextlib
import socket
import threading

import pytest
from amqp_peer import event
from azure.eventhub import EventHubConsumerClient
from live_hub import PATIENCE, live_hub

from iothub_emulator.banner import banner
from iothub_emulator.net import listeners
from iothub_emulator.net.sockets import bind, loopback_of, reachable
from iothub_emulator.ready import description


@pytest.fixture(scope="module")
def hub():
    with live_hub() as hub:
        yield hub


def test_it_speaks_amqp_in_clear(hub):
    with socket.create_connection(("127.0.0.1", hub.ports.amqp_plain), timeout=PATIENCE) as plain:
        plain.sendall(b"AMQP\0\1\0\0")
        assert plain.recv(8) == b"AMQP\0\1\0\0"


def test_it_speaks_nothing_else(hub):
    """A TLS handshake and a CONNECT of MQTT get no answer of their own."""
    for sent in (b"\x16\x03\x01\x00\x05hello", b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"):
        with socket.create_connection(("127.0.0.1", hub.ports.amqp_plain), timeout=PATIENCE) as plain:
            plain.sendall(sent)
            said = b""
            with contextlib.suppress(ConnectionError):
                while piece := plain.recv(1000):
                    said += piece
            assert said == b"" or said.startswith(b"AMQP")


def test_it_stays_on_loopback_whatever_the_host(monkeypatch):
    """The other ports take all addresses; this one does not leave the machine."""
    bound = {}

    def recording(host, port, what, option, **how):
        sock = bind(host, port, what, option, **how)
        bound[what] = sock.getsockname()[0]
        return sock

    monkeypatch.setattr(listeners, "bind", recording)
    with live_hub(host="0.0.0.0"):
        assert bound.pop("clear-text AMQP") == "127.0.0.1"
        assert set(bound.values()) == {"0.0.0.0"}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.2"),
        ("::1", "::1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "127.0.0.1"),
        ("192.0.2.1", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
    ],
)
def test_the_loopback_address_for_a_host(host, expected):
    assert loopback_of(host) == expected


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")])
def test_where_a_listener_is_reached(host, expected):
    with bind(host, 0, "MQTT", "--mqtt-port") as sock:
        assert reachable(sock) == (expected, sock.getsockname()[1])


def test_azure_eventhub_reads_in_development_emulator_mode(hub, tmp_path):
    """With the connection string of the ready file, and nothing else."""
    about = description(hub.runtime, hub.ports, tmp_path / "ca.pem")
    assert "without TLS" in banner(about)
    assert f"{hub.ports.amqp_plain}, on loopback alone" in banner(about)
    bodies, ended = [], threading.Event()
    client = EventHubConsumerClient.from_connection_string(
        about["events_development_connection_string"], consumer_group="$Default"
    )

    def on_event(context, received):
        bodies.append(received.body_as_str())
        ended.set()

    hub.call(hub.runtime.endpoints.take, event(b"in clear"))
    thread = threading.Thread(
        target=client.receive, kwargs={"on_event": on_event, "starting_position": "-1", "prefetch": 1}
    )
    thread.start()
    assert ended.wait(PATIENCE)
    client.close()
    thread.join(PATIENCE)
    assert bodies == ["in clear"]
