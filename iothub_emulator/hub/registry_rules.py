"""Each decision of the identity registry, one method each.

Sources: Microsoft, "Understand the identity registry in your IoT hub" and the REST reference (Devices, Bulk
Registry); where those are silent, behaviour that others report of a live hub with api-version 2021-04-12.
"""

import base64
import binascii
import re

from iothub_emulator.hub.identity import DeviceIdentity, Identity, Wanted

_DEVICE_ID = re.compile(r"[A-Za-z0-9\-:.+%_#*?!(),=@;$']{1,128}", re.ASCII)
_THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}", re.ASCII)

LARGEST_LIST = 1000
LARGEST_BULK = 100
LONGEST_REASON = 128
SHORTEST_KEY = 16
LONGEST_KEY = 64
MOST_MODULES = 50


class RegistryRules:
    """What the registry accepts, when a change ends a connection; `problem_…` is `None` for no problem."""

    def problem_with_id(self, device_id: str) -> str | None:
        """Accept 1 to 128 ASCII letters, digits and a few signs; ids differ by case.

        The registry page omits `;`, which the service SDKs and the event schemas allow.
        """
        if _DEVICE_ID.fullmatch(device_id):
            return None
        return "A device id has 1 to 128 characters out of A-Z a-z 0-9 - : . + % _ # * ? ! ( ) , = @ ; $ '"

    def problem_with_reason(self, reason: str | None) -> str | None:
        """Accept at most 128 characters, any of them."""
        if reason is None or len(reason) <= LONGEST_REASON:
            return None
        return f"statusReason is longer than {LONGEST_REASON} characters."

    def problem_with_keys(self, primary: str | None, secondary: str | None) -> str | None:
        """Accept both keys or neither; each the base64 text of 16 to 64 bytes."""
        if not primary and not secondary:
            return None  # left out or empty: the hub generates both
        if not primary or not secondary:
            return "Either no keys or both keys can be set."
        if not all(self.accepts_key(key) for key in (primary, secondary)):
            return f"A key is the base64 text of {SHORTEST_KEY} to {LONGEST_KEY} bytes."
        return None

    def accepts_key(self, key: str) -> bool:
        """Accept base64 with its padding, of 16 to 64 bytes."""
        try:
            length = len(base64.b64decode(key.encode("ascii"), validate=True))
        except (binascii.Error, ValueError):
            return False
        return SHORTEST_KEY <= length <= LONGEST_KEY

    def problem_with_thumbprints(self, primary: str | None, secondary: str | None) -> str | None:
        """Accept SHA-1 or SHA-256 in hexadecimal without separators, kept with its case.

        A device without any is accepted; no certificate opens a connection as it.
        """
        if all(_THUMBPRINT.fullmatch(text) for text in (primary, secondary) if text):
            return None
        return "A thumbprint has 40 or 64 hexadecimal digits without separators."

    def device_scope(self, wanted: Wanted, generation_id: str) -> str | None:
        """Return the hub's name for an Edge device, which no caller changes; of a leaf what was asked for.

        REST reference, Device: `deviceScope`. Its form is that of devices in Microsoft's documentation.
        unspecified: whether a leaf's scope must be one that there is; it need not here.
        """
        return (
            f"ms-azure-iot-edge://{wanted.device_id}-{generation_id}"
            if wanted.iot_edge
            else wanted.device_scope
        )

    def parent_scopes(self, wanted: Wanted) -> tuple[str, ...]:
        """Return the scopes above: as asked for; where a leaf leaves them out, its own is copied over.

        REST reference, Device: `parentScopes`.
        """
        if wanted.parent_scopes is None and wanted.device_scope and not wanted.iot_edge:
            return (wanted.device_scope,)
        return wanted.parent_scopes or ()

    def means_replacement(self, if_match: str | None) -> bool:
        """Let a PUT with If-Match replace and never create, and one without create and never replace."""
        return if_match is not None

    def needs_etag_to_delete(self) -> bool:
        """Refuse a DELETE without If-Match, so that no identity goes by accident."""
        return True

    def matches(self, if_match: str, etag: str) -> bool:
        """Compare with `*` or the etag, each quoted or bare; a weak etag counts (RFC 7232 section 2.3)."""
        candidates = (part.strip().removeprefix("W/").strip('"') for part in if_match.split(","))
        return any(candidate in {"*", etag} for candidate in candidates)

    def list_size(self, top: int | None) -> int:
        """Return how many identities one answer lists: `top`, and 1000 for anything outside 1 to 1000."""
        return top if top is not None and 1 <= top <= LARGEST_LIST else LARGEST_LIST

    def accepts_bulk_of(self, count: int) -> bool:
        """Accept at most 100 identities in one bulk call."""
        return count <= LARGEST_BULK

    def accepts_another_module(self, count: int) -> bool:
        """Accept up to 50 modules for each device (Microsoft, quotas and throttling)."""
        return count < MOST_MODULES

    def ends_modules_connections(self, after: DeviceIdentity | None) -> bool:
        """module.of-disabled-device: a device that is gone or disabled takes its modules along."""
        return after is None or after.status == "disabled"

    def ends_connection(self, before: Identity, after: Identity | None) -> bool:
        """End an open connection when its identity is gone, disabled, or authenticates in another way."""
        return (
            after is None
            or (isinstance(after, DeviceIdentity) and after.status == "disabled")
            or before.authentication_type != after.authentication_type
            or (before.keys, before.thumbprints) != (after.keys, after.thumbprints)
        )
