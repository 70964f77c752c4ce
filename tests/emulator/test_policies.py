"""Shared access policies: which rights a token of theirs carries."""

import base64

import pytest
from sas import token

from iothub_emulator.hub.policies import PolicyRules, Right, default_policies
from iothub_emulator.hub.tokens import TokenRefused, TokenRules
from iothub_emulator.settings import Settings

NOW = 1_800_000_000


@pytest.fixture
def policies():
    keys = iter(range(100))
    key_pairs = ((base64.b64encode(bytes([next(keys)]) * 32).decode() for _ in range(2)) for _ in range(5))
    return default_policies(lambda _: tuple(next(key_pairs)))


def authorise(policies, text, needed=Right.SERVICE_CONNECT, resource="localhost/devices", now=NOW):
    return PolicyRules().authorise(TokenRules(Settings()), policies, text, resource, needed, now)


def made_by(policies, name, *, key=None, resource="localhost"):
    return token(resource, key or policies[name].primary_key, NOW + 60, policy=name)


def test_a_new_hub_has_five_policies_with_keys_of_their_own(policies):
    assert set(policies) == {"iothubowner", "service", "device", "registryRead", "registryReadWrite"}
    assert len({key for policy in policies.values() for key in policy.keys}) == 10


@pytest.mark.parametrize(
    ("name", "right", "holds"),
    [
        ("iothubowner", Right.DEVICE_CONNECT | Right.REGISTRY_WRITE, True),
        ("service", Right.SERVICE_CONNECT, True),
        ("service", Right.REGISTRY_READ, False),
        ("device", Right.DEVICE_CONNECT, True),
        ("registryRead", Right.REGISTRY_WRITE, False),
        ("registryReadWrite", Right.REGISTRY_READ | Right.REGISTRY_WRITE, True),
    ],
)
def test_a_policy_opens_what_its_rights_say(policies, name, right, holds):
    if holds:
        assert authorise(policies, made_by(policies, name), right).policy == name
    else:
        with pytest.raises(TokenRefused, match="lacks the right"):
            authorise(policies, made_by(policies, name), right)


def test_the_secondary_key_signs_too(policies):
    assert authorise(policies, made_by(policies, "service", key=policies["service"].secondary_key))


def test_what_a_policy_token_is_refused_for(policies):
    owner = policies["iothubowner"]
    wrong = {
        "names no policy": token("localhost", owner.primary_key, NOW + 60),
        "unknown policy": token("localhost", owner.primary_key, NOW + 60, policy="nobody"),
        "wrong signature": made_by(policies, "iothubowner", key=policies["service"].primary_key),
        "expired": token("localhost", owner.primary_key, NOW - 301, policy="iothubowner"),
        "another resource": made_by(policies, "iothubowner", resource="localhost/twins"),
    }
    for reason, text in wrong.items():
        with pytest.raises(TokenRefused, match=reason):
            authorise(policies, text)
