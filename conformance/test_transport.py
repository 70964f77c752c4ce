"""How a device reaches the hub: MQTT 3.1.1, over TLS only.

Document: #communicate-with-your-iot-hub-using-the-mqtt-protocol and #tlsssl-configuration.
Clauses: clauses/transport.toml.

A device speaks MQTT 3.1.1 on port 8883. Everything is protected by TLS: there is no
plain port, a clear-text packet on the TLS port gets no answer, and the certificate names the hub.
"""

import pytest

clause = pytest.mark.clause


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


@clause("transport.no-plaintext")
def test_the_plain_port_gives_no_session(admitted, hub):
    """A clear-text CONNECT without credentials to the plain MQTT port gets no CONNACK."""
    admitted.expect_no_plaintext_session(port=hub.ports.plain)


@clause("transport.plaintext-refused")
def test_clear_text_on_the_tls_port_gives_no_session(admitted, hub):
    """A clear-text CONNECT without credentials to the TLS port gets no CONNACK."""
    admitted.expect_no_plaintext_session(port=hub.ports.mqtt)


@clause("transport.server-certificate")
@pytest.mark.usefixtures("admitted")
def test_the_certificate_names_the_hub_and_is_trusted(server_certificate, hub):
    """The presented certificate chains to the trusted roots and names this host, and no unrelated one."""
    assert (
        server_certificate.chain,
        server_certificate.names(hub.host),
        server_certificate.names("unrelated.example"),
    ) == ("verified", True, False)


@clause("transport.legacy-tls")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1.1"])
def test_a_client_that_offers_only_a_retired_tls_version(admitted, observed, version):
    """TLS 1.0 and 1.1 are retired; what a hub does with them is recorded."""
    observed(admitted.handshake_outcome(version))
