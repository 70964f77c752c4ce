"""Connecting as a device: ClientId and Username.

Document: #using-the-mqtt-protocol-directly-as-a-device. Clauses: clauses/connect.toml.

The ClientId is the device id. The Username is {host}/{device}/?api-version=...; both name the
device exactly. Each refusal is tried with a device that has just been let in with the right ones.
"""

import pytest

from conformance.corpora.near_misses import near_misses
from conformance.mqtt.fields import NO_PASSWORD, NO_USERNAME
from conformance.target.credentials import NO_SECRET

clause = pytest.mark.clause


@clause("connect.client-id")
def test_the_device_id_as_client_id_is_accepted(device):
    """A CONNECT whose ClientId is the device id is accepted."""
    device.expect_accepted(client_id=device.id)


@clause("connect.client-id-mismatch")
@pytest.mark.parametrize(
    "client_id",
    [
        pytest.param(lambda device, other: other, id="another-device"),
        pytest.param(lambda device, other: device.swapcase(), id="other-case"),
        pytest.param(lambda device, other: f"{device}/module", id="device-and-module"),
        pytest.param(lambda device, other: device[:-1], id="prefix"),
        pytest.param(lambda device, other: f"{device}x", id="suffix"),
    ],
)
def test_a_client_id_that_is_not_the_device_id_is_refused(admitted, other_device, client_id, untouched):
    """The ClientId is compared with the device id of the Username, character by character."""
    admitted.expect_refused(client_id=client_id(admitted.id, other_device.id))
    untouched.confirm()


@clause("connect.client-id-mismatch")
def test_a_client_id_that_is_nearly_the_device_id_is_refused(admitted, not_refused, untouched):
    """Nothing of it is trimmed, cut or folded before it is compared."""
    attempts = {miss: {"client_id": wrong} for miss, wrong in near_misses(admitted.id).items()}
    assert not_refused(admitted, attempts) == {}
    untouched.confirm()


@clause("connect.username")
@pytest.mark.parametrize(
    "username",
    [
        pytest.param("{host}/{device}/?api-version=2018-06-30", id="the-documents-version"),
        pytest.param("{host}/{device}/?api-version=2021-04-12", id="a-newer-version"),
        pytest.param(
            "{host}/{device}/?api-version=2021-04-12&DeviceClientType=conformance%2F1.0",
            id="with-client-type",
        ),
    ],
)
def test_host_device_and_api_version_are_the_username(device, username):
    """The Username is {host}/{device}/?api-version=...; an SDK adds its name behind it."""
    device.expect_accepted(username=username.format(host=device.host, device=device.id))


@clause("connect.username-mismatch")
@pytest.mark.parametrize(
    "username",
    [
        pytest.param(
            lambda host, device, other: f"{host}/{other}/?api-version=2018-06-30", id="another-device"
        ),
        pytest.param(
            lambda host, device, other: f"{host}/{device.swapcase()}/?api-version=2018-06-30", id="other-case"
        ),
        pytest.param(lambda host, device, other: device, id="device-alone"),
        pytest.param(lambda host, device, other: host, id="host-alone"),
        pytest.param(lambda host, device, other: "", id="empty"),
    ],
)
def test_a_username_that_names_something_else_is_refused(admitted, other_device, username, untouched):
    """A Username without the host, without the device, or with another device opens nothing."""
    admitted.expect_refused(username=username(admitted.host, admitted.id, other_device.id))
    untouched.confirm()


@clause("connect.username-mismatch")
@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param(
            lambda host, wrong: {"username": f"{host}/{wrong}/?api-version=2018-06-30"}, id="Username-alone"
        ),
        pytest.param(
            lambda host, wrong: {"client_id": wrong, "username": f"{host}/{wrong}/?api-version=2018-06-30"},
            id="ClientId-and-Username",
        ),
    ],
)
def test_a_username_that_nearly_names_the_device_is_refused(admitted, not_refused, untouched, attempt):
    """Nothing of it is trimmed, cut or folded before it is compared, or looked for in the registry."""
    attempts = {miss: attempt(admitted.host, wrong) for miss, wrong in near_misses(admitted.id).items()}
    assert not_refused(admitted, attempts) == {}
    untouched.confirm()


@clause("connect.username-host")
def test_a_username_with_another_host(admitted, observed):
    """Nothing states what a hub does with another hub's name in the Username."""
    observed(admitted.attempt(username=f"another-hub.example/{admitted.id}/?api-version=2018-06-30"))


