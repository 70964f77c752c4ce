"""Module identities over the live REST endpoint, and what a change of them leads to."""

import pytest
from rest_hub import RecordingRuntime, error_of, owner, serving, token

FIRST_KEY = "Zmlyc3Qta2V5LW9mLTE2LWI="
SECOND_KEY = "c2Vjb25kLWtleS1vZi0xNi1i"
ANY = {"If-Match": "*"}


@pytest.fixture(scope="module")
def runtime():
    return RecordingRuntime()


@pytest.fixture(scope="module")
def hub(runtime):
    with serving(runtime) as port, owner(runtime, port) as client:
        yield client


@pytest.fixture(autouse=True)
def one_device(hub, runtime):
    """Start each test with the device `d1` alone."""
    for identity in runtime.registry:
        runtime.registry.delete(identity.device_id, "*")
    hub.put("/devices/d1", json={"deviceId": "d1"})
    runtime.changed.clear()


def create(hub, module_id="m", **fields):
    body = {"deviceId": "d1", "moduleId": module_id, **fields}
    response = hub.put(f"/devices/d1/modules/{module_id}", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def test_a_created_module_is_answered_whole_and_found_again(hub):
    keys = {"symmetricKey": {"primaryKey": FIRST_KEY, "secondaryKey": SECOND_KEY}}
    document = create(hub, managedBy="me", authentication={"type": "sas", **keys})
    assert hub.get("/devices/d1/modules/m").json() == document
    assert hub.get("/devices/d1/modules/m").headers["ETag"] == f'"{document["etag"]}"'
    assert hub.get("/devices/d1/modules").json() == [document]
    del document["generationId"], document["etag"]
    never = "0001-01-01T00:00:00Z"
    assert document == {
        "moduleId": "m",
        "deviceId": "d1",
        "managedBy": "me",
        "connectionState": "Disconnected",
        "connectionStateUpdatedTime": never,
        "lastActivityTime": never,
        "cloudToDeviceMessageCount": 0,
        "authentication": {
            "type": "sas",
            "x509Thumbprint": {"primaryThumbprint": None, "secondaryThumbprint": None},
            **keys,
        },
    }


def test_keys_that_are_empty_are_made(hub):
    empty = {"type": "sas", "symmetricKey": {"primaryKey": "", "secondaryKey": ""}}
    made = create(hub, authentication=empty)["authentication"]["symmetricKey"]
    assert len({made["primaryKey"], made["secondaryKey"], ""}) == 3


def test_a_change_of_its_keys_drops_its_connection_and_one_of_its_owner_does_not(hub, runtime):
    document = create(hub)
    path = "/devices/d1/modules/m"
    hub.put(path, json={**document, "managedBy": "you"}, headers=ANY)
    assert runtime.changed == []
    hub.put(path, json={**document, "authentication": None}, headers=ANY)
    assert runtime.changed == ["d1/m"]
    assert hub.delete(path, headers=ANY).status_code == 204
    assert runtime.changed == ["d1/m", "d1/m"]
    assert error_of(hub.get(path)) == (404, "ModuleNotFound")


def test_a_device_takes_its_modules_along(hub, runtime):
    create(hub, "m")
    create(hub, "n")
    hub.delete("/devices/d1", headers=ANY)
    assert runtime.changed == ["d1/m", "d1/n", "d1"]
    assert error_of(hub.get("/devices/d1/modules")) == (404, "DeviceNotFound")


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("PUT", "m", {"deviceId": "d1"}, (400, "ArgumentNull")),
        ("PUT", "m", {"moduleId": "m"}, (400, "ArgumentNull")),
        ("PUT", "m", {"deviceId": "d1", "moduleId": "n"}, (400, "ArgumentInvalid")),
        ("PUT", "m", {"deviceId": "d2", "moduleId": "m"}, (400, "ArgumentInvalid")),
        ("PUT", "a%20b", {"deviceId": "d1", "moduleId": "a b"}, (400, "ArgumentInvalid")),
        ("PUT", "m", [], (400, "IotHubFormatError")),
        ("PUT", "old", {"deviceId": "d1", "moduleId": "old"}, (409, "ModuleAlreadyExistsOnDevice")),
        ("DELETE", "old", None, (412, "PreconditionFailed")),
        ("DELETE", "none", None, (404, "ModuleNotFound")),
    ],
)
def test_calls_that_are_refused(hub, method, path, body, error):
    create(hub, "old")
    assert error_of(hub.request(method, f"/devices/d1/modules/{path}", json=body)) == error
    assert [module["moduleId"] for module in hub.get("/devices/d1/modules").json()] == ["old"]


