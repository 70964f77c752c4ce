"""Modules are made and deleted one by one; each is an identity of its own, beside its device."""

import pytest
from scripted_service import Reply

from conformance.backend.registry import IdentityRegistry
from conformance.errors import ServiceError

KEY = "c2VjcmV0LWtleS0xMjM0"


def document(request):
    """What a hub answers: what it was sent, and its own marks."""
    return {**request.body, "generationId": "7", "etag": "AA", "connectionState": "Disconnected"}


@pytest.fixture
def registry(rest):
    client = rest.client()
    yield IdentityRegistry(client)
    client.close()


DOCUMENT = {
    "deviceId": "d",
    "moduleId": "m",
    "generationId": "7",
    "etag": "AA",
    "authentication": {"type": "sas", "symmetricKey": {"primaryKey": KEY, "secondaryKey": KEY}},
}


def test_a_module_is_made_with_keys_of_its_own(rest, registry):
    rest.replies = [Reply(201, DOCUMENT)]

    made = registry.create_module("d", "m")

    (request,) = rest.requests
    assert (request.method, request.path.partition("?")[0]) == ("PUT", "/devices/d/modules/m")
    assert (request.body["deviceId"], request.body["moduleId"]) == ("d", "m")
    keys = request.body["authentication"]["symmetricKey"]
    assert len({keys["primaryKey"], keys["secondaryKey"], KEY}) == 3
    assert (made.id, made.path, made.generation_id) == ("d/m", "d/modules/m", "7")
    assert "If-Match" not in request.headers


def test_a_module_is_found_or_not(rest, registry):
    rest.replies = [Reply(200, DOCUMENT), Reply(404, {"Message": "ErrorCode:ModuleNotFound;x"})]

    assert registry.get_module("d", "m").module_id == "m"
    assert registry.get_module("d", "other") is None


@pytest.mark.parametrize("status", [204, 404])
def test_a_module_that_is_deleted_is_gone(rest, registry, status):
    rest.replies = [Reply(status, {})]

    registry.delete_module("d", "m")

    (request,) = rest.requests
    assert (request.method, request.path.partition("?")[0]) == ("DELETE", "/devices/d/modules/m")
    assert request.headers["If-Match"] == "*"


def test_a_refusal_is_told_without_a_key(rest, registry):
    rest.replies = [Reply(409, {"Message": "ErrorCode:ModuleAlreadyExistsOnDevice;x"})]

    with pytest.raises(ServiceError) as caught:
        registry.create_module("d", "m")

    assert str(caught.value) == (
        f"PUT /devices/d/modules/m at localhost:{rest.port}: 409 ModuleAlreadyExistsOnDevice: x."
    )


def test_a_module_of_the_embedded_hub_connects_and_has_its_own_twin(back_end):
    registry, twins = back_end.service.registry, back_end.service.twins
    device = back_end.device()
    first, second = (registry.create_module(device.id, name) for name in ("m-1", "m-2"))
    module = back_end.device(first)

    module.expect_accepted()
    twins.patch(module, desired={"a": 1})

    assert twins.get(module).desired.values == {"a": 1}
    assert twins.get(second).desired.values == {}
    assert twins.get(device).desired.values == {}
    assert module.attempt(password=back_end.device(second).token()) == "connack 5"


def test_a_module_of_the_embedded_hub_is_called_by_itself(back_end):
    device = back_end.device()
    module = back_end.device(back_end.service.registry.create_module(device.id, "m"))
    connection = module.connect()
    connection.subscribe("$iothub/methods/POST/#")

    call = back_end.service.methods.begin(module, "x")
    request = connection.expect_message()
    connection.send(f"$iothub/methods/res/200/?{request.topic.partition('?')[2]}", b"1", qos=0)

    assert call.result().payload == 1
    assert back_end.service.methods.outcome(device, "x") == "404"


def test_a_module_of_the_embedded_hub_is_deleted_alone_or_with_its_device(back_end):
    registry, device = back_end.service.registry, back_end.device()
    for name in ("m-1", "m-2"):
        registry.create_module(device.id, name)

    registry.delete_module(device.id, "m-1")
    assert (registry.get_module(device.id, "m-1"), registry.get_module(device.id, "m-2").id) == (
        None,
        f"{device.id}/m-2",
    )
    registry.delete([device.id])
    assert registry.get_module(device.id, "m-2") is None
