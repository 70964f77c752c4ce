"""SAS tokens: parsing, signature, expiry, scope.

A token is `SharedAccessSignature sr={resource}&sig={signature}&se={expiry}[&skn={policy}]`, in any order.
The signature covers `sr` and `se` exactly as sent, so nothing here rewrites them (Microsoft, "Control access
to IoT Hub with shared access signatures").
"""

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import unquote

from iothub_emulator.hub import host_names
from iothub_emulator.settings import Settings

_VERSION = re.compile(r"(.+)/api-version=([0-9]{4}-[0-9]{2}-[0-9]{2})", re.ASCII | re.DOTALL)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)


class TokenRefused(Exception):  # noqa: N818 - an answer, not a malfunction
    """A token that opens nothing. `reason` is for logs and never holds a secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class SasToken:
    """A token's fields: as sent (`raw_…`), and decoded. `expiry` is unix seconds."""

    raw_resource: str
    resource: str
    raw_expiry: str
    expiry: float
    signature: str
    policy: str | None


class TokenRules:
    """Each decision about a token."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def parse(self, text: str) -> SasToken:
        """Split a token into its fields, or raise `TokenRefused`."""
        scheme, space, rest = text.partition(" ")
        if not space or not self.accepts_scheme(scheme):
            raise TokenRefused("not a SharedAccessSignature")
        fields = self.fields(rest)
        for name in ("sr", "sig", "se"):
            if self.requires(name) and not fields.get(name):
                raise TokenRefused(f"no {name}")
        raw_resource, raw_expiry = fields.get("sr", ""), fields.get("se", "")
        return SasToken(
            raw_resource=raw_resource,
            resource=unquote(raw_resource),
            raw_expiry=raw_expiry,
            expiry=self.expiry_of(raw_expiry),
            # Not unquote_plus: a signature sent without encoding holds literal plus signs.
            signature=unquote(fields.get("sig", "")),
            policy=unquote(fields["skn"]) if fields.get("skn") else None,
        )

    def accepts_scheme(self, word: str) -> bool:
        """sas.malformed, sas.loose-forms: one word, in any case, then one space."""
        return word.lower() == "sharedaccesssignature"

    def fields(self, text: str) -> dict[str, str]:
        """sas.field-order: the fields come in any order; names in any case, values untouched.

        unspecified: a field given twice says two things; the token is refused.
        """
        fields: dict[str, str] = {}
        for pair in text.split("&"):
            name, _, value = pair.partition("=")
            key = name.lower()
            if key in fields:
                raise TokenRefused(
                    f"{key} given twice" if key in {"sr", "sig", "se", "skn"} else "repeated field"
                )
            fields[key] = value
        return fields

    def requires(self, field: str) -> bool:
        """sas.malformed: a token without `sr`, `sig` or `se` is refused."""
        return True

    def expiry_of(self, raw: str) -> float:
        """sas.loose-forms: `se` is a number of seconds; anything else is refused."""
        expiry = float(raw) if _NUMBER.fullmatch(raw) else math.nan
        if not math.isfinite(expiry):
            raise TokenRefused("se is not a number")
        return expiry

    def is_signed_with(self, token: SasToken, key: str) -> bool:
        """sas.bad-signature, sas.tampered, sas.case-of-escapes: HMAC over `sr` and `se` as they were sent."""
        if not key:
            return False  # an identity without keys; an empty HMAC key would let anyone in
        try:
            secret = base64.b64decode(key, validate=True)
        except (binascii.Error, ValueError):
            return False
        signed = f"{token.raw_resource}\n{token.raw_expiry}".encode()
        expected = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256))
        return hmac.compare_digest(expected, token.signature.encode("utf-8", "surrogateescape"))

    def is_expired(self, token: SasToken, now: float) -> bool:
        """sas.expired, sas.expired-inside-skew: past its expiry by more than clocks may differ."""
        return now > token.expiry + self.settings.sas_skew

    def covers(self, token: SasToken, resource: str, side: host_names.Side) -> bool:
        """sas.wide-scope, sas.policy-token, and calls of a service: `sr` is a prefix in whole segments.

        Both start with a host, one of the hub's names; `scheme://` before it is ignored.
        """
        host, *granted = _segments(token.resource)
        wanted_host, *wanted = _segments(resource)
        return (
            self.accepts_host(host, side)
            and self.accepts_host(wanted_host, side)
            and self.is_prefix(granted, wanted)
        )

    def check_of_identity(self, token: SasToken, keys: Iterable[str], resource: str, now: float) -> None:
        """sas.bad-signature, sas.expired, sas.wrong-resource: signed by an identity for itself, in time.

        Raises `TokenRefused` if not.
        """
        if not any(self.is_signed_with(token, key) for key in keys):
            raise TokenRefused("wrong signature")
        if self.is_expired(token, now):
            raise TokenRefused("token expired")
        if not self.covers_identity(token, resource):
            raise TokenRefused("the token is for another resource")

    def covers_identity(self, token: SasToken, resource: str) -> bool:
        """sas.device-scope, sas.wrong-resource, …: a token signed by an identity's own key is for it.

        Its key tells whose token it is, so that `sr` may be written in each of the ways that are in use:
        encoded once; twice in its ids, as IoT Edge and the .NET SDK build it (sas.resource-encoded-twice,
        iotedge pull request 759); not at all (sas.resource-not-encoded); or with the version behind it that
        the document's own sample has (sas.sample-resource).
        """
        forms = (token.resource, token.raw_resource, self.decoded_twice(token.resource))
        return any(
            self.covers(replace(token, resource=form), resource, "device")
            for text in forms
            for form in (text, self.without_version(text, resource))
        )

    def decoded_twice(self, resource: str) -> str:
        """sas.resource-encoded-twice: `sr`, its ids decoded once more; none becomes two segments by it."""
        once = resource.split("/")
        return "/".join(each if "/" in (twice := unquote(each)) else twice for each in once)

    def without_version(self, resource: str, wanted: str) -> str:
        """sas.sample-resource: `sr` without `/api-version=` and a date behind the identity's own resource.

        Behind anything shorter or longer it is a segment like any other.
        """
        found = _VERSION.fullmatch(resource)
        same_depth = found is not None and len(_segments(found[1])) == len(_segments(wanted))
        return found[1] if found is not None and same_depth and _is_date(found[2]) else resource

    def accepts_host(self, host: str, side: host_names.Side) -> bool:
        """sas.wrong-resource: a token of another hub opens nothing; an alias is good for its own side."""
        return host_names.is_accepted(host, host_names.said_by(side, self.settings), side)

    def is_prefix(self, granted: list[str], wanted: list[str]) -> bool:
        """sas.device-scope: `a/b` covers `a/b/c` and not `a/bc`; names are compared with their case."""
        return wanted[: len(granted)] == granted

    def ends_at(self, token: SasToken) -> float:
        """sas.expiry-disconnects: when an open connection is dropped, in unix seconds."""
        return token.expiry + self.settings.sas_grace


def _segments(resource: str) -> list[str]:
    """Return host and path segments of a resource; a trailing slash adds none."""
    _, found, rest = resource.partition("://")
    return (rest if found else resource).rstrip("/").split("/")


def _is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True
