"""Hubs that let in whom they should not, or turn away whom they should let in."""

from fault import fault

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.connection import ConnectionRules
from iothub_emulator.hub.identity import DeviceIdentity


@fault("connect.client-id-mismatch")
def client_id_is_not_compared(rules):
    """Any ClientId is taken as long as the Username and the token are right."""

    class Wrong(ConnectRules):
        def same_device(self, client_id, username):
            return True

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.client-id-mismatch")
def client_id_is_compared_without_case(rules):
    """The ClientId is compared as a host name would be, without its case."""

    class Wrong(ConnectRules):
        def same_device(self, client_id, username):
            return client_id.lower() == username.client_id.lower()

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.client-id-mismatch")
def client_id_may_end_behind_the_device_id(rules):
    """The ClientId is compared as far as the device id goes."""

    class Wrong(ConnectRules):
        def same_device(self, client_id, username):
            return client_id.startswith(username.client_id)

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.username-mismatch")
def username_is_stripped(rules):
    """White space at the ends of the Username's names and of the ClientId is taken for a slip."""

    class Wrong(ConnectRules):
        def parse_username(self, text):
            return super().parse_username("/".join(part.strip() for part in text.split("/")))

        def same_device(self, client_id, username):
            return super().same_device(client_id.strip(), username)

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.username")
def username_with_more_parameters_is_refused(rules):
    """The Username has to end with the api-version, as if no SDK added its name."""

    class Wrong(ConnectRules):
        def parse_username(self, text):
            return None if "&" in text else super().parse_username(text)

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.username-mismatch")
def username_may_be_the_device_alone(rules):
    """A Username without a host is completed with the hub's own."""

    class Wrong(ConnectRules):
        def parse_username(self, text):
            return super().parse_username(text if "/" in text else f"localhost/{text}/")

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.disabled-device")
def disabled_device_is_let_in(rules):
    """The status of an identity is not looked at."""

    class Wrong(ConnectRules):
        def accepts_status(self, identity):
            return True

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.no-credentials")
def client_id_alone_is_enough(rules):
    """A CONNECT without Username is let in under its ClientId, as brokers with anonymous access do."""

    class Wrong(ConnectRules):
        def username_without(self, client_id):
            return self.parse_username(f"localhost/{client_id}/")

        def requires_password(self, identity):
            return False

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.protocol-level")
def any_protocol_level_gets_a_session(rules):
    """The protocol's name and level are read and forgotten."""

    class Wrong(ConnectRules):
        def accepts_protocol(self, name, level):
            return True

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.refusal-code")
def refusal_has_a_code_of_mqtt_5(rules):
    """A bad token is refused with 0x87, a reason code of MQTT 5."""

    class Wrong(ConnectRules):
        def refusal_code(self, reason):
            return 0x87

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.refusal-closes")
def refused_connection_stays_open(rules):
    """After a refusal the hub leaves it to the client to close."""

    class Wrong(ConnectRules):
        def closes_after_refusal(self):
            return False

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.rejected-data")
def packets_behind_a_refused_connect_count(rules):
    """What the client sent at once with its refused CONNECT is processed all the same."""

    class Wrong(ConnectRules):
        def serves_refused(self):
            return True

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.clean-session-present")
def session_present_is_always_set(rules):
    """Every accepted CONNECT is told that a session goes on."""

    class Wrong(ConnectRules):
        def session_present(self, *, clean_session, stored):
            return 1

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.keep-alive-long")
def long_keep_alive_is_refused(rules):
    """A keep-alive above the hub's own longest one is refused and not shortened."""

    class Wrong(ConnectRules):
        def accepts_keep_alive(self, keep_alive):
            return keep_alive <= 1177

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.first-packet")
def packets_before_connect_are_ignored(rules):
    """What comes before CONNECT is dropped, and the connection waits on."""

    class Wrong(ConnectionRules):
        def refuses_before_connect(self, packet):
            return False

    rules.connection = Wrong()


@fault("connect.second-connect")
def second_connect_is_ignored(rules):
    """A second CONNECT on a connection is dropped without a sound."""

    class Wrong(ConnectionRules):
        def refuses_second_connect(self):
            return False

    rules.connection = Wrong()


@fault("connect.unknown-device")
def unknown_device_is_let_in(rules):
    """A device that connects for the first time is registered on the way, whatever its token."""

    class Wrong(ConnectRules):
        def identity_of(self, identities, username):
            known = super().identity_of(identities, username)
            return known or DeviceIdentity(
                device_id=username.device_id,
                generation_id="1",
                etag="",
                status="enabled",
                status_reason=None,
                status_updated_time=None,
                authentication_type="sas",
                primary_key=None,
                secondary_key=None,
                primary_thumbprint=None,
                secondary_thumbprint=None,
                iot_edge=False,
            )

        def checks_token(self, identity):
            return identity.primary_key is not None

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.empty-client-id")
def empty_client_id_is_filled_in(rules):
    """An empty ClientId is replaced by the device id of the Username."""

    class Wrong(ConnectRules):
        def accepts_client_id(self, client_id):
            return True

        def same_device(self, client_id, username):
            return client_id in ("", username.client_id)

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.client-id", "sas.accepted", "transport.mqtt", spreads=True)
def nobody_is_let_in(rules):
    """The keys of the devices are not found."""

    class Wrong(ConnectRules):
        def keys_of(self, identity):
            return ()

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.sdk-defaults", spreads=True)
def clean_session_0_is_refused(rules):
    """A hub that keeps no sessions wants CleanSession 1 from everybody."""

    class Wrong(ConnectRules):
        def accepts_session(self, *, clean_session):
            return clean_session

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.sample-program")
def packets_right_behind_connect_are_lost(rules):
    """What comes along with CONNECT, before the token was looked at, is thrown away."""

    class Wrong(ConnectionRules):
        def reads_behind_connect(self):
            return False

    rules.connection = Wrong()


@fault("watch.connack")
def connack_is_sent_twice(rules):
    """Two parts of the hub answer the same CONNECT."""

    class Wrong(ConnectRules):
        def acceptance(self, present):
            return super().acceptance(present) * 2

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.deleted-device")
def known_devices_are_remembered(rules):
    """Identities are looked up once and kept: what was deleted since then still connects."""

    class Wrong(ConnectRules):
        def __init__(self, settings):
            super().__init__(settings)
            self.known = {}

        def identity_of(self, identities, username):
            found = super().identity_of(identities, username)
            self.known[username.client_id] = found or self.known.get(username.client_id)
            return self.known[username.client_id]

    rules.connect = Wrong(rules.connect.settings)


@fault("connect.deleted-device")
def keys_of_the_former_device_are_remembered(rules):
    """Each key that an id has had opens it, whichever device has the id today."""

    class Wrong(ConnectRules):
        def __init__(self, settings):
            super().__init__(settings)
            self.keys = {}

        def keys_of(self, identity):
            former = self.keys.setdefault(identity.key, {})
            former.setdefault(identity.generation_id, identity.keys)
            return tuple(key for keys in (*former.values(), identity.keys) for key in keys)

    rules.connect = Wrong(rules.connect.settings)
