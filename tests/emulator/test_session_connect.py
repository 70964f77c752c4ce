"""CONNECT: who is let in, and what the hub answers."""

import dataclasses

import pytest
from hub_values import DEVICE, DEVICEBOUND, EVENTS, NOW, Hub

from iothub_emulator.hub.connect import ConnectRules, Username
from iothub_emulator.hub.effects import Admit, Close, End, Send, Serve, Telemetry
from iothub_emulator.hub.identity import Fresh
from iothub_emulator.hub.packets import (
    Connack,
    Connect,
    Disconnect,
    Pingreq,
    Pingresp,
    Publish,
    Subscribe,
)
from iothub_emulator.settings import Settings

ACCEPTED = [Send(Connack(0, 0)), Serve()]
ELSEWHERE = "the token is for another resource"


@pytest.fixture
def hub():
    return Hub()


def test_a_device_with_its_token_is_accepted(hub):
    """The identity's older connection goes first, then CONNACK is sent."""
    _, effects = hub.connect()
    assert effects == [Admit(DEVICE, 90.0, NOW + 3600 + 600), *ACCEPTED]


@pytest.mark.parametrize(
    "username",
    [
        "localhost/thermostat/?api-version=2018-06-30",
        "localhost/thermostat/?api-version=2021-04-12&DeviceClientType=x%2F1%20%28y%29",
        "localhost/thermostat/?DeviceClientType=a/b&api-version=2021-04-12",
        "localhost/thermostat/api-version=2021-04-12",
        "localhost/thermostat/",
        "localhost/thermostat",
        "LOCALHOST:8883/thermostat/?api-version=2021-04-12",
        "127.0.0.1/thermostat/?api-version=2021-04-12",
        "emulator.azure-devices.net/thermostat/?api-version=2021-04-12",
        "emulator.device.azure-devices.net/thermostat/?api-version=2021-04-12",
    ],
)
def test_a_username_is_accepted(hub, username):
    _, effects = hub.connect(username=username)
    assert effects[-2:] == ACCEPTED


def refused(reason, code=5):
    return [Send(Connack(0, code)), Close(reason)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"username": "localhost/other/?api-version=2021-04-12"}, "connect.client-id-mismatch"),
        ({"username": "localhost/Thermostat/?api-version=2021-04-12"}, "connect.client-id-mismatch"),
        ({"username": "thermostat"}, "connect.username-mismatch: not a Username"),
        ({"username": "localhost"}, "connect.username-mismatch: not a Username"),
        ({"username": "localhost/"}, "connect.username-mismatch: not a Username"),
        ({"username": "/thermostat"}, "connect.username-mismatch: not a Username"),
        ({"username": ""}, "connect.username-mismatch: not a Username"),
        ({"username": "localhost/thermostat//"}, "connect.username-mismatch: not a Username"),
        ({"username": "elsewhere.azure-devices.net/thermostat/"}, "connect.username-host"),
        ({"username": None, "password": None}, "connect.no-credentials"),
        ({"password": None}, "connect.no-credentials"),
        ({"client_id": ""}, "connect.empty-client-id"),
        ({"client_id": "Thermostat"}, "connect.client-id-mismatch"),
        ({"client_id": "thermostat/m"}, "connect.client-id-mismatch"),
        ({"client_id": "thermosta"}, "connect.client-id-mismatch"),
        ({"password": b""}, "sas: not a SharedAccessSignature"),
        ({"password": b"\xff"}, "sas: not text"),
    ],
)
def test_a_connect_is_refused(hub, changes, reason):
    """CONNACK 5, session-present 0, then the end of the connection; the reason goes to the log only."""
    session, effects = hub.connect(**changes)
    assert effects == refused(reason)
    assert session.is_over


ONLY = "hub.example.net"


@pytest.mark.parametrize(
    ("name", "is_let_in"), [(ONLY, True), ("hub.device.example.net", True), ("localhost", False)]
)
def test_a_hub_with_one_name_for_devices_lets_nobody_in_by_another(name, is_let_in):
    """As a real hub does, which nobody calls localhost; a token is held to the same name."""
    hub = Hub(settings=Settings(host_names=("localhost", ONLY), only_host_name=ONLY))
    _, effects = hub.connect(
        username=f"{name}/thermostat/?api-version=2021-04-12",
        password=hub.token(resource=f"{name}/devices/{DEVICE}").encode(),
    )

    assert (effects[-2:] == ACCEPTED) is is_let_in


