"""The watch over every packet of a device: each rule, in a day of its life that gives the occasion.

Document: the sections on the protocol, and MQTT 3.1.1. Clauses: clauses/device-watch.toml. Cases of all other
subjects are watched too.
"""

import pytest

clause = pytest.mark.clause


@clause("device-watch.readable")
def test_all_packets_can_be_read(watched):
    """Each packet is well formed."""
    watched.expect_clean("device-watch.readable")


@clause("device-watch.connect-first")
def test_connect_is_the_first_packet_and_no_other(watched):
    """Each connection begins with the one CONNECT that it has."""
    watched.expect_clean("device-watch.connect-first")


@clause("device-watch.client-only")
def test_no_packet_is_a_servers(watched):
    """No packet is of a type that only a server sends."""
    watched.expect_clean("device-watch.client-only")


@clause("device-watch.qos")
def test_nothing_is_sent_with_qos_2(watched):
    """Messages have QoS 0 or 1."""
    watched.expect_clean("device-watch.qos")


@clause("device-watch.dup-at-qos-0")
def test_dup_is_not_set_at_qos_0(watched):
    """No message with QoS 0 has DUP."""
    watched.expect_clean("device-watch.dup-at-qos-0")


@clause("device-watch.dup")
def test_dup_is_not_set_on_a_first_message(watched):
    """No message that was not sent before has DUP."""
    watched.expect_clean("device-watch.dup")


@clause("device-watch.packet-ids")
def test_packet_ids_are_free(watched):
    """No packet id is 0 or in use."""
    watched.expect_clean("device-watch.packet-ids")


@clause("device-watch.acknowledges")
@pytest.mark.needs("adapter")
def test_each_puback_is_one_that_the_hub_waits_for(watched):
    """PUBACK bears the id of a message that came, and comes once."""
    watched.expect_clean("device-watch.acknowledges")


@clause("device-watch.topics")
def test_topics_are_the_devices_own(watched):
    """Messages go to documented topics of this device."""
    watched.expect_clean("device-watch.topics")


@clause("device-watch.filters")
@pytest.mark.needs("adapter")
def test_filters_are_the_devices_own(watched):
    """Subscriptions are to documented filters of this device."""
    watched.expect_clean("device-watch.filters")


@clause("device-watch.five-filters")
@pytest.mark.needs("adapter")
def test_there_are_at_most_five_filters(watched):
    """With all that it can listen to, a device has five filters or fewer."""
    watched.expect_clean("device-watch.five-filters")


@clause("device-watch.disconnect-last")
def test_disconnect_is_the_last_packet(watched):
    """Nothing comes behind DISCONNECT."""
    watched.expect_clean("device-watch.disconnect-last")


@clause("device-watch.secrets")
def test_secrets_stay_in_the_password(watched):
    """No key and no token is in a topic, a body, a name."""
    watched.expect_clean("device-watch.secrets")


@clause("device-watch.size")
def test_messages_are_no_larger_than_a_hub_takes(watched):
    """Topic and body of each message have 256 KB together, or less."""
    watched.expect_clean("device-watch.size")
