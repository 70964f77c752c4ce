"""How much a twin holds.

Document: #update-device-twins-reported-properties, which refers to Microsoft's page on device twins: integers
of 53 bits, names up to 1 KB, strings up to 4 KB, ten objects inside each other, 32 KB of reported properties.
Clauses: clauses/twin.toml.
"""

import pytest

clause = pytest.mark.clause
pytestmark = pytest.mark.writes_twin  # all of these
large = pytest.mark.large
# A twin that holds nothing else, and has no member around what a case reports.
whole_twin = pytest.mark.needs("registry")

TEN_DEEP = {"1": {"2": {"3": {"4": {"5": {"6": {"7": {"8": {"9": {"10": {"leaf": 1}}}}}}}}}}}


@clause("twin.integer-limits")
@pytest.mark.parametrize("number", [4503599627370495, -4503599627370496], ids=["largest", "smallest"])
def test_the_outermost_integers_are_kept_exactly(twin, everywhere, number):
    """They come back digit for digit on either side."""
    twin.report({"number": number})

    assert everywhere.members(twin) == [{"number": number}]


@clause("twin.integer-range")
@pytest.mark.parametrize(
    "number",
    [4503599627370497, -4503599627370497, 2**63, -(2**63) - 1],
    ids=["above", "below", "above-64-bits", "below-64-bits"],
)
def test_an_integer_beyond_the_range_refuses_the_patch(twin, contents, number, untouched):
    """A 4xx, and the twin is as it was."""
    answer = twin.report({"firmware": "v9", "number": number})

    answer.expect_status(400, 499)
    assert contents.now() == contents.before
    untouched.confirm()


@clause("twin.within-limits")
@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"n" * 1000: 1}, id="name-of-1000-bytes"),
        pytest.param({"text": "x" * 4000}, id="string-of-4000-bytes"),
        pytest.param(TEN_DEEP, id="ten-objects-deep", marks=whole_twin),
        pytest.param(
            {f"part-{number}": "x" * 3700 for number in range(8)}, id="29-KB", marks=[large, whole_twin]
        ),
    ],
)
def test_what_is_within_the_limits_is_kept(twin, patch):
    """It reads back whole."""
    twin.report(patch)

    assert twin.get().reported_members == patch


@clause("twin.within-limits")
def test_nine_objects_inside_each_other_are_kept(twin):
    """Of a ready-made device they are ten, with the one that stands around what a case reports."""
    twin.report(TEN_DEEP["1"])

    assert twin.get().reported_members == TEN_DEEP["1"]


@clause("twin.within-limits")
@large
@whole_twin
@pytest.mark.parametrize(
    "patch",
    [
        # Of 32,768 bytes: names of five characters, Booleans of four bytes, numbers of eight.
        pytest.param({f"b{number:04}": bool(number % 2) for number in range(3500)}, id="Booleans"),
        pytest.param({f"n{number:04}": number / 2 for number in range(2450)}, id="numbers"),
        pytest.param({f"o{number:04}": {"i": number} for number in range(2300)}, id="objects"),
    ],
)
def test_a_section_that_is_nearly_full_is_kept(twin, patch):
    """By the sizes that Microsoft's page gives to names and values; it reads back whole."""
    twin.report(patch)

    assert twin.get().reported_members == patch


@clause("twin.beyond-limits")
@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"firmware": "v9", "n" * 1100: 1}, id="name-of-1100-bytes"),
        pytest.param({"firmware": "v9", "text": "x" * 4200}, id="string-of-4200-bytes"),
        pytest.param({"firmware": "v9", "limits": {"11": TEN_DEEP}}, id="twelve-objects-deep"),
    ],
)
def test_what_is_beyond_the_limits_refuses_the_patch(twin, contents, patch, untouched):
    """A 4xx, and the twin is as it was."""
    answer = twin.report(patch)

    answer.expect_status(400, 499)
    assert contents.now() == contents.before
    untouched.confirm()


@clause("twin.too-large")
@large
def test_a_patch_of_36_kb_is_refused(twin, contents, readings, untouched):
    """Each value is allowed by itself; together they are larger than the section may be."""
    answer = twin.report({f"part-{number}": "x" * 4000 for number in range(9)})

    readings.match(answer.outcome)
    assert contents.now() == contents.before
    untouched.confirm()


@clause("twin.too-large")
@large
@whole_twin
def test_a_section_cannot_grow_to_36_kb_by_two_patches(twin, contents, stage, readings, untouched):
    """The limit is the section's, not a patch's."""
    stage(twin.establish, {f"part-{number}": "x" * 4000 for number in range(6)}, needs="twin.within-limits")
    before = contents.now()

    answer = twin.report({f"more-{number}": "x" * 4000 for number in range(3)})

    readings.match(answer.outcome)
    assert contents.now() == before
    untouched.confirm()