def test_a_token_for_a_name_that_devices_may_not_say_is_refused():
    hub = Hub(settings=Settings(host_names=("localhost", ONLY), only_host_name=ONLY))
    _, effects = hub.connect(
        username=f"{ONLY}/thermostat/?api-version=2021-04-12", password=hub.token().encode()
    )

    assert effects == refused(f"sas: {ELSEWHERE}")


def test_an_unknown_device_is_refused(hub):
    packet = hub.connect_packet()
    packet = dataclasses.replace(packet, client_id="nobody", username="localhost/nobody/")
    assert hub.new_session().receive(packet, NOW) == refused("connect.unknown-device")


def test_a_module_that_does_not_exist_is_refused(hub):
    _, effects = hub.connect(client_id="thermostat/m", username="localhost/thermostat/m/?api-version=x")
    assert effects == refused("connect.unknown-device")


def test_a_disabled_device_is_refused_until_it_is_enabled(hub):
    wanted = hub.registry.require(DEVICE).as_wanted()
    fresh = dataclasses.replace(wanted, status="disabled")
    values = Fresh(etag="f", generation_id="x", primary_key="", secondary_key="", now=NOW)
    hub.registry.replace(fresh, "*", values)
    assert hub.connect()[1] == refused("connect.disabled-device")
    hub.registry.replace(wanted, "*", values)
    assert hub.connect()[1][-2:] == ACCEPTED


@pytest.mark.parametrize(("name", "level"), [("MQIsdp", 3), ("MQTT", 5), ("MQTT", 3), ("HTTP", 4)])
def test_another_protocol_gets_code_1(hub, name, level):
    effects = hub.new_session().receive(Connect(name, level), NOW)
    assert effects == refused("connect.protocol-level", code=1)


WRONG_TOKENS = {
    "key of another": (lambda hub: hub.token(key=hub.key("other")), "wrong signature"),
    "expired": (lambda hub: hub.token(expiry=NOW - 900), "token expired"),
    "another device": (lambda hub: hub.token(resource="localhost/devices/other"), ELSEWHERE),
    "half of the name": (lambda hub: hub.token(resource="localhost/devices/thermo"), ELSEWHERE),
    "another hub": (lambda hub: hub.token(resource="x.azure-devices.net"), ELSEWHERE),
    "expiry changed": (lambda hub: hub.token().replace("se=1", "se=2"), "wrong signature"),
    "device key as policy": (lambda hub: hub.token(policy="device"), "wrong signature"),
    "policy without the right": (
        lambda hub: hub.token(key=hub.policies["service"].primary_key, policy="service"),
        "policy service lacks the right",
    ),
}


@pytest.mark.parametrize(("password", "reason"), WRONG_TOKENS.values(), ids=WRONG_TOKENS)
def test_a_token_that_opens_nothing(hub, password, reason):
    assert hub.connect(password=password(hub).encode())[1] == refused(f"sas: {reason}")


RIGHT_TOKENS = {
    "secondary key": lambda hub: hub.token(key=hub.registry.require(DEVICE).secondary_key),
    "inside the skew": lambda hub: hub.token(expiry=NOW - 60),
    "whole hub": lambda hub: hub.token(resource="localhost"),
    "all devices": lambda hub: hub.token(resource="localhost/devices"),
}


@pytest.mark.parametrize("password", RIGHT_TOKENS.values(), ids=RIGHT_TOKENS)
def test_a_token_that_opens_the_device(hub, password):
    assert hub.connect(password=password(hub).encode())[1][-2:] == ACCEPTED


def test_a_policy_with_the_right_to_connect_opens_any_device(hub):
    """The stamp then says that the hub's key was used."""
    text = hub.token(key=hub.policies["device"].primary_key, policy="device", resource="localhost")
    session = hub.session(password=text.encode())
    assert '"scope":"hub"' in session.sender.auth_method


@pytest.mark.parametrize(
    ("keep_alive", "silence"), [(60, 90.0), (1177, 1765.5), (1178, 1767.0), (65535, 1767.0), (0, 1767.0)]
)
def test_silence_is_allowed_for_one_and_a_half_times_the_keep_alive(hub, keep_alive, silence):
    assert hub.connect(keep_alive=keep_alive)[1][0].silence == silence


