"""What a device is not told of.

Document: #receiving-desired-properties-update-notifications. Clauses: clauses/desired.toml.

Notifications are for updates of the device's own desired properties, made while it is connected. That one
does not come is shown by one that must, sent behind it: the first notification is the later one's.
"""

from operator import methodcaller

import pytest

clause = pytest.mark.clause


@clause("desired.not-for-tags")
def test_changed_tags_are_not_told(device, listener, twins):
    """Tags are the back end's own."""
    twins.patch(device, tags={"site": "hall"})
    twins.patch(device, desired={"interval": 5})

    assert listener.next_change().members == {"interval": 5}


@clause("desired.not-for-tags")
def test_tags_are_not_told_beside_desired_properties(device, listener, twins):
    """Of an update of both, the device hears the desired properties alone."""
    twins.patch(device, tags={"site": "hall"}, desired={"interval": 5})

    assert listener.next_change().members == {"interval": 5}
    listener.connection.expect_no_message()


@clause("desired.not-for-reported")
def test_reported_properties_are_not_told(device, listener, twins, stage):
    """The device knows what it reported."""
    stage(listener.establish, {"firmware": "v1.1"}, needs="twin.reported")
    twins.patch(device, desired={"interval": 5})

    assert listener.next_change().members == {"interval": 5}


@clause("desired.not-for-refused")
@pytest.mark.parametrize(
    ("update", "etag"),
    [
        pytest.param({"interval": 9}, "AAAAAAAAAAA=", id="for-another-etag"),
        pytest.param({"interval": 9, "a.b": 1}, None, id="with-an-illegal-name"),
    ],
)
def test_a_refused_update_is_not_told(device, listener, refused_update, twins, update, etag):
    """The twin did not change, so there is no change to tell of."""
    before = twins.get(device).desired

    refused_update(desired=update, etag=etag)
    assert twins.get(device).desired == before

    twins.patch(device, desired={"interval": 5})
    assert listener.next_change().members == {"interval": 5}


@clause("desired.own-only")
def test_the_update_of_another_device_is_not_told(device, listener, other_device, other_listener, twins):
    """Each of two connected devices hears of its own update alone."""
    twins.patch(other_device, desired={"interval": 1})
    twins.patch(device, desired={"interval": 5})

    assert listener.next_change().members == {"interval": 5}
    assert other_listener.next_change().members == {"interval": 1}
    listener.connection.expect_no_message()
    other_listener.connection.expect_no_message()


@clause("desired.needs-subscription")
def test_an_update_before_the_subscription(device, twin, twins, observed):
    """The document says only that notifications go to connected devices."""
    twins.patch(device, desired={"interval": 5})

    observed(twin.connection.outcome())


@clause("desired.unsubscribed")
@pytest.mark.usefixtures("desired")
def test_who_has_unsubscribed_is_told_nothing(device, listener, stage, twins):
    """[MQTT-3.10.4-2] Nothing more comes on a filter that was given up, on which something came before."""
    stage(listener.unsubscribe_from_desired, needs="packets.unsuback")

    twins.patch(device, desired={"interval": 5})

    listener.connection.expect_no_message()


@clause("desired.only-connected")
@pytest.mark.parametrize("clean_session", [True, False], ids=["clean-session", "kept-session"])
@pytest.mark.parametrize(
    "leave", [methodcaller("disconnect"), methodcaller("drop")], ids=["disconnect", "drop"]
)
def test_an_update_made_while_the_device_was_away_is_not_told(
    device, subscribed_session, twins, leave, clean_session
):
    """Not even to a session that is kept: the first notification is that of the update made afterwards."""
    left = subscribed_session(clean_session=clean_session)
    leave(left.connection)
    twins.patch(device, desired={"interval": 1})
    back = subscribed_session(clean_session=clean_session)

    twins.patch(device, desired={"interval": 5})

    assert back.next_change().members == {"interval": 5}


@clause("desired.reconnect-flow")
@pytest.mark.parametrize("clean_session", [True, False], ids=["clean-session", "kept-session"])
def test_after_reconnecting_the_versions_tell_that_nothing_was_missed(
    device, subscribed_session, twins, clean_session
):
    """Connect, subscribe, GET: the answer has what changed meanwhile; later changes are told behind it."""
    subscribed_session(clean_session=clean_session).connection.disconnect()
    twins.patch(device, desired={"interval": 1})
    away = twins.patch(device, desired={"mode": "night"})
    back = subscribed_session(clean_session=clean_session)

    found = back.get_since(away.desired.version).desired
    later = twins.patch(device, desired={"interval": 5})

    assert found == {"interval": 1, "mode": "night", "$version": away.desired.version}
    assert back.next_change().version == later.desired.version > found["$version"]
