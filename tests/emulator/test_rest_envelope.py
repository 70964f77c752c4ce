"""The names of a body's envelope in any letter case, on every route; a user's own names as they are."""

import json

import pytest
from rest_hub import error_of, owner, serving

from iothub_emulator.rest.envelope import TWIN, spelled
from iothub_emulator.runtime import Runtime

FIRST_KEY = "Zmlyc3Qta2V5LW9mLTE2LWI="
SECOND_KEY = "c2Vjb25kLWtleS1vZi0xNi1i"
THUMBPRINT = "A" * 40


@pytest.fixture
def hub():
    runtime = Runtime()
    runtime.add_device("d1")
    with serving(runtime) as port, owner(runtime, port) as client:
        yield client


def test_a_device(hub):
    body = {
        "DEVICEID": "d2",
        "Status": "disabled",
        "StatusReason": "broken",
        "Capabilities": {"IotEdge": True},
        "Authentication": {
            "Type": "sas",
            "SymmetricKey": {"PrimaryKey": FIRST_KEY, "secondarykey": SECOND_KEY},
        },
    }
    made = hub.put("/devices/d2", json=body).json()

    assert (made["deviceId"], made["status"], made["statusReason"]) == ("d2", "disabled", "broken")
    assert made["capabilities"] == {"iotEdge": True}
    assert made["authentication"]["symmetricKey"] == {"primaryKey": FIRST_KEY, "secondaryKey": SECOND_KEY}


def test_a_module(hub):
    body = {
        "DeviceId": "d1",
        "ModuleId": "m",
        "ManagedBy": "me",
        "authentication": {"type": "selfSigned", "X509Thumbprint": {"primaryThumbPrint": THUMBPRINT}},
    }
    made = hub.put("/devices/d1/modules/m", json=body).json()

    assert (made["deviceId"], made["moduleId"], made["managedBy"]) == ("d1", "m", "me")
    assert made["authentication"]["x509Thumbprint"]["primaryThumbprint"] == THUMBPRINT


def test_changes_in_bulk(hub):
    entries = [
        {"Id": "d2", "ImportMode": "create", "Status": "disabled"},
        {"ID": "d1", "MODULEID": "m", "importmode": "create"},
        {"id": "d1", "ImportMode": "updateIfMatchETag", "ETag": "another"},
    ]
    answer = hub.post("/devices", json=entries).json()

    assert [(error["deviceId"], error["errorCode"]) for error in answer["errors"]] == [("d1", 412001)]
    assert hub.get("/devices/d2").json()["status"] == "disabled"
    assert hub.get("/devices/d1/modules/m").status_code == 200


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_twin_keeps_its_users_names(hub, method):
    """Only what holds them is the service's: `tags`, `properties`, `desired`."""
    own = {"Desired": 1, "desired": 2, "DESIRED": {"Tags": 3, "tags": 4}}
    body = {"Tags": {"Tags": 1, "tags": {"Properties": 2}}, "PROPERTIES": {"Desired": own}}
    twin = hub.request(method, "/twins/d1", json=body).json()

    del twin["properties"]["desired"]["$metadata"], twin["properties"]["desired"]["$version"]
    assert twin["tags"] == {"Tags": 1, "tags": {"Properties": 2}}
    assert twin["properties"]["desired"] == own


def test_a_section_of_null(hub):
    hub.patch("/twins/d1", json={"tags": {"a": 1}, "properties": {"desired": {"b": 2}}})
    twin = hub.patch("/twins/d1", json={"TAGS": None, "Properties": {"DESIRED": None}}).json()

    assert (twin["tags"], "b" in twin["properties"]["desired"]) == ({}, False)


def test_a_query(hub):
    """As amenzhinsky/iothub sends it."""
    assert hub.post("/devices/query", json={"Query": "SELECT deviceId FROM devices"}).json() == [
        {"deviceId": "d1"}
    ]


def test_a_method_call(hub):
    called = hub.post("/twins/d1/methods", json={"MethodName": "reboot", "Payload": {"MethodName": 5}})
    too_short = {"methodname": "reboot", "ResponseTimeoutInSeconds": 1}
    refused = hub.post("/twins/d1/methods", json=too_short)

    assert json.loads(called.json()["Message"])["errorCode"] == 404103
    assert error_of(refused) == (400, "ArgumentInvalid")


def test_the_exact_name_counts_where_there_are_several():
    document = {"TAGS": {"a": 1}, "tags": {"b": 2}, "Tags": {"c": 3}}
    assert spelled(document, TWIN) == {"tags": {"b": 2}}


def test_the_last_name_counts_where_none_is_exact():
    assert spelled({"TAGS": {"a": 1}, "Tags": {"b": 2}}, TWIN) == {"tags": {"b": 2}}


@pytest.mark.parametrize(
    "document", [None, 5, "tags", [], [5, None], {"other": {"TAGS": 1}}, {"tag\u017f": 1}]
)
def test_what_holds_none_of_the_names_is_left_as_it_is(document):
    """U+017F is a small s of long form: to some languages' `lower` and `upper` it is an S."""
    assert spelled(document, TWIN) == document
