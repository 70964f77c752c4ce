"""What may be stored in a twin, limit by limit, each from both sides."""

import pytest

from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.twin import new_twin, patch_twin, report
from iothub_emulator.hub.twin_rules import TwinRules

RULES = TwinRules()
NOW = 1_600_000_000.0


def nested(depth, leaf=1):
    value = leaf
    for _ in range(depth):
        value = {"n": value}
    return value


def outcome(patch):
    try:
        return report(new_twin(NOW), patch, None, RULES, NOW).twin.reported.values
    except Refused as refused:
        return refused.code


@pytest.mark.parametrize(
    "patch",
    [
        {"n" * 1024: 1},
        {"é" * 512: 1},
        {"s": "x" * 4096},
        {"i": 4503599627370495, "j": -4503599627370496},
        {"f": 1e300},
        {"true": True},
        {"a": [1, [2], {"b": "c"}]},
        nested(11),
        {"a-b_c/d": 1, "(<>@,;:\\)": 2},
    ],
)
def test_accepted(patch):
    assert outcome(patch) == patch


@pytest.mark.parametrize(
    "patch",
    [
        {"n" * 1025: 1},
        {"é" * 513: 1},
        {"": 1},
        {"$version": 1},
        {"$x": None},
        {"a": {"$x": 1}},
        {"a": [{"$x": 1}]},
        {"a.b": 1},
        {"a b": 1},
        {"a$b": 1},
        {"a#b": 1},
        {"a": [{"#": 1}]},
        {"a\u00a0b": 1},
        {"a": {"b\u2003": {"c": 1}}},
        {"a\x1f": 1},
        {"a\x85": 1},
        {"s": "x" * 4097},
        {"s": "é" * 2049},
        {"a": ["x" * 4097]},
        {"i": 4503599627370496},
        {"i": -4503599627370497},
        {"i": [4503599627370497]},
        nested(12),
        nested(10, leaf=[[1]]),
    ],
)
def test_refused(patch):
    assert outcome(patch) is ErrorCode.ArgumentInvalid


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({}, 0),
        ({"ab": "cde"}, 5),
        ({"a": 1, "b": 2.5}, 18),
        ({"a": True}, 5),
        ({"a": {"b": {"c": "d"}}}, 4),
        ({"a": [1, True, "x", None]}, 14),
        ({"a": "x\n\x85y"}, 3),
        ({"é": "ü"}, 2),
    ],
)
def test_sizes(value, size):
    """Microsoft, "Understand and use device twins in IoT Hub", device twin size."""
    assert RULES.size_of(value) == size


def test_a_section_up_to_its_limit():
    full = {f"{number:04}": "x" * 4092 for number in range(8)}

    assert RULES.size_of(full) == 32 * 1024
    assert outcome(full) == full
    assert outcome(full | {"0000": "x" * 4093}) is ErrorCode.TwinSectionTooLarge
    assert ErrorCode.TwinSectionTooLarge.status == 403


def test_tags_up_to_theirs():
    full = {"a": "x" * 4095, "b": "x" * 4095}

    assert patch_twin(new_twin(NOW), {"tags": full}, None, RULES, NOW).twin.tags == full
    with pytest.raises(Refused) as refused:
        patch_twin(new_twin(NOW), {"tags": full | {"c": ""}}, None, RULES, NOW)
    assert refused.value.code is ErrorCode.TwinSectionTooLarge


def test_a_section_that_is_too_large_may_still_shrink():
    assert RULES.accepts_size("tags", before=9000, after=8999)
    assert not RULES.accepts_size("tags", before=9000, after=9001)
