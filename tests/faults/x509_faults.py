"""Hubs that get client certificates wrong."""

import hashlib

from fault import fault

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.telemetry import TelemetryRules
from iothub_emulator.net.rules import ListenerRules


@fault("x509.no-password", "x509.secondary-thumbprint")
def only_sha1_thumbprints_are_known(rules):
    """A device registered with SHA-256 thumbprints cannot connect."""

    class Wrong(ListenerRules):
        def thumbprints(self, certificate):
            return (hashlib.sha1(certificate).hexdigest().upper(),)

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("x509.no-password", spreads=True)
def certificate_needs_a_password_beside_it(rules):
    """A CONNECT without Password is refused before the certificate is looked at."""

    class Wrong(ConnectRules):
        def accepts_password_beside_certificate(self, password):
            return password is not None

    rules.connect = Wrong(rules.connect.settings)


@fault("x509.no-password", "x509.empty-password", "x509.secondary-thumbprint", spreads=True)
def clients_are_not_asked_for_a_certificate(rules):
    """The TLS handshake asks for no client certificate, so nobody presents one."""

    class Wrong(ListenerRules):
        def asks_for_certificate(self):
            return False

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("x509.empty-password")
def empty_password_is_taken_for_a_token(rules):
    """A Password that is there has to be a token, even an empty one beside a certificate."""

    class Wrong(ConnectRules):
        def accepts_password_beside_certificate(self, password):
            return password is None

    rules.connect = Wrong(rules.connect.settings)


@fault("x509.secondary-thumbprint")
def second_thumbprint_is_forgotten(rules):
    """Only the first registered thumbprint is compared."""

    class Wrong(ConnectRules):
        def accepts_certificate(self, identity, thumbprints):
            return any(registered.upper() in thumbprints for registered in identity.thumbprints[:1])

    rules.connect = Wrong(rules.connect.settings)


@fault("x509.thumbprint-mismatch")
def any_certificate_will_do(rules):
    """Whoever presents a certificate is let in, whatever its thumbprint."""

    class Wrong(ConnectRules):
        def accepts_certificate(self, identity, thumbprints):
            return bool(thumbprints)

    rules.connect = Wrong(rules.connect.settings)


@fault("x509.thumbprint-mismatch")
def thumbprints_are_shared_by_all_devices(rules):
    """A certificate of one registered device opens every other one too."""

    class Wrong(ConnectRules):
        def __init__(self, settings):
            super().__init__(settings)
            self.registered = {}

        def accepts_certificate(self, identity, thumbprints):
            self.registered[identity.key] = {registered.upper() for registered in identity.thumbprints}
            return bool(set().union(*self.registered.values()) & set(thumbprints))

    rules.connect = Wrong(rules.connect.settings)


@fault("x509.no-certificate")
def missing_certificate_is_overlooked(rules):
    """Only a certificate that is presented is compared; without one there is nothing to object to."""

    class Wrong(ConnectRules):
        def accepts_certificate(self, identity, thumbprints):
            return not thumbprints or super().accepts_certificate(identity, thumbprints)

    rules.connect = Wrong(rules.connect.settings)


@fault("x509.auth-method")
def certificate_is_stamped_as_token(rules):
    """Telemetry says of every device that it showed a token."""

    class Wrong(TelemetryRules):
        def auth_method(self, scope, kind):
            return super().auth_method(scope, "sas")

    rules.telemetry = Wrong()


@fault("x509.replaced")
def replaced_thumbprints_are_still_known(rules):
    """Thumbprints are remembered from the first connection on; newer ones are added to them."""

    class Wrong(ConnectRules):
        def __init__(self, settings):
            super().__init__(settings)
            self.remembered = {}

        def accepts_certificate(self, identity, thumbprints):
            known = self.remembered.setdefault(identity.key, set())
            known |= {registered.upper() for registered in identity.thumbprints}
            return any(thumbprint in known for thumbprint in thumbprints)

    rules.connect = Wrong(rules.connect.settings)


@fault("x509.disabled")
def certificate_opens_a_disabled_device(rules):
    """Whether a device is enabled is asked where tokens are judged, and nowhere else."""

    class Wrong(ConnectRules):
        def accepts_status(self, identity):
            return identity.authentication_type == "selfSigned" or super().accepts_status(identity)

    rules.connect = Wrong(rules.connect.settings)
