"""TLS, as a device asks for it: version, server name, and whom it believes.

Document: "Configuração de TLS/SSL" (#tls-ssl-configuration). Clauses: clauses/device-transport.toml.
"""

import pytest

clause = pytest.mark.clause


@clause("device-transport.version")
def test_tls_is_1_2_or_newer(lenient_tap, device, first_line):
    """The tap would take TLS 1.0 too; the device asks for 1.2 at least."""
    assert first_line.tls in {"TLSv1.2", "TLSv1.3"}


@clause("device-transport.server-name")
def test_the_device_says_in_tls_which_host_it_wants(device, first_line):
    """ClientHello has the name of a server: the hub's, or the one that led the device here."""
    assert first_line.server_name in {*device.names_of_hub, "localhost"}


@clause("device-transport.authority")
def test_a_server_of_another_authority_gets_no_connect(of_another_authority, device, settled):
    """Nothing is sent to a server whose certificate a stranger signed."""
    device.begin_to_connect()
    settled()

    assert device.what_strangers_got() == ()


@clause("device-transport.host-name")
def test_a_server_of_another_host_gets_no_connect(of_another_host, device, settled):
    """Nothing is sent to a server whose certificate is good, and for another host."""
    device.begin_to_connect()
    settled()

    assert device.what_strangers_got() == ()


@clause("device-transport.refused-told")
def test_what_a_device_tells_of_a_stranger(of_another_authority, device, settled, observed):
    """What the answer to the order to connect is."""
    device.begin_to_connect()
    settled()

    observed(device.adapter.last_in_words())


@clause("device-transport.no-plaintext")
def test_nothing_is_sent_without_tls(of_another_authority, device, settled, pause):
    """TLS does not come up, for the device does not trust the server; no connection behind it is without."""
    device.begin_to_connect()
    settled()
    pause(0.5)

    assert device.lines_without_tls() == ()
