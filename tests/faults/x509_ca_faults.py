"""Hubs that get devices of a certificate authority wrong."""

import datetime as dt

from fault import fault

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.net import device_authorities
from iothub_emulator.net.rules import ListenerRules


def connect(rules, wrong):
    rules.connect = wrong(rules.connect.settings)


def listeners(rules, wrong):
    rules.listeners = wrong(rules.listeners.settings, rules.listeners.edition)


@fault("x509-ca.accepted", spreads=True)
def authorities_are_not_asked(rules):
    """A device of an authority is looked up by thumbprints, of which it has none."""

    class Wrong(ConnectRules):
        def uses_authority(self, identity):
            return False

    connect(rules, Wrong)


@fault("x509-ca.accepted")
def first_certificate_is_kept_to(rules):
    """The first certificate that opens a device is remembered; a renewed one is refused."""

    class Wrong(ListenerRules):
        def __init__(self, settings, edition):
            super().__init__(settings, edition)
            self.first = {}

        def vouched_names(self, presented):
            names = super().vouched_names(presented)
            own = presented[0].public_key() if presented else None
            return tuple(name for name in names if self.first.setdefault(name, own) == own)

    listeners(rules, Wrong)


@fault("x509-ca.wrong-name")
def any_device_of_the_fleet_will_do(rules):
    """A certificate of the authority opens every device of this type."""

    class Wrong(ConnectRules):
        def accepts_vouched(self, identity, names):
            return bool(names)

    connect(rules, Wrong)


@fault("x509-ca.wrong-name")
def name_need_only_begin_with_the_id(rules):
    """The id is looked for at the beginning of the common name."""

    class Wrong(ConnectRules):
        def accepts_vouched(self, identity, names):
            return any(name.startswith(identity.key) for name in names)

    connect(rules, Wrong)


@fault("x509-ca.wrong-name")
def letter_case_of_the_name_is_ignored(rules):
    """Id and common name are compared without regard to case."""

    class Wrong(ConnectRules):
        def accepts_vouched(self, identity, names):
            return identity.key.lower() in {name.lower() for name in names}

    connect(rules, Wrong)


@fault("x509-ca.other-authority", "x509-ca.expired")
def name_alone_counts(rules):
    """The common name is read, and nobody asks who wrote it and until when it is good."""

    class Wrong(ListenerRules):
        def vouched_names(self, presented):
            return device_authorities.common_names(presented[0]) if presented else ()

    listeners(rules, Wrong)


@fault("x509-ca.other-authority")
def authority_is_known_by_its_name(rules):
    """The issuer's name is compared, and its signature not checked."""

    class Wrong(ListenerRules):
        def vouched_names(self, presented):
            authorities = device_authorities.read_authorities(self.settings.device_cas)
            known = {authority.subject for authority in authorities}
            if presented and presented[0].issuer in known and self.is_good_now(presented[0]):
                return device_authorities.common_names(presented[0])
            return ()

    listeners(rules, Wrong)


@fault("x509-ca.other-authority")
def device_may_vouch_for_itself(rules):
    """A certificate that signs itself is as good as one of the authority."""

    class Wrong(ListenerRules):
        def vouched_names(self, presented):
            if presented and presented[0].issuer == presented[0].subject:
                return device_authorities.common_names(presented[0])
            return super().vouched_names(presented)

    listeners(rules, Wrong)


@fault("x509-ca.expired")
def dates_are_not_looked_at(rules):
    """A certificate is good for ever."""

    class Wrong(ListenerRules):
        def is_good_now(self, certificate):
            return True

    listeners(rules, Wrong)


@fault("x509-ca.expired")
def certificates_have_a_week_of_grace(rules):
    """A certificate that has ended opens its device for another week."""

    class Wrong(ListenerRules):
        def is_good_now(self, certificate):
            ended = certificate.not_valid_after_utc + dt.timedelta(days=7)
            return dt.datetime.now(dt.UTC) <= ended

    listeners(rules, Wrong)


@fault("x509-ca.no-certificate")
def nothing_vouches_for_anybody(rules):
    """Where no certificate is presented there is no name to object to."""

    class Wrong(ConnectRules):
        shown = ()

        def accepts_vouched(self, identity, names):
            return not names or super().accepts_vouched(identity, names)

    connect(rules, Wrong)


@fault("x509-ca.other-kinds")
def authority_opens_devices_with_thumbprints(rules):
    """A certificate that names the device opens it, however the device was registered."""

    class Wrong(ListenerRules):
        def describe_peer(self, connection):
            known = super().describe_peer(connection)
            self.names = known[device_authorities.VOUCHED_NAMES]
            return known

    class WrongConnect(ConnectRules):
        def accepts_certificate(self, identity, thumbprints):
            named = identity.key in rules.listeners.names
            return named or super().accepts_certificate(identity, thumbprints)

    listeners(rules, Wrong)
    connect(rules, WrongConnect)


@fault("x509-ca.other-kinds")
def authority_opens_devices_with_keys(rules):
    """A device with a key needs no token where a certificate names it."""

    class Wrong(ListenerRules):
        def describe_peer(self, connection):
            known = super().describe_peer(connection)
            self.names = known[device_authorities.VOUCHED_NAMES]
            return known

    class WrongConnect(ConnectRules):
        def requires_password(self, identity):
            return identity.key not in rules.listeners.names

    listeners(rules, Wrong)
    connect(rules, WrongConnect)
