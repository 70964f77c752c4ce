"""Device identities over the live REST endpoint."""

import contextlib
import re
import socket
import ssl

import pytest
import trustme
from rest_hub import RecordingRuntime, error_of, owner, serving, token

from iothub_emulator.editions import EDITIONS
from iothub_emulator.hub.registry_rules import RegistryRules
from iothub_emulator.rules import rules_for
from iothub_emulator.settings import Settings

FIRST_KEY = "Zmlyc3Qta2V5LW9mLTE2LWI="
SECOND_KEY = "c2Vjb25kLWtleS1vZi0xNi1i"
SHA_1 = "0123456789abcdef0123456789ABCDEF01234567"
HALF_A_BODY = (
    "PUT /devices/x?api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\n"
    "Authorization: {}\r\nContent-Length: 9\r\n\r\n{{"
)


@pytest.fixture(scope="module")
def runtime():
    return RecordingRuntime()


@pytest.fixture(scope="module")
def hub(runtime):
    with serving(runtime) as port, owner(runtime, port) as client:
        yield client


@pytest.fixture(autouse=True)
def empty(runtime):
    """Start each test with no identities."""
    for identity in runtime.registry:
        runtime.registry.delete(identity.device_id, "*")
    runtime.changed.clear()


def keys(primary, secondary):
    return {"type": "sas", "symmetricKey": {"primaryKey": primary, "secondaryKey": secondary}}


def create(hub, device_id="d1", **fields):
    response = hub.put(f"/devices/{device_id}", json={"deviceId": device_id, **fields})
    assert response.status_code == 200, response.text
    return response.json()


def test_a_created_identity_is_answered_whole(hub):
    document = create(hub, authentication=keys(FIRST_KEY, SECOND_KEY), statusReason="new")

    assert re.fullmatch(r"\d{1,128}", document.pop("generationId"))
    assert re.fullmatch(r"[A-Za-z0-9+/]+=*", document.pop("etag"))
    assert document == {
        "deviceId": "d1",
        "connectionState": "Disconnected",
        "status": "enabled",
        "statusReason": "new",
        "connectionStateUpdatedTime": "0001-01-01T00:00:00Z",
        "statusUpdatedTime": "0001-01-01T00:00:00Z",
        "lastActivityTime": "0001-01-01T00:00:00Z",
        "cloudToDeviceMessageCount": 0,
        "authentication": {
            "symmetricKey": {"primaryKey": FIRST_KEY, "secondaryKey": SECOND_KEY},
            "x509Thumbprint": {"primaryThumbprint": None, "secondaryThumbprint": None},
            "type": "sas",
        },
        "capabilities": {"iotEdge": False},
    }


def test_what_was_answered_can_be_read_again(hub):
    created = create(hub)
    response = hub.get("/devices/d1")
    assert response.json() == created
    assert response.headers["ETag"] == f'"{created["etag"]}"'


@pytest.mark.parametrize(
    "authentication",
    [
        None,
        {},
        {"type": "sas"},
        {"type": "sas", "symmetricKey": None},
        keys("", ""),
        keys(None, None),
        {"symmetricKey": {}, "x509Thumbprint": {"primaryThumbprint": None}},
    ],
)
def test_keys_are_generated_where_none_are_sent(hub, authentication):
    made = create(hub, authentication=authentication)["authentication"]
    assert made["type"] == "sas"
    primary, secondary = made["symmetricKey"]["primaryKey"], made["symmetricKey"]["secondaryKey"]
    assert primary != secondary
    assert all(re.fullmatch(r"[A-Za-z0-9+/]{43}=", key) for key in (primary, secondary))


