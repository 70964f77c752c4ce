"""Ports: which versions of TLS, which certificate, what a port in clear text says."""

import contextlib
import socket
import ssl

import pytest
from live_hub import PATIENCE, live_hub
from mqtt_bytes import PINGREQ, PINGRESP, client_bytes

from iothub_emulator.net.errors import StartError
from iothub_emulator.net.rules import ListenerRules
from iothub_emulator.net.sockets import bind


@pytest.fixture(scope="module")
def hub():
    with live_hub(host_names=("localhost", "127.0.0.1", "hub.example")) as hub:
        yield hub


@pytest.fixture(scope="module")
def ecdsa_hub():
    with live_hub(certificate_key="ecdsa") as hub:
        yield hub


def handshake(hub, port, context, name="localhost"):
    plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    with context.wrap_socket(plain, server_hostname=name) as stream:
        return stream.version()


SUITES = [
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-RSA-AES256-SHA384",
]
OTHERS = ["ECDHE-RSA-AES128-SHA", "ECDHE-RSA-CHACHA20-POLY1305", "AES128-GCM-SHA256", "DHE-RSA-AES128-SHA256"]


def offering(hub, version=ssl.TLSVersion.TLSv1_2, suite=None):
    """A client that offers one version, and of TLS 1.2 one suite if it is named."""
    context = ssl.create_default_context(cadata=hub.ca_pem.decode())
    context.minimum_version = context.maximum_version = version
    if suite is not None:
        context.set_ciphers(suite)
    return context


@pytest.mark.parametrize("port", ["mqtt", "https", "amqp"])
@pytest.mark.parametrize("suite", SUITES)
def test_each_port_speaks_tls_1_2_with_each_documented_suite(hub, port, suite):
    """transport.cipher-suites."""
    assert handshake(hub, getattr(hub.ports, port), offering(hub, suite=suite)) == "TLSv1.2"


@pytest.mark.parametrize("port", ["mqtt", "https", "amqp"])
@pytest.mark.parametrize("suite", OTHERS)
def test_no_port_speaks_another_suite(hub, port, suite):
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        handshake(hub, getattr(hub.ports, port), offering(hub, suite=suite))


@pytest.mark.parametrize("port", ["mqtt", "https", "amqp"])
@pytest.mark.parametrize("name", ["hub.device.example", "hub.service.example", "HUB.Device.Example"])
def test_each_port_speaks_tls_1_3_under_an_alias(hub, port, name):
    """SNI decides, in any letter case."""
    found = handshake(hub, getattr(hub.ports, port), offering(hub, ssl.TLSVersion.TLSv1_3), name)
    assert found == "TLSv1.3"


@pytest.mark.parametrize("port", ["mqtt", "https", "amqp"])
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "hub.example"])
def test_no_port_speaks_tls_1_3_under_a_classic_name(hub, port, name):
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        handshake(hub, getattr(hub.ports, port), offering(hub, ssl.TLSVersion.TLSv1_3), name)


def test_an_alias_speaks_tls_1_2_too(hub):
    assert handshake(hub, hub.ports.mqtt, offering(hub), "hub.device.example") == "TLSv1.2"


@pytest.mark.parametrize("port", ["mqtt", "https", "amqp"])
@pytest.mark.parametrize("suite", [suite.replace("RSA", "ECDSA") for suite in SUITES])
def test_a_hub_with_an_ecdsa_certificate_speaks_the_same_suites_with_ecdsa(ecdsa_hub, port, suite):
    assert handshake(ecdsa_hub, getattr(ecdsa_hub.ports, port), offering(ecdsa_hub, suite=suite)) == "TLSv1.2"


def test_older_tls_is_refused(hub):
    context = ssl.create_default_context(cadata=hub.ca_pem.decode())
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(hub, hub.ports.mqtt, context)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "hub.example"])
def test_the_certificate_is_for_the_hub_s_names(hub, name):
    assert handshake(hub, hub.ports.mqtt, hub.context, name)


def test_the_certificate_is_for_no_other_name(hub):
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(hub, hub.ports.mqtt, hub.context, "elsewhere.example")


def test_clear_text_on_a_tls_port_gets_no_connack(hub):
    with socket.create_connection(("127.0.0.1", hub.ports.mqtt), timeout=PATIENCE) as plain:
        plain.sendall(client_bytes(hub.connect_packet(password=None)))
        data = b""
        with contextlib.suppress(ConnectionError):
            while piece := plain.recv(1000):
                data += piece
    assert not data.startswith(b"\x20")


def test_the_plain_port_answers_only_where_a_rule_was_replaced(hub):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", hub.ports.plain), timeout=PATIENCE)

    class Talkative(ListenerRules):
        def answers_in_clear(self):
            return True

    def load(rules):
        rules.listeners = Talkative()

    with live_hub(load) as other, socket.create_connection(("127.0.0.1", other.ports.plain)) as plain:
        plain.sendall(client_bytes(other.connect_packet()) + PINGREQ)
        assert plain.recv(6, socket.MSG_WAITALL) == b"\x20\x02\x00\x00" + PINGRESP


@pytest.mark.parametrize("port", [0, 1883])
def test_an_address_of_another_machine_cannot_be_bound(port):
    with pytest.raises(StartError, match="correct --host"):
        bind("192.0.2.1", port, "MQTT", "--mqtt-port")
