"""Devices are made and deleted a hundred in a call; what fails is named, what is gone is gone."""

import pytest
from back_end import embedded_hub
from scripted_service import Reply, ScriptedService

from conformance.backend import Service
from conformance.backend import registry as registry_module
from conformance.backend.registry import IdentityRegistry
from conformance.errors import ServiceError
from conformance.target.credentials import Enrolment, Identity, Secret

KEY = "c2VjcmV0LWtleS0xMjM0"
DONE = Reply(200, {"isSuccessful": True, "errors": [], "warnings": []})
DOCUMENT = {
    "deviceId": "d",
    "generationId": "7",
    "etag": "AA",
    "status": "enabled",
    "authentication": {"type": "sas", "symmetricKey": {"primaryKey": KEY, "secondaryKey": KEY}},
    "capabilities": {"iotEdge": False},
}


def failed(*errors):
    return Reply(400, {"isSuccessful": False, "errors": list(errors), "warnings": []})


def error(device_id, code):
    return {"deviceId": device_id, "errorCode": code, "errorStatus": "words"}


@pytest.fixture
def service(tmp_path):
    scripted = ScriptedService(tmp_path)
    yield scripted
    scripted.close()


@pytest.fixture
def registry(service):
    client = service.client()
    yield IdentityRegistry(client)
    client.close()


def test_many_devices_are_made_a_hundred_in_a_call(service, registry):
    service.replies = [DONE, DONE, DONE]
    ids = [f"d-{number}" for number in range(250)]

    made = registry.create(ids)

    assert [identity.device_id for identity in made] == ids
    assert [len(request.body) for request in service.requests] == [100, 100, 50]
    first = service.requests[0].body[0]
    assert {**first, "authentication": None} == {
        "id": "d-0",
        "importMode": "create",
        "status": "enabled",
        "authentication": None,
    }
    assert first["authentication"] == {
        "type": "sas",
        "symmetricKey": {
            "primaryKey": made[0].primary_key.reveal(),
            "secondaryKey": made[0].secondary_key.reveal(),
        },
    }
    assert len({identity.primary_key for identity in made}) == 250


def enrolment(device_id, module_id=None, **known_by):
    return Enrolment(
        identity=Identity(
            device_id=device_id, module_id=module_id, primary_key=Secret(KEY), secondary_key=None
        ),
        **known_by,
    )


BY_THUMBPRINT = {"thumbprints": ("A" * 40, "B" * 40)}


def test_identities_of_every_kind_are_made_in_bulk_devices_first(service, registry):
    service.replies = [DONE, DONE, DONE]

    refused = registry.enrol(
        [
            enrolment("a", "m"),
            enrolment("a"),
            enrolment("b", **BY_THUMBPRINT),
            enrolment("c", by_authority=True),
        ]
    )

    assert refused == {}
    assert [
        [(each["id"], each.get("moduleId"), each["authentication"]["type"]) for each in request.body]
        for request in service.requests
    ] == [
        [("a", None, "sas")],
        [("b", None, "selfSigned"), ("c", None, "certificateAuthority")],
        [("a", "m", "sas")],
    ]


def test_a_kind_that_cannot_be_made_is_told_by_id_and_breaks_no_other(service, registry):
    service.replies = [DONE, failed(error("b", 400004)), failed({**error("a", 404010), "moduleId": "m"})]

    refused = registry.enrol([enrolment("a"), enrolment("b", **BY_THUMBPRINT), enrolment("a", "m")])

    assert refused == {
        "b": "POST /devices: could not make b (400004: words).",
        "a/m": "POST /devices: could not make a/m (404010: words).",
    }


def test_there_is_one_wait_behind_all_that_is_made(service, monkeypatch):
    waits = []
    monkeypatch.setattr(registry_module, "pause", waits.append)
    service.replies = [DONE, DONE]
    client = service.client()

    IdentityRegistry(client, settling=5.0).enrol([enrolment("a"), enrolment("b", **BY_THUMBPRINT)])

    client.close()
    assert waits == [5.0]


def test_devices_that_could_not_be_made_are_named(service, registry):
    service.replies = [failed(*(error(f"d-{n}", 409001) for n in range(4)))]

    with pytest.raises(ServiceError) as caught:
        registry.create([f"d-{n}" for n in range(6)])

    assert str(caught.value) == (
        "POST /devices: could not make 4 of 6 devices: d-0 (409001: words), "
        "d-1 (409001: words), d-2 (409001: words), …."
    )


@pytest.mark.parametrize("gone", ["DeviceNotFound", 404001])
def test_a_device_that_is_gone_is_deleted(service, registry, gone):
    service.replies = [failed(error("d-0", gone))]

    registry.delete(["d-0", "d-1"])

    assert service.requests[0].body == [
        {"id": "d-0", "importMode": "delete"},
        {"id": "d-1", "importMode": "delete"},
    ]


