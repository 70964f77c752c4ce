"""The names of a hub, and that a device and a back end each use the one that their profile gives them."""

import socket
import ssl

import pytest
from scripted_service import Reply
from scripted_websocket import admitting, opened

from conformance.mqtt.server_certificate import fetch_certificate
from conformance.mqtt.websocket import WebSocket
from conformance.target.host_names import for_devices, other_name


@pytest.mark.parametrize(
    ("host", "devices", "services"),
    [
        ("h.azure-devices.net", "h.device.azure-devices.net", "h.service.azure-devices.net"),
        ("h.device.azure-devices.net", "h.azure-devices.net", "h.service.azure-devices.net"),
        ("h.service.azure-devices.net", "h.device.azure-devices.net", "h.azure-devices.net"),
        ("h.azure-devices.cn", "h.device.azure-devices.cn", "h.service.azure-devices.cn"),
        ("device.example", "device.device.example", "device.service.example"),
        ("h.device", "h.device.device", "h.service.device"),
        ("localhost", None, None),
        ("127.0.0.1", None, None),
        ("::1", None, None),
    ],
)
def test_each_side_has_another_name_for_a_hub_in_a_domain(host, devices, services):
    assert (other_name(host, "device"), other_name(host, "service")) == (devices, services)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("h.service.azure-devices.net", "h.azure-devices.net"),
        ("h.device.azure-devices.net", "h.device.azure-devices.net"),
        ("h.azure-devices.net", "h.azure-devices.net"),
        ("h.service.example", "h.service.example"),
        ("localhost", "localhost"),
    ],
)
def test_devices_do_not_call_a_hub_as_back_ends_do(host, name):
    assert for_devices(host) == name


# -- a profile whose host is a hub's other name

HOST = "myhub.device.azure-devices.net"


@pytest.fixture
def at_this_machine(monkeypatch):
    """Have every name lead to this machine."""
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: look_up("127.0.0.1", *rest, **more)
    )


@pytest.fixture
def asked_for():
    """The names that were asked for in TLS."""
    return []


@pytest.fixture
def context(asked_for):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.sni_callback = lambda sock, name, context: asked_for.append(name)
    return made


def fields(connect):
    """Username and Password of a CONNECT."""
    body, found = connect[connect.index(b"\x00\x04MQTT") + 10 :], []
    while body:
        length = int.from_bytes(body[:2])
        found.append(body[2 : 2 + length].decode())
        body = body[2 + length :]
    return found[1:]


def admit(line):
    line.answer_connect()
    line.answer_pings()


@pytest.mark.usefixtures("at_this_machine")
def test_a_device_has_the_profiles_name_in_username_token_and_tls(scene, context, asked_for):
    device = scene.device(admit, context=context, host=HOST)

    device.connect().ping()

    username, password = fields(scene.peer.lines[0].received[0])
    assert username == f"{HOST}/d1/?api-version=2018-06-30"
    assert password.startswith(f"SharedAccessSignature sr={HOST}%2Fdevices%2Fd1&sig=")
    assert asked_for == [HOST]


@pytest.mark.usefixtures("at_this_machine")
def test_over_websocket_http_has_it_too(scene, context, asked_for):
    sockets = []
    device = scene.device(opened(admitting(), sockets=sockets), context=context, host=HOST)

    device.connect(over=WebSocket()).ping()

    assert f"\r\nHost: {HOST}:{scene.peer.port}\r\n" in sockets[0].request
    assert asked_for == [HOST]


@pytest.mark.usefixtures("at_this_machine")
def test_its_certificate_is_judged_by_that_name(scene):
    certificate = fetch_certificate(scene.device(admit, host=HOST)._endpoint)

    assert (certificate.chain, certificate.names(HOST), certificate.names("myhub.azure-devices.net")) == (
        "verified",
        True,
        False,
    )


def test_a_back_end_can_sign_for_another_name(rest):
    """Where it connects to stays what the connection string says."""
    client = rest.client(name="myhub.service.azure-devices.net")

    rest.replies.append(Reply(200))
    client.call("GET", "devices", "d")
    client.close()

    (asked,) = rest.requests
    assert asked.headers["Authorization"].startswith(
        "SharedAccessSignature sr=myhub.service.azure-devices.net&sig="
    )
    assert asked.headers["Host"] == f"localhost:{rest.port}"


# -- against the embedded hub


def test_a_token_for_a_name_that_is_not_the_hubs_is_refused_with_its_status(back_end):
    service = back_end.service

    assert service.status_under(service.host) == "404"
    assert service.status_under("another-hub.example") == "401"


def test_a_device_asks_under_its_own_token(back_end):
    device = back_end.device()

    assert back_end.service.statuses_under_own_token(device.id, device.primary_key, "m") == {
        "module made": "200",
        "module read": "200",
        "device read": "401",
    }
