"""Devices whose certificate an authority issued: `--device-ca`."""

import datetime as dt
import ssl

import pytest
import trustme
from certificates import ClientCertificate
from cryptography import x509
from live_hub import NOW, live_hub
from test_x509 import ACCEPTED, REFUSED, VERSIONS, answer, connect_packet, without_password
from websocket_client import BINARY, DEVICE_PATH, binary, connected, websocket

from iothub_emulator.hub.identity import Wanted
from iothub_emulator.net import device_authorities
from iothub_emulator.net.errors import StartError

DAY = dt.timedelta(days=1)
DEVICE = "fleet-1"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fleet")


@pytest.fixture(scope="module")
def hub(authority):
    pems = tuple(ca.cert_pem.bytes().decode() for ca in (trustme.CA(), authority))
    with live_hub(device_cas=pems) as hub:
        wanted = Wanted(device_id=DEVICE, authentication_type="certificateAuthority")
        hub.call(lambda: hub.runtime.registry.create(wanted, hub.runtime.fresh(DEVICE)))
        yield hub


@pytest.fixture
def issue(folder):
    """Issues a certificate, by default a good one of that authority for the device."""

    def issue(authority, name=DEVICE, **dates):
        return ClientCertificate.issued(folder, authority.issue_cert("device", common_name=name, **dates))

    return issue


@pytest.mark.parametrize("version", VERSIONS, ids=str)
@pytest.mark.parametrize("generations", [0, 1, 2])
def test_a_certificate_of_the_authority_opens_the_device_that_it_names(
    hub, authority, issue, version, generations
):
    """x509-ca.accepted: directly, or by way of authorities that the client presents too."""
    signer = authority
    for _ in range(generations):
        signer = signer.create_child_ca()
    assert answer(hub, DEVICE, issue(signer).context(hub, version)) == ACCEPTED


def test_it_opens_it_over_websocket_too(hub, authority, issue):
    context = issue(authority).context(hub)
    with connected(hub, "device-2", context=context, client_id=DEVICE, **without_password(DEVICE)):
        pass
    with websocket(hub, f"{DEVICE_PATH}?iothub-no-client-cert=true", context=context) as client:
        client.send(binary(connect_packet(hub, DEVICE)))
        assert client.read_frame() == (BINARY, REFUSED)


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_a_certificate_that_is_not_good_is_refused(hub, authority, issue, version):
    """x509-ca.wrong-name, .other-authority, .expired: another name, issuer or time, or none at all."""
    wrong = {
        "name": issue(authority, "fleet-2"),
        "case": issue(authority, DEVICE.upper()),
        "authority": issue(trustme.CA()),
        "ended": issue(authority, not_before=NOW - 3 * DAY, not_after=NOW - DAY),
        "not begun": issue(authority, not_before=NOW + DAY, not_after=NOW + 2 * DAY),
    }
    got = {name: answer(hub, DEVICE, each.context(hub, version)) for name, each in wrong.items()}
    assert got == dict.fromkeys(wrong, REFUSED)
    assert answer(hub, DEVICE, hub.context) == REFUSED


def test_a_hub_without_an_authority_vouches_for_nobody(authority, issue):
    with live_hub() as hub:
        wanted = Wanted(device_id=DEVICE, authentication_type="certificateAuthority")
        hub.call(lambda: hub.runtime.registry.create(wanted, hub.runtime.fresh(DEVICE)))
        assert answer(hub, DEVICE, issue(authority).context(hub)) == REFUSED


# The chain alone


def certificates(leaf):
    return tuple(x509.load_pem_x509_certificate(pem.bytes()) for pem in leaf.cert_chain_pems)


def root_of(authority):
    return device_authorities.read_authorities((authority.cert_pem.bytes().decode(),))


@pytest.mark.parametrize(
    ("good", "led"),
    [(lambda _: True, True), (lambda _: False, False), (lambda each: each.issuer != each.subject, False)],
    ids=["all", "none", "not-the-authority"],
)
def test_each_certificate_of_a_chain_must_be_good(authority, good, led):
    chain = certificates(authority.create_child_ca().issue_cert("device"))
    assert device_authorities.leads_to(chain, root_of(authority), good) is led


def test_who_is_no_authority_signs_nobody(authority, folder):
    """A device's own certificate vouches for no other, and a chain with a gap leads nowhere."""
    own = ClientCertificate(folder)
    (self_signed,) = device_authorities.presented((own.der,))
    leaf, child = certificates(authority.create_child_ca().issue_cert("device"))[:2]
    assert not device_authorities.leads_to((self_signed,), (self_signed,), lambda _: True)
    assert not device_authorities.leads_to((leaf,), root_of(authority), lambda _: True)
    assert device_authorities.leads_to((leaf, self_signed, child), root_of(authority), lambda _: True)
    assert not device_authorities.leads_to((), root_of(authority), lambda _: True)


def test_the_length_of_a_path_is_heeded():
    """An authority that may sign devices alone signs no other authority (RFC 5280 section 4.2.1.9)."""
    root = trustme.CA()
    deep = root
    for _ in range(9):
        deep = deep.create_child_ca()
    chain = certificates(deep.issue_cert("device"))
    assert device_authorities.leads_to(chain, root_of(root), lambda _: True)
    assert not device_authorities.leads_to(chain * 2, root_of(root), lambda _: True)


def test_what_is_no_certificate_ends_the_chain(folder):
    own = ClientCertificate(folder)
    assert len(list(device_authorities.presented((own.der, b"none", own.der)))) == 1


def test_a_device_s_certificate_is_no_authority(authority):
    pem = authority.issue_cert("device").cert_chain_pems[0].bytes().decode()
    with pytest.raises(StartError, match="is no certificate authority: name the one that signs"):
        device_authorities.read_authorities((pem,))


def test_a_session_that_goes_on_keeps_its_certificate(hub, authority, issue):
    context = issue(authority).context(hub, ssl.TLSVersion.TLSv1_2)
    assert [answer(hub, DEVICE, context) for _ in range(2)] == [ACCEPTED] * 2
