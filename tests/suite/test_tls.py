"""What a client offers in TLS, and the word for what becomes of it: devices, and back ends at their doors."""

import ssl

import pytest
import trustme
from patience import PATIENCE
from scripted_peer import HURRY, ScriptedPeer
from violations import violation

from conformance.backend import Doors
from conformance.errors import NotTested, ServiceError
from conformance.mqtt.server_certificate import fetch_certificate
from conformance.mqtt.tls import CIPHER_SUITES
from conformance.mqtt.websocket import WebSocket

RSA, ECDSA = trustme.KeyType.RSA, trustme.KeyType.ECDSA
ALONE = [(name,) for name in CIPHER_SUITES]
NO_SUCH = ("NO-SUCH-SUITE",)


def admit(line):
    line.answer_connect()
    line.answer_pings()


# -- devices


@pytest.mark.parametrize("suites", [CIPHER_SUITES, *ALONE], ids="+".join)
def test_a_device_offers_these_suites_of_tls_1_2_and_no_others(scene, suites):
    device = scene.device(admit, key_type=RSA)

    device.connect(ciphers=suites).ping()

    (line,) = scene.peer.lines
    assert {name for name, *_ in line.sock.shared_ciphers()} == set(suites)
    assert (line.sock.version(), line.sock.cipher()[0] in suites) == ("TLSv1.2", True)
    assert scene.evidence.transcript.entries[0].text == f"opened for d1, TLSv1.2 {line.sock.cipher()[0]}"


@pytest.mark.parametrize("suites", ALONE, ids="+".join)
def test_a_hub_whose_certificate_does_not_suit_them_refuses(scene, suites):
    device = scene.device(admit, key_type=ECDSA)

    assert device.attempt(ciphers=suites) == "tls refused"
    assert violation(device.connect, ciphers=suites).observed == "tls refused"
    assert device.handshake_outcome(ciphers=suites) == "tls refused"


def test_over_websocket_it_is_refused_alike(scene):
    device = scene.device(admit, key_type=ECDSA)

    assert violation(device.connect, ciphers=CIPHER_SUITES, over=WebSocket()).observed == "tls refused"


def test_what_the_local_openssl_cannot_offer_says_nothing_of_the_hub(scene):
    device = scene.device(admit, key_type=RSA)

    assert device.handshake_outcome(ciphers=NO_SUCH) == "client cannot offer it"
    for step in (device.connect, device.expect_accepted, device.expect_refused):
        with pytest.raises(
            NotTested, match="client cannot offer it: the local OpenSSL has none of NO-SUCH-SUITE"
        ):
            step(ciphers=NO_SUCH)


def test_the_version_that_the_hub_chooses_is_told(scene):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    old, new = scene.device(admit, context=context), scene.device(admit)

    assert [old.negotiated(), old.negotiated("TLSv1.3"), new.negotiated()] == [
        "TLSv1.2",
        "tls refused",
        "TLSv1.3",
    ]


@pytest.mark.parametrize("named", [True, False])
def test_the_hubs_name_can_be_left_out(scene, named):
    names = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda sock, name, context: names.append(name)
    device = scene.device(admit, context=context)

    assert device.negotiated(named=named) == "TLSv1.3"
    # The contexts of other connections still verify the name.
    device.connect().ping()

    assert names == ["localhost" if named else None, "localhost"]


@pytest.mark.parametrize(("key_type", "key"), [(RSA, "RSA 2048"), (ECDSA, "EC secp256r1")], ids=["RSA", "EC"])
def test_the_certificates_key_is_told(scene, key_type, key):
    assert fetch_certificate(scene.device(admit, key_type=key_type)._endpoint).key == key


# -- the doors of the service side


@pytest.fixture
def doors(scene):
    """``doors(script, ...)``: a peer behind both doors."""

    def open_them(script, *, timeout=PATIENCE, **peer):
        scene.device(script, **peer)
        trust = scene.peer.endpoint(scene.folder, scene.timeouts).trust
        return Doors("localhost", https=scene.peer.port, amqp=scene.peer.port, trust=trust, timeout=timeout)

    return open_them


def answers(expected, answer):
    def play(line):
        assert line._exactly(len(expected)) == expected
        line.send(answer)
        line.read_to_end()

    return play


def test_a_door_that_answers_says_so(doors):
    asked = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    header = b"AMQP\x03\x01\x00\x00"

    assert (
        doors(answers(asked, b"HTTP/1.1 404 Not Found\r\n\r\n"), key_type=RSA).rest(CIPHER_SUITES)
        == "answered"
    )
    assert doors(answers(header, header), key_type=RSA).amqp(CIPHER_SUITES[:1]) == "answered"


@pytest.mark.parametrize("look", [Doors.rest, Doors.amqp], ids=["rest", "amqp"])
def test_a_door_that_does_not_has_its_word(doors, look):
    assert (
        look(doors(lambda line: line.send(b"220 mail.example"), key_type=RSA), CIPHER_SUITES)
        == "another protocol"
    )
    assert look(doors(lambda line: None, key_type=RSA), CIPHER_SUITES) == "closed"
    assert look(doors(admit, key_type=ECDSA), CIPHER_SUITES) == "tls refused"
    silent = doors(lambda line: line.read_to_end(), key_type=RSA, timeout=HURRY)
    assert look(silent, CIPHER_SUITES) == "silence"
    with pytest.raises(NotTested):
        look(silent, NO_SUCH)


def test_a_door_where_nothing_listens_is_no_answer_of_the_hub(deserted_port, tmp_path):
    trust = tmp_path / "root.pem"
    trustme.CA().cert_pem.write_to_path(str(trust))
    nobody = Doors("localhost", https=deserted_port, amqp=deserted_port, trust=str(trust), timeout=PATIENCE)

    with pytest.raises(ServiceError, match=rf"localhost:{deserted_port}: .*Is that port of the hub right\?"):
        nobody.rest(CIPHER_SUITES)


def test_a_door_that_is_not_trusted_says_what_to_do(tmp_path):
    trust = tmp_path / "root.pem"
    trustme.CA().cert_pem.write_to_path(str(trust))
    peer = ScriptedPeer(admit, key_type=RSA)
    stranger = Doors("localhost", https=peer.port, amqp=peer.port, trust=str(trust), timeout=PATIENCE)

    with pytest.raises(ServiceError, match="its certificate is not trusted"):
        stranger.amqp(CIPHER_SUITES)
    peer.close()
