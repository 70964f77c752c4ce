"""Certificates of devices: known by their thumbprints, presented in the handshake, kept to themselves."""

import datetime as dt
import hashlib
import ssl
import tempfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from scripted_websocket import admitting, opened

from conformance.mqtt.fields import NO_CERTIFICATE, NO_PASSWORD
from conformance.mqtt.websocket import WebSocket
from conformance.report.redaction import HIDDEN, redact
from conformance.target.certificates import ClientCertificate, DeviceAuthority


def der(certificate):
    return certificate._certificate.public_bytes(Encoding.DER)


def pem(certificate):
    return certificate._certificate.public_bytes(Encoding.PEM).decode()


def demanding(certificate, version=None):
    """A server's context that takes this client certificate and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_verify_locations(cadata=pem(certificate))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_mode = ssl.CERT_REQUIRED
    if version is not None:
        context.maximum_version = version
    return context


def admit(line):
    line.answer_connect()
    line.answer_pings()


# The authority


def chain_of(certificate):
    return x509.load_pem_x509_certificates(certificate._pem.encode())


def test_an_authority_signs_certificates_of_devices():
    """The name is the subject, the authority the issuer, and the device presents both."""
    authority = DeviceAuthority.new("fleet")
    leaf, issuer = chain_of(authority.issue("d1"))

    leaf.verify_directly_issued_by(authority.certificate)
    assert (leaf.subject.rfc4514_string(), leaf.issuer.rfc4514_string()) == ("CN=d1", "CN=fleet")
    assert (issuer, authority.name) == (authority.certificate, "fleet")


def test_an_authority_below_another_is_signed_by_it():
    root = DeviceAuthority.new()
    below = root.below()
    leaf, first, second = chain_of(below.issue("d1"))

    leaf.verify_directly_issued_by(first)
    first.verify_directly_issued_by(second)
    assert (first, second) == (below.certificate, root.certificate)


def test_a_certificate_may_have_ended():
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    leaf, _ = chain_of(DeviceAuthority.new().issue("d1", begins_in=-3 * day, ends_in=-day))

    assert leaf.not_valid_before_utc < leaf.not_valid_after_utc < now


# The certificate


def test_thumbprints_are_digests_of_the_certificate_in_capitals():
    certificate = ClientCertificate("d1")

    assert certificate.thumbprint() == hashlib.sha1(der(certificate)).hexdigest().upper()
    assert certificate.thumbprint("SHA-256") == hashlib.sha256(der(certificate)).hexdigest().upper()


def test_each_is_new_even_with_the_same_subject():
    assert ClientCertificate("d1").thumbprint() != ClientCertificate("d1").thumbprint()


def test_its_key_is_a_secret_and_shows_nowhere():
    certificate = ClientCertificate("d1")
    key = certificate._key.reveal()

    assert "PRIVATE KEY" in key
    assert repr(certificate) == "ClientCertificate('d1')"
    assert redact(f"it was {key}") == f"it was {HIDDEN}"


def test_its_file_is_for_nobody_else_and_is_gone_at_once(monkeypatch, tmp_path):
    """Also where OpenSSL refuses the file."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen = []

    class Context:
        def load_cert_chain(self, file):
            seen.append((oct(Path(file).stat().st_mode), oct(Path(file).parent.stat().st_mode)))
            raise ssl.SSLError("no")

    with pytest.raises(ssl.SSLError):
        ClientCertificate("d1").load_into(Context())

    assert seen == [("0o100600", "0o40700")]
    assert list(tmp_path.iterdir()) == []


# A device that presents it


@pytest.mark.parametrize("version", [None, ssl.TLSVersion.TLSv1_2], ids=["newest", "1.2"])
def test_a_device_presents_its_certificate_and_sends_no_password(scene, version):
    own = ClientCertificate("d1")
    device = scene.device(admit, context=demanding(own, version))
    device.certificate = own

    device.connect().ping()
    device.raw_connected().ping()

    for line in scene.peer.lines:
        assert hashlib.sha1(line.sock.getpeercert(binary_form=True)).hexdigest().upper() == own.thumbprint()
        connect = line.received[0]
        assert connect[connect.index(b"MQTT") + 5] == 0x82, "Username and clean session, no Password"