def test_modules_in_bulk(hub, runtime):
    entries = [{"id": "d1", "moduleId": name, "importMode": "create"} for name in ("a", "b")]
    assert hub.post("/devices", json=entries).json()["isSuccessful"]
    assert [module["moduleId"] for module in hub.get("/devices/d1/modules").json()] == ["a", "b"]
    hub.patch("/twins/d1/modules/a", json={"tags": {"t": 1}})
    assert runtime.twin("d1/a").tags == {"t": 1}
    deleted = [{"id": "d1", "moduleId": "a", "importMode": "delete"}, {"id": "d1", "moduleId": "x"}]
    assert hub.post("/devices", json=deleted).json()["isSuccessful"]
    assert runtime.changed == ["d1/a"]
    again = hub.post("/devices", json=[{"id": "d1", "moduleId": "a", "importMode": "create"}])
    assert again.status_code == 200
    assert hub.get("/twins/d1/modules/a").json()["tags"] == {}
    assert hub.post("/devices", json=[{"id": "d1", "importMode": "delete"}]).json()["isSuccessful"]
    assert set(runtime.changed) == {"d1", "d1/a", "d1/b", "d1/x"}


def test_a_module_is_seen_in_counts_of_devices_no_more_than_once(hub):
    create(hub)
    assert hub.get("/statistics/devices").json()["totalDeviceCount"] == 1


# With the device's own token


def own_token(runtime, device_id="d1", *, resource=None, **changes):
    """Return a token that a device signed with its own key, for itself unless said otherwise."""
    key = runtime.registry.get(device_id).primary_key
    text = token(runtime, key=key, resource=resource or f"localhost/devices/{device_id}", **changes)
    return {"Authorization": text.replace("&skn=iothubowner", "")}


def test_a_device_makes_and_reads_its_own_modules(hub, runtime):
    headers = own_token(runtime)
    body = {"deviceId": "d1", "moduleId": "m", "authentication": {"type": "none"}}
    made = hub.put("/devices/d1/modules/m", json=body, headers=headers)

    assert made.status_code == 200
    assert made.json()["authentication"] == {
        "symmetricKey": {"primaryKey": None, "secondaryKey": None},
        "x509Thumbprint": {"primaryThumbprint": None, "secondaryThumbprint": None},
        "type": "none",
    }
    assert hub.get("/devices/d1/modules/m", headers=headers).json() == made.json()
    assert hub.get("/devices/d1/modules", headers=headers).json() == [made.json()]
    replacing = headers | {"If-Match": "*"}
    assert hub.put("/devices/d1/modules/m", json=body, headers=replacing).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/devices/d1/modules/m"),
        ("GET", "/devices/d1"),
        ("PUT", "/devices/d1"),
        ("GET", "/devices"),
        ("GET", "/twins/d1"),
        ("GET", "/twins/d1/modules/m"),
        ("POST", "/twins/d1/modules/m/methods"),
        ("POST", "/devices/query"),
        ("POST", "/devices/d1/messages/deviceBound"),
    ],
)
def test_its_token_opens_nothing_else(hub, runtime, method, path):
    create(hub)
    headers = own_token(runtime) | {"If-Match": "*"}
    assert error_of(hub.request(method, path, headers=headers)) == (401, "IotHubUnauthorizedAccess")
    assert hub.get("/devices/d1/modules/m").status_code == 200


def test_another_devices_modules_are_not_its_own(hub, runtime):
    hub.put("/devices/d2", json={"deviceId": "d2"})
    for headers in (
        own_token(runtime, "d2"),
        own_token(runtime, "d2", resource="localhost/devices/d1"),
        own_token(runtime, "d1", resource="localhost/devices/d2"),
        own_token(runtime, "d1", resource="localhost/devices/d1/modules/m"),
        own_token(runtime, "d1", resource="elsewhere/devices/d1"),
        own_token(runtime, "d1", expires_in=-3600),
    ):
        answer = hub.get("/devices/d1/modules", headers=headers)
        assert error_of(answer) == (401, "IotHubUnauthorizedAccess")


def test_nobody_learns_by_it_which_devices_there_are(hub, runtime):
    answer = hub.get("/devices/nobody/modules", headers=own_token(runtime))
    assert error_of(answer) == (401, "IotHubUnauthorizedAccess")


def test_a_disabled_device_makes_no_modules(hub, runtime):
    headers = own_token(runtime)
    device = hub.get("/devices/d1").json()
    hub.put("/devices/d1", json={**device, "status": "disabled"}, headers=ANY)
    assert error_of(hub.get("/devices/d1/modules", headers=headers)) == (401, "IotHubUnauthorizedAccess")
