"""Devices that are known by a certificate.

Document: #using-the-mqtt-protocol-directly-as-a-device. Clauses: clauses/x509.toml.

The hub keeps the thumbprints of two certificates. Whoever presents one of them in the TLS handshake
is the device, and needs no token. A refusal may come by TLS, by CONNACK or as the end of the stream.
"""

import pytest

from conformance.mqtt.fields import NO_CERTIFICATE, NO_PASSWORD
from conformance.mqtt.tls import CIPHER_SUITES
from conformance.target.credentials import NO_SECRET

clause = pytest.mark.clause


@pytest.fixture
def concerned(certified):
    """Return whom this page is about."""
    return certified


@clause("x509.no-password")
@pytest.mark.parametrize("tls_version", [None, "TLSv1.2"], ids=["newest-TLS", "TLS-1.2"])
@pytest.mark.parametrize("digest", ["SHA-1", "SHA-256"])
def test_a_certificate_opens_a_session_without_password(register, telemetry, digest, tls_version):
    """The certificate of the registered thumbprint, of either digest, takes the token's place."""
    device = register(digest=digest)

    connection = device.connect(password=NO_PASSWORD, tls_version=tls_version)
    connection.publish(device.topics.events, b"by certificate", qos=1)

    message = telemetry.next(sent_by=device)
    assert (message.device_id, message.body) == (device.id, b"by certificate")


@clause("x509.no-password")
def test_a_certificate_is_enough_with_the_documented_cipher_suites(register):
    """Firmware that presents a certificate has these suites, of TLS 1.2, and often no others."""
    register().expect_accepted(password=NO_PASSWORD, ciphers=CIPHER_SUITES)


@clause("x509.empty-password")
def test_an_empty_password_is_as_good_as_none(register):
    """A client that cannot leave the Password out sends an empty one."""
    register().expect_accepted(password=NO_SECRET)


@clause("x509.secondary-thumbprint")
@pytest.mark.parametrize("digest", ["SHA-1", "SHA-256"])
def test_the_second_certificate_opens_a_session_too(register, digest):
    """Two thumbprints are registered, so that a certificate can be replaced without a pause."""
    device = register(digest=digest)

    device.expect_accepted(certificate=device.spare_certificate)


@clause("x509.thumbprint-mismatch")
@pytest.mark.parametrize("tls_version", [None, "TLSv1.2"], ids=["newest-TLS", "TLS-1.2"])
@pytest.mark.parametrize("subject", ["stranger", "{device}"], ids=["stranger", "same-subject"])
def test_an_unregistered_certificate_is_refused(issue, certified, subject, tls_version, untouched):
    """The thumbprint decides: another certificate is refused, even one that bears the same subject."""
    certified.expect_refused(certificate=issue(subject.format(device=certified.id)), tls_version=tls_version)
    untouched.confirm()


@clause("x509.thumbprint-mismatch")
def test_another_devices_certificate_is_refused(certified, other_certified, untouched):
    """A certificate that opens one device opens no other."""
    certified.expect_refused(certificate=other_certified.certificate)
    untouched.confirm()


@clause("x509.no-certificate")
@pytest.mark.parametrize("tls_version", [None, "TLSv1.2"], ids=["newest-TLS", "TLS-1.2"])
@pytest.mark.parametrize("password", [NO_PASSWORD, NO_SECRET], ids=["no-password", "empty-password"])
def test_no_certificate_and_no_token_open_nothing(certified, password, tls_version, untouched):
    """Without its certificate the device has shown nothing."""
    certified.expect_refused(certificate=NO_CERTIFICATE, password=password, tls_version=tls_version)
    untouched.confirm()


@clause("x509.replaced")
def test_a_certificate_that_was_replaced_is_refused(issue, certified, registry, untouched):
    """Certificates end: the registry takes new thumbprints, and from then on only those count."""
    new, spare = issue(certified.id), issue(certified.id)

    registry.use_certificates(certified.id, new.thumbprint(), spare.thumbprint())

    certified.expect_refused(certificate=certified.certificate)
    certified.expect_accepted(certificate=new)
    untouched.confirm(certificate=new)


@clause("x509.disabled")
def test_a_disabled_device_is_refused_with_its_certificate(certified, registry, untouched):
    """What the device is comes after what it shows: a disabled one cannot connect, enabled again it can."""
    thumbprints = certified.certificate.thumbprint(), certified.spare_certificate.thumbprint()

    registry.use_certificates(certified.id, *thumbprints, status="disabled")
    certified.expect_refused()

    registry.use_certificates(certified.id, *thumbprints, status="enabled")
    certified.expect_accepted()
    untouched.confirm()


@clause("x509.auth-method")
def test_telemetry_says_that_a_certificate_was_shown(certified, telemetry, readings, stage):
    """Scope and type of the authentication stand in the message's annotations, the type by two names."""
    connection = stage(certified.connect, needs="x509.no-password")
    connection.publish(certified.topics.events, b"by certificate", qos=1)

    auth = telemetry.next(sent_by=certified).auth
    readings.match(f"{auth.get('scope')} {auth.get('type')}")


@clause("x509.auth-issuer")
def test_telemetry_says_who_issued_the_certificate(certified, telemetry, observed, stage):
    """Of a device with a token it is the hub; of this one no page says it."""
    connection = stage(certified.connect, needs="x509.no-password")
    connection.publish(certified.topics.events, b"by certificate", qos=1)

    observed(f"issuer {telemetry.next(sent_by=certified).auth.get('issuer')}")


@clause("x509.token-instead")
@pytest.mark.parametrize("certificate", [NO_CERTIFICATE, None], ids=["in-its-place", "beside-it"])
def test_a_token_of_a_device_that_has_a_certificate(formerly_keyed, observed, certificate):
    """The token is signed with the key that the device had before its certificates were registered."""
    observed(formerly_keyed.attempt(certificate=certificate, password=formerly_keyed.token()))


@clause("x509.module")
def test_a_module_with_a_certificate(issue, register_module, observed):
    """The registry takes thumbprints for a module; what they open, no page about MQTT states."""
    module = register_module()

    own = module.attempt_to_publish()

    observed(f"its own: {own}; another: {module.attempt(certificate=issue('stranger'))}")
