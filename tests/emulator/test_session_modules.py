"""Modules and certificates at CONNECT, and what modules publish."""

import dataclasses
import json

import pytest
from hub_values import DEVICE, EVENTS, NOW, Hub

from iothub_emulator.hub.effects import Admit, Close, End, Send, Telemetry
from iothub_emulator.hub.identity import Wanted
from iothub_emulator.hub.packets import Connack, Publish, Subscribe, Will

KEY = f"{DEVICE}/m"
MODULE_EVENTS = f"devices/{DEVICE}/modules/m/messages/events/"
SHA1, SHA256 = "AB" * 20, "CD" * 32


@pytest.fixture
def hub():
    hub = Hub()
    hub.module()
    return hub


def refused(reason):
    return [Send(Connack(0, 5)), Close(reason)]


class TestConnect:
    def test_a_module_with_its_token_is_accepted(self, hub):
        session, effects = hub.connect(KEY)
        assert effects[:2] == [Admit(KEY, 90.0, NOW + 3600 + 600), Send(Connack(0, 0))]
        assert session.identity_key == KEY
        assert (session.sender.device_id, session.sender.module_id) == (DEVICE, "m")
        assert json.loads(session.sender.auth_method)["scope"] == "module"

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"client_id": DEVICE}, "connect.client-id-mismatch"),
            ({"client_id": f"{DEVICE}/M"}, "connect.client-id-mismatch"),
            ({"username": f"localhost/{DEVICE}/?api-version=2021-04-12"}, "connect.client-id-mismatch"),
            ({"password": None}, "connect.no-credentials"),
            ({"client_id": f"{DEVICE}/x", "username": f"localhost/{DEVICE}/x/"}, "connect.unknown-device"),
        ],
    )
    def test_whoever_is_not_that_module_is_refused(self, hub, changes, reason):
        assert hub.connect(KEY, **changes)[1] == refused(reason)

    @pytest.mark.parametrize("below", ["", "/modules/m"])
    def test_a_token_under_the_device_s_key_opens_a_module(self, hub, below):
        token = hub.token(DEVICE, resource=f"localhost/devices/{DEVICE}{below}")
        session, effects = hub.connect(KEY, password=token.encode())
        assert effects[1] == Send(Connack(0, 0))
        assert json.loads(session.sender.auth_method)["scope"] == "module"

    def test_the_token_of_a_sibling_opens_nothing(self, hub):
        sibling = hub.module("sibling")
        for password, reason in (
            (hub.token(sibling), "wrong signature"),
            (hub.token(DEVICE, resource=f"localhost/devices/{DEVICE}/modules/sibling"), None),
            (hub.token(KEY, resource=f"localhost/devices/{DEVICE}/modules/sibling"), None),
        ):
            _, effects = hub.connect(KEY, password=password.encode())
            assert effects == refused(f"sas: {reason or 'the token is for another resource'}")

    def test_a_module_without_credentials_is_opened_by_nothing_but_a_policy(self, hub):
        """Type `none`: unspecified is what a policy's token does; it opens whatever it covers."""
        hub.module("bare", authentication_type="none")
        key = f"{DEVICE}/bare"
        policy = hub.token(key=hub.policies["device"].primary_key, policy="device", resource="localhost")

        assert hub.connect(key, password=None)[1] == refused("connect.no-credentials")
        assert hub.connect(key, password=hub.token(KEY).encode())[1] == refused("sas: wrong signature")
        assert hub.connect(key, password=policy.encode())[1][1] == Send(Connack(0, 0))

    def test_the_module_of_a_disabled_device_is_refused(self, hub):
        device = hub.registry.require(DEVICE).as_wanted()
        hub.registry.replace(dataclasses.replace(device, status="disabled"), "*", hub.fresh())
        assert hub.connect(KEY)[1] == refused("connect.disabled-device")

    def test_device_and_module_have_sessions_of_their_own(self, hub):
        hub.session(clean_session=False)
        assert hub.connect(KEY, clean_session=False)[1][1] == Send(Connack(0, 0))
        assert hub.connect(KEY, clean_session=False)[1][1] == Send(Connack(1, 0))