@clause("connect.device-name")
@pytest.mark.parametrize(
    ("username", "resource"),
    [
        pytest.param("{other}", "{other}", id="Username-and-token"),
        pytest.param("{other}", "{own}", id="Username-alone"),
        pytest.param("{own}", "{other}", id="token-alone"),
    ],
)
def test_the_hub_is_called_by_its_other_name(admitted, other_name_for_devices, observed, username, resource):
    """Under {name}.device.{domain} a hub has TLS 1.3; whether a Username may have it is not stated."""
    names = {"own": admitted.host, "other": other_name_for_devices}
    token = admitted.token(resource=f"{resource.format(**names)}/devices/{admitted.id}")

    observed(
        admitted.attempt(
            username=f"{username.format(**names)}/{admitted.id}/?api-version=2021-04-12", password=token
        )
    )


@clause("connect.service-name")
def test_a_back_end_calls_the_hub_by_its_other_name(service, other_name_for_services, observed):
    """Under {name}.service.{domain} a hub has TLS 1.3; whether a token may have it is not stated."""
    observed(f"status {service.status_under(other_name_for_services)}")


@clause("connect.api-version-missing")
def test_a_username_without_api_version(admitted, observed):
    """Without api-version telemetry is known to work and twins are not."""
    observed(admitted.attempt_to_publish(username=f"{admitted.host}/{admitted.id}"))


@clause("connect.username-without-slash")
def test_a_username_without_the_slash(admitted, observed):
    """Clients in the field write it so; what a hub makes of it is not stated."""
    observed(admitted.attempt(username=f"{admitted.host}/{admitted.id}?api-version=2021-04-12"))


@clause("connect.unknown-device")
def test_an_unknown_device_is_refused(admitted, unknown_device, observed, untouched):
    """A device that was never registered is refused; the answer is recorded beside that to a bad key."""
    to_unknown = unknown_device.expect_refused()

    observed(f"unknown device: {to_unknown}; bad key: {admitted.attempt(password=unknown_device.token())}")
    untouched.confirm()


@clause("connect.disabled-device")
def test_a_disabled_device_is_refused_until_it_is_enabled(admitted, registry, untouched):
    """A disabled device cannot connect; enabled again it can, and disabled again it cannot."""
    registry.set_status(admitted.id, "disabled")
    admitted.expect_refused()

    registry.set_status(admitted.id, "enabled")
    admitted.expect_accepted()

    registry.set_status(admitted.id, "disabled")
    admitted.expect_refused()
    registry.set_status(admitted.id, "enabled")
    untouched.confirm()


@clause("connect.deleted-device")
def test_a_deleted_device_is_refused(admitted, registry, untouched):
    """What opened it a moment ago opens nothing: the registry decides each time."""
    registry.remove(admitted.id)

    admitted.expect_refused()
    untouched.confirm_others()


@clause("connect.deleted-device")
def test_a_device_made_anew_is_not_opened_by_the_former_key(admitted, registry, untouched):
    """It has the same id and is another device; its own new key opens it."""
    registry.remove(admitted.id)
    (anew,) = registry.create([admitted.id])

    admitted.expect_refused()
    admitted.expect_accepted(password=admitted.token(key=anew.primary_key))
    untouched.confirm_others()


@clause("connect.no-credentials")
def test_a_connect_without_credentials_is_refused(admitted, untouched):
    """A CONNECT with neither Username nor Password gets no session."""
    admitted.expect_refused(username=NO_USERNAME, password=NO_PASSWORD)
    untouched.confirm()


@clause("connect.empty-client-id")
def test_an_empty_client_id_is_refused(admitted, readings, untouched):
    """An empty ClientId names no device; whether a CONNACK says so is not known."""
    readings.match(admitted.attempt(client_id=""))
    untouched.confirm()


@clause("connect.answered")
@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param(lambda device: {"username": f"another-hub.example/{device.id}/"}, id="another-host"),
        pytest.param(lambda device: {"username": f"{device.host}/{device.id}"}, id="no-api-version"),
        pytest.param(lambda device: {"username": "////"}, id="slashes"),
        pytest.param(lambda device: {"client_id": ""}, id="no-ClientId"),
        pytest.param(lambda device: {"username": NO_USERNAME, "password": NO_PASSWORD}, id="nothing-shown"),
        pytest.param(lambda device: {"password": NO_SECRET}, id="empty-password"),
    ],
)
def test_a_connect_is_answered_or_its_connection_closed(admitted, attempt, untouched):
    """[MQTT-3.1.4-1] [MQTT-3.1.4-4] A client is never left to wait."""
    assert admitted.attempt(**attempt(admitted)) != "silence"
    untouched.confirm()
