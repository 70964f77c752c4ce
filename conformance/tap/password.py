"""The Password of a CONNECT, read where it passes and nowhere kept: what it is good for, in fields.

A report shows for which resource a token is and until when; signature and key stay hidden.
"""

import hmac
import re
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from conformance.mqtt.packets import Connect
from conformance.report.redaction import register
from conformance.target.credentials import Secret, sign

_SCHEME: Final = "SharedAccessSignature "


@dataclass(frozen=True, slots=True)
class Token:
    """A shared access signature as a device sent it.

    `resource` is `sr` with its escapes undone, `raw_resource` as it was written; `expiry` is in unix seconds,
    None where `se` is no whole number; `seconds_left` counts from when it was sent. `fields` are the names in
    it, in their order. `is_signed` says whether the signature is that of one of the keys of the device.
    """

    fields: tuple[str, ...]
    raw_resource: str
    resource: str
    expiry: int | None
    seconds_left: float
    is_signed: bool


def token_in(packet: Connect, data: bytes, keys: tuple[Secret, ...]) -> Token | str | None:
    """Return the token that a CONNECT carries; None where it has no Password, a word for another one.

    `data` are all bytes of the packet. From here on every report hides the Password, whatever it is.
    """
    if not packet.has_password:
        return None
    # [MQTT-3.1.3-1]: the Password is the last field.
    at = _place_of_password(packet, data)
    text = data[at:].decode("utf-8", errors="replace")
    register(text)
    if not text.startswith(_SCHEME):
        return "no shared access signature"
    pairs = [part.partition("=") for part in text.removeprefix(_SCHEME).split("&")]
    values = {name: value for name, _, value in pairs}
    register(unquote(values.get("sig", "")))
    raw_resource, raw_expiry = values.get("sr", ""), values.get("se", "")
    expiry = int(raw_expiry) if re.fullmatch(r"[0-9]{1,18}", raw_expiry) else None
    given = unquote(values.get("sig", "")).encode()
    return Token(
        fields=tuple(name for name, _, _ in pairs),
        raw_resource=raw_resource,
        resource=unquote(raw_resource),
        expiry=expiry,
        seconds_left=0.0 if expiry is None else expiry - time.time(),
        is_signed=any(
            hmac.compare_digest(sign(raw_resource, raw_expiry, key).encode(), given) for key in keys
        ),
    )


def _place_of_password(packet: Connect, data: bytes) -> int:
    """Return where the bytes of the Password begin, behind its length."""
    at = 1
    while data[at] & 0x80:
        at += 1
    at += 1
    fields = 2 + len(packet.protocol.encode()) + 4  # name with its length, level, flags, keep-alive
    texts = [packet.client_id.encode()]
    if packet.will is not None:
        texts += [packet.will.topic.encode(), packet.will.payload]
    texts += [(packet.username or "").encode()]
    return at + fields + sum(2 + len(text) for text in texts) + 2
