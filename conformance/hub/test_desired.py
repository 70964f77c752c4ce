"""Being told of changed desired properties.

Document: #receiving-desired-properties-update-notifications. Clauses: clauses/desired.toml.

While a device is connected and has subscribed, the hub publishes each update of its desired properties to
$iothub/twin/PATCH/properties/desired/?$version={new version}: what was changed, null for what was removed.
"""

import pytest

from conformance.backend import Section

clause = pytest.mark.clause


@clause("desired.notified")
@pytest.mark.parametrize(
    "update",
    [
        pytest.param({"telemetrySendFrequency": "5m"}, id="string"),
        pytest.param({"limit": -2.5}, id="number"),
        pytest.param({"limits": {"low": 1, "high": {"warn": 80, "stop": 90}}}, id="nested"),
        pytest.param({"mode": "night", "interval": 5, "lugar": "São Paulo 东京"}, id="several"),
    ],
)
def test_an_update_reaches_the_device(device, listener, twins, update):
    """The documented topic, with the members of the update."""
    twins.patch(device, desired=update)

    change = listener.next_change()
    assert change.topic == f"$iothub/twin/PATCH/properties/desired/?$version={change.version}"
    assert change.members == update


@clause("desired.notified")
@pytest.mark.parametrize("flag", [True, False])
def test_a_boolean_reaches_the_device_as_one(device, listener, twins, flag):
    """Neither a number nor a text."""
    twins.patch(device, desired={"flag": flag})

    assert listener.next_change().members.get("flag") is flag


@clause("desired.notified")
def test_an_update_is_told_once(device, listener, twins):
    """One update, one notification."""
    twins.patch(device, desired={"interval": 5})

    listener.next_change()
    listener.connection.expect_no_message()


@clause("desired.notified")
def test_an_update_on_a_condition_that_holds_is_told(device, listener, twins):
    """The back end names the etag that it has read; nothing else changed meanwhile, so both are updates."""
    patched = twins.patch(device, desired={"interval": 5}, etag=twins.get(device).etag)
    replaced = twins.replace(device, desired={"interval": 6}, etag=patched.etag)

    versions = [patched.desired.version, replaced.desired.version]
    assert [change.version for change in listener.next_changes(2)] == versions


@clause("desired.notified")
def test_an_update_of_tags_too_is_told(device, listener, twins):
    """The device hears of what is desired, and of nothing else."""
    twins.patch(device, desired={"interval": 5}, tags={"site": "hall"})

    assert listener.next_change().members == {"interval": 5}


@clause("desired.version")
def test_the_version_is_the_one_that_the_back_end_was_told(device, listener, twins):
    """Topic and body of three notifications name the versions of the three updates; each is greater."""
    updates = [twins.patch(device, desired={"step": step}) for step in (1, 2, 3)]

    changes = listener.next_changes(3)
    versions = [update.desired.version for update in updates]
    assert [change.version for change in changes] == versions
    assert [change.document.get("$version") for change in changes] == versions
    assert versions == sorted(set(versions))


@clause("desired.version")
def test_a_report_does_not_raise_the_version(device, listener, twins, stage):
    """Each section counts its own changes: after a report the next update has the next version."""
    first = twins.patch(device, desired={"step": 1})
    stage(listener.establish, {"step": 1}, needs="twin.reported")
    assert twins.get(device).desired.version == first.desired.version

    second = twins.patch(device, desired={"step": 2})

    assert [change.version for change in listener.next_changes(2)] == [
        first.desired.version,
        second.desired.version,
    ]


@clause("desired.null")
@pytest.mark.parametrize(
    "update",
    [
        pytest.param({"route": None}, id="removed"),
        pytest.param({"telemetrySendFrequency": "5m", "route": None}, id="beside-an-update"),
        pytest.param({"limits": {"low": None}}, id="nested"),
    ],
)
@pytest.mark.usefixtures("desired")
def test_a_removed_member_comes_as_null(device, listener, twins, update):
    """The device could not know otherwise that it is gone."""
    twins.patch(device, desired=update)

    assert listener.next_change().members == update


@clause("desired.null-section")
def test_a_section_of_null_removes_every_desired_property(device, listener, desired, twins):
    """Both sides read an empty section of the version that was told; the others are as before."""
    before = twins.patch(device, tags={"site": "hall"})
    status = twins.attempt_to_clear(device, "desired")

    change = listener.next_change()
    assert (status, change.members) == ("200", dict.fromkeys(desired))
    found = twins.get(device)
    assert found.desired == Section(values={}, version=change.version)
    assert (found.reported, found.tags) == (before.reported, before.tags)
    assert listener.get().desired == {"$version": change.version}


@clause("desired.patch-only")
@pytest.mark.parametrize(
    "update",
    [
        pytest.param({"telemetrySendFrequency": "9m"}, id="updated"),
        pytest.param({"mode": "night"}, id="added"),
        pytest.param({"limits": {"low": 2}}, id="nested"),
    ],
)
@pytest.mark.usefixtures("desired")
def test_a_notification_holds_the_update_and_no_more(device, listener, twins, update):
    """What the update did not name is not in it, in nested objects neither."""
    twins.patch(device, desired=update)

    assert listener.next_change().members == update


@clause("desired.replace")
def test_a_replacement_is_told_too(device, listener, desired, twins, observed):
    """It is a change of the desired properties; in which form it is told is recorded."""
    replaced = twins.replace(device, desired={"mode": "night"})

    change = listener.next_change()
    observed(f"{desired} replaced by {replaced.desired.values}: told {change.members}")
    assert change.version == replaced.desired.version


@clause("desired.replace-removed")
@pytest.mark.parametrize(
    ("wanted", "gone"),
    [
        pytest.param({"telemetrySendFrequency": "10m", "mode": "night"}, "route", id="member"),
        pytest.param({"telemetrySendFrequency": "10m", "limits": {"low": 1}}, "limits.high", id="nested"),
        pytest.param({}, "route", id="all"),
    ],
)
@pytest.mark.usefixtures("desired")
def test_what_a_replacement_removes(device, listener, twins, readings, wanted, gone):
    """With null the device merges what it is told; without it has to ask for its twin."""
    twins.replace(device, desired=wanted)

    readings.match(listener.next_change().tells_of(gone))


@clause("desired.order")
def test_notifications_keep_the_order_of_the_updates(device, listener, twins):
    """Ten updates, each after the answer to the one before."""
    updates = [twins.patch(device, desired={"step": step}) for step in range(10)]

    changes = listener.next_changes(10)
    assert [change.members for change in changes] == [update.desired.values for update in updates]
