"""Queries over twins: which a condition finds. Five devices differ in tags and desired properties.

Microsoft, "IoT Hub query language" and "Queries for IoT Hub device and module twins". Clauses:
clauses/queries.toml. The fleet is described in fixtures/queries.py; a condition leads to the endings of the
devices of which it holds.
"""

import pytest

clause = pytest.mark.clause

SPEED, LEVEL, MODE, LIMIT, ON = (
    f"properties.desired.{name}" for name in ("speed", "level", "mode", "limit", "on")
)

COMPARISONS = {
    f"{SPEED} = 7": "c",
    f"{SPEED} = -5": "a",
    f"{SPEED} != 7 AND {SPEED} < 1000": "abd",
    f"{SPEED} <> 7 AND {SPEED} < 1000": "abd",
    f"{SPEED} < 0": "a",
    f"{SPEED} <= 0": "ab",
    f"{SPEED} > 7": "d",
    f"{SPEED} >= 7": "cd",
    f"{LEVEL} = 2.5": "bc",
    f"{LEVEL} > 1.5": "bc",
    "tags.region = 'north'": "ab",
    "tags.region > 'north'": "c",
    "tags.region >= 'north'": "abc",
    "tags.region < 'north'": "d",
    "tags.region <= 'north'": "abd",
    "tags.row < 10": "ab",
    f"{SPEED} = {LIMIT}": "bd",
    f"{SPEED} < {LIMIT}": "c",
}

LITERALS = {
    f"{SPEED} = 0xFF": "d",
    f"{SPEED} = 0x00ff": "d",
    f"{SPEED} = 7.0": "c",
    "properties.desired.code = '7'": "e",
    f'{MODE} = "low"': "ab",
    f"{MODE} = 'it\\'s'": "d",
    f'{MODE} = "it\'s"': "d",
    f"{MODE} = 'a \"b\" \\\\ \\u00e9'": "e",
    f'{MODE} = "a \\"b\\" \\\\ é"': "e",
    f"{ON} = true": "ac",
    f"{ON} = false": "b",
    f"{ON} = 'true'": "d",
    "tags.fleet = null OR tags.row = 1": "a",
    "tags.fleet != null AND tags.row = 2": "b",
    f"{SPEED} = 'x'": "",
}

LOGIC = {
    f"tags.region = 'north' AND {ON} = true": "a",
    f"tags.region = 'south' OR {ON} = false": "bc",
    f"tags.region = 'south' OR tags.region = 'north' AND {ON} = true": "ac",
    f"(tags.region = 'south' OR tags.region = 'north') AND {ON} = true": "ac",
    f"(tags.region = 'south' OR tags.region = 'north') AND {ON} = false": "b",
    f"tags.region = 'east' OR tags.region = 'north' AND {ON} = true OR {SPEED} = 7": "acd",
    "NOT tags.region = 'north' AND tags.row > 0": "cd",
    "NOT (tags.region = 'north' OR tags.row = 20) AND tags.row > 0": "c",
    "NOT NOT tags.region = 'north'": "ab",
    "((((tags.region = 'north'))))": "ab",
    " AND ".join(["tags.row > 0"] * 100): "abcd",
    " OR ".join(f"tags.row = {number}" for number in range(100)): "abcd",
    " AND ".join(f"tags.row != {number}" for number in range(3, 90)) + " AND tags.row > 0": "ab",
}

MEMBERSHIPS = {
    "tags.region IN ['north', 'east']": "abd",
    "tags.region IN ['south']": "c",
    "tags.row IN [1, 20, 30]": "ad",
    f"{ON} IN [true, 'true']": "acd",
    "tags.region IN ['nowhere']": "",
    "tags.region NIN ['north', 'east'] AND tags.row > 0": "c",
    "tags.row NIN [1, 20] AND tags.row > 0": "bc",
}

DEFINED = {
    f"IS_DEFINED({LIMIT})": "bcde",
    "IS_DEFINED(tags.region)": "abcd",
    "is_defined(properties.desired.nest.deep)": "c",
    "is_defined(properties.desired.axis)": "d",
    "is_defined(tags.place.hall)": "d",
    "is_defined(tags.nothing)": "",
    f"NOT is_defined({LIMIT})": "a",
    "NOT is_defined(tags.row)": "e",
    f"is_defined({LIMIT}) AND {LIMIT} < 10": "bc",
}

