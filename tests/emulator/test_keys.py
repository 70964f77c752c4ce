"""Keys: new at each start, derived from a seed, or named by who starts the hub."""

import base64

import pytest
from rest_hub import owner, serving

from iothub_emulator.keys import Keys, derived_key
from iothub_emulator.runtime import Runtime
from iothub_emulator.settings import Settings

KEY = "c2VjcmV0IG9mIHRoZSBkZXZpY2U="


def keys(**settings):
    return Keys(Settings(**settings))


def test_without_a_seed_each_key_is_new():
    made = keys()
    pairs = [
        made.of_identity("d1"),
        made.of_identity("d1"),
        made.of_policy("service"),
        keys().of_policy("service"),
    ]
    assert len({key for pair in pairs for key in pair}) == 8
    assert {len(base64.b64decode(key)) for pair in pairs for key in pair} == {32}


def test_with_a_seed_all_keys_follow_from_it():
    """The same at each start, in whatever order; another for each identity, policy, place and seed."""
    first, second = keys(seed="s"), keys(seed="s")
    asked = [
        (first.of_policy("service"), first.of_identity("service"), first.of_identity("d1/service")),
        tuple(
            reversed(
                (second.of_identity("d1/service"), second.of_identity("service"), second.of_policy("service"))
            )
        ),
    ]
    assert asked[0] == asked[1]
    assert len({key for pair in (*asked[0], keys(seed="t").of_policy("service")) for key in pair}) == 8
    assert {len(base64.b64decode(key)) for pair in asked[0] for key in pair} == {32}


@pytest.mark.parametrize(
    ("seed", "purpose", "key"),
    [
        ("seed", "identity:device-1:primary", "Yuh/1I96L5ohWwxHc5npgFFLMnT+n42vs5aHsjt96+w="),
        ("seed", "policy:iothubowner:secondary", "gQgwdvzzjjmNpom1qk5H/3IMaYUac9yuZvE9Up78THU="),
        ("ü \udcff", "identity:d/m:primary", "BpnOJXLVQz9Z7in9Zn51YZDotK6kkrl0NAtnbu9yp8o="),
    ],
)
def test_a_seed_means_the_same_in_every_release(seed, purpose, key):
    """A device image holds what an earlier release derived. Any bytes are a seed."""
    assert derived_key(seed, purpose) == key


def test_a_named_key_is_the_primary_one():
    made = keys(seed="s", device_keys={"d1": KEY}, policy_keys={"service": KEY})
    assert made.of_identity("d1") == (KEY, keys(seed="s").of_identity("d1")[1])
    assert made.of_policy("service") == (KEY, keys(seed="s").of_policy("service")[1])
    assert made.of_identity("service") == keys(seed="s").of_identity("service")


def test_settings_show_no_secret():
    settings = Settings(seed="a seed", device_keys={"d1": KEY}, policy_keys={"service": KEY})
    assert "a seed" not in repr(settings)
    assert KEY not in repr(settings)


def test_a_hub_makes_its_policies_and_devices_with_them():
    first, second = (Runtime(Settings(seed="s", device_keys={"d1": KEY})) for _ in range(2))
    assert first.policies == second.policies
    assert (first.add_device("d1").primary_key, first.add_device("d2").keys) == (
        KEY,
        keys(seed="s").of_identity("d2"),
    )
    assert first.fresh("d2").generation_id != second.fresh("d2").generation_id


def test_identities_made_later_have_them_too():
    """By one call, by many in one, for a module, in any order; and again once they were deleted."""
    runtime = Runtime(Settings(seed="s"))
    with serving(runtime) as port, owner(runtime, port) as hub:
        hub.post("/devices", json=[{"id": "d2", "importMode": "create"}])
        hub.put("/devices/d1", json={"deviceId": "d1"})
        hub.put("/devices/d1/modules/m", json={"deviceId": "d1", "moduleId": "m"})
        made = {key: runtime.registry.identity(key).keys for key in ("d1", "d2", "d1/m")}
        hub.delete("/devices/d1", headers={"If-Match": "*"})
        hub.put("/devices/d1", json={"deviceId": "d1"})
    assert made == {key: keys(seed="s").of_identity(key) for key in ("d1", "d2", "d1/m")}
    assert runtime.registry.identity("d1").keys == made["d1"]