def test_anything_but_connect_first_closes(hub):
    for packet in (Pingreq(), Publish(EVENTS, b""), Subscribe(1, ((DEVICEBOUND, 1),)), Disconnect()):
        session = hub.new_session()
        assert session.receive(packet, NOW) == [Close("connect.first-packet")]
        assert session.is_over


def test_a_second_connect_closes(hub):
    session = hub.session()
    assert session.receive(hub.connect_packet(), NOW) == [Close("connect.second-connect")]
    assert session.receive(Pingreq(), NOW) == []


def test_what_follows_a_refused_connect_has_no_effect(hub):
    session, _ = hub.connect(password=b"wrong")
    assert session.receive(Publish(EVENTS, b"x", qos=1, packet_id=1), NOW) == []
    assert session.ended(End.LOST, NOW) == []


def test_a_replaced_rule_lets_it_have_one(hub):
    """The seam of connect.rejected-data: the data counts for the identity that was named."""

    class Serving(ConnectRules):
        def serves_refused(self):
            return True

    hub.rules.connect = Serving(hub.rules.connect.settings)
    session, _ = hub.connect(password=b"wrong")
    effects = session.receive(Publish(EVENTS, b"x"), NOW)
    assert [type(effect) for effect in effects] == [Telemetry]


def test_a_replaced_rule_lets_in_whoever_names_itself(hub):
    """The seams of connect.no-credentials and connect.unknown-device."""

    class Trusting(ConnectRules):
        def username_without(self, client_id):
            return self.parse_username(f"localhost/{client_id}/")

        def identity_of(self, identities, username):
            return dataclasses.replace(identities.get(DEVICE), device_id=username.device_id)

        def checks_token(self, _identity):
            return False

    hub.rules.connect = Trusting(hub.rules.connect.settings)
    packet = Connect("MQTT", 4, client_id="stranger", keep_alive=60)
    assert hub.new_session().receive(packet, NOW) == [Admit("stranger", 90.0, None), *ACCEPTED]


class TestSessionPresent:
    """CleanSession 0 keeps the session; it is found again by the next CleanSession 0."""

    def present(self, hub, clean_session):
        session, effects = hub.connect(clean_session=clean_session)
        return session, effects[-2].packet.session_present

    def test_kept_and_found(self, hub):
        first, present = self.present(hub, clean_session=False)
        assert present == 0
        first.receive(Subscribe(1, ((DEVICEBOUND, 1),)), NOW)
        first.receive(Disconnect(), NOW)
        second, present = self.present(hub, clean_session=False)
        assert (present, second.subscriptions) == (1, {DEVICEBOUND: 1})

    def test_a_clean_session_is_new_and_ends_the_old_one(self, hub):
        first, _ = self.present(hub, clean_session=False)
        first.receive(Subscribe(1, ((DEVICEBOUND, 1),)), NOW)
        clean, present = self.present(hub, clean_session=True)
        assert (present, clean.subscriptions) == (0, {})
        clean.receive(Subscribe(1, ((DEVICEBOUND, 1),)), NOW)
        third, present = self.present(hub, clean_session=False)
        assert (present, third.subscriptions) == (0, {})


def test_ping_is_answered_each_time(hub):
    session = hub.session()
    assert [session.receive(Pingreq(), NOW) for _ in range(3)] == [[Send(Pingresp())]] * 3


@pytest.mark.parametrize(
    ("text", "device_id", "module_id", "parameters"),
    [
        ("h/d/?api-version=1", "d", None, "api-version=1"),
        ("h/d/api-version=1&DeviceClientType=a", "d", None, "api-version=1&DeviceClientType=a"),
        ("h/d/DeviceClientType=a%2Fb&api-version=1", "d", None, "DeviceClientType=a%2Fb&api-version=1"),
        ("h/d/m/?api-version=1", "d", "m", "api-version=1"),
        ("h/d/m/api-version=1", "d", "m", "api-version=1"),
        ("h/d,=('/m,=('/?api-version=1", "d,=('", "m,=('", "api-version=1"),
        ("h/d/a=b", "d", "a=b", ""),
    ],
)
def test_a_username_names_a_device_or_a_module_whatever_signs_their_ids_hold(
    text, device_id, module_id, parameters
):
    username = ConnectRules(Settings()).parse_username(text)
    assert username == Username("h", device_id, module_id, parameters)
