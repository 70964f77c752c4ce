"""Events of the hub's own: what it tells of twins that change, and of identities that come and go.

Microsoft, "Azure IoT Hub non-telemetry event schemas". Clauses: clauses/events.toml. Events of connections
are in test_monitoring.py.
"""

import pytest

clause = pytest.mark.clause

DESIRED = {"interval": 5, "route": {"via": "north", "by": "day"}}
TAGS = {"site": {"hall": 3, "row": "b"}, "owner": "works"}


@clause("events.twin-updated")
def test_an_update_of_the_back_end_is_told(device, twins, twin_events, stage):
    """What was changed, and nothing else."""
    twins.patch(device, desired=DESIRED, tags=TAGS)
    stage(twin_events.next, about=device, needs="events.twin-members")

    after = twins.patch(device, desired={"route": {"via": "south"}, "speed": 2}, tags={"owner": "office"})

    event = twin_events.next(about=device)
    assert (event.operation, event.without_metadata()) == (
        "updateTwin",
        {
            "version": after.version,
            "tags": {"owner": "office"},
            "properties": {
                "desired": {"route": {"via": "south"}, "speed": 2, "$version": after.desired.version}
            },
        },
    )
    now = after.desired.metadata
    assert event.stamps("desired", "speed", "route.via") == {
        "": now["$lastUpdated"],
        "speed": now["speed"]["$lastUpdated"],
        "route.via": now["route"]["via"]["$lastUpdated"],
    }


@clause("events.twin-updated")
def test_an_update_of_tags_is_told(device, twins, twin_events, stage):
    """The desired properties are not in the event."""
    twins.patch(device, desired=DESIRED, tags=TAGS)
    stage(twin_events.next, about=device, needs="events.twin-members")

    twins.patch(device, tags={"owner": "office"})

    assert twin_events.next(about=device).sections() == {"tags": {"owner": "office"}}


@clause("events.twin-reported")
def test_a_report_is_told(device, twin, twins, twin_events, stage):
    """What the device reported now, and nothing else."""
    stage(twin.establish, {"firmware": "v1", "limits": {"low": 1, "high": 9}}, needs="twin.reported")
    stage(twin_events.next, about=device, needs="events.twin-members")

    stage(twin.establish, {"limits": {"high": 8}}, needs="twin.reported")

    event, after = twin_events.next(about=device), twins.get(device)
    assert (event.operation, event.without_metadata()) == (
        "updateTwin",
        {
            "version": after.version,
            "properties": {"reported": {"limits": {"high": 8}, "$version": after.reported.version}},
        },
    )
    now = after.reported.metadata
    assert event.stamps("reported", "limits.high") == {
        "": now["$lastUpdated"],
        "limits.high": now["limits"]["high"]["$lastUpdated"],
    }


@clause("events.twin-replaced")
def test_a_replacement_is_told_whole(device, twins, twin_events, stage):
    """Ids, etag, version, tags, and both kinds of properties with their metadata."""
    twins.patch(device, desired=DESIRED, tags=TAGS)
    stage(twin_events.next, about=device, needs="events.twin-members")

    after = twins.replace(device, desired={"interval": 6}, tags={"owner": "office"})

    event = twin_events.next(about=device)
    assert (event.operation, event.body) == ("replaceTwin", after.whole())


@clause("events.twin-members")
@pytest.mark.clock
def test_an_event_of_a_twin_names_whose_it_is(device, twins, twin_events, service):
    """In the properties, and in the hub's own stamps; two events are told apart by their ids."""
    twins.patch(device, tags=TAGS)
    first = twin_events.next(about=device)
    twins.patch(device, tags={"owner": "office"})
    second = twin_events.next(about=device)

    device_id, _, module_id = device.id.partition("/")
    assert first.marks() == {
        "hubName": service.hub_name,
        "deviceId": device_id,
        "moduleId": module_id or None,
        "opType": "updateTwin",
        "iothub-message-schema": "twinChangeNotification",
        "iothub-message-source": "twinChangeEvents",
        "iothub-connection-device-id": device_id,
        "iothub-connection-module-id": module_id or None,
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "user-id": service.hub_name,
    }
    assert first.age is not None
    assert abs(first.age) <= twin_events.within
    assert first.id != second.id


