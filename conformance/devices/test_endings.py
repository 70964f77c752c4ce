"""Endings: a goodbye, a network that is lost, a hub that closes; and how a device comes again.

Document: "Usar o protocolo MQTT diretamente (como um dispositivo)", and the flow behind a lost connection
(#receiving-desired-properties-update-notifications). Clauses: clauses/device-endings.toml.
"""

import pytest

from conformance.mqtt.packets import Connect, Disconnect
from conformance.tap.happenings import LoseWith, Swallow

clause = pytest.mark.clause


@clause("device-endings.disconnect")
def test_a_device_says_goodbye(device, connected):
    """DISCONNECT is the last packet, and the connection ends."""
    device.done("disconnect")
    device.wait(lambda: not connected.is_open, "end of the connection")

    assert connected.sent[-1] == Disconnect()


@clause("device-endings.stays-away")
def test_a_device_that_left_stays_away(device, connected, pause):
    """For twice the time in which it would connect again nobody comes."""
    device.done("disconnect")
    pause(2 * device.described.timing["reconnect"])

    assert device.lines == (connected,)


@clause("device-endings.reconnects")
@pytest.mark.parametrize("reset", [pytest.param(False, id="end"), pytest.param(True, id="reset")])
def test_a_device_connects_again(device, connected, tap, reset):
    """The connection ends, and another one begins in the time that the device states."""
    tap.drop(connected, reset=reset)
    device.give_time_to_reconnect()

    assert len(device.lines) > 1


@clause("device-endings.reconnects-alike")
def test_a_device_connects_again_as_who_it_was(device, connected, tap):
    """ClientId and Username are those of before, and its token has not ended."""
    tap.drop(connected)
    again = device.connects(after=1)

    assert (again.connect.client_id, again.connect.username) == (
        connected.connect.client_id,
        connected.connect.username,
    )
    assert again.token.is_signed
    assert again.token.seconds_left > 0


@clause("device-endings.gaps")
def test_when_a_device_connects_again(device, connected, tap, observed):
    """How long it takes from the end of a connection to the next one."""
    tap.drop(connected)
    again = device.connects(after=1)

    observed(f"after {again.began - connected.end.at:.0f} s")


@clause("device-endings.told")
def test_the_application_follows_the_connection(device, connected, tap):
    """It hears that the connection was lost, and that there is one again, in this order."""
    tap.drop(connected)

    assert device.states_behind_loss()[:2] == ["disconnected", "connected"]


@clause("device-endings.keep-alive")
def test_a_device_is_heard_of_in_each_keep_alive(device, connected, pause):
    """For three keep-alives no gap between two packets is longer than one, and a second for the network."""
    pause(3.2 * connected.connect.keep_alive)

    assert connected.longest_gap() <= connected.connect.keep_alive + 1


@clause("device-endings.half-open")
def test_a_connection_on_which_nothing_comes(device, connected, pause, observed):
    """From some moment on the tap swallows everything."""
    device.record.happen(Swallow())
    again = device.time_of_next_connection(
        within=3 * connected.connect.keep_alive + device.described.timing["reconnect"]
    )

    observed("does not notice" if again is None else "connects again")


@clause("device-endings.taken-over")
def test_a_device_that_is_taken_over(device, connected, rival, pause, observed):
    """Another client connects under its identity; how often the device comes back in a while."""
    rival.connect()
    pause(3 * device.described.timing["reconnect"])

    observed(f"{'comes' if len(device.lines) > 1 else 'does not come'} back")


@clause("device-endings.reconnects-again")
def test_a_device_connects_a_third_time(device, connected, tap):
    """The connection is lost, and the one behind it too."""
    tap.drop(connected)
    tap.drop(device.reconnects())
    device.give_time_to_reconnect(lines=3)

    assert len(device.lines) > 2


@clause("device-endings.reconnects-behind-failure")
def test_a_device_tries_once_more(device, connected, tap):
    """The connection is lost, and the network again with the next CONNECT; it may wait longer now."""
    device.record.happen(LoseWith("the next CONNECT", lambda packet: isinstance(packet, Connect)))
    tap.drop(connected)
    device.connects(after=1)
    device.give_time_for_connection(within=4 * device.described.timing["reconnect"] + 1, lines=3)

    assert len(device.lines) > 2


@clause("device-endings.keep-alive-while-receiving")
def test_a_device_that_receives_is_heard_of_too(device, listening_to_messages, chatter):
    """Messages with QoS 0, which nobody acknowledges, come all the time; no gap is a keep-alive long."""
    keep_alive = listening_to_messages.connect.keep_alive
    chatter(listening_to_messages, seconds=3.2 * keep_alive)

    assert listening_to_messages.longest_gap() <= keep_alive + 1
