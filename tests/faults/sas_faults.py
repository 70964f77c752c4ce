"""Hubs that read SAS tokens wrongly."""

import base64
import hmac
import time

from fault import fault

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.tokens import SasToken, TokenRefused, TokenRules

FAR_FUTURE = 4_102_444_800.0


@fault("sas.bad-signature", "sas.tampered", "connect.refusal-code")
def signature_is_not_checked(rules):
    """Any signature is good; a bad token gets a session, so there is no refusal either."""

    class Wrong(TokenRules):
        def is_signed_with(self, token, key):
            return True

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.bad-signature")
def signature_is_compared_by_its_first_half(rules):
    """The rest of it may be anything, or missing."""

    class Wrong(TokenRules):
        def is_signed_with(self, token, key):
            if super().is_signed_with(token, key):
                return True
            signed = f"{token.raw_resource}\n{token.raw_expiry}".encode()
            right = base64.b64encode(hmac.digest(base64.b64decode(key), signed, "sha256")).decode()
            return token.signature[:22] == right[:22]

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.case-of-escapes")
def signature_is_checked_over_upper_case_escapes(rules):
    """The resource is decoded and encoded again before its signature is checked."""

    class Wrong(TokenRules):
        def is_signed_with(self, token, key):
            upper = token.raw_resource.replace("%2f", "%2F").replace("%3a", "%3A")
            return super().is_signed_with(
                type(token)(
                    upper, token.resource, token.raw_expiry, token.expiry, token.signature, token.policy
                ),
                key,
            )

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.secondary-key")
def secondary_key_is_forgotten(rules):
    """Only the primary key of a device is tried."""

    class Wrong(ConnectRules):
        def keys_of(self, identity):
            return identity.keys[:1]

    rules.connect = Wrong(rules.connect.settings)


@fault("sas.expired")
def expiry_is_not_checked(rules):
    """A token is good for ever when a connection is opened."""

    class Wrong(TokenRules):
        def is_expired(self, token, now):
            return False

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.expiry-disconnects")
def open_connection_outlives_its_token(rules):
    """A token is looked at when a connection is opened, and never again."""

    class Wrong(TokenRules):
        def ends_at(self, token):
            return FAR_FUTURE

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.expiry-disconnects")
def open_connection_ends_half_a_minute_before_its_token(rules):
    """A token that is about to expire ends the connection, as if it had."""

    class Wrong(TokenRules):
        def ends_at(self, token):
            return token.expiry - 30

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.accepted")
def timer_of_a_token_counts_milliseconds_in_31_bits(rules):
    """A token that is good for a month ends its connection at once: its milliseconds overflow the timer's."""

    class Wrong(TokenRules):
        def ends_at(self, token):
            ends_at = super().ends_at(token)
            return ends_at if (ends_at - time.time()) * 1000 < 2**31 else 0.0

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.accepted")
def expiry_has_to_be_of_this_century(rules):
    """A token that is good beyond the year 2099 is refused as a mistake."""

    class Wrong(TokenRules):
        def expiry_of(self, raw):
            expiry = super().expiry_of(raw)
            if expiry > FAR_FUTURE:
                raise TokenRefused("an expiry of another century")
            return expiry

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.device-scope")
def resource_is_compared_by_characters(rules):
    """A resource covers whatever begins with the same characters."""

    class Wrong(TokenRules):
        def is_prefix(self, granted, wanted):
            return "/".join(wanted).startswith("/".join(granted))

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.wrong-resource", "sas.device-scope")
def resource_is_not_checked(rules):
    """Whatever the token was made for, its signature is enough."""

    class Wrong(TokenRules):
        def covers(self, token, resource, side):
            return True

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.wrong-resource")
def token_of_another_hub_is_good(rules):
    """The host in the token's resource is not compared with the hub's own names."""

    class Wrong(TokenRules):
        def accepts_host(self, host, side):
            return True

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.field-order")
def fields_have_a_fixed_order(rules):
    """The token's fields are taken by their place: sr, sig, se."""

    class Wrong(TokenRules):
        def fields(self, text):
            fields = super().fields(text)
            if list(fields)[:3] != ["sr", "sig", "se"] and len(fields) >= 3:
                raise TokenRefused("fields in another order")
            return fields

    rules.tokens = Wrong(rules.tokens.settings)


@fault("sas.malformed")
def key_itself_serves_as_password(rules):
    """A Password that is the device's key opens the device, as a plain password would."""

    class Wrong(TokenRules):
        def parse(self, text):
            if " " in text:
                return super().parse(text)
            return SasToken("localhost", "localhost", "", FAR_FUTURE, text, None)

        def is_signed_with(self, token, key):
            return token.signature == key or super().is_signed_with(token, key)

    rules.tokens = Wrong(rules.tokens.settings)
