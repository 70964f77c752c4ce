"""The device side against a broker that nobody here wrote: Debian's mosquitto.

Not on the required path: what these tests show is shown by literal bytes in tests/suite, too.
"""

import shutil
import socket
import subprocess

import pytest
import trustme

from conformance.evidence.case import Evidence
from conformance.mqtt.device import Device
from conformance.mqtt.endpoint import Endpoint
from conformance.mqtt.fields import Will
from conformance.mqtt.reactor import Reactor
from conformance.profile.tables import Timeouts
from conformance.target.credentials import Identity, Secret

pytestmark = pytest.mark.skipif(
    shutil.which("mosquitto") is None, reason="not run: mosquitto is not installed"
)

KEY = Secret("a2V5IG9mIGEgZGV2aWNlIHRoYXQgaXMgbm9ib2R5J3M=")
BOX = "devices/d1/messages/devicebound/"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mosquitto")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "root.pem"))
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(folder / "leaf.pem"))
    port = free_port()
    # As root the broker would become another user, who may not read the key.
    (folder / "broker.conf").write_text(
        f"user root\nallow_anonymous true\nlistener {port} 127.0.0.1\nset_tcp_nodelay true\n"
        f"certfile {folder / 'leaf.pem'}\nkeyfile {folder / 'leaf.pem'}\n"
    )
    command = ["mosquitto", "-c", str(folder / "broker.conf")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as broker:
        said = []
        # It says "running" once it listens; a broker that fails ends instead.
        while "running" not in "".join(said[-1:]) and (line := broker.stderr.readline()):
            said.append(line)
        assert broker.poll() is None, said
        yield Endpoint(
            host="localhost",
            port=port,
            trust=str(folder / "root.pem"),
            timeouts=Timeouts(connect=60.0, reaction=60.0, silence=0.0),
        )
        broker.terminate()


@pytest.fixture
def evidence():
    return Evidence()


@pytest.fixture
def device(endpoint, evidence):
    reactor = Reactor()
    device = Device(Identity(device_id="d1", primary_key=KEY), endpoint, reactor, evidence)
    yield device
    device.close()
    reactor.stop()


def test_a_session_with_all_its_packets_breaks_no_rule_of_the_watch(device, evidence):
    connection = device.connect()

    assert connection.subscribe_all([(BOX + "#", 1), ("x", 0)]) == (1, 0)
    connection.publish(BOX + "a=1", b"to myself", qos=1)
    assert connection.expect_message(BOX + "#").payload == b"to myself"
    connection.ping()
    connection.unsubscribe(BOX + "#")
    connection.publish(BOX, b"nobody hears this", qos=0)
    connection.expect_no_message()
    connection.disconnect()

    assert evidence.breaches == ()
    assert min(evidence.sightings.values()) > 0


def test_the_newest_connection_wins(device):
    first = device.connect()
    second = device.connect()

    first.expect_closed()
    second.ping()


def test_a_general_broker_answers_qos_2_and_the_watch_says_so(device, evidence):
    connection = device.connect()
    connection.send(device.topics.events, b"x", qos=2)

    assert connection.outcome().startswith("pubrec")
    assert {breach.clause for breach in evidence.breaches} == {"watch.qos"}


@pytest.mark.parametrize("end", ["drop", "reset"])
def test_a_will_is_sent_after_an_abrupt_end(device, end):
    left = device.connect(client_id="leaver", will=Will(topic=BOX + end, payload=b"gone"))
    watcher = device.connect()
    watcher.subscribe(BOX + "#")

    getattr(left, end)()

    assert watcher.expect_message(BOX + end).payload == b"gone"


def test_no_will_is_sent_after_disconnect(device):
    left = device.connect(client_id="leaver", will=Will(topic=BOX + "x", payload=b"gone"))
    watcher = device.connect()
    watcher.subscribe(BOX + "#")

    left.disconnect()

    watcher.expect_no_message()


def test_a_malformed_packet_ends_a_connection(device):
    raw = device.raw_connected()

    raw.send(b"\xf0\x00")

    raw.expect_closed()
