"""Bulk changes over the live REST endpoint."""

import pytest
from rest_hub import RecordingRuntime, error_of, owner, serving

SHORT_KEY = "c2hvcnQ="
KEY = "Zmlyc3Qta2V5LW9mLTE2LWI="


@pytest.fixture(scope="module")
def runtime():
    return RecordingRuntime()


@pytest.fixture(scope="module")
def hub(runtime):
    with serving(runtime) as port, owner(runtime, port) as client:
        yield client


@pytest.fixture(autouse=True)
def one_device(hub, runtime):
    """Start each test with the device `old` alone."""
    for identity in runtime.registry:
        runtime.registry.delete(identity.device_id, "*")
    hub.put("/devices/old", json={"deviceId": "old"})
    runtime.changed.clear()


def test_a_hundred_devices_come_and_go(hub, runtime):
    ids = [f"d{number}" for number in range(100)]
    created = hub.post("/devices", json=[{"id": each, "importMode": "create"} for each in ids])
    assert (created.status_code, created.json()) == (
        200,
        {"isSuccessful": True, "errors": [], "warnings": []},
    )
    assert len(runtime.registry) == 101

    deleted = hub.post("/devices", json=[{"id": each, "importMode": "delete"} for each in ids])
    assert deleted.status_code == 200
    assert [identity.device_id for identity in runtime.registry] == ["old"]


def test_failures_are_reported_for_each_identity_and_the_rest_is_done(hub, runtime):
    response = hub.post(
        "/devices",
        json=[
            {"id": "new", "importMode": "create", "status": "disabled"},
            {"id": "old", "importMode": "create"},
            {"id": "none", "importMode": "update"},
            {"id": "old-etag", "importMode": "deleteIfMatchETag"},
            {"id": "odd", "importMode": "upsert"},
            {
                "id": "short",
                "authentication": {"symmetricKey": {"primaryKey": KEY, "secondaryKey": SHORT_KEY}},
            },
            {"id": "module", "moduleId": "m"},
            {"id": "bad id", "importMode": "create"},
        ],
    )
    assert response.status_code == 400
    result = response.json()
    assert (result["isSuccessful"], result["warnings"]) == (False, [])
    assert [(error["deviceId"], error["errorCode"]) for error in result["errors"]] == [
        ("old", 409001),
        ("none", 404001),
        ("old-etag", 412001),
        ("odd", 400004),
        ("short", 400004),
        ("module", 404001),
        ("bad id", 400004),
    ]
    assert [error["moduleId"] for error in result["errors"] if "moduleId" in error] == ["m"]
    assert all(
        error.keys() - {"moduleId"} == {"deviceId", "errorCode", "errorStatus"} for error in result["errors"]
    )
    assert SHORT_KEY not in response.text
    assert [identity.device_id for identity in runtime.registry] == ["old", "new"]
    assert runtime.registry.get("new").status == "disabled"


@pytest.mark.parametrize("mode", ["Update", "UPDATE", "createOrUpdate", None])
def test_modes_in_any_case_and_create_or_update_by_default(hub, runtime, mode):
    response = hub.post("/devices", json=[{"id": "old", "importMode": mode, "status": "disabled"}])
    assert response.status_code == 200
    assert runtime.registry.get("old").status == "disabled"


@pytest.mark.parametrize("twin", [{"tags": {"a": 1}}, {"properties": {"desired": {"t": 5}}}])
def test_a_twin_in_an_entry_is_refused_and_never_dropped(hub, runtime, twin):
    response = hub.post("/devices", json=[{"id": "with-twin", "importMode": "create", **twin}])
    assert (response.status_code, response.json()["errors"][0]["errorCode"]) == (400, 400004)
    assert runtime.registry.get("with-twin") is None


def test_an_etag_that_matches(hub, runtime):
    etag = runtime.registry.get("old").etag
    update = {"id": "old", "importMode": "updateIfMatchETag", "eTag": etag, "statusReason": "seen"}
    assert hub.post("/devices", json=[update]).status_code == 200
    response = hub.post("/devices", json=[update])
    assert response.json()["errors"][0]["errorCode"] == 412001


def test_connections_of_changed_devices_are_dropped(hub, runtime):
    hub.post("/devices", json=[{"id": "old", "importMode": "create"}, {"id": "new", "importMode": "create"}])
    assert runtime.changed == []
    hub.post("/devices", json=[{"id": "old", "importMode": "delete"}, {"id": "none", "importMode": "delete"}])
    assert runtime.changed == ["old"]


def test_more_than_a_hundred_are_refused_whole(hub, runtime):
    response = hub.post("/devices", json=[{"id": f"d{number}"} for number in range(101)])
    assert error_of(response) == (413, "TooManyDevices")
    assert len(runtime.registry) == 1


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "IotHubFormatError"),
        ([], "IotHubFormatError"),
        (["old"], "IotHubFormatError"),
        ([{"id": "new"}, None], "IotHubFormatError"),
        ([{"id": 1}], "IotHubFormatError"),
        ([{"id": "new"}, {"importMode": "create"}], "ArgumentNull"),
    ],
)
def test_a_call_that_cannot_be_read_changes_nothing(hub, runtime, body, name):
    assert error_of(hub.post("/devices", json=body)) == (400, name)
    assert [identity.device_id for identity in runtime.registry] == ["old"]
