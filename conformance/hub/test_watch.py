"""What must hold on every connection of every test.

Document: #receiving-cloud-to-device-messages, #retrieving-a-device-twins-properties, and MQTT 3.1.1,
whose sections are cited. Clauses: clauses/watch.toml.

The watch judges each packet that any test receives. The tests here provoke the packets that it
judges: that one comes at all is another clause's affair. A breach seen during another test counts against
the clause here, and leaves that test alone.
"""

import pytest

from conformance.hub.fixtures.twins import twin_of

clause = pytest.mark.clause
writes_twin = pytest.mark.writes_twin

ANSWERS = "$iothub/twin/res/#"
GET = "$iothub/twin/GET/?$rid="
REPORT = "$iothub/twin/PATCH/properties/reported/?$rid="


@pytest.fixture
def asker(connection, stage):
    """Open a session of `device` that is subscribed to answers about its twin."""
    stage(connection.subscribe, ANSWERS, needs="twin.get")
    return connection


@pytest.fixture
def answered(stage):
    """``answered(connection, topic, body)`` sends a twin request and waits for an answer."""

    def ask(connection, topic, body=b""):
        twin_of(connection).send(topic, body)
        stage(connection.expect_message, ANSWERS, needs="twin.get")

    return ask


@clause("watch.twin-status")
@writes_twin
def test_a_twin_answer_bears_a_whole_number(asker, answered, watch):
    """The status in the topic of an answer is an integer, of a success and of a refusal."""
    answered(asker, GET + "1")
    answered(asker, REPORT + "2", b'{"firmware": "v1.1"}')
    answered(asker, REPORT + "3", b"{")

    watch.expect_clean("watch.twin-status")


@clause("watch.twin-status-known")
@writes_twin
def test_the_statuses_of_twin_answers(asker, answered, watch, observed):
    """The document names 200, 204, 400, 429 and the 500s; what else a hub answers is recorded."""
    answered(asker, GET + "1")
    answered(asker, REPORT + "2", b"{")

    observed(watch.in_words("watch.twin-status-known"))


@clause("watch.topics")
def test_messages_come_on_documented_topics(receiver, c2d, stage, watch):
    """A message without properties, and one with some, come on the device's devicebound topic."""
    c2d.send(receiver.device, b"plain")
    c2d.send(receiver.device, b"full", message_id="m1", properties={"room": "kitchen & hall"})
    stage(receiver.messages_until, b"full", needs="c2d.delivered")

    watch.expect_clean("watch.topics")


@clause("watch.topics")
@pytest.mark.needs("twin")
def test_twin_answers_come_on_documented_topics(asker, answered, watch):
    """An answer is a message of the hub's like any other."""
    answered(asker, GET + "1")

    watch.expect_clean("watch.topics")


@clause("watch.request-id")
@writes_twin
def test_twin_answers_are_to_requests_of_the_same_connection(device, asker, answered, stage, watch):
    """Each answer bears the id of a request that waits for one, on an old connection and on a new one."""
    answered(asker, GET + "a")
    answered(asker, GET + "b")
    stage(asker.disconnect)
    newer = stage(device.connect)
    stage(newer.subscribe, ANSWERS, needs="twin.get")
    answered(newer, REPORT + "c", b"{}")

    watch.expect_clean("watch.request-id")


@clause("watch.qos")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_come_with_at_most_the_granted_qos(device, connection, c2d, stage, watch, qos):
    """[MQTT-3.8.4-6] The SUBACK says the most; QoS 2 is never granted, nor spoken."""
    stage(connection.subscribe, device.topics.devicebound, qos=qos, needs="c2d.subscribe")
    c2d.send(device, b"at most")
    stage(connection.messages_until, b"at most", needs="c2d.delivered")

    watch.expect_clean("watch.qos")


@clause("watch.qos")
@pytest.mark.needs("twin")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_twin_answers_come_with_at_most_the_granted_qos(connection, answered, stage, watch, qos):
    """[MQTT-3.8.4-6] Whatever QoS is asked for."""
    stage(connection.subscribe, ANSWERS, qos=qos, needs="twin.get")
    answered(connection, GET + "1")

    watch.expect_clean("watch.qos")


@clause("watch.flags")
@pytest.mark.needs("twin")
@pytest.mark.parametrize("qos", [0, 1])
def test_twin_answers_are_neither_retained_nor_repeated_at_qos_0(connection, answered, stage, watch, qos):
    """[MQTT-3.3.1-2] [MQTT-3.3.1-9] An answer is sent live, to who has asked."""
    stage(connection.subscribe, ANSWERS, qos=qos, needs="twin.get")
    answered(connection, GET + "1")

    watch.expect_clean("watch.flags")


