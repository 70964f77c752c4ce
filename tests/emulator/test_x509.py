"""Devices with a certificate: TLS takes any, and the registered thumbprint decides."""

import contextlib
import gc
import json
import socket
import ssl
import weakref

import pytest
import trustme
from certificates import ClientCertificate
from hypothesis import given
from hypothesis import strategies as st
from live_hub import AUTHORITY, NEW_NAME, NOW, PATIENCE, RSA_KEY, Client, live_hub, name_for
from mqtt_bytes import PINGREQ, PINGRESP
from websocket_client import BINARY, CLOSE, DEVICE_PATH, binary, websocket
from websocket_client import connected as connected_over_websocket

from iothub_emulator.hub.identity import Wanted
from iothub_emulator.hub.packets import Publish
from iothub_emulator.net import client_certificates, tls
from iothub_emulator.net.authority import issue
from iothub_emulator.net.rules import ListenerRules

ACCEPTED = b"\x20\x02\x00\x00"
REFUSED = b"\x20\x02\x00\x05"
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
QUIET = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def own(folder):
    return ClientCertificate(folder)


@pytest.fixture(scope="module")
def strange(folder):
    return ClientCertificate(folder)


@pytest.fixture(scope="module")
def hub():
    with live_hub() as hub:
        yield hub


def register(hub, device_id, primary, secondary=None):
    wanted = Wanted(
        device_id=device_id,
        authentication_type="selfSigned",
        primary_thumbprint=primary,
        secondary_thumbprint=secondary,
    )
    runtime = hub.runtime
    if hub.call(runtime.registry.get, device_id) is None:
        hub.call(lambda: runtime.registry.create(wanted, runtime.fresh(wanted.device_id)))


def connect_packet(hub, device_id):
    """A CONNECT without Password: the certificate is all there is."""
    return hub.connect_packet("device-2", client_id=device_id, **without_password(device_id))


def without_password(device_id):
    return {"username": f"localhost/{device_id}/?api-version=2021-04-12", "password": None}


def open_mqtt(hub, context, session=None):
    plain = socket.create_connection(("127.0.0.1", hub.ports.mqtt), timeout=PATIENCE)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname=name_for(context), session=session)


def answer(hub, device_id, context):
    """Return what a CONNECT gets; a TLS alert in place of it is a refusal too."""
    try:
        with contextlib.closing(Client(open_mqtt(hub, context))) as client:
            client.send(connect_packet(hub, device_id))
            return client.read(4)
    except (ssl.SSLError, ConnectionError):
        return b""


# Who is let in


@pytest.mark.parametrize("version", VERSIONS, ids=str)
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_the_registered_thumbprint_opens_a_connection(hub, own, version, digest):
    """With either digest, in either place; what it publishes says how it came in."""
    device_id = f"{digest}-{version.name}"
    register(hub, device_id, "0" * 40, getattr(own, digest))
    with contextlib.closing(Client(open_mqtt(hub, own.context(hub, version)))) as client:
        client.send(connect_packet(hub, device_id), PINGREQ)
        assert client.read(6) == ACCEPTED + PINGRESP
        topic = f"devices/{device_id}/messages/events/"
        client.send(Publish(topic, device_id.encode(), qos=1, packet_id=1))
        assert client.read(4) == b"\x40\x02\x00\x01"
    (event,) = (
        event
        for partition in hub.runtime.telemetry.partitions
        for _, event in partition.read(0, 1000)
        if event.device_id == device_id
    )
    assert json.loads(event.auth_method)["type"] == "x509"


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_another_certificate_is_refused(hub, own, strange, version):
    """Although TLS takes it, even beside a connection that the right one opened."""
    register(hub, "mine", own.sha256)
    with contextlib.closing(Client(open_mqtt(hub, own.context(hub, version)))) as client:
        client.send(connect_packet(hub, "mine"))
        assert client.read(4) == ACCEPTED
        assert answer(hub, "mine", strange.context(hub, version)) == REFUSED
        assert answer(hub, "mine", hub.context) == REFUSED
        client.send(PINGREQ)
        assert client.read(2) == PINGRESP


def test_a_certificate_does_not_replace_the_token_of_a_device_with_keys(hub, own):
    assert answer(hub, "device-1", own.context(hub)) == REFUSED


