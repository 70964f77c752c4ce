"""SAS tokens that open a device.

Document: #using-the-mqtt-protocol-directly-as-a-device. Clauses: clauses/sas.toml.

The Password is a SAS token: sig, se and sr in any order. Its signature covers sr and se exactly as
they are sent. Its resource is the device or a whole segment above it.
"""

import itertools

import pytest

clause = pytest.mark.clause


@clause("sas.accepted")
def test_a_token_of_the_primary_key_opens_the_device(device):
    """A token for {host}/devices/{device} under the primary key is accepted."""
    device.expect_accepted(
        password=device.token(key=device.primary_key, resource=f"{device.host}/devices/{device.path}")
    )


@clause("sas.accepted")
@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(30 * 24 * 3600, id="a-month"),
        pytest.param(2**31, id="beyond-31-bits"),
        pytest.param(2**32, id="beyond-32-bits"),
    ],
)
def test_a_token_opens_the_device_however_far_its_expiry_is(device, seconds):
    """The expiry is a number of seconds since 1970, and neither it nor its milliseconds end at 32 bits."""
    device.expect_accepted(password=device.token(expires_in=seconds))


@clause("sas.secondary-key")
def test_a_token_of_the_secondary_key_opens_the_device(device, secondary_key):
    """Both keys of a device are equal."""
    device.expect_accepted(password=device.token(key=secondary_key))


@clause("sas.field-order")
@pytest.mark.parametrize("order", list(itertools.permutations(["sr", "sig", "se"])), ids="-".join)
def test_the_fields_come_in_any_order(device, order):
    """The document prints sig, se, sr in one place and sr, sig, se in another."""
    device.expect_accepted(password=device.token(order=order))


@clause("sas.case-of-escapes")
@pytest.mark.parametrize("escapes", ["upper", "lower"])
def test_escapes_in_the_resource_are_taken_as_they_were_signed(device, escapes):
    """%2F and %2f both occur; the signature covers the text as it is sent."""
    device.expect_accepted(password=device.token(escapes=escapes))


@clause("sas.case-of-escapes")
@pytest.mark.parametrize("id_ending", ["!'(a)*"])
def test_what_needs_no_escape_in_the_resource_may_stand_as_it_is(device):
    """Languages differ in what they escape, as in !'()*: the signature covers the text as it is sent."""
    device.expect_accepted(password=device.token(escapes="fewest"))


@clause("sas.device-scope")
def test_the_whole_device_segment_opens_the_device(device):
    """A token for exactly this device opens it."""
    device.expect_accepted(password=device.token(resource=f"{device.host}/devices/{device.path}"))


@clause("sas.device-scope")
def test_part_of_the_device_segment_opens_nothing(admitted, untouched):
    """Resources are compared by whole segments: the first half of a device's name is another device."""
    half = admitted.id[: len(admitted.id) // 2]

    admitted.expect_refused(password=admitted.token(resource=f"{admitted.host}/devices/{half}"))
    untouched.confirm()


@clause("sas.wide-scope")
@pytest.mark.parametrize("resource", ["{host}/devices", "{host}"])
def test_a_wider_resource_under_the_devices_key(admitted, observed, resource):
    """By the prefix rule a wider resource opens the device; nothing says so of a device's own key."""
    observed(admitted.attempt(password=admitted.token(resource=resource.format(host=admitted.host))))


@clause("sas.sample-resource")
def test_the_resource_of_the_documents_sample_token(admitted, observed):
    """It is sr=...%2F{device}%2Fapi-version%3D2016-11-14&sig=...%3d&se=..., in this order and letter case."""
    resource = f"{admitted.host}/devices/{admitted.id}/api-version=2016-11-14"

    sample = admitted.token(resource=resource, order=("sr", "sig", "se"), signature_escapes="lower")
    observed(admitted.attempt(password=sample))


@clause("sas.sample-resource")
@pytest.mark.parametrize(
    "behind",
    [
        pytest.param("/api-version=2021-04-12", id="todays-version"),
        pytest.param("/api-version=", id="no-version"),
        pytest.param("/?api-version=2016-11-14", id="behind-a-question-mark"),
        pytest.param("/messages/events", id="another-path"),
    ],
)
def test_a_resource_with_something_else_behind_the_device(admitted, observed, behind):
    """By the prefix rule none opens the device; how much of the sample's form would count is not known."""
    resource = f"{admitted.host}/devices/{admitted.id}{behind}"

    observed(admitted.attempt(password=admitted.token(resource=resource)))


@clause("sas.policy-token")
def test_a_policy_token_for_the_whole_hub(admitted, service, observed):
    """A token of a shared access policy carries the policy's name as skn."""
    observed(admitted.attempt(password=service.policy_token()))


@clause("sas.narrow-policy-token")
def test_a_policy_token_for_one_device(admitted, service, observed):
    """Its resource is the device, its key the policy's."""
    observed(admitted.attempt(password=service.policy_token(resource=admitted.resource)))


@clause("sas.expiry-disconnects")
@pytest.mark.clock
def test_an_expired_token_ends_the_connection(device, other_device, bystander, stage, hub, untouched):
    """MQTT cannot renew a token on an open connection: the hub drops it after the expiry, and no other."""
    # Long enough that the earliest end is behind CONNECT, where a hub that ends it at once is too early.
    lives = hub.timing["sas-skew"] + 2
    token = device.token(expires_in=lives)
    # A lost sign of life must not end the connection in the place of the token.
    connection = stage(device.connect, password=token, keep_alive=20)
    later = stage(other_device.connect)

    connection.expect_closed(within=lives + hub.timing["sas-grace"] + hub.timeouts.reaction)

    early = token.expiry - hub.timing["sas-skew"]
    late = token.expiry + hub.timing["sas-grace"] + hub.timeouts.reaction
    assert early <= connection.closed_at + hub.clock_ahead <= late
    bystander.ping()
    later.ping()
    untouched.confirm()
