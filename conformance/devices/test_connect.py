"""Connecting: what a device says of itself in CONNECT, and what it does when it is not let in.

Document: "Usar o protocolo MQTT diretamente (como um dispositivo)"
(#using-the-mqtt-protocol-directly-as-a-device). Clauses: clauses/device-connect.toml.
"""

import re

import pytest

from conformance.mqtt.packets import Connack, Disconnect
from conformance.tap.happenings import Withhold

clause = pytest.mark.clause


@clause("device-connect.accepted")
def test_the_hub_lets_the_device_in(device, first_line):
    """The hub accepts the CONNECT of the device."""
    device.wait(lambda: first_line.connack or not first_line.is_open, "CONNACK")

    assert first_line.connack in {Connack(0, 0), Connack(1, 0)}


@clause("device-connect.protocol")
def test_the_device_speaks_mqtt_3_1_1(connect):
    """The protocol name is MQTT, the protocol level 4."""
    assert (connect.protocol, connect.level) == ("MQTT", 4)


@clause("device-connect.client-id")
def test_the_client_id_is_the_device_id(connect, device):
    """ClientId is the device id, to the letter."""
    assert connect.client_id == device.id


@clause("device-connect.username-host")
def test_the_username_names_the_hub(connect, device):
    """The Username begins with the name of the hub, not with the address that the device was led to."""
    assert (connect.username or "").partition("/")[0] in device.names_of_hub


@clause("device-connect.username-device")
def test_the_username_names_the_device(connect, device):
    """Behind the hub stands the device id, to the letter."""
    assert (connect.username or "").partition("/")[2].partition("/?")[0] == device.id


@clause("device-connect.username-api-version")
def test_the_username_says_which_version_of_the_interface_is_meant(connect):
    """The end of the Username is /?api-version= and a date."""
    assert re.search(r"/\?api-version=\d{4}-\d{2}-\d{2}(-preview)?(&[^/]*)?$", connect.username or "")


@clause("device-connect.username-parameters")
def test_parameters_of_the_username(connect, observed):
    """Which parameters stand in the Username."""
    observed((connect.username or "").partition("?")[2] or "none")


@clause("device-connect.token")
def test_the_password_is_a_token(first_line):
    """The Password is a shared access signature with the three fields, and perhaps skn."""
    assert first_line.fields_of_token - {"skn"} == {"sr", "sig", "se"}


@clause("device-connect.token-resource")
def test_the_token_is_for_this_device_at_this_hub(token, device):
    """The resource is the device at the hub, under one of its names, or a part in front of that."""
    assert token.resource in device.resources


@clause("device-connect.token-signature")
def test_the_token_is_signed_with_the_key_of_the_device(token):
    """The signature is that of the device's key over sr and se as they stand in the token."""
    assert token.is_signed


@clause("device-connect.token-expiry")
def test_the_token_ends_in_the_future(token):
    """The expiry is a whole number, in seconds since 1970, and later than now."""
    assert token.expiry is not None
    assert token.seconds_left > 0


@clause("device-connect.token-life")
def test_life_of_the_token(token, observed):
    """For how long the token of a first connection is good."""
    observed(f"{token.seconds_left / 60:.0f} minutes")


@clause("device-connect.special-characters")
@pytest.mark.parametrize("id_ending", ["-a:b", "-a@b", "-a,b", "-a=b", "-a'b", "-a(b"])
def test_special_characters_of_an_id(connect, token, device):
    """ClientId and Username have the id as it is, the token has it percent-encoded once."""
    assert connect.client_id == device.id
    assert (connect.username or "").partition("/")[2].partition("/?")[0] == device.id
    assert token.resource in device.resources


@clause("device-connect.keep-alive")
def test_the_keep_alive_is_one_that_a_hub_can_hold(connect):
    """The keep-alive is on, and no longer than 1,177 seconds."""
    assert 1 <= connect.keep_alive <= 1177


