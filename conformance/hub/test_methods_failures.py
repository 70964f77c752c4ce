"""Direct methods: calls that no device answers.

Document: #respond-to-a-direct-method; its link leads to Microsoft's page on direct methods, which says when a
call fails. Clauses: clauses/methods.toml.

A method is called now or not at all. A device that is away, or has no subscription, makes the call
fail at once; one that does not answer makes it fail when the caller's time is over. Each is tried
with a device that was just called and has answered.
"""

import pytest

clause = pytest.mark.clause

KILOBYTE = 1024


@clause("methods.timeout")
@pytest.mark.parametrize("times", [1, 2], ids=["shortest", "twice-the-shortest"])
def test_a_call_without_answer_ends_when_its_time_is_over(reachable, open_exchange, hub, times):
    """The caller gets 504 after the time that it allowed the device, and not before."""
    allowed = times * hub.timing["method-timeout"]

    exchange = open_exchange(reachable, response_timeout=allowed)

    assert exchange.call.outcome_within(allowed + hub.timeouts.reaction) == "504"
    assert exchange.call.seconds >= allowed


@clause("methods.timeout-range")
@pytest.mark.parametrize("seconds", [0, 301], ids=["nothing", "beyond-five-minutes"])
def test_a_timeout_that_no_hub_takes(departed, methods, observed, seconds):
    """5 to 300 seconds are documented; a device that is away tells a refusal from a call."""
    observed(methods.outcome(departed, "reboot", response_timeout=seconds))


@clause("methods.connect-timeout")
def test_a_device_that_comes_while_the_caller_waits(departed, callee_of, methods, observed, hub):
    """A caller may wait for a device to connect."""
    call = methods.begin(departed, "reboot", connect_timeout=hub.timeouts.connect)
    callee = callee_of(departed)

    callee.answer(callee.next_request(), 200, "here now")

    observed(call.outcome())


@clause("methods.never-connects")
@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_a_device_that_never_comes_is_not_found_when_the_time_is_over(departed, methods, hub, times):
    """The caller waits for the device as long as it said, and is told that nobody came."""
    allowed = times * hub.timing["method-timeout"]

    call = methods.begin(departed, "reboot", connect_timeout=allowed)

    assert call.outcome_within(allowed + hub.timeouts.reaction) == "404"
    assert call.seconds >= allowed


@clause("methods.connection-lost")
def test_a_device_that_goes_with_a_call_under_way(callee, open_exchange, observed, hub):
    """Nothing states whether the caller waits for the whole of its time."""
    exchange = open_exchange(callee, response_timeout=hub.timing["method-timeout"])

    callee.connection.drop()

    observed(exchange.outcome())


@clause("methods.too-large")
@pytest.mark.large
def test_a_payload_beyond_the_limit(departed, methods, observed):
    """128 KB are documented; a device that is away tells a refusal from a call."""
    observed(methods.outcome(departed, "configure", "x" * 130 * KILOBYTE))


@clause("methods.too-large")
@pytest.mark.large
def test_an_answer_beyond_the_limit(callee, open_exchange, observed, hub):
    """128 KB are documented both ways."""
    exchange = open_exchange(callee, response_timeout=hub.timing["method-timeout"])

    exchange.answer(200, "x" * 130 * KILOBYTE)

    answer = callee.connection.outcome()
    observed(f"{exchange.outcome()}; {answer}")


@clause("methods.offline")
def test_a_device_that_has_left_cannot_be_called(departed, methods):
    """The caller learns at once that nobody is there."""
    assert methods.outcome(departed, "reboot") == "404"


@clause("methods.offline")
@pytest.mark.usefixtures("reachable")
def test_a_device_that_never_came_cannot_be_called(other_device, methods):
    """Another device being there does not help."""
    assert methods.outcome(other_device, "reboot") == "404"


@clause("methods.not-subscribed")
def test_a_device_without_subscription_cannot_be_called(departed, stage, methods):
    """Being connected is not enough."""
    stage(departed.connect)

    assert methods.outcome(departed, "reboot") == "404"


@clause("methods.not-subscribed")
def test_a_device_with_another_subscription_cannot_be_called(departed, stage, methods):
    """A subscription to messages is none to methods."""
    connection = stage(departed.connect)
    stage(connection.subscribe, departed.topics.own_messages, needs="c2d.subscribe")

    assert methods.outcome(departed, "reboot") == "404"


@clause("methods.not-subscribed")
def test_a_device_that_unsubscribed_cannot_be_called(reachable, stage, methods):
    """A subscription counts until it is taken back."""
    stage(reachable.unsubscribe, needs="packets.unsuback")

    assert methods.outcome(reachable.device, "reboot") == "404"


@clause("methods.unknown-device")
@pytest.mark.parametrize("name", ["{unknown}", "{known}/nobody"], ids=["device", "module"])
def test_nobody_cannot_be_called(reachable, unknown_device, methods, name):
    """A name that was never registered, of a device or of a module of one that is there."""
    nobody = name.format(unknown=unknown_device.id, known=reachable.device.id)

    assert methods.outcome(nobody, "reboot") == "404"


@clause("methods.not-queued")
@pytest.mark.parametrize("clean_session", [True, False], ids=["clean-session", "lasting-session"])
def test_a_call_made_while_away_is_not_delivered_later(
    device, reach_and_leave, callee_of, methods, stage, clean_session
):
    """The first request after the return is that of a call made after it."""
    reach_and_leave(device, clean_session=clean_session)
    stage(methods.outcome, device, "missed", needs="methods.offline")

    callee = callee_of(device, clean_session=clean_session)
    methods.begin(device, "present")
    assert callee.next_request().name == "present"
