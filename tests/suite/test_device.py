"""A device: who it is, its tokens, its attempts, the certificate it meets."""

import ssl
import time
from pathlib import Path

import pytest
import trustme
from patience import PATIENCE
from scripted_peer import KEY, PINGRESP, ScriptedPeer
from violations import violation

from conformance.errors import UsageError
from conformance.mqtt.fields import NO_PASSWORD, NO_USERNAME
from conformance.mqtt.server_certificate import fetch_certificate
from conformance.report.redaction import redact
from conformance.target.credentials import NO_SECRET, Secret


def admit(line):
    line.answer_connect()
    while line.read_packet() != b"\xe0\x00":
        line.send(PINGRESP)


def refuse(line):
    line.answer_connect(b"\x20\x02\x00\x05")


def after_flags(connect):
    """The flags of a CONNECT, and the fields behind its keep-alive."""
    start = connect.index(b"\x00\x04MQTT")
    body, fields = connect[start + 10 :], []
    while body:
        length = int.from_bytes(body[:2])
        fields.append(body[2 : 2 + length])
        body = body[2 + length :]
    return connect[start + 7], fields


def test_a_device_knows_its_names(scene):
    device = scene.device(admit)

    assert device.username == "localhost/d1/?api-version=2018-06-30"
    assert device.resource == "localhost/devices/d1"
    assert device.topics.events == "devices/d1/messages/events/"
    assert device.topics.devicebound == "devices/d1/messages/devicebound/#"


def test_its_tokens_are_what_is_asked_for(scene):
    device = scene.device(admit)

    token = device.token(resource="h/devices/x", expires_in=-60, order=("se", "sr", "sig"), escapes="lower")

    assert -60 - PATIENCE < token.expiry - time.time() <= -60
    assert token.reveal().startswith(f"SharedAccessSignature se={token.expiry}&sr=h%2fdevices%2fx&sig=")
    assert "sig=***" not in token.reveal()
    assert redact(f"it was {token.reveal()}").endswith("sig=***")


USERNAME = b"localhost/d1/?api-version=2018-06-30"


@pytest.mark.parametrize(
    ("attempt", "flags", "fields"),
    [
        ({"password": Secret("a token")}, 0xC2, [b"d1", USERNAME, b"a token"]),
        ({"client_id": "", "password": Secret("a token")}, 0xC2, [b"", USERNAME, b"a token"]),
        ({"client_id": "D1", "username": "u", "password": Secret("p")}, 0xC2, [b"D1", b"u", b"p"]),
        ({"username": "", "password": NO_SECRET}, 0xC2, [b"d1", b"", b""]),
        ({"password": NO_PASSWORD}, 0x82, [b"d1", USERNAME]),
        ({"username": NO_USERNAME, "password": NO_PASSWORD}, 0x02, [b"d1"]),
    ],
    ids=["its-own", "empty-client-id", "others", "empty", "no-password", "no-credentials"],
)
def test_an_attempt_changes_what_it_names_and_nothing_else(scene, attempt, flags, fields):
    device = scene.device(refuse)

    assert device.attempt(**attempt) == "connack 5"

    assert after_flags(scene.peer.lines[0].received[0]) == (flags, fields)


def test_what_paho_cannot_say_is_refused_here_with_the_way_to_say_it(scene):
    device = scene.device(refuse)

    with pytest.raises(ValueError, match="use RawConnection"):
        device.attempt(username=NO_USERNAME)
    with pytest.raises(ValueError, match="client id must be provided"):
        device.attempt(client_id="", clean_session=False)


def test_an_accepted_attempt_is_left_by_disconnect(scene):
    device = scene.device(admit)

    assert device.attempt() == "accepted"
    device.expect_accepted(keep_alive=65535)

    assert scene.peer.ended.acquire(timeout=PATIENCE)
    assert [line.received[-1] for line in scene.peer.lines] == [b"\xe0\x00", b"\xe0\x00"]


def test_a_session_is_no_refusal(scene):
    assert violation(scene.device(admit).expect_refused).observed == "accepted"


def test_silence_is_no_refusal(scene):
    device = scene.device(lambda line: line.read_to_end())

    with scene.hurry():
        assert violation(device.expect_refused).observed == "silence"


def test_a_refusal_is_a_word(scene):
    assert scene.device(refuse).expect_refused() == "connack 5"
    assert scene.device(lambda line: line.read_packet()).expect_refused() == "closed"


def test_a_connection_accepted_and_then_dropped_is_not_accepted(scene):
    assert violation(scene.device(lambda line: line.answer_connect()).expect_accepted).observed == "closed"


def test_an_attempt_to_publish_says_how_both_steps_went(scene):
    def play(line):
        line.answer_connect()
        line.read_packet()
        line.send(b"\x40\x02\x00\x01")
        line.answer_pings()

    assert scene.device(play).attempt_to_publish() == "accepted, puback"
    assert scene.device(refuse).attempt_to_publish() == "connack 5"
    assert (
        scene.device(lambda line: (line.answer_connect(), line.read_packet())).attempt_to_publish()
        == "accepted, closed"
    )


