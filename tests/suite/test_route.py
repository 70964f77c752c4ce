"""All three protocols reach a hub by its name, by an address that stands for it, or through a proxy."""

import dataclasses
import json

import pytest
from back_end import embedded_hub
from scripted_proxy import ScriptedProxy

from conformance.backend import Service
from conformance.errors import ProfileError, ServiceError, TargetUnreachable, UsageError
from conformance.mqtt.endpoint import open_tls
from conformance.mqtt.route import PLAIN, Route, proxy_of
from conformance.profile import loading as profile
from conformance.target import launch, opening, ready
from conformance.target.certificates import DeviceAuthority
from conformance.target.preflight import Checked, endpoint_of, preflight
from conformance.target.target import Ports, Target

NAME = "emulator.azure-devices.net"
FACTOR = 6  # of the profile's timeouts, on a machine that is busy
VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="module")
def emulator():
    """The profile of the embedded hub."""
    return profile.load("emulator", timeout_factor=FACTOR)


@pytest.fixture(scope="module")
def started(emulator):
    """What the ready file of an embedded hub with a CONNECT port says."""
    launched = launch.launch(
        (*emulator.launch.command, "--connect-port", "0"),
        timing=emulator.timing,
        device_ca=DeviceAuthority.new().pem,
        place="test",
        deadline=launch.START_DEADLINE,
    )
    yield launched.ready
    launched.stop()


@pytest.fixture
def target(emulator, started):
    """That hub under a name which leads nowhere by itself."""
    named = {**started, **started["host_names"][NAME], "host": NAME, "capabilities": emulator.claims}
    return opening.settle(emulator, overlay=ready.parse(named, option="test"), device_authority=AUTHORITY)


AUTHORITY = DeviceAuthority.new()


def with_strings_without_port(target):
    """Return the target as one whose three protocols have their standard ports."""
    service = target.service
    return dataclasses.replace(
        target,
        ports=Ports(mqtt=8883, https=443, amqp=5671, plain=1883),
        service=dataclasses.replace(
            service,
            hub=dataclasses.replace(service.hub, port=None),
            events=dataclasses.replace(service.events, port=None),
            routed=dataclasses.replace(service.routed, host=NAME, port=None),
        ),
    )


# -- by an address


def test_a_hub_behind_an_address_goes_by_its_name_in_all_three_protocols(target):
    """Username, token, SNI and certificate have the name; TCP goes to the address."""
    behind = dataclasses.replace(target, address="127.0.0.1")

    assert preflight(behind) == Checked(target=dataclasses.replace(behind, clock_known=True))


def test_an_embedded_hub_on_another_loopback_address_says_where_it_is():
    """Its name stays localhost, which leads to 127.0.0.1 on many machines."""
    with embedded_hub("--host", "::1") as target:
        assert preflight(target) == Checked(target=dataclasses.replace(target, clock_known=True))

    assert (target.host, target.address) == ("localhost", "::1")


def test_only_the_hubs_own_names_are_at_its_address(target):
    behind = dataclasses.replace(target, address="192.0.2.7")

    assert behind.route_to(NAME) == Route(address="192.0.2.7")
    assert behind.route_to("ihsuprod.servicebus.windows.net") == PLAIN
    assert Target.rebuild(json.loads(json.dumps(behind.describe()))) == behind


def test_a_message_says_by_which_address(target, deserted_port):
    ports = dataclasses.replace(target.ports, mqtt=deserted_port)
    endpoint = endpoint_of(dataclasses.replace(target, address="127.0.0.1", ports=ports))

    with pytest.raises(TargetUnreachable, match=f"{NAME}:{deserted_port} by its address 127.0.0.1: Conn"):
        open_tls(endpoint)


@pytest.mark.parametrize("address", ["10.0.0.7:8883", "mqtts://h", ""])
def test_an_address_with_something_else_in_it_is_told(tmp_path, address):
    path = tmp_path / "mine.toml"
    path.write_text(f'schema = 1\n[target]\nname = "n"\nhost = "h"\naddress = "{address}"\n')

    with pytest.raises(ProfileError, match=r"\[target\] address: must be a host name or an IP address alone"):
        profile.load(str(path), environment={})


# -- through a proxy


