"""What either side has changed of a twin, both sides read.

Document: #retrieving-a-device-twins-properties, #update-device-twins-reported-properties and
#receiving-desired-properties-update-notifications. Clauses: clauses/twin.toml.

A change is announced: to the device by a notification or an answer, to the back end by its answer. Here the
twin is read afterwards, whole: the section as it was left, with the version announced, and the others as
they were.
"""

import pytest

clause = pytest.mark.clause


@clause("twin.read-back")
@pytest.mark.needs("registry")
@pytest.mark.parametrize(
    ("patches", "after"),
    [
        pytest.param(
            [{"mode": "night"}], {"interval": 5, "route": {"via": "north"}, "mode": "night"}, id="set"
        ),
        pytest.param([{"interval": 6}], {"interval": 6, "route": {"via": "north"}}, id="updated"),
        pytest.param(
            [{"route": {"to": "hall"}}], {"interval": 5, "route": {"via": "north", "to": "hall"}}, id="merged"
        ),
        pytest.param([{"interval": None}], {"route": {"via": "north"}}, id="removed"),
        pytest.param([{"route": None}], {"interval": 5}, id="an-object-removed"),
        pytest.param(
            [{"route": {"to": "hall"}}, {"route": {"via": None}}],
            {"interval": 5, "route": {"to": "hall"}},
            id="removed-in-an-object",
        ),
        pytest.param(
            [{"interval": None}, {"interval": 7}], {"interval": 7, "route": {"via": "north"}}, id="set-anew"
        ),
        pytest.param(
            [{"interval": 6}, {"interval": 6}],
            {"interval": 6, "route": {"via": "north"}},
            id="the-same-twice",
        ),
        pytest.param(
            [{"interval": None, "mode": "night", "route": {"to": "hall"}}],
            {"route": {"via": "north", "to": "hall"}, "mode": "night"},
            id="several-at-once",
        ),
    ],
)
def test_desired_properties_are_read_as_they_were_left(contents, patches, after):
    """Reported properties and tags are as they were."""
    version = contents.desire(*patches)

    assert contents.since(version) == contents.with_section("desired", after, version)


@clause("twin.read-back")
@pytest.mark.needs("registry")
@pytest.mark.parametrize(
    ("patches", "after"),
    [
        pytest.param(
            [{"mode": "night"}],
            {"firmware": "v1.0", "limits": {"low": 1, "high": 9}, "mode": "night"},
            id="set",
        ),
        pytest.param([{"firmware": "v2"}], {"firmware": "v2", "limits": {"low": 1, "high": 9}}, id="updated"),
        pytest.param(
            [{"limits": {"low": 2}}], {"firmware": "v1.0", "limits": {"low": 2, "high": 9}}, id="merged"
        ),
        pytest.param([{"firmware": None}], {"limits": {"low": 1, "high": 9}}, id="removed"),
        pytest.param([{"limits": None}], {"firmware": "v1.0"}, id="an-object-removed"),
        pytest.param(
            [{"firmware": None}, {"firmware": "v3"}],
            {"firmware": "v3", "limits": {"low": 1, "high": 9}},
            id="set-anew",
        ),
        pytest.param(
            [{"firmware": "v2"}, {"firmware": "v2"}],
            {"firmware": "v2", "limits": {"low": 1, "high": 9}},
            id="the-same-twice",
        ),
        pytest.param(
            [{"firmware": None, "mode": "night", "limits": {"low": 2}}],
            {"limits": {"low": 2, "high": 9}, "mode": "night"},
            id="several-at-once",
        ),
    ],
)
def test_reported_properties_are_read_as_they_were_left(contents, twin, patches, after):
    """Desired properties and tags are as they were."""
    version = twin.report_each(*patches)[-1].version

    assert contents.now() == contents.with_section("reported", after, version)


@clause("twin.read-back")
@pytest.mark.needs("registry")
@pytest.mark.parametrize(
    ("patches", "after"),
    [
        pytest.param([{"rack": 7}], {"site": "hall", "rack": 7}, id="set"),
        pytest.param(
            [{"place": {"x": 1}}, {"place": {"y": 2}}],
            {"site": "hall", "place": {"x": 1, "y": 2}},
            id="merged",
        ),
        pytest.param([{"site": None}], {}, id="removed"),
        pytest.param([{"site": None}, {"site": "yard"}], {"site": "yard"}, id="set-anew"),
    ],
)
def test_tags_are_read_as_they_were_left(contents, patches, after):
    """Desired and reported properties are as they were, and with them their versions."""
    contents.tag(*patches)

    assert contents.now() == contents.with_tags(after)


@clause("twin.read-back")
@pytest.mark.needs("registry")
def test_a_replaced_section_is_read_as_it_replaced_the_other(device, contents, twins):
    """Nothing is left of what was there; tags that are not named go too, reported properties stay."""
    version = twins.replace(device, desired={"mode": "night"}, tags={"site": "hall"}).desired.version

    assert contents.since(version) == contents.with_section("desired", {"mode": "night"}, version)
