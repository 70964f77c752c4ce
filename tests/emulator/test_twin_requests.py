"""Twin requests of a device: topic and body in, topic and body out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iothub_emulator.hub.identity import Fresh, Wanted
from iothub_emulator.hub.registry import Registry
from iothub_emulator.hub.registry_rules import RegistryRules
from iothub_emulator.hub.twin import new_twin, patch_twin
from iothub_emulator.hub.twin_document import TwinOwner, owner_of, twin_document
from iothub_emulator.hub.twin_requests import answer, notify
from iothub_emulator.hub.twin_rules import TwinRequest, TwinRules

RULES = TwinRules()
NOW = 1_600_000_000.0
GET = TwinRequest("get", "1")


def respond(request, payload=b"", twin=None, rules=RULES, **options):
    return answer(request, payload, twin or new_twin(NOW), rules, now=NOW, tracking_id="t", **options)


@pytest.mark.parametrize(
    ("topic", "request_"),
    [
        ("$iothub/twin/GET/?$rid=1", GET),
        ("$iothub/twin/GET/?%24rid=1", GET),
        ("$iothub/twin/GET/?$rid=a=b/c%20d", TwinRequest("get", "a=b/c%20d")),
        ("$iothub/twin/GET/?$rid=1&$rid=2&x", GET),
        ("$iothub/twin/GET/?$rid=", TwinRequest("get", "")),
        ("$iothub/twin/GET/?", TwinRequest("get", None)),
        ("$iothub/twin/GET/", TwinRequest("get", None)),
        ("$iothub/twin/PATCH/properties/reported/?$rid=x", TwinRequest("patch", "x")),
        ("$iothub/twin/PATCH/properties/reported/?$version=3&$rid=x", TwinRequest("patch", "x", "3")),
        ("$iothub/twin/GET", None),
        ("$iothub/twin/GET/x/?$rid=1", None),
        ("$iothub/twin/PATCH/properties/desired/?$rid=1", None),
        ("$iothub/twin/res/200/?$rid=1", None),
        ("devices/d/messages/events/", None),
        ("", None),
    ],
)
def test_topics(topic, request_):
    assert RULES.parse_request(topic) == request_


@given(st.text() | st.text().map("$iothub/twin/GET/?".__add__))
def test_any_topic_can_be_read(topic):
    RULES.parse_request(topic)


@pytest.mark.parametrize("request_id", [None, "", "x" * 65_001, "é" * 32_501])
def test_requests_without_an_id(request_id):
    assert not RULES.is_request_id(request_id)
    assert RULES.on_missing_request_id() == "close"


def test_get():
    answered = respond(GET)

    assert answered.topic == "$iothub/twin/res/200/?$rid=1"
    assert json.loads(answered.payload) == {"desired": {"$version": 1}, "reported": {"$version": 1}}
    assert answered.twin == new_twin(NOW)


@pytest.mark.parametrize("payload", [b"", b" ", b"{}", b"\xff"])
def test_the_body_of_a_get_is_not_looked_into(payload):
    assert respond(GET, payload) == respond(GET)


def test_patch():
    answered = respond(TwinRequest("patch", "a-1"), b'{"a":{"b":1}}')

    assert (answered.topic, answered.payload) == ("$iothub/twin/res/204/?$rid=a-1&$version=2", b"")
    assert answered.twin.reported.values == {"a": {"b": 1}}
    assert answered.change.notification is None


def test_the_statuses_of_the_document():
    document = TwinRules(get_status=204, patch_status=200)

    assert respond(GET, rules=document).topic == "$iothub/twin/res/204/?$rid=1"
    assert json.loads(respond(GET, rules=document).payload)["desired"] == {"$version": 1}
    patched = respond(TwinRequest("patch", "1"), b'{"a":1}', rules=document)
    assert patched.topic == "$iothub/twin/res/200/?$rid=1&$version=2"


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a":', b'{"a":1', b"a", b"}", b"\x00\xff", b"[]", b"1", b'"x"', b"{'a':1}"]
)
def test_a_body_that_is_no_object_is_answered_with_400(body):
    answered = respond(TwinRequest("patch", "7"), body)

    assert answered.topic == "$iothub/twin/res/400/?$rid=7"
    assert answered.twin == new_twin(NOW)
    error = json.loads(answered.payload)
    assert set(error) == {"errorCode", "trackingId", "message", "timestampUtc"}
    assert (error["errorCode"], error["trackingId"]) == (400004, "t")
    assert error["timestampUtc"] == "2020-09-13T12:26:40.000000Z"


@pytest.mark.parametrize(
    ("version", "status"),
    [("1", 204), ("0", 412), ("2", 412), ("x", 400), ("", 400), ("-1", 400), ("1" * 19, 400)],
)
def test_the_version_that_a_patch_is_meant_for(version, status):
    topic = respond(TwinRequest("patch", "1", version), b'{"a":1}').topic

    assert topic.startswith(f"$iothub/twin/res/{status}/?$rid=1")


@pytest.mark.parametrize("request_", [GET, TwinRequest("patch", "1")])
def test_throttled_requests_are_answered_and_not_carried_out(request_):
    answered = respond(request_, b'{"a":1}', throttled=True)

    assert answered.topic == "$iothub/twin/res/429/?$rid=1"
    assert answered.twin == new_twin(NOW)


@given(
    st.builds(TwinRequest, st.sampled_from(["get", "patch"]), st.text(), st.none() | st.text()), st.binary()
)
def test_every_request_gets_one_answer(request_, payload):
    answered = respond(request_, payload)

    assert answered.topic.startswith("$iothub/twin/res/")
    assert f"/?$rid={request_.request_id}" in answered.topic


def test_notifications():
    change = patch_twin(new_twin(NOW), {"properties": {"desired": {"a": None, "b": 1}}}, None, RULES, NOW)
    topic, body = notify(change.notification, RULES)

    assert topic == "$iothub/twin/PATCH/properties/desired/?$version=2"
    assert json.loads(body) == {"a": None, "b": 1, "$version": 2}


def test_who_is_answered_and_notified():
    assert RULES.sends_answer(subscribed=True)
    assert not RULES.sends_answer(subscribed=False)
    assert RULES.sends_notification(connected=True, subscribed=True)
    assert not RULES.sends_notification(connected=True, subscribed=False)
    assert not RULES.sends_notification(connected=False, subscribed=True)
    assert not RULES.keeps_notifications()
    assert RULES.recipients("d") == ("d",)
    assert RULES.answer_qos(1) == 0


def test_the_service_sees_the_whole_twin():
    registry = Registry(RegistryRules())
    fresh = Fresh(etag="e", generation_id="g", primary_key="cGs=", secondary_key="c2s=", now=NOW)
    identity = registry.create(Wanted(device_id="d"), fresh)
    owner = owner_of(identity, connected=True, last_activity=NOW, pending_messages=3)

    assert twin_document(new_twin(NOW), owner, RULES) == {
        "deviceId": "d",
        "etag": "AAAAAAAAAAE=",
        "deviceEtag": "e",
        "status": "enabled",
        "statusUpdateTime": "0001-01-01T00:00:00Z",
        "connectionState": "Connected",
        "lastActivityTime": "2020-09-13T12:26:40.000000Z",
        "cloudToDeviceMessageCount": 3,
        "authenticationType": "sas",
        "x509Thumbprint": {"primaryThumbprint": None, "secondaryThumbprint": None},
        "modelId": "",
        "version": 2,
        "properties": {
            "desired": {"$metadata": {"$lastUpdated": "2020-09-13T12:26:40.000000Z"}, "$version": 1},
            "reported": {"$metadata": {"$lastUpdated": "2020-09-13T12:26:40.000000Z"}, "$version": 1},
        },
        "capabilities": {"iotEdge": False},
        "tags": {},
    }


def test_a_module_is_named_and_a_reason_told():
    owner = TwinOwner(device_id="d", module_id="m", etag="e", status_reason="why")
    document = twin_document(new_twin(NOW), owner, RULES)

    assert list(document)[:2] == ["deviceId", "moduleId"]
    assert document["statusReason"] == "why"
    assert document["connectionState"] == "Disconnected"
