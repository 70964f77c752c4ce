"""What must hold on every connection of every test.

Document: it asks for MQTT 3.1.1, whose sections are cited. Clauses: clauses/watch.toml.

The watch judges each packet that any test receives. The tests here provoke the packets that it
judges; a breach seen during another test counts against the clause here, and leaves that test alone.
"""

import pytest

clause = pytest.mark.clause


@clause("watch.ids")
def test_acknowledgements_carry_ids_that_were_asked_for(device, connection, watch):
    """[MQTT-2.3.1-6] [MQTT-2.3.1-7] PUBACK, SUBACK and UNSUBACK answer a packet id that waits for them."""
    connection.publish(device.topics.events, b"x", qos=1)
    connection.subscribe(device.topics.devicebound)
    connection.unsubscribe(device.topics.devicebound)

    watch.expect_clean("watch.ids")


@clause("watch.connack")
def test_connack_comes_first_and_once(device, watch):
    """[MQTT-3.2.0-1] The first packet from the hub is CONNACK, and there is no second one."""
    connection = device.connect()
    connection.ping()

    watch.expect_clean("watch.connack")


@clause("watch.server-only")
def test_the_hub_sends_only_a_servers_packets(device, connection, watch):
    """No CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ or DISCONNECT comes from a server."""
    connection.ping()
    connection.publish(device.topics.events, b"x", qos=1)

    watch.expect_clean("watch.server-only")
