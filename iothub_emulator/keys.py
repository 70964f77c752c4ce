"""The keys that the hub makes: drawn anew at each start, derived from a seed, or named by who starts it."""

import base64
import hmac
import secrets
from collections.abc import Mapping
from typing import Literal

from iothub_emulator.settings import Settings

KeyPair = tuple[str, str]
"""A primary and a secondary key, each base64."""

KEY_SIZE = 32
"""Bytes of a key, as a hub makes them."""


class Keys:
    """Makes the keys of shared access policies and of identities that come without keys of their own."""

    def __init__(self, settings: Settings) -> None:
        self._seed = settings.seed
        self._policies = settings.policy_keys
        self._identities = settings.device_keys

    def of_policy(self, name: str) -> KeyPair:
        """Return the keys of a shared access policy."""
        return self._pair("policy", name, self._policies)

    def of_identity(self, identity_key: str) -> KeyPair:
        """Return keys for `{device}` or `{device}/{module}`; without a seed they are others at each call."""
        return self._pair("identity", identity_key, self._identities)

    def _pair(self, kind: Literal["policy", "identity"], name: str, primary: Mapping[str, str]) -> KeyPair:
        return (
            primary.get(name) or self._key(f"{kind}:{name}:primary"),
            self._key(f"{kind}:{name}:secondary"),
        )

    def _key(self, purpose: str) -> str:
        if self._seed is None:
            return base64.b64encode(secrets.token_bytes(KEY_SIZE)).decode()
        return derived_key(self._seed, purpose)


def derived_key(seed: str, purpose: str) -> str:
    """Return HMAC-SHA256 of the purpose under the seed, base64: each key by itself, in whatever order.

    Device images hold such keys: the form of a purpose, such as `identity:device-1:primary`, does not change.
    """
    # A command line may hold any bytes; those that are no UTF-8 come as surrogates.
    digest = hmac.digest(seed.encode("utf-8", "surrogateescape"), purpose.encode(), "sha256")
    return base64.b64encode(digest).decode()