def kinds(folder):
    """Certificates that OpenSSL would refuse for reasons that a thumbprint does not know."""
    authority = trustme.CA()
    return {
        "self-signed": ClientCertificate(folder),
        "expired": ClientCertificate(folder, days=-1),
        "marked as an authority": ClientCertificate(folder, is_authority=True),
        "issued by a stranger": ClientCertificate.issued(folder, trustme.CA().issue_cert("device")),
        "with a chain of a stranger": ClientCertificate.issued(
            folder, authority.create_child_ca().issue_cert("device")
        ),
    }


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_certificates_of_every_kind_are_taken(hub, folder, version):
    for name, certificate in kinds(folder).items():
        register(hub, certificate.sha1, certificate.sha1)
        assert answer(hub, certificate.sha1, certificate.context(hub, version)) == ACCEPTED, name


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_a_session_that_goes_on_keeps_its_certificate(hub, own, version):
    register(hub, "resumed", own.sha256)
    context = own.context(hub, version)
    session = None
    for reused in (False, True):
        stream = open_mqtt(hub, context, session)
        assert stream.session_reused is reused
        with contextlib.closing(Client(stream)) as client:
            client.send(connect_packet(hub, "resumed"))
            assert client.read(4) == ACCEPTED
            session = stream.session


# Over WebSocket


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_a_certificate_opens_a_connection_over_websocket(hub, own, version):
    """websocket.x509."""
    register(hub, "web", own.sha1)
    context = own.context(hub, version)
    with connected_over_websocket(
        hub, "device-2", context=context, client_id="web", **without_password("web")
    ) as client:
        client.send(binary(PINGREQ))
        assert client.read_frame() == (BINARY, PINGRESP)


@pytest.mark.parametrize("case", ["no certificate", "another", "denied in the query"])
def test_without_the_certificate_websocket_refuses_too(hub, own, strange, case):
    register(hub, "web", own.sha1)
    context = {"no certificate": hub.context, "another": strange.context(hub)}.get(case, own.context(hub))
    query = "?iothub-no-client-cert=true" if case == "denied in the query" else ""
    with websocket(hub, DEVICE_PATH + query, context=context) as client:
        client.send(binary(connect_packet(hub, "web")))
        assert client.read_frame() == (BINARY, REFUSED)
        assert client.read_frame()[0] == CLOSE


# What it costs


def contexts():
    """All that there are. Who holds the answer keeps those of earlier tests alive: none goes meanwhile."""
    gc.collect()
    return [thing for thing in gc.get_objects() if isinstance(thing, ssl.SSLContext)]


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_only_a_connection_with_a_certificate_has_a_context_of_its_own(hub, folder, version):
    """So no store grows with the certificates of strangers, and none vouches for another connection."""
    mine = [ClientCertificate(folder).context(hub, version) for _ in range(3)]
    plain = ssl.create_default_context(cadata=hub.ca_pem.decode())
    plain.minimum_version = plain.maximum_version = version
    before = contexts()
    without = [Client(open_mqtt(hub, plain)) for _ in range(3)]
    for client in without:
        client.send(hub.connect_packet())
        assert client.read(4) == ACCEPTED
    assert len(contexts()) == len(before)
    streams = [Client(open_mqtt(hub, context)) for context in mine]
    for client in streams:
        client.send(connect_packet(hub, "nobody"))
        assert client.read(4) == REFUSED
        client.read_to_the_end()
    for client in streams + without:
        client.close()
    with hub.connected("device-2") as other:
        while len(hub.call(contexts)) > len(before):  # each turn is a round trip through the hub's loop
            other.send(PINGREQ)
            assert other.read(2) == PINGRESP


class InMemory:
    """A handshake without a network; `server` is the hub's end."""

    def __init__(self, server_context, client_context):
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = server_context.wrap_bio(to_server, to_client, server_side=True)
        self.client = client_context.wrap_bio(to_client, to_server, server_hostname=name_for(client_context))

    def step(self):
        for end in (self.client, self.server, self.client, self.server, self.client):
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
        return self

    def exchange(self, count):
        """Pass records both ways."""
        for _ in range(count):
            self.client.write(b"x")
            assert self.server.read(1) == b"x"
            self.server.write(b"y")
            assert self.client.read(1) == b"y"


