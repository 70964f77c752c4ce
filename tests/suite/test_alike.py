"""Values that are nearly equal, in each other's place."""

from conformance.corpora.alike import turns
from conformance.corpora.corpus import Value, load


def value(name, text):
    return Value(id=name, level="must", source="S53", content=text, on=frozenset({"member"}))


def test_each_takes_the_place_of_each_other():
    """Three that are equal somewhere, two that are but for letter case, and one that stands alone."""
    texts = {"one": "1", "yes": "true", "text": '"1"', "high": '"A"', "low": '"a"', "alone": '"x"'}

    wholes = turns(value(name, text) for name, text in texts.items())

    assert [dict(whole.parts) for whole in wholes] == [
        {"one": "1", "yes": "true", "text": '"1"', "high": '"A"', "low": '"a"'},
        {"one": "true", "yes": '"1"', "text": "1", "high": '"a"', "low": '"A"'},
        {"one": '"1"', "yes": "1", "text": "true", "high": '"A"', "low": '"a"'},
    ]


def test_the_values_of_twins_have_such_ones():
    (first, *_) = turns(load("json_values").must("member"))

    assert {"boolean-true", "text-true", "text-one", "text-in-capitals", "text-letters"} <= first.parts.keys()
