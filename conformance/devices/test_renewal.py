"""Tokens that end: a device that is told to make short ones renews them in time.

Document: "Usar o protocolo MQTT diretamente (como um dispositivo)", and Microsoft's page on shared access
signatures. Clauses: clauses/device-renewal.toml.
"""

import base64

import pytest

clause = pytest.mark.clause


@clause("device-renewal.before-end")
def test_a_device_renews_its_token_in_time(short_lived, device):
    """The next connection begins before the token of the first one ends."""
    first = device.connected()
    device.give_time_for_connection(within=device.described.timing["token-life"] + 2)

    assert len(device.lines) > 1
    assert device.lines[1].began < first.when_token_ends()


@clause("device-renewal.new-token")
def test_the_new_token_is_one(short_lived, device):
    """It is the device's own, and ends later."""
    first = device.connected()
    device.give_time_for_connection(within=device.described.timing["token-life"] + 2)
    renewed = device.connects(after=1)

    assert renewed.token.is_signed
    assert renewed.token.resource in device.resources
    assert renewed.token.expiry > first.token.expiry


@clause("device-renewal.served-again")
def test_messages_come_behind_a_renewal(short_lived, device, c2d):
    """A message that is sent on the new connection reaches the application."""
    device.connected()
    device.done("listen", to=["messages"])
    device.give_time_for_connection(within=device.described.timing["token-life"] + 2)
    device.connection_behind(1)
    c2d.send(device, b"on")

    assert base64.b64decode(device.adapter.next("message", device.seconds).says["body"]) == b"on"


@clause("device-renewal.gap")
def test_gap_of_a_renewal(short_lived, device, observed):
    """How long it takes from the end of one connection to CONNACK of the next."""
    device.connected()
    device.give_time_for_connection(within=device.described.timing["token-life"] + 2)
    device.connection_behind(1)

    observed(device.gap_in_words())


@clause("device-renewal.alike")
def test_a_device_renews_as_who_it_was(short_lived, device):
    """ClientId and Username are those of the first connection."""
    first = device.connected()
    device.give_time_for_connection(within=device.described.timing["token-life"] + 2)
    renewed = device.connects(after=1)

    assert (renewed.connect.client_id, renewed.connect.username) == (
        first.connect.client_id,
        first.connect.username,
    )


@clause("device-renewal.again")
def test_a_device_renews_a_second_time(short_lived, device):
    """The third connection begins before the token of the second one ends."""
    device.connected()
    device.give_time_for_connection(within=device.described.timing["token-life"] + 2)
    second = device.connection_behind(1)
    device.give_time_for_connection(within=device.described.timing["token-life"] + 2, lines=3)

    assert len(device.lines) > 2
    assert device.lines[2].began < second.when_token_ends()


@clause("device-renewal.telemetry")
def test_telemetry_arrives_behind_a_renewal(short_lived, device, telemetry):
    """What is sent on the new connection reaches the back end."""
    device.connected()
    device.give_time_for_connection(within=device.described.timing["token-life"] + 2)
    device.connection_behind(1)
    device.adapter.order("send", body="MjEuNQ==")

    assert telemetry.next(sent_by=device).body == b"21.5"
