"""Shared access policies: named keys with rights, for callers that are not a device.

The names and rights are those every hub is created with (Microsoft, "Control access to IoT Hub").
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from iothub_emulator.hub.tokens import SasToken, TokenRefused, TokenRules


class Right(enum.Flag):
    """What a policy may do. Writing the registry includes reading it."""

    REGISTRY_READ = enum.auto()
    REGISTRY_WRITE = enum.auto()
    SERVICE_CONNECT = enum.auto()
    DEVICE_CONNECT = enum.auto()


ALL_RIGHTS = Right.REGISTRY_READ | Right.REGISTRY_WRITE | Right.SERVICE_CONNECT | Right.DEVICE_CONNECT

DEFAULT_RIGHTS: dict[str, Right] = {
    "iothubowner": ALL_RIGHTS,
    "service": Right.SERVICE_CONNECT,
    "device": Right.DEVICE_CONNECT,
    "registryRead": Right.REGISTRY_READ,
    "registryReadWrite": Right.REGISTRY_READ | Right.REGISTRY_WRITE,
}


@dataclass(frozen=True)
class Policy:
    """A named pair of base64 keys and the rights that they carry."""

    name: str
    rights: Right
    primary_key: str
    secondary_key: str

    @property
    def keys(self) -> tuple[str, str]:
        """Both keys: either signs."""
        return (self.primary_key, self.secondary_key)


def default_policies(keys_of: Callable[[str], tuple[str, str]]) -> dict[str, Policy]:
    """Return a new hub's policies by name; `keys_of` gives a policy's primary and secondary key, base64."""
    return {name: Policy(name, rights, *keys_of(name)) for name, rights in DEFAULT_RIGHTS.items()}


class PolicyRules:
    """Each decision about a token that names a policy."""

    def holds(self, policy: Policy, needed: Right) -> bool:
        """sas.policy-token, and every call of a service: the policy has all the rights that are needed."""
        return needed in policy.rights

    def authorise(
        self,
        tokens: TokenRules,
        policies: Mapping[str, Policy],
        text: str,
        resource: str,
        needed: Right,
        now: float,
    ) -> SasToken:
        """Return the token if it opens `resource` with the rights needed; raise `TokenRefused` if not."""
        token = tokens.parse(text)
        if token.policy is None:
            raise TokenRefused("the token names no policy (skn)")
        policy = policies.get(token.policy)
        if policy is None:
            raise TokenRefused("unknown policy")
        if not any(tokens.is_signed_with(token, key) for key in policy.keys):
            raise TokenRefused("wrong signature")
        if tokens.is_expired(token, now):
            raise TokenRefused("token expired")
        if not tokens.covers(token, resource, "device" if needed is Right.DEVICE_CONNECT else "service"):
            raise TokenRefused("the token is for another resource")
        if not self.holds(policy, needed):
            raise TokenRefused(f"policy {policy.name} lacks the right")
        return token
