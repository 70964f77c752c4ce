"""What the registry accepts, decision by decision."""

import base64
import dataclasses

import pytest

from iothub_emulator.hub.identity import Fresh, Wanted
from iothub_emulator.hub.registry import Registry
from iothub_emulator.hub.registry_rules import RegistryRules

KEY = base64.b64encode(bytes(range(32))).decode()
SHA_1 = "0123456789abcdef0123456789ABCDEF01234567"
SHA_256 = SHA_1 + "0" * 24


@pytest.fixture
def rules():
    return RegistryRules()


@pytest.mark.parametrize("device_id", ["d", "D-1:.+%_#*?!(),=@;$'", "x" * 128])
def test_ids_that_are_accepted(rules, device_id):
    assert rules.problem_with_id(device_id) is None


@pytest.mark.parametrize(
    "device_id", ["", "x" * 129, "a b", "a/b", "é", "d\n", "a&b", 'a"b', "a<b", "\u0661"]
)
def test_ids_that_are_refused(rules, device_id):
    assert rules.problem_with_id(device_id) is not None


@pytest.mark.parametrize("length", [16, 32, 64])
def test_keys_of_16_to_64_bytes(rules, length):
    assert rules.accepts_key(base64.b64encode(b"k" * length).decode())


@pytest.mark.parametrize(
    "key",
    [
        base64.b64encode(b"k" * 15).decode(),
        base64.b64encode(b"k" * 65).decode(),
        base64.b64encode(b"k" * 32).decode().rstrip("="),
        "k" * 31 + "!",
        " " + base64.b64encode(b"k" * 32).decode(),
        "é" * 32,
    ],
)
def test_keys_that_are_refused(rules, key):
    assert not rules.accepts_key(key)


@pytest.mark.parametrize(("primary", "secondary"), [(None, None), ("", ""), (None, ""), (KEY, KEY)])
def test_both_keys_or_neither(rules, primary, secondary):
    assert rules.problem_with_keys(primary, secondary) is None


@pytest.mark.parametrize(("primary", "secondary"), [(KEY, None), ("", KEY), (KEY, "short")])
def test_pairs_of_keys_that_are_refused(rules, primary, secondary):
    assert rules.problem_with_keys(primary, secondary) is not None


def test_the_problem_with_a_key_does_not_repeat_it(rules):
    assert "c2hvcnQ=" not in rules.problem_with_keys("c2hvcnQ=", KEY)


@pytest.mark.parametrize(("primary", "secondary"), [(None, None), (SHA_1, None), (SHA_256, SHA_1)])
def test_thumbprints_that_are_accepted(rules, primary, secondary):
    assert rules.problem_with_thumbprints(primary, secondary) is None


@pytest.mark.parametrize("thumbprint", [SHA_1[:-1], SHA_1 + "0", "g" * 40, ":".join(["ab"] * 20)])
def test_thumbprints_that_are_refused(rules, thumbprint):
    assert rules.problem_with_thumbprints(None, thumbprint) is not None


@pytest.mark.parametrize(
    ("top", "size"), [(None, 1000), (1, 1), (1000, 1000), (1001, 1000), (0, 1000), (-5, 1000)]
)
def test_a_top_outside_1_to_1000_means_1000(rules, top, size):
    assert rules.list_size(top) == size


def test_a_hundred_devices_a_bulk_call(rules):
    assert rules.accepts_bulk_of(100)
    assert not rules.accepts_bulk_of(101)


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        ({"status": "disabled"}, True),
        ({"primary_key": "another"}, True),
        ({"secondary_key": "another"}, True),
        ({"authentication_type": "selfSigned", "primary_key": None, "secondary_key": None}, True),
        ({"status_reason": "checked"}, False),
        ({"iot_edge": True, "etag": "next"}, False),
    ],
)
def test_a_connection_ends_with_status_or_credentials(rules, change, ends):
    created = Registry(RegistryRules()).create(
        Wanted(device_id="d1"),
        Fresh(etag="e", generation_id="g", primary_key=KEY, secondary_key=KEY, now=0.0),
    )
    assert rules.ends_connection(created, dataclasses.replace(created, **change)) is ends


def test_a_connection_ends_with_its_identity(rules):
    created = Registry(RegistryRules()).create(
        Wanted(device_id="d1"),
        Fresh(etag="e", generation_id="g", primary_key=KEY, secondary_key=KEY, now=0.0),
    )
    assert rules.ends_connection(created, None)
