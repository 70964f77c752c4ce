"""The Will: a message that the hub sends when a device is lost.

Document: #using-the-mqtt-protocol-directly-as-a-device. Clauses: clauses/will.toml.

A CONNECT may leave a Will on the device's events topic. If the network connection then ends without
DISCONNECT, the hub sends the Will once, as telemetry of the device; after DISCONNECT it never does.
"""

import pytest

from conformance.mqtt.fields import Will

clause = pytest.mark.clause

DISCONNECT = b"\xe0\x00"


@clause("will.accepted")
def test_a_session_with_a_will_is_served_like_any_other(device, telemetry):
    """A Will on the events topic is accepted, and telemetry beside it is no Will."""
    will = Will(topic=f"devices/{device.path}/messages/events/", payload=b"gone", qos=1)
    connection = device.connect(clean_session=False, will=will)

    connection.publish(device.topics.events, b"21.5", qos=1)

    message = telemetry.next(sent_by=device)
    assert (message.body, message.properties) == (b"21.5", {})


@clause("will.accepted")
def test_a_session_with_a_will_is_acknowledged_like_any_other(device):
    """The device's side of it: the session opens, and one PUBACK comes."""
    will = Will(topic=f"devices/{device.path}/messages/events/", payload=b"gone", qos=1)
    connection = device.connect(clean_session=False, will=will)

    connection.publish(device.topics.events, b"21.5", qos=1)

    assert connection.outcome() == "no answer"


@clause("will.refused-connect")
def test_the_will_of_a_refused_connect_is_not_sent(admitted, other_device, stage, telemetry, untouched):
    """[MQTT-3.1.2-8] Only a CONNECT that was accepted leaves a Will."""
    will = Will(topic=admitted.topics.events, payload=b"gone", qos=1)

    password = other_device.token()
    stage(
        admitted.expect_refused, password=password, clean_session=False, will=will, needs="sas.bad-signature"
    )

    assert telemetry.until_no_will_is_due(admitted) == []
    untouched.confirm()


@clause("will.sent")
@pytest.mark.crossed
@pytest.mark.parametrize(
    "lose",
    [
        pytest.param(lambda connection: connection.drop(), id="abrupt-close"),
        pytest.param(lambda connection: connection.reset(), id="TCP-reset"),
        pytest.param(lambda connection: connection.half_close(), id="half-close"),
    ],
)
def test_a_connection_that_ends_without_disconnect_sends_the_will(device, willed, telemetry, lose):
    """[MQTT-3.1.2-8] The network connection is closed, no DISCONNECT came: the Will is telemetry."""
    lose(willed)

    assert telemetry.next(sent_by=device).body == b"gone"


@clause("will.once")
def test_one_lost_connection_sends_one_will(device, willed, telemetry):
    """Each event has a partition and a sequence number: two of them are two Wills, whatever they hold."""
    willed.drop()

    first = telemetry.next(sent_by=device)
    events = [first, *telemetry.until_no_will_is_due(device)]
    assert [(event.partition, event.sequence_number) for event in events] == [
        (first.partition, first.sequence_number)
    ]


@clause("will.sent")
def test_a_will_that_is_left_again_is_sent_again(device, willed, stage, telemetry):
    """[MQTT-3.1.2-8] A later connection leaves the very same Will, and is lost too."""
    will = Will(topic=device.topics.events, payload=b"gone", qos=1)
    willed.drop()
    stage(telemetry.next, sent_by=device, needs="will.sent")
    later = stage(device.connect, clean_session=False, will=will, needs="will.accepted")

    later.drop()

    assert telemetry.next(sent_by=device).body == b"gone"


@clause("will.own")
def test_two_lost_connections_send_a_will_each(device, other_device, stage, telemetry):
    """Both left one before either was lost: each Will is telemetry of the device that left it."""
    will = Will(topic=device.topics.events, payload=b"mine", qos=1)
    other_will = Will(topic=other_device.topics.events, payload=b"theirs", qos=1)
    first = stage(device.connect, clean_session=False, will=will, needs="will.accepted")
    second = stage(other_device.connect, clean_session=False, will=other_will, needs="will.accepted")

    first.drop()
    second.drop()

    assert [telemetry.next(sent_by=each).body for each in (device, other_device)] == [b"mine", b"theirs"]


@clause("will.own")
def test_two_devices_with_the_same_will_send_it_both(device, willed, other_device, stage, telemetry):
    """Payload and properties are alike, the devices are not."""
    will = Will(topic=other_device.topics.events, payload=b"gone", qos=1)
    other = stage(other_device.connect, clean_session=False, will=will, needs="will.accepted")

    willed.drop()
    other.drop()

    assert [telemetry.next(sent_by=each).body for each in (device, other_device)] == [b"gone", b"gone"]


@clause("will.own")
@pytest.mark.usefixtures("willed")
def test_who_left_no_will_sends_nobodys(other_device, stage, telemetry):
    """A connection without a Will is lost beside one that has left one."""
    without = stage(other_device.connect, clean_session=False)

    without.drop()

    assert telemetry.until_no_will_is_due(other_device) == []


@clause("will.message-type")
def test_a_will_is_marked_as_one(device, willed, telemetry):
    """The application property iothub-MessageType, written so, has the value Will."""
    willed.drop()

    assert telemetry.next(sent_by=device).properties == {"iothub-MessageType": "Will"}


@clause("will.not-after-disconnect")
def test_a_connection_that_ends_with_disconnect_sends_no_will(device, willed, telemetry):
    """[MQTT-3.1.2-10] DISCONNECT, then the end of the stream: the Will is forgotten."""
    willed.disconnect()

    assert telemetry.until_no_will_is_due(device) == []


@clause("will.not-after-disconnect")
def test_after_disconnect_nothing_brings_the_will_back(device, stage, telemetry, hub):
    """[MQTT-3.14.4-3] DISCONNECT alone, the stream left open: not even the next connection sends the Will."""
    will = Will(topic=device.topics.events, payload=b"gone", qos=1)
    connection = stage(device.raw_connected, clean_session=False, will=will, needs="will.accepted")

    connection.send(DISCONNECT)
    # Another connection might overtake it on its way; a hub that has it closes, if only soon.
    connection.wait_closed(within=hub.timeouts.reaction)

    assert telemetry.until_no_will_is_due(device) == []


@clause("will.replaced")
def test_a_later_connection_without_a_will_sends_none(device, willed, stage, telemetry):
    """[MQTT-3.1.2-10] DISCONNECT removed the Will; a CONNECT without one leaves none."""
    stage(willed.disconnect)
    second = stage(device.connect, clean_session=False)

    second.drop()

    assert telemetry.until_no_will_is_due(device) == []


@clause("will.replaced")
def test_a_later_connection_sends_its_own_will(device, willed, stage, telemetry):
    """The Will of the connection that is lost is sent, not the one of the connection before."""
    stage(willed.disconnect)
    newer = Will(topic=device.topics.events, payload=b"gone again", qos=1)
    second = stage(device.connect, clean_session=False, will=newer, needs="will.accepted")

    second.drop()

    assert telemetry.next(sent_by=device).body == b"gone again"