def test_every_batch_is_deleted_before_a_failure_is_told(service, registry):
    service.replies = [failed(error("d-0", 403000)), DONE]

    with pytest.raises(ServiceError, match=r"could not delete 1 of 150 devices: d-0 \(403000: words\)"):
        registry.delete([f"d-{n}" for n in range(150)])

    assert len(service.requests) == 2


def test_nothing_to_do_is_no_call(service, registry):
    registry.delete([])

    assert registry.create([]) == []
    assert service.requests == []


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(400, {"Message": "ErrorCode:ArgumentInvalid;x"}), id="error"),
        pytest.param(Reply(400, {"errors": []}), id="no-errors"),
        pytest.param(Reply(200, [1]), id="no-object"),
    ],
)
def test_a_bulk_call_that_fails_whole_is_told(service, registry, reply):
    service.replies = [reply]

    with pytest.raises(ServiceError, match=rf"^POST /devices at localhost:\d+: {reply.status}"):
        registry.delete(["d"])


def test_a_device_is_found_or_not(service, registry):
    service.replies = [Reply(200, DOCUMENT), Reply(404, {})]

    found = registry.get("d")

    assert (found.device_id, found.generation_id, found.etag, found.status) == ("d", "7", "AA", "enabled")
    assert found.primary_key.reveal() == KEY
    assert registry.get("d") is None


def test_a_status_is_changed_and_the_rest_stays(service, registry):
    service.replies = [Reply(200, DOCUMENT), Reply(200, {**DOCUMENT, "status": "disabled"})]

    assert registry.set_status("d", "disabled").status == "disabled"

    put = service.requests[1]
    assert (put.method, put.body, put.headers["If-Match"]) == ("PUT", {**DOCUMENT, "status": "disabled"}, "*")


def test_keys_are_replaced_by_new_ones(service, registry):
    service.replies = [Reply(200, DOCUMENT), Reply(200, DOCUMENT)]

    registry.replace_keys("d")

    keys = service.requests[1].body["authentication"]["symmetricKey"]
    assert KEY not in keys.values()
    assert len(set(keys.values())) == 2


def test_thumbprints_take_the_place_of_keys(service, registry):
    certified = {**DOCUMENT, "authentication": {"type": "selfSigned"}}
    service.replies = [Reply(200, DOCUMENT), Reply(200, certified)]

    registry.use_certificates("d", "A" * 40, "B" * 40)

    put = service.requests[1]
    proof = {
        "type": "selfSigned",
        "x509Thumbprint": {"primaryThumbprint": "A" * 40, "secondaryThumbprint": "B" * 40},
    }
    assert (put.method, put.headers["If-Match"]) == ("PUT", "*")
    assert put.body == {**DOCUMENT, "authentication": proof}


def test_one_device_is_removed(service, registry):
    service.replies = [Reply(204), Reply(404, {"Message": "ErrorCode:DeviceNotFound;d"})]

    registry.remove("d")
    with pytest.raises(ServiceError, match="404 DeviceNotFound"):
        registry.remove("d")

    first = service.requests[0]
    assert (first.method, first.headers["If-Match"]) == ("DELETE", "*")


def test_an_authority_takes_the_place_of_keys(service, registry):
    vouched = {**DOCUMENT, "authentication": {"type": "certificateAuthority"}}
    service.replies = [Reply(200, DOCUMENT), Reply(200, vouched)]

    registry.use_authority("d")

    put = service.requests[1]
    assert (put.method, put.headers["If-Match"], put.body) == ("PUT", "*", vouched)


def test_a_device_that_is_no_object_gets_no_thumbprints(service, registry):
    service.replies = [Reply(200, [1])]

    with pytest.raises(ServiceError, match="the answer is no JSON object"):
        registry.use_certificates("d", "A" * 40, "B" * 40)


@pytest.mark.parametrize(
    "document", [[], {**DOCUMENT, "authentication": {"type": "selfSigned"}}, {"deviceId": "d"}]
)
def test_an_answer_that_is_no_device_is_one_line(service, registry, document):
    service.replies = [Reply(200, document), Reply(200, document)]

    for ask in (registry.get, registry.replace_keys):
        with pytest.raises(ServiceError, match="the answer is not an identity with two keys") as caught:
            ask("d")
        assert KEY not in str(caught.getrepr(style="long"))


def test_against_the_embedded_hub():
    with embedded_hub() as target:
        service = Service(target, telemetry=False)
        registry = service.registry
        ids = [f"conf-registry-{number}" for number in range(120)]

        made = registry.create(ids)
        assert registry.get(ids[0]).primary_key == made[0].primary_key
        assert registry.set_status(ids[0], "disabled").status == "disabled"
        assert registry.get(ids[0]).secondary_key == made[0].secondary_key
        assert registry.replace_keys(ids[0]).primary_key != made[0].primary_key
        with pytest.raises(ServiceError, match=r"could not make 1 of 2 devices: conf-registry-0 \("):
            registry.create([ids[0], "conf-registry-new"])
        registry.delete([*ids, "conf-registry-new", "conf-registry-unknown"])
        assert registry.get(ids[0]) is None
        assert registry.get("conf-registry-new") is None

        service.close()
