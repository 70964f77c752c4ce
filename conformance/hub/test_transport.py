"""How a device reaches the hub: MQTT 3.1.1, over TLS only.

Document: #communicate-with-your-iot-hub-using-the-mqtt-protocol and #tlsssl-configuration.
Clauses: clauses/transport.toml.

A device speaks MQTT 3.1.1 on port 8883. Everything is protected by TLS: there is no
plain port, a clear-text packet on the TLS port gets no answer, and the certificate names the hub.
Microsoft's page on TLS names four cipher suites of TLS 1.2, all for an RSA certificate: a client with one
of them gets TLS on every port.
"""

import pytest

from conformance.mqtt.tls import CIPHER_SUITES

clause = pytest.mark.clause

# All four together, and each alone: firmware often has but one.
SUITES = pytest.mark.parametrize(
    "suites",
    [pytest.param(CIPHER_SUITES, id="the-four"), *(pytest.param((name,), id=name) for name in CIPHER_SUITES)],
)


@clause("transport.mqtt")
def test_a_device_connects_pings_and_publishes_over_tls(device):
    """The MQTT port serves CONNECT, PINGREQ and PUBLISH of MQTT 3.1.1 over TLS."""
    connection = device.connect()

    connection.ping()
    connection.publish(device.topics.events, b"over TLS", qos=1)


@clause("transport.tls-1-2")
def test_a_client_that_offers_only_tls_1_2_gets_a_session(device):
    """A client whose newest TLS version is 1.2 connects with it."""
    raw = device.raw(tls_version="TLSv1.2")

    raw.connect(device)

    assert raw.tls_version == "TLSv1.2"


@clause("transport.cipher-suites")
@SUITES
def test_a_device_with_the_documented_cipher_suites_gets_a_session(device, suites):
    """A client that offers only suites that Microsoft names connects, and its messages are taken."""
    connection = device.connect(ciphers=suites)

    connection.publish(device.topics.events, b"21.5" * 1024, qos=1)


@clause("transport.rest-cipher-suites")
@pytest.mark.usefixtures("admitted")
@SUITES
def test_a_back_end_with_the_documented_cipher_suites_is_answered_by_rest(service, suites):
    """The HTTPS port opens to a client that offers nothing but the suites that Microsoft names."""
    assert service.doors.rest(suites) == "answered"


@clause("transport.amqp-cipher-suites")
@pytest.mark.usefixtures("admitted")
@SUITES
def test_a_back_end_with_the_documented_cipher_suites_is_answered_by_amqp(service, suites):
    """The AMQP port opens to a client that offers nothing but the suites that Microsoft names."""
    assert service.doors.amqp(suites) == "answered"


@clause("transport.other-cipher-suites")
@pytest.mark.parametrize(
    "suites",
    [
        pytest.param(
            (
                *("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"),
                *("ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384"),
            ),
            id="the-four-for-ECDSA",
        ),
        pytest.param(("ECDHE-RSA-CHACHA20-POLY1305",), id="ChaCha20"),
        pytest.param(("ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA"), id="CBC-with-SHA-1"),
        pytest.param(("DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384"), id="DHE"),
        pytest.param(("AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256"), id="RSA-key-exchange"),
    ],
)
def test_a_client_that_offers_none_of_the_documented_cipher_suites(admitted, observed, suites):
    """Microsoft says that it is refused; hubs made for other certificates are a preview."""
    observed(admitted.handshake_outcome(ciphers=suites))


@clause("transport.tls-versions")
@pytest.mark.parametrize("offered", [None, "TLSv1.3"], ids=["1.2-and-newer", "1.3-alone"])
def test_which_version_of_tls_is_negotiated(admitted, observed, offered):
    """Microsoft promises TLS 1.3 under one of a hub's names alone, and TLS 1.2 under all."""
    observed(admitted.negotiated(offered))


@clause("transport.no-server-name")
@pytest.mark.parametrize("suites", [None, CIPHER_SUITES], ids=["any-suites", "the-four"])
def test_a_client_that_names_no_host_in_tls(admitted, observed, suites):
    """Small TLS stacks send no SNI; whether a hub needs it for TLS 1.2 is not documented."""
    observed(admitted.negotiated(ciphers=suites, named=False))


@clause("transport.no-plaintext")
def test_the_plain_port_gives_no_session(admitted, hub, untouched):
    """A clear-text CONNECT without credentials to the plain MQTT port gets no CONNACK."""
    admitted.expect_no_plaintext_session(port=hub.ports.plain)
    untouched.confirm()


@clause("transport.plaintext-refused")
def test_clear_text_on_the_tls_port_gives_no_session(admitted, hub, untouched):
    """A clear-text CONNECT without credentials to the TLS port gets no CONNACK."""
    admitted.expect_no_plaintext_session(port=hub.ports.mqtt)
    untouched.confirm()


@clause("transport.server-certificate")
@pytest.mark.usefixtures("admitted")
def test_the_certificate_names_the_hub_and_is_trusted(server_certificate, hub):
    """The presented certificate chains to the trusted roots and names this host, and no unrelated one."""
    assert (
        server_certificate.chain,
        server_certificate.names(hub.host),
        server_certificate.names("unrelated.example"),
    ) == ("verified", True, False)


@clause("transport.certificate-key")
@pytest.mark.usefixtures("admitted")
def test_what_key_the_certificate_has(server_certificate, observed):
    """A hub's is RSA; its size is documented nowhere."""
    observed(server_certificate.key)


@clause("transport.legacy-tls")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1.1"])
def test_a_client_that_offers_only_a_retired_tls_version(admitted, observed, version):
    """TLS 1.0 and 1.1 are retired; what a hub does with them is recorded."""
    observed(admitted.handshake_outcome(version))