def test_closing_a_device_ends_its_connections(scene):
    device = scene.device(admit)
    device.connect()
    device.raw()

    device.close()
    device.close()

    assert scene.peer.ended.acquire(timeout=PATIENCE)
    assert scene.peer.ended.acquire(timeout=PATIENCE)


# -- without TLS, and with the wrong one


def plain(scene, script):
    peer = ScriptedPeer(script, tls=False)
    scene._ends.append(peer.close)
    return scene.device(admit), peer


@pytest.mark.parametrize(
    ("script", "word"),
    [
        (lambda line: None, "closed"),
        (lambda line: line.send(b"\x15\x03\x01\x00\x02\x02\x46"), "unreadable"),
    ],
    ids=["closed", "tls-alert"],
)
def test_a_port_without_a_session_in_clear(scene, script, word):
    device, peer = plain(scene, script)

    assert device.expect_no_plaintext_session(port=peer.port) == word
    assert scene.evidence.breaches == ()


def test_a_port_that_is_silent_in_clear_has_no_session(scene):
    device, peer = plain(scene, lambda line: line.read_to_end())

    with scene.hurry():
        assert device.expect_no_plaintext_session(port=peer.port) == "silence"


def test_a_plain_port_where_nothing_listens_is_refused(scene):
    device, peer = plain(scene, None)

    assert device.expect_no_plaintext_session(port=peer.port) == "refused"


@pytest.mark.parametrize(
    ("answer", "observed"), [(b"\x20\x02\x00\x00", "connack 0"), (b"\x20\x02\x00\x05", "connack 5")]
)
def test_any_connack_in_clear_is_a_violation_and_no_token_goes_out(scene, answer, observed):
    device, peer = plain(scene, lambda line: line.answer_connect(answer))

    assert violation(device.expect_no_plaintext_session, port=peer.port).observed == observed
    assert [line.received for line in peer.lines] == [[b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02d1"]]


def test_a_peer_that_speaks_no_tls_is_a_word(scene):
    not_tls = scene.device(lambda line: line.send(b"220 mail.example\r\n"), tls=False)
    closes = scene.device(lambda line: None, tls=False)

    assert not_tls.attempt() == "tls refused"
    assert closes.attempt() == "closed"
    assert closes.expect_refused() == "closed"
    assert violation(not_tls.raw).observed == "tls refused"


def test_a_peer_that_says_nothing_to_tls_is_silent(scene):
    silent = scene.device(lambda line: line.read_to_end(), tls=False)

    with scene.hurry():
        assert silent.attempt() == "silence"
        assert violation(silent.expect_refused).observed == "silence"


def test_one_version_of_tls_can_be_offered_alone(scene):
    device = scene.device(admit)

    assert device.raw(tls_version="TLSv1.2").tls_version == "TLSv1.2"
    assert device.raw(tls_version="TLSv1.3").tls_version == "TLSv1.3"
    assert device.handshake_outcome("TLSv1.2") == "accepted"
    assert device.handshake_outcome("TLSv1") in {"tls refused", "client cannot offer it"}
    with pytest.raises(UsageError, match="no TLS version 'SSLv3'"):
        device.handshake_outcome("SSLv3")


def test_a_hub_that_refuses_a_version_of_tls_is_a_word(scene):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3

    assert scene.device(admit, context=context).handshake_outcome("TLSv1.2") == "tls refused"


def test_the_certificate_is_judged_here(scene):
    endpoint = scene.device(admit)._endpoint

    certificate = fetch_certificate(endpoint)

    assert certificate.chain == "verified"
    assert certificate.names("localhost")
    assert certificate.names("LOCALHOST")
    assert certificate.names("127.0.0.1")
    assert not certificate.names("unrelated.example")
    assert not certificate.names("127.0.0.2")


def test_a_certificate_of_another_root_says_why(scene):
    endpoint = scene.device(admit)._endpoint
    Path(endpoint.trust).write_bytes(trustme.CA().cert_pem.bytes())

    assert "certificate" in fetch_certificate(endpoint).chain


def test_wildcards_cover_one_label(scene):
    certificate = type(fetch_certificate(scene.device(admit)._endpoint))(
        chain="verified", dns_names=("*.azure-devices.net",), addresses=(), key="RSA 2048"
    )

    assert certificate.names("my-hub.azure-devices.net")
    assert not certificate.names("azure-devices.net")
    assert not certificate.names("a.b.azure-devices.net")


def test_no_key_and_no_token_is_in_the_transcript(scene):
    device = scene.device(refuse)
    device.attempt()
    device.raw().send(device.connect_packet())

    text = scene.evidence.render()

    assert "password=(redacted)" in text
    assert redact(text) == text
    assert KEY.reveal() not in text
    assert "sig=" not in text