CONDITIONS = {
    "tags.nothing = 1": "",
    "tags.nothing < 1 OR tags.row = 1": "a",
    f"{LEVEL} > 0": "abc",
    "properties.desired.nest = 1": "",
    "properties.desired.axis = 1": "",
    f"{ON}": "ac",
    "tags.region": "",
    "true": "abcde",
    "false": "",
    "null": "",
    "'true'": "",
    "1": "",
}


@clause("queries.whole-twins")
def test_a_query_gives_whole_twins(fleet, fleet_names, queries, twins):
    """As the twin's own address gives each."""
    page = queries.page(f"SELECT * FROM devices WHERE {fleet.where()}")

    of_each = [twins.get(name) for name in fleet_names]
    assert page.item_type.lower() == "twin"
    assert sorted(page.items, key=lambda twin: twin["deviceId"]) == [twin.members() for twin in of_each]


@clause("queries.comparison")
def test_comparisons_find_the_twins_of_which_they_hold(fleet):
    """Numbers by their size, texts by their characters."""
    assert fleet.find_each(COMPARISONS) == COMPARISONS


@clause("queries.literals")
def test_constants_are_what_they_say(fleet):
    """Of each kind, in each of its forms."""
    assert fleet.find_each(LITERALS) == LITERALS


@clause("queries.logic")
def test_conditions_are_joined(fleet):
    """By each of the three words, in any number and depth."""
    assert fleet.find_each(LOGIC) == LOGIC


@clause("queries.membership")
def test_a_value_is_in_a_list_or_not(fleet):
    """Of texts, of numbers, of both."""
    assert fleet.find_each(MEMBERSHIPS) == MEMBERSHIPS


@clause("queries.is-defined")
def test_a_property_is_there_or_not(fleet):
    """Whatever its value is."""
    assert fleet.find_each(DEFINED) == DEFINED


@clause("queries.conditions")
def test_only_what_is_true_is_found(fleet):
    """Neither what is not there, nor what has another kind, nor what stands for a condition and is none."""
    assert fleet.find_each(CONDITIONS) == CONDITIONS


@clause("queries.undefined")
def test_the_opposite_of_what_is_not_there(fleet, observed):
    """One twin has no tags, and one another kind of value: which are found is written down."""
    conditions = {
        "NOT": "NOT tags.row = 1",
        "unequal": "tags.row != 1",
        "NIN": "tags.row NIN [1]",
        "another kind": "properties.desired.code != 7",
        "order of kinds": "tags.region > 5",
        "NOT of AND": "NOT (tags.row = 1 AND tags.row = 2)",
        "nothing and nothing": "tags.nothing = tags.nothing",
        "nothing and null": "tags.nothing = null",
        "order of Booleans": f"{ON} > false",
        "null in a list": f"{ON} IN [null, false]",
    }
    found = {what: fleet.find(condition) or "none" for what, condition in conditions.items()}
    observed(", ".join(f"{what}: {which}" for what, which in found.items()))


@clause("queries.functions")
def test_other_functions(fleet, observed):
    """Of numbers, of kinds, of texts; and two that tools call."""
    conditions = [
        f"ABS({SPEED}) = 5",
        f"IS_NUMBER({SPEED})",
        "CONCAT(tags.region, 'x') = 'northx'",
        "STARTS_WITH(tags.region, 'n')",
        f"STARTSWITH(devices.deviceId, '{fleet.name}')",
        "ARRAY_CONTAINS(properties.desired.axis, 1)",
    ]
    observed("; ".join(f"{text.partition('(')[0]}: {fleet.attempt(text)}" for text in conditions))


@clause("queries.letter-case")
def test_keywords_and_names_in_other_letter_case(fleet, observed):
    """Of the language, and of the hub's own names; what a user named is another name."""
    asked = {
        "keywords": "not tags.row in [1] and tags.row = 2 or tags.row = 10",
        "sections": "Tags.row = 1 OR Properties.Desired.speed = 7",
        "a user's": "tags.ROW = 1",
        "collection": "devices.tags.row = 1",
    }
    observed("; ".join(f"{what}: {fleet.attempt(condition)}" for what, condition in asked.items()))
