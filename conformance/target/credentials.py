r"""Keys, SAS tokens and connection strings, in a form that no message can leak.

A shared access signature covers two lines: the resource exactly as the token writes it, and the expiry.

    StringToSign = {sr as sent} + "\n" + {se as sent}
    sig          = url-escape(base64(HMAC-SHA256(base64-decode(key), StringToSign)))

Source: Microsoft, "Control access to IoT Hub by using shared access signatures".
This code shares nothing with the embedded hub's: one misreading must not sit on both ends of the wire.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NoReturn, Self
from urllib.parse import quote, unquote

from conformance.errors import ProfileError
from conformance.report.redaction import HIDDEN, register

_SCHEME: Final = "SharedAccessSignature "

# How a text stands in a token: percent-escaped, with hexadecimal digits in this letter case, or as it is.
Escapes = Literal["upper", "lower", "fewest", "none"]


class Secret:
    """A text that shows as ``***`` wherever it is printed; `reveal` is the only way to its value.

    Making one registers the value, so that reports can be searched for it (`conformance.report.redaction`).
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        register(text)

    def reveal(self) -> str:
        """Return the value itself: for the wire, never for a message."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return HIDDEN

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, format_spec: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: reveal it where it must travel")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self


# For a CONNECT whose password field is there and empty.
NO_SECRET: Final = Secret("")


def random_key() -> Secret:
    """Return a new symmetric key: 32 random bytes, base64, as a hub makes them."""
    return Secret(base64.b64encode(secrets.token_bytes(32)).decode("ascii"))


def escape(text: str, escapes: Escapes = "upper") -> str:
    """URL-escape all but letters, digits and ``-._~``, with hexadecimal digits in the case asked for.

    With "fewest" ``!'()*`` stay as well, which mean nothing in a token; with "none" the text stays as it is.
    """
    if escapes == "none":
        return text
    if escapes == "fewest":
        return quote(text, safe="!'()*")
    escaped = quote(text, safe="")
    return escaped if escapes == "upper" else re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), escaped)


def sign(raw_resource: str, raw_expiry: str, key: Secret | str) -> str:
    """Return the base64 signature, not yet URL-escaped, over both texts exactly as the token writes them.

    Raises ValueError, without the key in it, if the key is not base64.
    """
    digest = hmac.new(_key_bytes(key), f"{raw_resource}\n{raw_expiry}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")


class SasToken(Secret):
    """A shared access signature, whole or tampered with: ``SharedAccessSignature sr=…&sig=…&se=…``."""

    __slots__ = ()

    def __init__(self, text: str) -> None:
        # The signature must stay hidden; a report may say for which resource a token was and until when.
        self._text = text
        register(unquote(dict(self._fields()).get("sig", "")))

    @property
    def expiry(self) -> int:
        """When it ends, in unix seconds; raises KeyError without se, ValueError where it is no number."""
        return int(dict(self._fields())["se"])

    @property
    def signature(self) -> bytes:
        """The bytes of its signature; raises KeyError without sig."""
        return base64.b64decode(unquote(dict(self._fields())["sig"]))

    def with_fields(self, change: Callable[[str, str], str | None]) -> "SasToken":
        """Return a token whose values are what `change(name, value)` says, raw; None leaves a field out."""
        changed = [(name, change(name, value)) for name, value in self._fields()]
        return SasToken(_SCHEME + "&".join(f"{name}={value}" for name, value in changed if value is not None))

    def _fields(self) -> list[tuple[str, str]]:
        parts = self.reveal().removeprefix(_SCHEME).split("&")
        return [(name, value) for name, equals, value in (part.partition("=") for part in parts) if equals]


def sas_token(
    resource: str,
    key: Secret,
    *,
    expiry: int,
    policy: str | None = None,
    order: Sequence[str] = ("sr", "sig", "se"),
    escapes: Escapes = "upper",
    signature_escapes: Escapes = "upper",
) -> SasToken:
    """Return a token for a resource (not escaped, ``{host}/devices/{id}``) up to `expiry`, in unix seconds.

    `policy` names the shared access policy that owns the key (`skn`, last); a device's own key has none.
    `escapes` is in which letter case the resource is escaped, if it is; `signature_escapes` the same of the
    signature.
    """
    raw_resource = escape(resource, escapes)
    signature = escape(sign(raw_resource, str(expiry), key), signature_escapes)
    values = {"sr": raw_resource, "sig": signature, "se": str(expiry)}
    fields = [f"{name}={values[name]}" for name in order]
    return SasToken(_SCHEME + "&".join(fields if policy is None else [*fields, f"skn={policy}"]))


def replace_field(token: SasToken, name: str, value: str) -> SasToken:
    """Return the token with another value, raw, in one field: its signature no longer covers what it says."""
    return token.with_fields(lambda field, old: value if field == name else old)


def without_field(token: SasToken, name: str) -> SasToken:
    """Return the token without one of its fields."""
    return token.with_fields(lambda field, old: None if field == name else old)


def flip_signature_bit(token: SasToken) -> SasToken:
    """Return the token with one bit of the signature's first byte turned over."""
    return with_signature(token, bytes([token.signature[0] ^ 0x01]) + token.signature[1:])


