"""Near misses: each is wrong, each in its own way."""

import pytest

from conformance.corpora.near_misses import near_misses, near_misses_of_bytes


@pytest.mark.parametrize("text", ["ab", "device-1", "aaaa", "Device/module"])
def test_no_near_miss_is_the_text_itself(text):
    assert text not in near_misses(text).values()


@pytest.mark.parametrize("text", ["device-1", "device-1/module-0"])
def test_no_two_near_misses_are_alike(text):
    misses = near_misses(text)

    assert len(set(misses.values())) == len(misses)


def test_no_near_miss_is_the_signature_itself():
    signature = bytes(range(32))

    misses = near_misses_of_bytes(signature)

    assert signature not in misses.values()
    assert len(set(misses.values())) == len(misses)