@clause("watch.flags")
@pytest.mark.parametrize("qos", [0, 1])
def test_messages_are_neither_retained_nor_repeated_at_qos_0(device, connection, c2d, stage, watch, qos):
    """[MQTT-3.3.1-2] [MQTT-3.3.1-9] RETAIN 0 on what is sent live, DUP 0 with QoS 0."""
    stage(connection.subscribe, device.topics.devicebound, qos=qos, needs="c2d.subscribe")
    c2d.send(device, b"live")
    stage(connection.messages_until, b"live", needs="c2d.delivered")

    watch.expect_clean("watch.flags")


@clause("watch.identity")
def test_a_message_is_for_the_identity_that_gets_it(receiver, other_receiver, c2d, stage, watch):
    """Neither the topic nor the address in its bag names anybody else."""
    c2d.send(other_receiver.device, b"theirs")
    stage(other_receiver.messages_until, b"theirs", needs="c2d.delivered")
    c2d.send(receiver.device, b"mine")
    stage(receiver.messages_until, b"mine", needs="c2d.delivered")

    watch.expect_clean("watch.identity")


@clause("watch.ids")
def test_acknowledgements_carry_ids_that_were_asked_for(device, connection, watch):
    """[MQTT-2.3.1-6] [MQTT-2.3.1-7] PUBACK, SUBACK and UNSUBACK answer a packet id that waits for them."""
    connection.send(device.topics.events, b"x", qos=1)
    connection.send(device.topics.events, b"y", qos=0)
    connection.outcome()
    connection.try_to_subscribe(device.topics.devicebound)
    connection.try_to_unsubscribe(device.topics.devicebound)

    watch.expect_clean("watch.ids")


@clause("watch.packet-ids")
def test_each_unacknowledged_message_has_an_id_of_its_own(holder, c2d, stage, watch):
    """[MQTT-2.3.1-1] [MQTT-2.3.1-4] Three messages wait for their PUBACK: no id is 0, none is used twice."""
    c2d.send(holder.device, b"one")
    c2d.send(holder.device, b"two")
    c2d.send(holder.device, b"three")
    stage(holder.messages_until, b"three", needs="c2d.delivered")

    watch.expect_clean("watch.packet-ids")


@clause("watch.connack")
def test_connack_comes_first_and_once(connection, stage, watch):
    """[MQTT-3.2.0-1] The first packet from the hub is CONNACK, and there is no second one."""
    stage(connection.ping, needs="connection.ping")

    watch.expect_clean("watch.connack")


@clause("watch.connack")
def test_nothing_follows_a_refusal(raw, other_device, stage, watch, hub, untouched):
    """[MQTT-3.2.2-5] A CONNACK with another code than 0, if there is one, is the last packet."""
    raw.send(raw.device.connect_packet(password=other_device.token()))
    stage(raw.expect_refused, needs="sas.bad-signature")
    raw.wait_closed(within=hub.timeouts.reaction)

    watch.expect_clean("watch.connack")
    untouched.confirm()


@clause("watch.server-only")
def test_the_hub_sends_only_a_servers_packets(device, connection, stage, watch):
    """No CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ or DISCONNECT comes from a server."""
    stage(connection.publish, device.topics.events, b"x", needs="d2c.puback")
    stage(connection.ping, needs="connection.ping")
    connection.try_to_subscribe(device.topics.devicebound)
    connection.try_to_unsubscribe(device.topics.devicebound)

    watch.expect_clean("watch.server-only")


@clause("watch.others")
def test_a_malformed_packet_changes_nothing_of_others(raw_connected, untouched, stage, watch):
    """[MQTT-4.8.0-1] It ends the connection that it came on."""
    raw_connected.send(b"\xf0\x00")
    stage(raw_connected.expect_closed, needs="packets.malformed")

    untouched.confirm_others(on_a_live_hub=True)
    watch.expect_clean("watch.others")


@clause("watch.others")
def test_a_refused_connect_changes_nothing_of_others(admitted, other_device, untouched, stage, watch):
    """Nor does a token of another device, shown by who may connect with its own."""
    stage(admitted.expect_refused, password=other_device.token(), needs="sas.device-scope")

    untouched.confirm_others(on_a_live_hub=True)
    watch.expect_clean("watch.others")


@clause("watch.others")
@writes_twin
def test_a_refused_patch_changes_nothing_of_others(twin, untouched, watch):
    """An update of a twin that is not taken is not taken by anybody's."""
    twin.report({"firmware": "v9", "a.b": 1})

    untouched.confirm_others(on_a_live_hub=True)
    watch.expect_clean("watch.others")
