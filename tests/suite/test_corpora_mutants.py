"""Whatever happens to a value on its way is noticed, and named by the value's id.

Each value of each corpus is changed in every way that a hub could plausibly change it: another type, another
literal, another case, cut, stripped, decoded again, normalised, reordered, lost, or put in another's place.
"""

import json
import unicodedata
from urllib.parse import unquote, unquote_plus

import pytest

from conformance.corpora.corpus import load
from conformance.corpora.exact_json import Number, read
from conformance.corpora.whole import as_bodies, as_member_names, as_members, as_names, as_values

PROPERTIES, CLOUD, BODIES = load("telemetry_properties"), load("cloud_properties"), load("bodies")
VALUES, NAMES = load("json_values"), load("json_names")

WHOLES = [
    pytest.param(as_values(PROPERTIES.must("value")), id="values-of-telemetry"),
    pytest.param(as_values(CLOUD.must("value")), id="values-of-cloud-messages"),
    pytest.param(as_values(load("system_properties").must("id")), id="system-properties"),
    pytest.param(as_values(load("ids").must("device")), id="ids"),
    pytest.param(as_bodies(BODIES.must("telemetry")), id="bodies"),
    pytest.param(as_bodies(BODIES.must("telemetry", large=True)), id="large-bodies"),
    pytest.param(as_members(VALUES.must("twin")), id="members-of-twins"),
    pytest.param(as_members(VALUES.must("method")), id="members-of-payloads"),
]
WHOLES_OF_NAMES = [
    pytest.param(as_names(PROPERTIES.must("name")), id="names-of-telemetry"),
    pytest.param(as_names(CLOUD.must("name")), id="names-of-cloud-messages"),
    pytest.param(as_member_names(NAMES.must("twin")), id="names-of-twins"),
    pytest.param(as_member_names(NAMES.must("method")), id="names-of-payloads"),
]


def changed_text(text):
    yield from (
        *(text.lower(), text.upper(), text.casefold(), text.title(), text.strip(), text.lstrip("0")),
        *(text[:-1], text[1:], f"{text} ", f"{text}\0", text + text, text[::-1], text[:64], text[:255]),
        *(text.partition("\0")[0], text.rstrip("\0"), text.replace("\0", ""), text.replace("\n", "\r\n")),
        *(unquote(text), unquote_plus(text), text.replace("+", " "), text.replace("&", "&amp;")),
        *(unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC")),
        *(text.removesuffix(".0"), text.replace("\\", ""), text.replace('"', ""), text.replace("/", "")),
        *(text.encode("ascii", "replace").decode(), text.encode().decode("latin-1"), text.lstrip("\ufeff")),
        *("", "null", repr(text)),
    )


def changed_body(body):
    yield from (
        *(body[:-1], body[1:], body.strip(), body.rstrip(b"\0"), body.partition(b"\0")[0], body[::-1], b""),
        *(
            body + b"\0",
            body + b"\n",
            body * 2,
            body.lower(),
            body.upper(),
            body.removeprefix(b"\xef\xbb\xbf"),
        ),
        *(body.replace(b"\r\n", b"\n"), body.replace(b"\n", b"\r\n"), body.replace(b"\x1a", b"")),
        *(body.decode(errors="replace").encode(), body.decode(errors="ignore").encode(), body.hex().encode()),
        *(unquote(body.decode("latin-1")).encode("latin-1", "replace"), body[:4095], body[:255]),
    )
    try:
        yield json.dumps(json.loads(body)).encode()
    except ValueError:
        yield json.dumps(body.decode("latin-1")).encode()


def changed_json(value):
    match value:
        case dict():
            for name, inner in value.items():
                yield from ({**value, name: other} for other in changed_json(inner))
                rest = {other: each for other, each in value.items() if other != name}
                yield from (rest, {**rest, name.swapcase(): inner} if name.isalpha() else rest)
            yield from ({**value, "besides": None}, [], None, json.dumps("{}"))
        case list():
            for index, inner in enumerate(value):
                yield from ([*value[:index], other, *value[index + 1 :]] for other in changed_json(inner))
                yield [*value[:index], *value[index + 1 :]]
            yield from (
                value[::-1],
                [*value, None],
                {},
                None,
                [value],
                {str(at): each for at, each in enumerate(value)},
            )
        case Number(literal):
            number = float(literal)
            forms = (
                f"{literal}.0",
                f"{number:.1f}",
                f"{number:e}",
                f"-{literal}",
                f"{number + 1:.0f}",
                f"{number:.3g}",
            )
            yield from (*(Number(form) for form in forms), literal, True, None, [value])
        case str():
            yield from (*changed_text(value), Number("1"), Number("0"), True, None, [value], {value: value})
        case bool():
            yield from (not value, Number(str(int(value))), str(value), str(value).lower(), None)
        case None:
            yield from (False, Number("0"), "", "null", {}, [])


def changes_of(whole, part):
    """Yield what may come in place of a part, but for what is the same."""
    if isinstance(part, bytes):
        yield from (body for body in changed_body(part) if body != part)
    elif whole.compare is as_members([]).compare:
        yield from (
            value
            for value in changed_json(read(part))
            if value != read(part) or type(value) is not type(read(part))
        )
    else:
        yield from (text for text in changed_text(part) if text != part)
        yield None


def as_it_came(whole):
    is_json = whole.compare is as_members([]).compare
    return {name: read(part) if is_json else part for name, part in whole.parts.items()}


@pytest.mark.parametrize("whole", [*WHOLES, *WHOLES_OF_NAMES])
def test_what_came_as_it_was_sent_is_no_difference(whole):
    assert whole.differences(as_it_came(whole)) == {}


@pytest.mark.parametrize("whole", WHOLES)
def test_each_change_of_a_value_is_named_by_its_id(whole):
    came = as_it_came(whole)

    missed = [
        (whole.ids[name], change)
        for name, part in whole.parts.items()
        for change in changes_of(whole, part)
        if list(whole.differences({**came, name: change})) != [whole.ids[name]]
    ]
    assert missed == []


@pytest.mark.parametrize("whole", [*WHOLES, *WHOLES_OF_NAMES])
def test_each_value_that_is_lost_is_named_by_its_id(whole):
    came = as_it_came(whole)

    missed = [
        lost
        for lost in whole.parts
        if list(whole.differences({name: part for name, part in came.items() if name != lost}))
        != [whole.ids[lost]]
    ]
    assert missed == []


@pytest.mark.parametrize("whole", WHOLES_OF_NAMES)
def test_each_change_of_a_name_is_named_by_the_values_id(whole):
    """Where it becomes another one's name it takes that one's place, or loses its own."""
    came = as_it_came(whole)

    missed = [
        (whole.ids[name], other)
        for name in whole.parts
        for other in changed_text(name)
        if other != name
        and whole.ids[name]
        not in whole.differences(
            {**{each: part for each, part in came.items() if each != name}, other: came[name]}
        )
    ]
    assert missed == []


@pytest.mark.parametrize("whole", [*WHOLES, *WHOLES_OF_NAMES])
def test_two_values_in_each_others_place_are_both_named(whole):
    came, names = as_it_came(whole), list(whole.parts)

    missed = [
        (one, other)
        for one, other in zip(names, [*names[1:], names[0]], strict=True)
        if len(names) > 1
        and set(whole.differences({**came, one: came[other], other: came[one]}))
        != {whole.ids[one], whole.ids[other]}
    ]
    assert missed == []
