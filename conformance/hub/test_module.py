"""Connecting as a module.

Document: #using-the-mqtt-protocol-directly-as-a-module. Clauses: clauses/module.toml.

A module of a device is an identity of its own: ClientId {device}/{module}, Username
{host}/{device}/{module}/?api-version=..., and a token for {host}/devices/{device}/modules/{module}
under its own key. What is refused to a device is refused to a module; each refusal is tried with a
module that has just been let in.
"""

import pytest

from conformance.target.credentials import flip_signature_bit, random_key

clause = pytest.mark.clause


@pytest.fixture
def concerned(admitted_module):
    """Return whom this page is about."""
    return admitted_module


@clause("module.connect")
@pytest.mark.parametrize("version", ["2018-06-30", "2021-04-12"])
@pytest.mark.parametrize("key", ["primary_key", "secondary_key"])
def test_a_module_connects_by_its_own_name_and_key(device, module, version, key):
    """ClientId and Username name device and module, and the token is the module's."""
    _, module_id = module.id.split("/")

    module.expect_accepted(
        client_id=f"{device.id}/{module_id}",
        username=f"{device.host}/{device.id}/{module_id}/?api-version={version}",
        password=module.token(
            key=getattr(module, key), resource=f"{device.host}/devices/{device.id}/modules/{module_id}"
        ),
    )


@clause("module.refusals")
@pytest.mark.parametrize(
    "token",
    [
        pytest.param(lambda module, sibling: module.token(key=random_key()), id="random-key"),
        pytest.param(lambda module, sibling: flip_signature_bit(module.token()), id="one-bit-flipped"),
        pytest.param(lambda module, sibling: module.token(key=sibling.primary_key), id="siblings-key"),
        pytest.param(
            lambda module, sibling: module.token(expires_in=-15 * 60), id="expired", marks=pytest.mark.clock
        ),
    ],
)
def test_a_token_that_is_no_good_is_refused(admitted_module, other_module, token, untouched):
    """A module proves itself with a key of its own, in time."""
    admitted_module.expect_refused(password=token(admitted_module, other_module))
    untouched.confirm()


@clause("module.refusals")
def test_a_key_of_a_module_does_not_open_its_device(admitted, admitted_module, untouched):
    """Each identity has keys of its own."""
    admitted.expect_refused(password=admitted.token(key=admitted_module.primary_key))
    untouched.confirm()


@clause("module.refusals")
@pytest.mark.parametrize(
    "client_id",
    [
        pytest.param(lambda module, sibling: module.partition("/")[0], id="device"),
        pytest.param(lambda module, sibling: module.partition("/")[2], id="module-alone"),
        pytest.param(lambda module, sibling: sibling, id="sibling"),
        pytest.param(lambda module, sibling: module.swapcase(), id="other-case"),
        pytest.param(lambda module, sibling: f"{module}x", id="suffix"),
    ],
)
def test_another_client_id_is_refused(admitted_module, other_module, client_id, untouched):
    """The ClientId is {device}/{module}, character by character."""
    admitted_module.expect_refused(client_id=client_id(admitted_module.id, other_module.id))
    untouched.confirm()


@clause("module.refusals")
@pytest.mark.usefixtures("admitted_module")
def test_a_module_that_is_not_registered_is_refused(unknown_module, untouched):
    """The device is there, and a module of it; this one never was."""
    unknown_module.expect_refused()
    untouched.confirm()


@clause("module.other-module-token")
def test_the_token_of_a_sibling_is_refused(admitted_module, other_module, untouched):
    """A token for one module of a device opens no other one."""
    admitted_module.expect_refused(password=other_module.token())
    untouched.confirm()


@clause("module.other-module-token")
def test_the_token_of_a_namesake_is_refused(admitted_module, namesake, untouched):
    """A token for the module of the same name on another device opens nothing here."""
    admitted_module.expect_refused(password=namesake.token())
    untouched.confirm()


@clause("module.device-token")
@pytest.mark.parametrize("resource", ["of-the-device", "of-the-module"])
def test_a_token_under_the_devices_key(device, admitted_module, observed, resource):
    """The device's resource covers the module's; of its key nothing is said."""
    resources = {"of-the-device": device.resource, "of-the-module": admitted_module.resource}

    observed(admitted_module.attempt(password=device.token(resource=resources[resource])))


@clause("module.of-disabled-device")
def test_a_module_of_a_disabled_device(device, admitted_module, registry, observed):
    """A module cannot be disabled on its own; whether its device's status counts is not documented."""
    registry.set_status(device.id, "disabled")

    observed(admitted_module.attempt())


@clause("module.receive-filter")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_subscription_to_all_that_is_the_modules(untouched, module_connection, readings, qos):
    """Today's page has it for messages to a module; on a hub without Edge none ever come."""
    topic_filter = f"devices/{module_connection.device.path}/#"

    readings.match(f"QoS {qos}: {module_connection.try_to_subscribe(topic_filter, qos=qos)}")
    untouched.confirm()


@clause("module.inputs")
def test_a_subscription_to_inputs(module_connection, observed):
    """SDKs subscribe to it; on a hub nothing ever comes there."""
    granted = module_connection.subscribe(f"devices/{module_connection.device.path}/inputs/#")

    observed(f"suback {granted}")