@clause("events.twin-null")
def test_a_property_is_removed_that_was_not_there(device, twins, twin_events, observed):
    """What is told by the time that another change is told."""
    twins.patch(device, desired={"nothing": None})
    twins.patch(device, tags={"owner": "office"})

    event = twin_events.next(about=device)
    observed(f"told first: {event.sections()}")


@clause("events.twin-refused")
def test_nothing_is_told_of_a_refused_change(device, twins, twin_events, untouched):
    """What is told next is the change behind it."""
    twins.attempt_to_patch(device, desired={"a.b": 1})
    twins.attempt_to_patch(device, desired={"interval": 6}, etag="AAAAAAAAAAA=")

    twins.patch(device, tags={"owner": "office"})

    assert twin_events.next(about=device).sections() == {"tags": {"owner": "office"}}
    untouched.confirm()


@clause("events.created")
def test_a_new_device_is_told(free_name, identities, twins, lifecycle_events):
    """With its twin, which is empty."""
    identities.create(free_name)

    event = lifecycle_events.next(about=free_name)
    twin = twins.get(free_name)
    assert (event.operation, event.member("deviceId"), event.member("etag")) == (
        "createDeviceIdentity",
        free_name,
        twin.etag,
    )
    assert event.sections() == {"desired": {}, "reported": {}}


@clause("events.created")
def test_a_device_that_is_made_with_others_is_told(free_name, free_names, identities, lifecycle_events):
    """One call made both."""
    (other,) = free_names("-other")
    lifecycle_events.follow(other)

    identities.change_many([{"id": name, "importMode": "create"} for name in (other, free_name)])

    events = [lifecycle_events.next(about=name) for name in (other, free_name)]
    assert [(event.operation, event.member("deviceId")) for event in events] == [
        ("createDeviceIdentity", other),
        ("createDeviceIdentity", free_name),
    ]


@clause("events.deleted")
def test_a_device_that_is_gone_is_told(free_name, identities, lifecycle_events, stage):
    """Alone, or with others in one call; a change of it is neither."""
    identities.create(free_name)
    identities.replace(free_name, status="disabled")
    stage(lifecycle_events.next, about=free_name, needs="events.created")

    identities.delete(free_name)
    alone = lifecycle_events.next(about=free_name)
    identities.create(free_name)
    stage(lifecycle_events.next, about=free_name, needs="events.created")
    identities.change_many([{"id": free_name, "importMode": "delete"}])
    in_one_call = lifecycle_events.next(about=free_name)

    assert [(event.operation, event.member("deviceId")) for event in (alone, in_one_call)] == [
        ("deleteDeviceIdentity", free_name)
    ] * 2


@clause("events.lifecycle-members")
@pytest.mark.clock
def test_an_event_of_an_identity_names_whose_it_is(free_name, identities, lifecycle_events, service):
    """In the properties, and in the hub's own stamps."""
    identities.create(free_name)

    event = lifecycle_events.next(about=free_name)
    assert event.marks() == {
        "hubName": service.hub_name,
        "deviceId": free_name,
        "moduleId": None,
        "opType": "createDeviceIdentity",
        "iothub-message-schema": "deviceLifecycleNotification",
        "iothub-message-source": "deviceLifecycleEvents",
        "iothub-connection-device-id": free_name,
        "iothub-connection-module-id": None,
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "user-id": service.hub_name,
    }
    assert event.age is not None
    assert abs(event.age) <= lifecycle_events.within


@clause("events.module-lifecycle")
def test_a_module_that_comes_and_goes_is_told(module_lifecycle, free_name):
    """Each event names the device and the module, in its properties and in its stamps."""
    assert [
        (event.device_id, event.module_id, event.message.sender, event.member("moduleId"))
        for event in module_lifecycle
    ] == [(free_name, "first", f"{free_name}/first", "first")] * 2


@clause("events.module-operations")
def test_how_a_modules_events_are_called(module_lifecycle, readings):
    """Made and deleted, and the schema of both."""
    operations = ", ".join(str(event.operation) for event in module_lifecycle)
    schemas = ", ".join(dict.fromkeys(str(event.schema) for event in module_lifecycle))

    readings.match(f"{operations}; {schemas}")
