"""Events and routes of a running hub: devices and a back end on one side, the logs on the other."""

import json
import time

import pytest
from live_hub import PATIENCE, live_hub
from mqtt_bytes import DISCONNECT
from rest_hub import owner

from iothub_emulator.hub.packets import Publish, Subscribe, Will
from iothub_emulator.hub.route_conditions import parse_route

EVENTS = "devices/device-1/messages/events/"
ALL = ("telemetry", "twin", "lifecycle", "connection")


def kept(hub, entity="iothub-emulator"):
    """Return all events of an entity, partition by partition."""
    partitions = hub.runtime.endpoints.at(entity).log.partitions
    return hub.call(lambda: [event for each in partitions for _, event in each.read(0, 1000)])


def awaited(hub, source, count=1):
    """Return the events of a source, once there are so many."""
    end = time.monotonic() + PATIENCE
    while True:
        found = [event for event in kept(hub) if event.source == source]
        if len(found) >= count:
            return found
        assert time.monotonic() < end, f"{len(found)} of {count}"
        time.sleep(0.005)


def operations(events):
    return [(event.properties["opType"], event.device_id, event.module_id) for event in events]


@pytest.fixture
def rest():
    with (
        live_hub(events=ALL, connection_events_interval=0.02) as hub,
        owner(hub.runtime, hub.ports.https, hub.context) as client,
    ):
        client.hub = hub
        yield client


@pytest.mark.parametrize(
    "packet",
    [Publish(EVENTS, b"x", 1, packet_id=1), Subscribe(1, (("$iothub/twin/res/#", 0),))],
    ids=["publishes", "subscribes"],
)
def test_a_connection_and_its_end_are_told(packet):
    source = "deviceConnectionStateEvents"
    with live_hub(events=("telemetry", "connection"), connection_events_interval=0.02) as hub:
        with hub.connected() as client:
            client.send(packet)
            awaited(hub, source)
            client.send(DISCONNECT)
        told = awaited(hub, source, 2)

    assert operations(told) == [
        ("deviceConnected", "device-1", None),
        ("deviceDisconnected", "device-1", None),
    ]
    first, second = (json.loads(event.body)["sequenceNumber"] for event in told)
    assert first < second


def test_identities_that_come_and_go_are_told_with_their_twins(rest):
    rest.put("/devices/new", json={"deviceId": "new"})
    rest.put("/devices/new/modules/m", json={"deviceId": "new", "moduleId": "m"})
    rest.delete("/devices/new", headers={"If-Match": "*"})

    told = awaited(rest.hub, "deviceLifecycleEvents", 4)
    assert operations(told) == [
        ("createDeviceIdentity", "new", None),
        ("createModuleIdentity", "new", "m"),
        ("deleteModuleIdentity", "new", "m"),
        ("deleteDeviceIdentity", "new", None),
    ]
    body = json.loads(told[1].body)
    assert body.keys() == {"deviceId", "moduleId", "etag", "version", "properties"}
    assert (body["deviceId"], body["moduleId"]) == ("new", "m")


def test_changes_of_a_twin_by_both_sides_are_told(rest):
    rest.patch("/twins/device-1", json={"properties": {"desired": {"a": 1}}, "tags": {"floor": 2}})
    rest.put("/twins/device-1", json={"properties": {"desired": {"b": 1}}})
    with rest.hub.connected() as client:
        client.send(Publish("$iothub/twin/PATCH/properties/reported/?$rid=1", b'{"t": 21}'))
        told = awaited(rest.hub, "twinChangeEvents", 3)

    assert [event.properties["opType"] for event in told] == ["updateTwin", "replaceTwin", "updateTwin"]
    patched, replaced, reported = (json.loads(event.body) for event in told)
    assert (patched["tags"], patched["properties"]["desired"]["a"]) == ({"floor": 2}, 1)
    assert replaced.keys() >= {"deviceId", "etag", "version", "properties"}
    assert reported["properties"]["reported"]["t"] == 21


def test_nothing_but_telemetry_is_told_unless_asked_for():
    with (
        live_hub(connection_events_interval=0.02) as hub,
        owner(hub.runtime, hub.ports.https, hub.context) as rest,
    ):
        rest.patch("/twins/device-1", json={"properties": {"desired": {"a": 1}}})
        rest.delete("/devices/device-2", headers={"If-Match": "*"})
        with hub.connected() as client:
            client.send(Publish(EVENTS, b"x", 1, packet_id=1))
            assert client.read(4) == b"\x40\x02\x00\x01"
        time.sleep(0.1)
        assert [event.source for event in kept(hub)] == ["Telemetry"]


def test_a_route_leads_a_will_away():
    routes = (parse_route("wills:iothub-MessageType = 'Will'"),)
    with live_hub(routes=routes) as hub:
        will = Will(EVENTS + "why=power", b"gone", 0, retain=False)
        with hub.connected(will=will) as client:
            client.send(Publish(EVENTS + "why=power", b"here", 1, packet_id=1))
            assert client.read(4) == b"\x40\x02\x00\x01"
        end = time.monotonic() + PATIENCE
        while not kept(hub, "iothub-emulator-routed") and time.monotonic() < end:
            time.sleep(0.005)

        assert [event.body for event in kept(hub, "iothub-emulator-routed")] == [b"gone"]
        assert [event.body for event in kept(hub)] == [b"here"]