def test_it_is_presented_over_websocket_too(scene):
    own = ClientCertificate("d1")
    device = scene.device(opened(admitting()), context=demanding(own))
    device.certificate = own

    device.connect(over=WebSocket()).ping()
    device.websocket_connected().ping()

    assert all(line.sock.getpeercert(binary_form=True) == der(own) for line in scene.peer.lines)


def test_a_connection_without_it_presents_none(scene):
    """Its context is its own: what one connection presents, the next one does not."""
    own = ClientCertificate("d1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_verify_locations(cadata=pem(own))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_mode = ssl.CERT_OPTIONAL
    device = scene.device(admit, context=context)

    device.connect(certificate=own).ping()
    device.connect().ping()
    device.certificate = own
    device.connect(certificate=NO_CERTIFICATE).ping()
    device.connect().ping()

    presented = [line.sock.getpeercert(binary_form=True) for line in scene.peer.lines]
    assert presented == [der(own), None, None, der(own)]


def test_the_evidence_says_which_certificate_was_presented(scene):
    device = scene.device(admit, context=demanding(own := ClientCertificate("d1")))

    device.connect(certificate=own)

    opened_line = scene.evidence.transcript.entries[0].text
    assert opened_line.endswith(", presenting the certificate d1")


# A hub that refuses it within TLS


@pytest.mark.parametrize("version", [None, ssl.TLSVersion.TLSv1_2], ids=["newest", "1.2"])
@pytest.mark.parametrize("certificate", ["stranger", None])
def test_a_refusal_by_tls_is_a_refusal(scene, version, certificate):
    """TLS 1.2 refuses within the handshake; with TLS 1.3 a client hears of it when it first reads."""
    device = scene.device(admit, context=demanding(ClientCertificate("d1"), version))
    presented = NO_CERTIFICATE if certificate is None else ClientCertificate(certificate)

    possible = {"closed"} if version is None else {"tls refused", "closed"}
    assert device.expect_refused(certificate=presented, password=NO_PASSWORD) in possible
    assert device.attempt(certificate=presented, password=NO_PASSWORD) in possible


@pytest.mark.parametrize("version", [None, ssl.TLSVersion.TLSv1_2], ids=["newest", "1.2"])
def test_over_websocket_it_is_one_too(scene, version):
    device = scene.device(opened(admitting()), context=demanding(ClientCertificate("d1"), version))

    assert device.expect_refused(over=WebSocket()) in {"tls refused", "closed"}


def test_a_hub_that_falls_silent_behind_tls_has_refused_nothing(scene):
    own = ClientCertificate("d1")
    device = scene.device(lambda line: line.read_to_end(), context=demanding(own))

    with scene.hurry():
        assert device.attempt(certificate=own) == "silence"


# Against the embedded hub


@pytest.mark.parametrize("digest", ["SHA-1", "SHA-256"])
def test_a_device_that_is_known_by_certificates_needs_no_key(back_end, digest):
    own, spare = ClientCertificate("own"), ClientCertificate("spare")
    device = back_end.device()
    registry = back_end.service.registry

    registry.use_certificates(device.id, own.thumbprint(digest), spare.thumbprint(digest))

    device.certificate = own
    device.expect_accepted()
    device.expect_accepted(certificate=spare)
    assert device.attempt(certificate=ClientCertificate("own")) == "connack 5"
    assert device.attempt(certificate=NO_CERTIFICATE, password=device.token()) == "connack 5"


def test_a_module_is_known_by_certificates_of_its_own(back_end):
    own = ClientCertificate("own")
    device = back_end.device()
    registry = back_end.service.registry

    identity = registry.create_module(device.id, "m", thumbprints=(own.thumbprint(), "0" * 40))

    module = back_end.device(identity)
    module.certificate = own
    module.expect_accepted()
    assert module.attempt(certificate=NO_CERTIFICATE, password=module.token()) == "connack 5"
