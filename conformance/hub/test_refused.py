"""What a refusal leaves as it was, and an end that the hub brings about.

Document: #using-the-mqtt-protocol-directly-as-a-device, #receiving-cloud-to-device-messages and
#retrieving-a-device-twins-properties. Clauses: connection.toml, session.toml and twin.toml of clauses/.

The device has something to lose: a session that goes on, a message that waits, a filled twin. Each case that
expects a refusal looks at all of that when it ends (`untouched`); those here are about nothing else.
"""

from operator import methodcaller

import pytest

from conformance.mqtt.fields import NO_PASSWORD, NO_USERNAME
from conformance.mqtt.raw_packets import packet, text
from conformance.target.credentials import random_key

clause = pytest.mark.clause

# What a hub closes on, sent by a device that is connected.
ERRORS = pytest.mark.parametrize(
    "error",
    [
        pytest.param(lambda device: b"\xf0\x00", id="reserved-packet-type"),
        pytest.param(
            lambda device: packet(0x36, text(device.topics.events), b"\x00\x01", b"x"), id="publish-of-QoS-3"
        ),
        pytest.param(lambda device: device.connect_packet(clean_session=True), id="second-CONNECT"),
    ],
)
# How a device is not let in that is there.
REFUSALS = pytest.mark.parametrize(
    "attempt",
    [
        pytest.param(lambda device: {"password": device.token(key=random_key())}, id="signature"),
        pytest.param(lambda device: {"client_id": f"{device.id}x"}, id="client-id"),
        pytest.param(lambda device: {"username": NO_USERNAME, "password": NO_PASSWORD}, id="nothing-shown"),
    ],
)


@pytest.fixture
def own(own_state, stage):
    """Give the device something to lose: ``own.now()["twin"]`` is looked for again."""
    stage(own_state.settle, both_sides=True)
    return own_state


@pytest.fixture
def kept(device, stage):
    """Open a session of `device` with CleanSession 0, on a connection that takes literal bytes."""
    return stage(device.raw_connected, clean_session=False)


@clause("connection.next-served")
@REFUSALS
def test_a_device_that_was_refused_is_let_in_next(admitted, stage, own, attempt):
    """Three attempts in a row that are refused, and the fourth is right."""
    stage(admitted.expect_refused, **attempt(admitted), needs="sas.bad-signature")
    stage(admitted.expect_refused, **attempt(admitted), needs="sas.bad-signature")
    stage(admitted.expect_refused, **attempt(admitted), needs="sas.bad-signature")

    assert own.now()["next connection"] == "accepted"


@clause("connection.next-served")
@ERRORS
def test_a_device_whose_connection_ended_in_an_error_is_let_in_next(raw_connected, stage, own, error):
    """The error was that connection's."""
    raw_connected.send(error(raw_connected.device))
    stage(raw_connected.expect_closed, needs="packets.malformed")

    assert own.now()["next connection"] == "accepted"


@clause("session.closed-leaves-it")
@pytest.mark.needs("registry")
@ERRORS
def test_an_error_leaves_a_session_that_goes_on(kept, stage, own, error):
    """[MQTT-3.1.2-4] The device returns with CleanSession 0 and is given what was sent meanwhile."""
    kept.send(error(kept.device))
    stage(kept.expect_closed, needs="packets.malformed")

    assert own.now()["messages"] == "delivered"


@clause("session.closed-leaves-it")
@pytest.mark.needs("registry")
def test_a_newer_connection_takes_a_session_over(device, kept, stage, own):
    """[MQTT-3.1.2-4] What the older one had subscribed to comes to the newer one."""
    stage(device.connect, clean_session=False)
    stage(kept.expect_replaced, needs="connection.newest-wins")

    assert own.now()["messages"] == "delivered"


@clause("session.request-leaves-it")
@pytest.mark.needs("registry")
@pytest.mark.parametrize(
    "body", [b"{", b'{"a.b": 1}', b'{"$version": 9}'], ids=["malformed", "illegal-name", "reserved-name"]
)
def test_a_refused_patch_leaves_the_subscriptions(twin, stage, own, body):
    """The connection goes on, and with it what was subscribed to on it."""
    stage(methodcaller("expect_status", 400, 599), twin.report(body), needs="twin.illegal-names")

    assert own.now()["messages"] == "delivered"


@clause("twin.untouched")
@pytest.mark.needs("registry")
@REFUSALS
def test_a_refused_connect_leaves_the_twin(admitted, stage, own, attempt):
    """Each section with its version, as either side reads it."""
    stage(admitted.expect_refused, **attempt(admitted), needs="sas.bad-signature")

    assert own.now()["twin"] == own.before["twin"]


@clause("twin.untouched")
@pytest.mark.needs("registry")
@ERRORS
def test_an_error_leaves_the_twin(raw_connected, stage, own, error):
    """Each section with its version, as either side reads it."""
    raw_connected.send(error(raw_connected.device))
    stage(raw_connected.expect_closed, needs="packets.malformed")

    assert own.now()["twin"] == own.before["twin"]