def with_signature(token: SasToken, signature: bytes) -> SasToken:
    """Return the token with another signature."""
    return replace_field(token, "sig", escape(base64.b64encode(signature).decode("ascii")))


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A device, or a module of one, and the two keys that open it."""

    device_id: str
    primary_key: Secret
    secondary_key: Secret | None = None
    module_id: str | None = None
    generation_id: str = ""
    etag: str = ""
    status: str = "enabled"

    @property
    def id(self) -> str:
        """``{device}``, or ``{device}/{module}``: what MQTT calls ClientId."""
        return self.device_id if self.module_id is None else f"{self.device_id}/{self.module_id}"

    @property
    def path(self) -> str:
        """``{device}``, or ``{device}/modules/{module}``: what topics and resources of tokens call it."""
        return self.device_id if self.module_id is None else f"{self.device_id}/modules/{self.module_id}"


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """An identity as it is to be made, and what the hub shall know it by.

    That is its two keys, or the thumbprints of two certificates, or its name in one of an authority.
    """

    identity: Identity
    thumbprints: tuple[str, str] | None = None
    by_authority: bool = False


@dataclass(frozen=True, kw_only=True)
class ConnectionString:
    """A connection string of a hub, a device or an Event Hubs-compatible endpoint, taken apart.

    `host` is without port; `port` is None where the string names none. `host_name` is both, as written:
    clients of a hub sign exactly that text.
    """

    host: str
    port: int | None = None
    key: Secret
    policy: str | None = None
    device_id: str | None = None
    module_id: str | None = None
    entity: str | None = None
    text: Secret

    @property
    def kind(self) -> Literal["device", "events", "service"]:
        """Whose it is: a device's or module's, an Event Hubs-compatible endpoint's, or a hub's policy's."""
        if self.device_id is not None:
            return "device"
        fields = {part.partition("=")[0].strip().casefold() for part in self.text.reveal().split(";")}
        return "events" if fields & {"endpoint", "entitypath"} else "service"

    @property
    def host_name(self) -> str:
        """The host with its port, if the string names one."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str | Secret, *, where: str = "the connection string") -> "ConnectionString":
        """Take ``HostName=…;SharedAccessKey=…`` or ``Endpoint=sb://…/;…;EntityPath=…`` apart.

        `where` names the setting in a message. Raises ProfileError, without any part of the string in it.
        """
        whole = text if isinstance(text, Secret) else Secret(text)
        fields, key = _fields(whole, where)
        host, port = _host(fields, where)
        return cls(
            host=host,
            port=port,
            key=_checked(key, where),
            policy=fields.get("sharedaccesskeyname"),
            device_id=fields.get("deviceid"),
            module_id=fields.get("moduleid"),
            entity=fields.get("entitypath"),
            text=whole,
        )


def _fields(whole: Secret, where: str) -> tuple[dict[str, str], Secret | None]:
    """Return the fields by name, and the key apart: a traceback shows the arguments of what it passes."""
    fields: dict[str, str] = {}
    for part in whole.reveal().strip().rstrip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise ProfileError(
                f"{where}: not a connection string (parts NAME=VALUE, separated by ';'). "
                "Copy it whole from the hub's shared access policies."
            )
        fields[name.strip().casefold()] = value.strip()
    key = fields.pop("sharedaccesskey", None)
    return fields, None if key is None else Secret(key)


def _host(fields: Mapping[str, str], where: str) -> tuple[str, int | None]:
    address = fields.get("hostname") or fields.get("endpoint", "")
    match = re.fullmatch(r"(?:sb://)?(?P<host>[^\s:/]+|\[[0-9a-fA-F:]+\])(?::(?P<port>\d{1,5}))?/?", address)
    if match is None:
        raise ProfileError(
            f"{where}: no HostName=HOST and no Endpoint=sb://HOST/ in it. Copy the string whole."
        )
    return match["host"], None if match["port"] is None else int(match["port"])


def _checked(key: Secret | None, where: str) -> Secret:
    if key is None:
        raise ProfileError(f"{where}: no SharedAccessKey in it. Copy the string whole, key included.")
    try:
        _key_bytes(key)
    except ValueError:
        raise ProfileError(f"{where}: its SharedAccessKey is not base64. Copy the string whole.") from None
    return key


def _key_bytes(key: Secret | str) -> bytes:
    text = key.reveal() if isinstance(key, Secret) else key
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(
            "the key is not base64"
        ) from None  # the original holds the key in its traceback's locals