class TestPublish:
    def test_its_telemetry_names_device_and_module(self, hub):
        (effect,) = hub.session(KEY).receive(Publish(MODULE_EVENTS + "a=1", b"x"), NOW)
        event = effect.event
        assert (event.device_id, event.module_id, event.body) == (DEVICE, "m", b"x")
        assert event.properties == {"a": "1"}

    @pytest.mark.parametrize("topic", [EVENTS, f"devices/{DEVICE}/modules/n/messages/events/"])
    def test_topics_of_others_close(self, hub, topic):
        assert hub.session(KEY).receive(Publish(topic, b""), NOW) == [Close("topics.undocumented-name")]

    def test_a_device_does_not_speak_for_its_module(self, hub):
        assert hub.session().receive(Publish(MODULE_EVENTS, b""), NOW) == [Close("topics.undocumented-name")]

    def test_its_will_is_sent_from_its_own_topic_only(self, hub):
        for topic, kinds in ((MODULE_EVENTS, [Telemetry]), (EVENTS, [])):
            session = hub.session(KEY, will=Will(topic, b"bye", 1, retain=False))
            assert [type(effect) for effect in session.ended(End.LOST, NOW)] == kinds

    def test_filters_of_a_module(self, hub):
        session = hub.session(KEY)
        filters = (f"devices/{DEVICE}/modules/m/#", f"devices/{DEVICE}/modules/m/inputs/#",
                   f"devices/{DEVICE}/modules/n/#", f"devices/{DEVICE}/messages/devicebound/#",
                   "$iothub/twin/res/#")  # fmt: skip
        suback, _ = session.receive(Subscribe(1, tuple((name, 1) for name in filters)), NOW)
        assert suback.packet.codes == (1, 1, 0x80, 0x80, 1)


class TestCertificates:
    @pytest.fixture
    def hub(self):
        hub = Hub()
        wanted = Wanted(
            device_id="certified",
            authentication_type="selfSigned",
            primary_thumbprint=SHA1.lower(),
            secondary_thumbprint=SHA256,
        )
        hub.registry.create(wanted, hub.fresh())
        hub.module("certified", authentication_type="selfSigned", primary_thumbprint=SHA256)
        return hub

    def effects(self, hub, thumbprints, device_id="certified", names=(), **changes):
        changes = {"password": None, **changes}
        packet = hub.connect_packet(device_id, **changes)
        session = hub.new_session(thumbprints, names)
        return session, session.receive(packet, NOW)

    @pytest.mark.parametrize("thumbprints", [(SHA1,), (SHA256,), ("0" * 40, SHA256)])
    @pytest.mark.parametrize("password", [None, b""])
    def test_a_registered_certificate_opens_the_device(self, hub, thumbprints, password):
        session, effects = self.effects(hub, thumbprints, password=password)
        assert effects[:2] == [Admit("certified", 90.0, None), Send(Connack(0, 0))]
        method = json.loads(session.sender.auth_method)
        assert (method["scope"], method["type"]) == ("device", "x509")

    @pytest.mark.parametrize(
        ("thumbprints", "reason"),
        [((), "x509.no-certificate"), (("0" * 40, "0" * 64), "x509.thumbprint-mismatch")],
    )
    def test_another_or_none_does_not(self, hub, thumbprints, reason):
        assert self.effects(hub, thumbprints)[1] == refused(reason)

    def test_a_token_is_no_certificate(self, hub):
        policy = hub.token(key=hub.policies["device"].primary_key, policy="device", resource="localhost")
        for password in (hub.token("certified"), policy):
            assert self.effects(hub, (), password=password.encode())[1] == refused("x509.no-certificate")

    def test_a_device_without_thumbprints_is_opened_by_nothing(self, hub):
        hub.registry.create(Wanted(device_id="bare", authentication_type="selfSigned"), hub.fresh())
        assert self.effects(hub, (SHA1,), "bare")[1] == refused("x509.thumbprint-mismatch")

    def test_a_device_of_an_authority_is_opened_by_its_name(self, hub):
        """x509-ca.accepted, x509-ca.wrong-name: a thumbprint counts nothing there, and vice versa."""
        hub.registry.create(
            Wanted(device_id="Fleet", authentication_type="certificateAuthority"), hub.fresh()
        )
        session, effects = self.effects(hub, (SHA1,), "Fleet", names=("Fleet",))
        assert effects[1] == Send(Connack(0, 0))
        assert json.loads(session.sender.auth_method)["type"] == "x509"
        assert self.effects(hub, (SHA1,), "Fleet", names=("fleet",))[1] == refused("x509-ca.wrong-name")
        assert self.effects(hub, (SHA1,), "Fleet")[1] == refused("x509-ca: no authority vouches for it")
        assert self.effects(hub, (), "Fleet")[1] == refused("x509.no-certificate")
        mine = self.effects(hub, ("0" * 40,), names=("certified",))[1]
        assert mine == refused("x509.thumbprint-mismatch")

    def test_a_certificate_does_not_open_a_device_with_keys(self, hub):
        assert self.effects(hub, (SHA1,), DEVICE)[1] == refused("connect.no-credentials")

    def test_a_module_may_have_one_too(self, hub):
        session, _ = self.effects(hub, (SHA256,), f"{DEVICE}/certified")
        assert json.loads(session.sender.auth_method) == {
            "scope": "module",
            "type": "x509",
            "issuer": "iothub",
            "acceptingIpFilterRule": None,
        }