def test_all_three_protocols_go_through_the_proxy(target, started, monkeypatch):
    """The embedded hub's CONNECT port leads its names to it, on the standard ports."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{started['ports']['connect']}")
    far = with_strings_without_port(dataclasses.replace(target, origin="named"))

    assert preflight(far) == Checked(target=dataclasses.replace(far, clock_known=True))


def test_a_proxy_that_leads_nowhere_is_named_by_all_three(target, monkeypatch):
    proxy = ScriptedProxy(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:opensesame@127.0.0.1:{proxy.port}")
    far = with_strings_without_port(dataclasses.replace(target, origin="named"))
    service = Service(far, telemetry=False)
    who = f"through the proxy 127.0.0.1:{proxy.port} of HTTPS_PROXY"

    with pytest.raises(
        TargetUnreachable, match=f"^{NAME}:8883: {who[8:]} does not lead there .403 Forb"
    ) as mqtt:
        open_tls(endpoint_of(far))
    with pytest.raises(ServiceError, match=f"{who}: 403 Forbidden") as https:
        service.registry.get("d")
    with pytest.raises(ServiceError, match=f"events endpoint {NAME}:5671 {who}: .*403 Forbidden") as amqp:
        _ = service.telemetry

    service.close()
    proxy.close()
    assert "opensesame" not in f"{mqtt.value} {https.value} {amqp.value}"
    assert {b"Proxy-Authorization: Basic dXNlcjpvcGVuc2VzYW1l"} <= {
        line for head in proxy.heads for line in head.split(b"\r\n")
    }


def test_a_hub_on_this_machine_needs_no_proxy(target, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    assert dataclasses.replace(target, origin="attached").route_to(NAME) == PLAIN
    assert dataclasses.replace(target, origin="named", address="10.0.0.7").route_to(NAME).proxy is None


def test_hosts_that_no_proxy_leads_to_are_reached_directly(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", ".example")

    assert proxy_of("hub.example") is None
    assert proxy_of("hub.elsewhere").port == 3128


@pytest.mark.parametrize("text", ["socks5://proxy:1080", "https://proxy:443", "http://"])
def test_a_proxy_of_another_kind_is_one_line(monkeypatch, text):
    monkeypatch.setenv("ALL_PROXY", text)

    with pytest.raises(
        UsageError, match=r"^ALL_PROXY: no proxy of the form http://HOST:PORT, .*NO_PROXY=h\.e"
    ):
        proxy_of("h.e")


# -- what the profile says of it, and is not used


@pytest.fixture
def load(tmp_path):
    def load_profile(text):
        path = tmp_path / "mine.toml"
        path.write_text(f'schema = 1\n[target]\nname = "a hub"\n{text}', encoding="utf-8")
        key = "c2VjcmV0"
        return profile.load(
            str(path),
            environment={
                "HUB": f"HostName=h.example:9443;SharedAccessKeyName=p;SharedAccessKey={key}",
                "EVENTS": f"Endpoint=sb://h.example/;SharedAccessKeyName=p;SharedAccessKey={key};EntityPath=e",
            },
        )

    return load_profile


SERVICE = '[service]\nconnection-string = "env:HUB"\nevents-connection-string = "env:EVENTS"\n'
REGISTRY = '[claims]\ncapabilities = ["registry"]\n'


def test_ports_that_the_profile_states_are_used_or_told(load):
    """The port in a connection string is the back end's; devices use what [target.ports] says."""
    stated = load(f"[target.ports]\nmqtt = 1111\nhttps = 8443\namqp = 5679\n{SERVICE}{REGISTRY}")

    named = opening.open_target(stated)
    by_url = opening.open_target(stated, hub_url="mqtts://h.example:22")

    assert (named.target.ports, named.remarks) == (Ports(mqtt=1111, https=8443, amqp=5679, plain=1883), ())
    assert by_url.remarks == (
        f"{stated.file}: [target.ports] mqtt: not used, since --hub-url mqtts://h.example:22 says otherwise",
    )


def test_an_events_string_without_port_on_the_hubs_own_host_has_the_hubs_port(load):
    target = opening.open_target(load(f"[target.ports]\namqp = 5679\n{SERVICE}{REGISTRY}")).target

    with pytest.raises(ServiceError, match=r"events endpoint h\.example:5679"):
        _ = Service(dataclasses.replace(target, address="127.0.0.1"), telemetry=False).telemetry


def test_what_a_ready_file_says_otherwise_is_told(load, started):
    stated = load(f'host = "h.example"\naddress = "10.0.0.7"\n[target.ports]\nhttps = 8443\n{REGISTRY}')
    target = opening.settle(stated, overlay=ready.parse(started, option="r"), origin="attached")

    (line,) = opening.set_aside(stated, target, "--attach r.json")
    keys = "[target] host, [target] address, [target.ports] https"
    assert line == f"{stated.file}: {keys}: not used, since --attach r.json says otherwise"