@pytest.mark.parametrize(
    "authentication",
    [
        {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": SHA_1}},
        {"x509Thumbprint": {"primaryThumbprint": SHA_1, "secondaryThumbprint": None}},
    ],
)
def test_a_thumbprint_is_kept_as_given(hub, authentication):
    assert create(hub, authentication=authentication)["authentication"] == {
        "type": "selfSigned",
        "symmetricKey": {"primaryKey": None, "secondaryKey": None},
        "x509Thumbprint": {"primaryThumbprint": SHA_1, "secondaryThumbprint": None},
    }


def test_creating_twice_is_a_conflict_even_with_the_etag_in_the_body(hub):
    created = create(hub)
    response = hub.put("/devices/d1", json=created)
    assert error_of(response) == (409, "DeviceAlreadyExists")


@pytest.mark.parametrize("quoted", ['"{}"', "{}", 'W/"{}"'])
def test_if_match_takes_the_etag_quoted_or_bare(hub, quoted):
    created = create(hub)
    response = hub.put(
        "/devices/d1",
        json={"deviceId": "d1", "status": "disabled"},
        headers={"If-Match": quoted.format(created["etag"])},
    )
    assert response.json()["status"] == "disabled"
    assert response.json()["etag"] != created["etag"]
    assert response.json()["generationId"] == created["generationId"]


@pytest.mark.parametrize("star", ["*", '"*"'])
def test_if_match_star_replaces_whatever_is_there(hub, star):
    create(hub)
    response = hub.put("/devices/d1", json={"deviceId": "d1"}, headers={"If-Match": star})
    assert response.status_code == 200


def test_an_old_etag_is_a_failed_precondition(hub):
    old = create(hub)["etag"]
    hub.put("/devices/d1", json={"deviceId": "d1"}, headers={"If-Match": f'"{old}"'})
    for response in (
        hub.put("/devices/d1", json={"deviceId": "d1"}, headers={"If-Match": f'"{old}"'}),
        hub.delete("/devices/d1", headers={"If-Match": f'"{old}"'}),
    ):
        assert error_of(response) == (412, "PreconditionFailed")


def test_delete(hub):
    create(hub)
    response = hub.delete("/devices/d1", headers={"If-Match": "*"})
    assert (response.status_code, response.content) == (204, b"")
    assert error_of(hub.get("/devices/d1")) == (404, "DeviceNotFound")


def test_delete_without_an_etag_is_a_failed_precondition(hub):
    create(hub)
    assert error_of(hub.delete("/devices/d1")) == (412, "PreconditionFailed")


def test_what_does_not_exist_is_not_found(hub):
    star = {"If-Match": "*"}
    for response in (
        hub.get("/devices/none"),
        hub.put("/devices/none", json={"deviceId": "none"}, headers=star),
        hub.delete("/devices/none", headers=star),
    ):
        assert error_of(response) == (404, "DeviceNotFound")


def test_an_id_is_decoded_once(hub):
    create_path = "/devices/a%2523%23%3F"  # a%23#?
    response = hub.put(create_path, json={"deviceId": "a%23#?"})
    assert response.json()["deviceId"] == "a%23#?"
    assert hub.get(create_path).status_code == 200


@pytest.mark.parametrize("path", ["/devices%2Fd1", "/Devices/d1", "/devices/d1/", "/devices/d1%2F"])
def test_a_path_is_split_when_it_is_decoded(hub, path):
    """Azure IoT Explorer encodes the slash. The case of fixed words is ignored, that of ids is not."""
    created = create(hub)
    assert hub.get(path).json() == created
    assert error_of(hub.get(path.replace("d1", "D1"))) == (404, "DeviceNotFound")


EDGE = {"capabilities": {"iotEdge": True}}
ABOVE = "ms-azure-iot-edge://above-1"


def test_an_edge_device_has_a_scope_of_its_own(hub):
    created = create(hub, "edge", **EDGE, deviceScope="ms-azure-iot-edge://mine", parentScopes=[ABOVE])
    own = f"ms-azure-iot-edge://edge-{created['generationId']}"

    assert (created["deviceScope"], created["parentScopes"]) == (own, [ABOVE])
    replaced = hub.put("/devices/edge", json={"deviceId": "edge", **EDGE}, headers={"If-Match": "*"}).json()
    assert (replaced["deviceScope"], replaced["parentScopes"]) == (own, [])
    assert hub.get("/devices/edge").json() == replaced
    twin = hub.get("/twins/edge").json()
    assert (twin["deviceScope"], twin["parentScopes"]) == (own, [])


@pytest.mark.parametrize(
    ("wanted", "scopes"),
    [
        ({}, {}),
        ({"deviceScope": None, "parentScopes": None}, {}),
        ({"deviceScope": ABOVE}, {"deviceScope": ABOVE, "parentScopes": [ABOVE]}),
        ({"deviceScope": ABOVE, "parentScopes": []}, {"deviceScope": ABOVE, "parentScopes": []}),
        ({"DeviceScope": ABOVE, "ParentScopes": [ABOVE]}, {"deviceScope": ABOVE, "parentScopes": [ABOVE]}),
    ],
)
def test_a_leaf_has_the_scope_that_it_is_given(hub, wanted, scopes):
    """REST reference: a parent's scope that is left out is copied from the leaf's own."""
    created = create(hub, **wanted)
    twin = hub.get("/twins/d1").json()

    assert {name: created[name] for name in ("deviceScope", "parentScopes") if name in created} == scopes
    assert {name: twin[name] for name in ("deviceScope", "parentScopes") if name in twin} == scopes


def test_the_children_of_an_edge_device_are_found(hub):
    scope = create(hub, "edge", **EDGE)["deviceScope"]
    create(hub, "leaf", deviceScope=scope)
    create(hub, "other")
    query = f"select deviceId from devices where array_contains(parentScopes, '{scope}')"

    assert hub.post("/devices/query", json={"query": query}).json() == [{"deviceId": "leaf"}]


@pytest.mark.parametrize("scopes", [ABOVE, {}, [5], [None]])
def test_scopes_that_are_no_list_of_texts(hub, scopes):
    response = hub.put("/devices/d1", json={"deviceId": "d1", "parentScopes": scopes})
    assert error_of(response) == (400, "IotHubFormatError")


def test_a_device_without_credentials(hub):
    """Type `none`: no keys are made, and nobody connects as it by a token or a certificate of its own."""
    created = create(hub, authentication={"type": "none", "symmetricKey": {"primaryKey": "x"}})
    assert created["authentication"] == {
        "symmetricKey": {"primaryKey": None, "secondaryKey": None},
        "x509Thumbprint": {"primaryThumbprint": None, "secondaryThumbprint": None},
        "type": "none",
    }


def test_status_time_is_iso_8601_in_utc(hub):
    created = create(hub)
    response = hub.put(
        "/devices/d1",
        json={"deviceId": "d1", "status": "disabled", "statusReason": "lost"},
        headers={"If-Match": created["etag"]},
    )
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", response.json()["statusUpdatedTime"])


def test_list_respects_top(hub):
    for number in range(3):
        create(hub, f"d{number}")
    assert [document["deviceId"] for document in hub.get("/devices", params={"top": 2}).json()] == [
        "d0",
        "d1",
    ]
    assert len(hub.get("/devices").json()) == 3
    assert len(hub.get("/devices", params={"top": "-1"}).json()) == 3


@pytest.mark.parametrize("top", ["", "x", "1.5", "²", "9" * 30])
def test_a_top_that_is_no_number_is_refused(hub, top):
    assert error_of(hub.get("/devices", params={"top": top})) == (400, "ArgumentInvalid")


def test_head_is_get_without_a_body(hub):
    created = create(hub)
    response = hub.head("/devices/d1")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["ETag"] == f'"{created["etag"]}"'


def test_the_connection_of_a_changed_identity_is_dropped(hub, runtime):
    created = create(hub)
    assert runtime.changed == []
    star = {"If-Match": "*"}

    kept = {"deviceId": "d1", "authentication": created["authentication"]}
    hub.put("/devices/d1", json={**kept, "statusReason": "checked"}, headers=star)
    assert runtime.changed == []

    hub.put("/devices/d1", json={**kept, "status": "disabled"}, headers=star)
    assert runtime.changed == ["d1"]

    hub.put("/devices/d1", json={"deviceId": "d1"}, headers=star)  # new keys
    assert runtime.changed == ["d1"] * 2

    hub.delete("/devices/d1", headers=star)
    assert runtime.changed == ["d1"] * 3


def test_a_refused_change_drops_nothing(hub, runtime):
    create(hub)
    hub.put("/devices/d1", json={"deviceId": "d1"}, headers={"If-Match": "old"})
    hub.delete("/devices/d1", headers={"If-Match": "old"})
    assert runtime.changed == []


def test_registry_made_elsewhere_is_served(hub, runtime):
    """The identities made at the start and those of back ends are the same registry."""
    runtime.add_device("early")
    assert hub.get("/devices/early").json()["deviceId"] == "early"


def test_a_replaced_rule_decides():
    class Careless(RegistryRules):
        def needs_etag_to_delete(self):
            return False

    rules = rules_for(Settings(), EDITIONS["current"])
    rules.registry = Careless()
    runtime = RecordingRuntime(rules)
    with serving(runtime) as port, owner(runtime, port) as hub:
        create(hub)
        assert hub.delete("/devices/d1").status_code == 204


def test_stopping_does_not_wait_for_those_who_say_nothing():
    runtime = RecordingRuntime()
    with serving(runtime) as port, contextlib.ExitStack() as stack:
        for half in (b"", b"PUT /devices", HALF_A_BODY.format(token(runtime)).encode()):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(half)
        with owner(runtime, port) as hub:
            create(hub)  # the others have arrived before this one
        kept = stack.pop_all()  # they outlast the hub, and `serving` bounds how long its end takes
    kept.close()


def test_over_tls():
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    runtime = RecordingRuntime()
    with serving(runtime, tls=server) as port, owner(runtime, port, verify=client) as hub:
        assert create(hub)["deviceId"] == "d1"
