"""SAS tokens that open nothing.

Document: #using-the-mqtt-protocol-directly-as-a-device. Clauses: clauses/sas.toml.

A token is refused when it was not signed with a key of the device, was changed afterwards, has
expired, is for something else, or is not a token. Each is tried with a device that was just let in.
"""

import pytest

from conformance.corpora.near_misses import near_misses, near_misses_of_bytes
from conformance.target.credentials import (
    NO_SECRET,
    Secret,
    flip_signature_bit,
    random_key,
    replace_field,
    with_signature,
    without_field,
)

clause = pytest.mark.clause


@clause("sas.bad-signature")
@pytest.mark.parametrize(
    "token",
    [
        pytest.param(lambda device, other: flip_signature_bit(device.token()), id="one-bit-flipped"),
        pytest.param(lambda device, other: device.token(key=random_key()), id="random-key"),
        pytest.param(lambda device, other: device.token(key=other.primary_key), id="another-devices-key"),
    ],
)
def test_a_signature_of_another_key_is_refused(admitted, other_device, token, untouched):
    """Only the device's own keys sign for it."""
    admitted.expect_refused(password=token(admitted, other_device))
    untouched.confirm()


@clause("sas.bad-signature")
def test_a_signature_that_is_nearly_right_is_refused(admitted, not_refused, untouched):
    """It is compared to its last bit."""
    token = admitted.token()
    signatures = near_misses_of_bytes(token.signature)

    attempts = {miss: {"password": with_signature(token, wrong)} for miss, wrong in signatures.items()}
    assert not_refused(admitted, attempts) == {}
    untouched.confirm()


@clause("sas.tampered")
@pytest.mark.parametrize(
    "token",
    [
        pytest.param(
            lambda device, other: replace_field(device.token(expires_in=60), "se", "4102444800"),
            id="later-expiry",
        ),
        pytest.param(
            lambda device, other: replace_field(
                other.token(), "sr", f"{device.host}%2Fdevices%2F{device.id}"
            ),
            id="other-resource",
        ),
    ],
)
def test_a_token_changed_after_signing_is_refused(admitted, other_device, token, untouched):
    """The signature covers the expiry and the resource."""
    admitted.expect_refused(password=token(admitted, other_device))
    untouched.confirm()


@clause("sas.expired")
@pytest.mark.clock
def test_an_expired_token_is_refused(admitted, untouched):
    """A token that expired 15 minutes ago is beyond any allowance for clocks."""
    admitted.expect_refused(password=admitted.token(expires_in=-15 * 60))
    untouched.confirm()


@clause("sas.expired-inside-skew")
@pytest.mark.clock
def test_a_token_that_expired_a_minute_ago(admitted, observed):
    """A hub allows for clocks that differ; how far is not documented."""
    observed(admitted.attempt(password=admitted.token(expires_in=-60)))


@clause("sas.wrong-resource")
@pytest.mark.parametrize(
    "resource",
    [
        pytest.param("{host}/devices/{other}", id="another-device"),
        pytest.param("another-hub.example/devices/{device}", id="another-hub"),
    ],
)
def test_a_token_for_something_else_is_refused(admitted, other_device, resource, untouched):
    """A token opens its own resource only, even if a key of the device signed it."""
    resource = resource.format(host=admitted.host, device=admitted.id, other=other_device.id)

    admitted.expect_refused(password=admitted.token(resource=resource))
    untouched.confirm()


@clause("sas.wrong-resource")
def test_a_token_for_an_id_that_is_nearly_right_is_refused(admitted, not_refused, untouched):
    """The resource names the device to the last character; of its letter case nobody is sure."""
    attempts = {
        miss: {"password": admitted.token(resource=admitted.resource.replace(admitted.device_id, wrong))}
        for miss, wrong in near_misses(admitted.device_id).items()
        if miss != "other letter case"
    }
    assert not_refused(admitted, attempts) == {}
    untouched.confirm()


@clause("sas.resource-letter-case")
def test_a_resource_with_the_id_in_another_letter_case(admitted, observed):
    """Under the device's own key: by a page of Microsoft's all of the resource is in lower case."""
    resource = admitted.resource.replace(admitted.device_id, admitted.device_id.swapcase())

    observed(admitted.attempt(password=admitted.token(resource=resource)))


@clause("sas.malformed")
@pytest.mark.parametrize(
    "password",
    [
        pytest.param(lambda device: without_field(device.token(), "sig"), id="no-sig"),
        pytest.param(lambda device: without_field(device.token(), "se"), id="no-se"),
        pytest.param(lambda device: without_field(device.token(), "sr"), id="no-sr"),
        pytest.param(lambda device: NO_SECRET, id="empty"),
        pytest.param(lambda device: device.primary_key, id="the-key-itself"),
    ],
)
def test_a_password_that_is_no_complete_token_is_refused(admitted, password, untouched):
    """A Password is a SAS token with sig, se and sr."""
    admitted.expect_refused(password=password(admitted))
    untouched.confirm()


@clause("sas.loose-forms")
@pytest.mark.parametrize(
    "respell",
    [
        pytest.param(
            lambda token: token.replace("SharedAccessSignature ", "SharedAccess "), id="wrong-prefix"
        ),
        pytest.param(lambda token: token.replace(" ", "  "), id="two-spaces"),
        pytest.param(lambda token: token.replace("se=", "se=soon"), id="expiry-in-words"),
        pytest.param(
            lambda token: token.replace("sr=", "SR=").replace("sig=", "SIG=").replace("se=", "SE="),
            id="names-in-capitals",
        ),
    ],
)
def test_a_token_in_another_spelling(admitted, observed, respell):
    """How strictly a hub reads the spelling of a token is not documented."""
    observed(admitted.attempt(password=Secret(respell(admitted.token().reveal()))))


@clause("sas.policy-name-none")
def test_a_token_of_a_policy_named_none(admitted, observed):
    """Clients write the word where they have no name of a policy."""
    observed(admitted.attempt(password=Secret(f"{admitted.token().reveal()}&skn=None")))


@clause("sas.newline-behind")
def test_a_token_with_a_newline_behind(admitted, observed):
    """So a token comes out of a file."""
    observed(admitted.attempt(password=Secret(f"{admitted.token().reveal()}\n")))