@clause("device-connect.keep-alive-value")
def test_value_of_the_keep_alive(connect, observed):
    """Which keep-alive stands in CONNECT."""
    observed(f"{connect.keep_alive} s")


@clause("device-connect.clean-session")
def test_kind_of_session(connect, observed):
    """Whether CleanSession is set in the first CONNECT."""
    observed(f"CleanSession {int(connect.clean_session)}")


@clause("device-connect.before-connack")
def test_packets_before_connack(device, first_line, observed):
    """What was sent behind CONNECT before CONNACK was there."""
    device.wait(lambda: first_line.connack or not first_line.is_open, "CONNACK")

    observed(first_line.sent_before_connack_in_words())


@clause("device-connect.one-connection")
@pytest.mark.needs("adapter", "telemetry")
def test_the_device_works_on_one_connection(device, connected):
    """A device that is connected sends telemetry there, and opens no other connection for it."""
    device.done("send", body="e30=")

    assert device.lines == (connected,)


@clause("device-connect.told-when-accepted")
def test_the_application_hears_of_the_connection_when_there_is_one(device, tap, pause):
    """The application is told nothing while CONNACK is on its way."""
    device.record.happen(withheld := Withhold("CONNACK", lambda packet: isinstance(packet, Connack)))
    order = device.begin_to_connect()
    line = device.connects()
    device.wait(lambda: withheld.times == 0, "CONNACK of the hub's")
    pause(0.3)
    told_before = device.adapter.events_named("connected")
    tap.send(line, b"\x20\x02\x00\x00")

    assert device.adapter.answer(order, device.seconds).name == "connected"
    assert told_before == ()


@clause("device-connect.refused-told")
@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_a_refused_device_is_not_connected(device, refused, settled, code):
    """Whatever the code, the application does not hear that it is connected."""
    refused(code=code)
    settled()

    assert device.adapter.events_named("connected") == ()


@clause("device-connect.refused-error")
@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_what_a_refused_device_tells(device, refused, settled, observed, code):
    """What the answer to the order is, for each code."""
    refused(code=code)
    settled()

    observed(f"code {code}: {device.adapter.last_in_words()}")


@clause("device-connect.refused-one-at-a-time")
def test_a_refused_device_closes_before_it_connects_again(device, refused, settled):
    """No other connection begins while the refused one is open, which the tap does not close."""
    line = refused(code=3, close=False)
    settled()

    assert device.lines_opened_while_open(line) == ()


@clause("device-connect.refused-silent")
@pytest.mark.parametrize("code", [3, 5])
def test_a_refused_device_sends_nothing_more_there(refused, settled, code):
    """On a connection that the tap leaves open behind the refusal comes nothing but, perhaps, DISCONNECT."""
    line = refused(code=code, close=False)
    settled()

    assert [packet for packet in line.sent[1:] if not isinstance(packet, Disconnect)] == []


@clause("device-connect.refused-again")
def test_when_a_refused_device_comes_again(device, refused, pause, observed):
    """After how long, counted from the refusal, the next connection begins."""
    line = refused(code=3)
    pause(1.5 * device.described.timing["reconnect"])

    observed(device.next_attempts_in_words(line))


@clause("device-connect.module")
def test_a_module_connects_as_one(device_as_module):
    """ClientId, Username and token name device and module."""
    device_as_module.begin_to_connect()
    line = device_as_module.connects()

    assert line.connect.client_id == device_as_module.id
    assert line.connect.username.partition("/?")[0] == f"{device_as_module.host}/{device_as_module.id}"
    assert line.token.resource in device_as_module.resources


@clause("device-connect.module-signature")
def test_the_token_of_a_module_is_signed_with_its_key(device_as_module):
    """The signature is that of the module's key over sr and se as they stand in the token."""
    device_as_module.begin_to_connect()

    assert device_as_module.connects().token.is_signed
