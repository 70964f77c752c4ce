"""Devices whose certificate an authority signed.

Document: #using-the-mqtt-protocol-directly-as-a-device, and Microsoft, "Authenticate identities with X.509
certificates". Clauses: clauses/x509-ca.toml.

The hub trusts an authority. A device of the type certificateAuthority is let in with any certificate that
the authority signed, is good now and has the device's id as common name; nothing of it is registered.
"""

import datetime as dt

import pytest

from conformance.mqtt.fields import NO_CERTIFICATE, NO_PASSWORD
from conformance.target.certificates import DeviceAuthority
from conformance.target.credentials import NO_SECRET

clause = pytest.mark.clause


@pytest.fixture
def concerned(request):
    """Return whom a test of this page is about: the first of these that it asks for."""
    names = ("vouched", "certified", "admitted", "device")
    return request.getfixturevalue(next(name for name in names if name in {*request.fixturenames, "device"}))


DAY = dt.timedelta(days=1)


@clause("x509-ca.accepted")
@pytest.mark.parametrize("tls_version", [None, "TLSv1.2"], ids=["newest-TLS", "TLS-1.2"])
def test_a_certificate_of_the_authority_opens_a_session(register_vouched, telemetry, tls_version):
    """It takes the token's place, and telemetry is taken from the device that it names."""
    device = register_vouched()

    connection = device.connect(password=NO_PASSWORD, tls_version=tls_version)
    connection.publish(device.topics.events, b"vouched for", qos=1)

    message = telemetry.next(sent_by=device)
    assert (message.device_id, message.body) == (device.id, b"vouched for")


@clause("x509-ca.accepted")
def test_a_new_certificate_of_the_authority_needs_no_registration(register_vouched, authority):
    """A device renews its certificate at the authority alone; the older one goes on until it ends."""
    device = register_vouched()

    device.expect_accepted(certificate=authority.issue(device.id))
    device.expect_accepted(certificate=device.certificate)


@clause("x509-ca.wrong-name")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("nobody", id="nobody"),
        pytest.param("{id}x", id="a-letter-more"),
        pytest.param("x{id}", id="a-letter-before"),
        pytest.param("{id}/module", id="a-module-of-it"),
    ],
)
def test_another_name_is_refused(vouched, authority, name, untouched):
    """The common name is the whole id of the device that connects."""
    vouched.expect_refused(certificate=authority.issue(name.format(id=vouched.id)))
    untouched.confirm()


@clause("x509-ca.wrong-name")
def test_letter_case_of_the_name_counts(vouched, authority, untouched):
    """Ids differ by case."""
    vouched.expect_refused(certificate=authority.issue(vouched.id.swapcase()))
    untouched.confirm()


@clause("x509-ca.wrong-name")
def test_the_certificate_of_another_device_is_refused(vouched, other_vouched, untouched):
    """A certificate that opens one device opens no other."""
    vouched.expect_refused(certificate=other_vouched.certificate)
    untouched.confirm()


@clause("x509-ca.other-authority")
@pytest.mark.parametrize("tls_version", [None, "TLSv1.2"], ids=["newest-TLS", "TLS-1.2"])
def test_a_certificate_of_an_unknown_authority_is_refused(vouched, stranger, tls_version, untouched):
    """The name is right, and nobody whom the hub knows vouches for it."""
    vouched.expect_refused(certificate=stranger.issue(vouched.id), tls_version=tls_version)
    untouched.confirm()


@clause("x509-ca.other-authority")
def test_an_authority_is_known_by_its_key_not_by_its_name(vouched, authority, untouched):
    """An authority of the same name, with a key of its own, is another one."""
    namesake = DeviceAuthority.new(authority.name)

    vouched.expect_refused(certificate=namesake.issue(vouched.id))
    untouched.confirm()


@clause("x509-ca.other-authority")
def test_a_certificate_that_the_device_signed_itself_is_refused(vouched, issue, untouched):
    """For a device of this type a certificate needs an authority."""
    vouched.expect_refused(certificate=issue(vouched.id))
    untouched.confirm()


@clause("x509-ca.expired")
@pytest.mark.clock
def test_a_certificate_that_has_ended_is_refused(vouched, authority, untouched):
    """It ended a day ago; all else is right."""
    vouched.expect_refused(certificate=authority.issue(vouched.id, begins_in=-3 * DAY, ends_in=-DAY))
    untouched.confirm()


@clause("x509-ca.not-begun")
@pytest.mark.clock
def test_a_certificate_that_has_not_begun(vouched, authority, observed):
    """It begins in a day; all else is right."""
    observed(vouched.attempt(certificate=authority.issue(vouched.id, begins_in=DAY, ends_in=2 * DAY)))


@clause("x509-ca.no-certificate")
@pytest.mark.parametrize("password", [NO_PASSWORD, NO_SECRET], ids=["no-password", "empty-password"])
def test_no_certificate_and_no_token_open_nothing(vouched, password, untouched):
    """Without a certificate the device has shown nothing."""
    vouched.expect_refused(certificate=NO_CERTIFICATE, password=password)
    untouched.confirm()


@clause("x509-ca.token-instead")
@pytest.mark.parametrize("certificate", [NO_CERTIFICATE, None], ids=["in-its-place", "beside-it"])
def test_a_token_of_a_device_of_an_authority(formerly_keyed_vouched, observed, certificate):
    """The token is signed with the key that the device had before."""
    device = formerly_keyed_vouched
    observed(device.attempt(certificate=certificate, password=device.token()))


@clause("x509-ca.other-kinds")
def test_the_authority_opens_no_device_with_a_key(admitted, authority, untouched):
    """The certificate has the right name; the device has to sign a token."""
    admitted.expect_refused(certificate=authority.issue(admitted.id), password=NO_PASSWORD)
    untouched.confirm()


@clause("x509-ca.other-kinds")
def test_the_authority_opens_no_device_with_thumbprints(certified, authority, untouched):
    """The certificate has the right name; its thumbprint is not registered."""
    certified.expect_refused(certificate=authority.issue(certified.id))
    untouched.confirm()


@clause("x509-ca.chain")
def test_a_certificate_of_an_authority_below_it(vouched, authority, observed):
    """The device presents its own certificate and that of the authority between."""
    observed(vouched.attempt(certificate=authority.below().issue(vouched.id)))
