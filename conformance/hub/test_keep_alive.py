"""Keep-alive: when the hub gives up a silent client.

Document: it is silent; MQTT 3.1.1 section 3.1.2.10 holds. Clauses: clauses/connection.toml.

A hub drops a client that sends nothing for one and a half times its keep-alive. Any packet counts
as a sign of life. A silent client beside the tested one shows when that time has passed.
"""

import pytest

clause = pytest.mark.clause


@pytest.fixture
def concerned(silent_client):
    """Return whom this page is about."""
    return silent_client.device


@clause("connection.keep-alive")
def test_a_silent_client_is_dropped_in_time(silent_client, keep_alive, hub, untouched):
    """[MQTT-3.1.2-24] Not before the keep-alive, and not after 1.5 times it plus the hub's own tolerance."""
    latest = 1.5 * keep_alive + hub.timing["keep-alive-tolerance"]

    silent_client.expect_closed(within=latest + hub.timeouts.reaction)

    assert keep_alive <= silent_client.closed_after <= latest
    untouched.confirm()


@clause("connection.keep-alive")
def test_a_client_that_falls_silent_is_dropped_in_time(device, stage, keep_alive, hub, untouched):
    """[MQTT-3.1.2-24] Each packet begins the time anew, and ends it for no client: here behind a PINGREQ."""
    latest = 1.5 * keep_alive + hub.timing["keep-alive-tolerance"]
    client = stage(device.raw_connected, keep_alive=keep_alive)
    stage(client.ping, needs="connection.ping")

    client.expect_closed(within=latest + hub.timeouts.reaction)
    untouched.confirm()


@clause("connection.keep-alive")
def test_each_client_has_a_keep_alive_of_its_own(
    device, stage, bystander, silent_client, hub, keep_alive, untouched
):
    """[MQTT-3.1.2-24] One that came before, and one that came later, have longer ones: they alone stay."""
    later = stage(device.raw_connected, keep_alive=600)

    latest = 1.5 * keep_alive + hub.timing["keep-alive-tolerance"]
    silent_client.expect_closed(within=latest + hub.timeouts.reaction)

    bystander.ping()
    later.ping()
    untouched.confirm()


@clause("connection.keep-alive")
@pytest.mark.parametrize("minutes", [0x0100, 0x0101], ids=["low-byte-0", "bytes-alike"])
def test_a_keep_alive_of_minutes_is_read_whole(device, other_device, stage, keep_alive, hub, minutes):
    """[MQTT-3.1.2-24] It has two bytes: neither of them alone, nor both swapped, is the keep-alive."""
    patient = stage(device.raw_connected, keep_alive=minutes)
    silent = stage(other_device.raw_connected, keep_alive=keep_alive)

    limit = 1.5 * keep_alive + hub.timing["keep-alive-tolerance"] + hub.timeouts.reaction
    silent.wait_closed(within=limit)

    assert patient.outcome() == "no answer"


@clause("connection.keep-alive-traffic")
def test_publishing_alone_keeps_the_connection(device, other_device, stage, keep_alive, hub):
    """[MQTT-3.1.2-23] Any packet counts: a client that publishes outlives a silent one that came later."""
    publishing = stage(device.raw_connected, keep_alive=keep_alive)
    silent = stage(other_device.raw_connected, keep_alive=keep_alive)
    publish_qos_0 = publishing.publish_packet(device.topics.events, b"still here")

    limit = 1.5 * keep_alive + hub.timing["keep-alive-tolerance"] + hub.timeouts.reaction
    publishing.send_while_open(silent, publish_qos_0, every=0.4 * keep_alive, within=limit)

    publishing.ping()


@clause("connection.keep-alive-zero")
def test_a_keep_alive_of_zero(device, stage, silent_client, observed, keep_alive, hub):
    """MQTT 3.1.1, 3.1.2.10: zero switches the mechanism off; a hub may still have a limit of its own."""
    without_keep_alive = stage(device.raw_connected, keep_alive=0)

    limit = 1.5 * keep_alive + hub.timing["keep-alive-tolerance"] + hub.timeouts.reaction
    silent_client.wait_closed(within=limit)

    observed(without_keep_alive.outcome())