class Hub:
    """As much of a hub as a client's context needs."""

    ca_pem = AUTHORITY.pem


def device_context(name):
    """The context in which a connection of a device to a name begins."""
    certificate = issue(AUTHORITY, ("localhost", NEW_NAME), RSA_KEY, NOW)
    return tls.ServerContexts(certificate, ListenerRules()).for_devices(None)(name)


@pytest.mark.parametrize("version", VERSIONS, ids=str)
@pytest.mark.parametrize("presents", [True, False])
def test_the_private_name_sees_the_handshake_and_nothing_behind_it(monkeypatch, own, version, presents):
    """The one use of `SSLContext._msg_callback`: it is there, is called, and lets go."""
    calls = []
    original = client_certificates._on_message
    monkeypatch.setattr(
        client_certificates, "_on_message", lambda *args: (calls.append(args[5]), original(*args))
    )
    shared = device_context(NEW_NAME)
    assert client_certificates.is_possible()
    assert shared._msg_callback is not None
    trusted = shared.cert_store_stats()

    context = own.context(Hub, version)
    if not presents:
        context = ssl.create_default_context(cadata=AUTHORITY.pem.decode())
        context.minimum_version = context.maximum_version = version
    connection = InMemory(shared, context).step()
    assert {"CERTIFICATE", "CLIENT_HELLO"} <= {getattr(kind, "name", "") for kind in calls}
    assert client_certificates.leaf(connection.server) == (own.der if presents else None)
    assert connection.server.context is not shared
    assert shared.cert_store_stats() == trusted
    during_handshake = len(calls)
    connection.exchange(5)
    assert len(calls) == during_handshake


def test_a_connection_s_own_context_goes_with_it(own):
    connection = InMemory(device_context("localhost"), own.context(Hub)).step()
    store = weakref.ref(connection.server.context)
    assert store().cert_store_stats()["x509"] == 1
    del connection
    gc.collect()
    assert store() is None


@given(st.binary(max_size=100), st.sampled_from(VERSIONS))
def test_no_message_breaks_the_search_for_the_leaf(message, version):
    """OpenSSL refuses by itself what is none."""
    found = client_certificates._first_certificate(message, version)
    assert isinstance(found, bytes)
    assert isinstance(client_certificates._trusting(found, QUIET), ssl.SSLContext)


# The plain way


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def test_with_one_authority_its_certificates_alone_are_taken(folder, own, authority):
    """And still the thumbprint decides."""
    pem = authority.cert_pem.bytes().decode()
    first = ClientCertificate.issued(folder, authority.issue_cert("first"))
    second = ClientCertificate.issued(folder, authority.issue_cert("second"))
    with live_hub(client_ca=pem) as hub:
        register(hub, "first", first.sha256)
        register(hub, "own", own.sha256)
        assert answer(hub, "first", first.context(hub)) == ACCEPTED
        assert answer(hub, "first", second.context(hub)) == REFUSED
        assert answer(hub, "own", own.context(hub)) == b""
        with hub.connected() as client:
            client.send(PINGREQ)
            assert client.read(2) == PINGRESP


def test_where_the_private_name_is_missing_nobody_is_asked(monkeypatch, own):
    monkeypatch.setattr(tls, "is_possible", lambda: False)
    with live_hub() as hub:
        register(hub, "own", own.sha256)
        assert answer(hub, "own", own.context(hub)) == REFUSED
        with hub.connected() as client:
            client.send(PINGREQ)
            assert client.read(2) == PINGRESP


# Decisions that can be replaced


class TakesAnyThumbprint(ListenerRules):
    def thumbprints(self, certificate):
        return ("A" * 40,)


class AsksNobody(ListenerRules):
    def asks_for_certificate(self):
        return False


@pytest.mark.parametrize(("rules_class", "expected"), [(TakesAnyThumbprint, ACCEPTED), (AsksNobody, REFUSED)])
def test_replaced_rules_decide(strange, rules_class, expected):
    def load(rules):
        rules.listeners = rules_class()

    with live_hub(load) as hub:
        register(hub, "faulty", "A" * 40)
        assert answer(hub, "faulty", strange.context(hub)) == expected
