"""Events of the hub's own, as values: names, shapes and numbers; and what of a twin they show."""

import json

import pytest

from iothub_emulator.hub import twin as twins
from iothub_emulator.hub.hub_events import EventRules, Happening
from iothub_emulator.hub.links import LinkRules
from iothub_emulator.hub.packets import Pingreq, Publish, Subscribe, Unsubscribe
from iothub_emulator.hub.twin_changes import changed_parts
from iothub_emulator.hub.twin_rules import TwinRules
from iothub_emulator.settings import Settings

NOW = 1_800_000_000.0
RULES = EventRules(Settings(host_names=("contoso.azure-devices.net",)))
TWIN_RULES = TwinRules(200, 204)


def event(subject, *, module=None, body=None):
    happening = Happening("d", module, "anything", NOW - 1, body or {}, "c0ffee")
    return RULES.event(subject, happening, NOW)


def test_an_event_is_shaped_as_a_hubs():
    seen = event("connection", body={"sequenceNumber": "00"})

    assert seen.properties == {
        "hubName": "contoso",
        "deviceId": "d",
        "opType": "anything",
        "operationTimestamp": "2027-01-15T07:59:59.000000Z",
        "iothub-message-schema": "deviceConnectionStateNotification",
    }
    assert seen.system == {
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "correlation-id": "c0ffee",
        "user-id": b"contoso",
    }
    assert json.loads(seen.body) == {"sequenceNumber": "00"}


def test_nobody_authenticated_for_it():
    annotations = LinkRules(Settings()).annotations(event("twin", module="m"), 0, "0")

    assert annotations.keys() == {
        "x-opt-sequence-number",
        "x-opt-offset",
        "x-opt-enqueued-time",
        "iothub-connection-device-id",
        "iothub-connection-module-id",
        "iothub-enqueuedtime",
        "iothub-message-source",
    }


@pytest.mark.parametrize(
    ("subject", "module", "source", "schema"),
    [
        ("connection", "m", "deviceConnectionStateEvents", "deviceConnectionStateNotification"),
        ("twin", None, "twinChangeEvents", "twinChangeNotification"),
        ("lifecycle", None, "deviceLifecycleEvents", "deviceLifecycleNotification"),
        ("lifecycle", "m", "deviceLifecycleEvents", "moduleLifecycleNotification"),
    ],
)
def test_each_subject_has_its_source_and_schema(subject, module, source, schema):
    seen = event(subject, module=module)

    assert (seen.source, seen.properties["iothub-message-schema"]) == (source, schema)
    assert (seen.module_id, seen.properties.get("moduleId")) == (module, module)


def test_operations_are_named():
    assert [RULES.connection_operation(connected=connected) for connected in (True, False)] == [
        "deviceConnected",
        "deviceDisconnected",
    ]
    assert [
        RULES.lifecycle_operation(created=created, is_module=is_module)
        for is_module in (False, True)
        for created in (True, False)
    ] == ["createDeviceIdentity", "deleteDeviceIdentity", "createModuleIdentity", "deleteModuleIdentity"]


def test_sequence_numbers_rise_as_texts_too():
    numbers = [
        RULES.sequence_number(number, NOW + later) for number, later in ((9, 0), (16, 0), (17, 0.1), (18, 9))
    ]

    assert numbers == sorted(set(numbers))
    assert {len(number) for number in numbers} == {64}


@pytest.mark.parametrize(
    ("packet", "counts"),
    [
        (Publish("t", b""), True),
        (Subscribe(1, (("f", 0),)), True),
        (Unsubscribe(1, ("f",)), False),
        (Pingreq(), False),
    ],
)
def test_publishing_and_subscribing_count_as_use(packet, counts):
    assert RULES.is_activity(packet) is counts


class TestTwins:
    def patched(self, *patches, tags=None):
        twin = twins.new_twin(NOW)
        for number, patch in enumerate(patches, 1):
            document = {"properties": {"desired": patch}}
            if tags is not None:
                document["tags"] = tags
            change = twins.patch_twin(twin, document, None, TWIN_RULES, NOW + number)
            twin = change.twin
        return changed_parts(twin, change.patched)

    def test_what_a_patch_touched_is_shown_with_its_metadata(self):
        stamp = {"$lastUpdated": "2027-01-15T08:00:02.000000Z", "$lastUpdatedVersion": 3}
        assert self.patched({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"c": 3}}) == {
            "version": 4,
            "properties": {
                "desired": {
                    "b": {"c": 3},
                    "$metadata": {
                        **stamp,
                        "b": {
                            **stamp,
                            "c": stamp,
                            "d": {"$lastUpdated": "2027-01-15T08:00:01.000000Z", "$lastUpdatedVersion": 2},
                        },
                    },
                    "$version": 3,
                }
            },
        }

    def test_a_value_that_was_set_again_is_shown(self):
        assert self.patched({"a": 1}, {"a": 1})["properties"]["desired"]["a"] == 1

    def test_a_member_that_is_gone_is_null(self):
        desired = self.patched({"a": 1, "b": {"c": 1, "d": 2}}, {"a": None, "b": {"c": None}})["properties"]
        assert desired["desired"]["a"] is None
        assert desired["desired"]["b"] == {"c": None}
        assert "a" not in desired["desired"]["$metadata"]

    def test_a_null_for_what_was_not_there_is_shown(self):
        desired = self.patched({"a": 1}, {"x": None, "b": {"y": None}})["properties"]["desired"]
        assert (desired["x"], desired["b"]) == (None, {"y": None})
        assert desired["$metadata"].keys() == {"$lastUpdated", "$lastUpdatedVersion", "b"}

    def test_tags_are_shown_as_they_were_patched(self):
        assert self.patched({"a": 1}, tags={"floor": 1, "x": None})["tags"] == {"floor": 1, "x": None}
        assert "tags" not in self.patched({"a": 1}, tags={})
        assert "properties" not in self.patched({}, tags={"floor": 1})

    def test_a_report_shows_reported_properties_alone(self):
        before = twins.new_twin(NOW)
        change = twins.report(before, {"t": 21, "x": None}, None, TWIN_RULES, NOW + 1)
        shown = changed_parts(change.twin, change.patched)
        assert shown.keys() == {"version", "properties"}
        assert shown["properties"].keys() == {"reported"}
        assert shown["properties"]["reported"]["t"] == 21
        assert shown["properties"]["reported"]["x"] is None
