"""Updating reported properties.

Document: #update-device-twins-reported-properties. Clauses: clauses/twin.toml.

The device publishes a JSON object to $iothub/twin/PATCH/properties/reported/?$rid={request id}. Each member
updates or adds one of the twin's, null removes it, and the answer names the section's new version.
"""

import pytest

clause = pytest.mark.clause
pytestmark = pytest.mark.writes_twin  # all of these


@clause("twin.reported")
def test_a_patch_is_answered_on_the_documented_topic(twin):
    """The answer comes on $iothub/twin/res/{status}/?$rid={request id}, and there is one."""
    answer = twin.report({"firmware_version": "v1.1"}, request_id="patch-1")

    assert answer.topic.partition("&")[0] == f"$iothub/twin/res/{answer.status}/?$rid=patch-1"
    twin.connection.expect_no_message()


@clause("twin.reported")
def test_a_change_is_readable_once_it_is_answered(twin, everywhere):
    """The answer is sent after the update was processed: both sides then read it."""
    twin.report({"firmware_version": "v1.1"})

    assert everywhere.members(twin) == [{"firmware_version": "v1.1"}]


@clause("twin.reported-status")
def test_a_patch_has_a_status_of_success(twin, readings):
    """200 in the table, 204 in the example below it."""
    readings.match(twin.report({"firmware_version": "v1.1"}).outcome)


@clause("twin.reported-version")
def test_the_answer_names_the_new_version(contents, twin, everywhere):
    """$version in the topic is the one that both sides then read, and the update raised it."""
    answer = twin.report({"firmware": "v1.1"})

    assert everywhere.versions(twin) == [answer.version]
    assert answer.version > contents.reported_version


@clause("twin.reported-version")
def test_each_change_raises_the_version(twin):
    """Five updates have five versions, each greater than the one before."""
    answers = twin.report_each(*({"step": number} for number in range(5)))

    versions = [answer.version for answer in answers]
    assert versions == sorted(set(versions))


@clause("twin.reported-version")
def test_a_change_of_desired_properties_leaves_the_version_alone(device, twin, twins):
    """The version is that of the reported properties, whatever the back end changes meanwhile."""
    first = twin.report({"firmware": "v1.1"})
    twins.patch(device, desired={"interval": 6})

    assert twin.get().reported.get("$version") == first.version


@clause("twin.reported-visible")
def test_the_back_end_reads_what_the_device_reported(device, contents, twin, twins):
    """The whole section, nested members included, and its version; the other sections as they were."""
    reported = {"firmware": "v1.1", "limits": {"low": -0.5}, "ok": True, "local": "São Paulo"}

    answer = twin.report(reported)

    found = twins.get(device)
    assert (found.reported.values, found.reported.version) == (
        {"firmware": "v1.1", "limits": {"low": -0.5, "high": 9}, "ok": True, "local": "São Paulo"},
        answer.version,
    )
    assert (found.desired, found.tags) == (
        contents.before.service_side["desired"],
        contents.before.service_side["tags"],
    )


@clause("twin.reported-merge")
@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        pytest.param({"a": 1}, {"b": "text"}, {"a": 1, "b": "text"}, id="adds-a-string"),
        pytest.param({"a": 1}, {"b": 2}, {"a": 1, "b": 2}, id="adds-an-integer"),
        pytest.param({"a": 1}, {"b": -2.5}, {"a": 1, "b": -2.5}, id="adds-a-decimal"),
        pytest.param({"a": 1}, {"b": False}, {"a": 1, "b": False}, id="adds-a-boolean"),
        pytest.param({"a": 1}, {"b": {"c": "x"}}, {"a": 1, "b": {"c": "x"}}, id="adds-an-object"),
        pytest.param({"a": 1}, {"b": ""}, {"a": 1, "b": ""}, id="adds-an-empty-string"),
        pytest.param({"a": 1, "b": 2}, {"a": 3}, {"a": 3, "b": 2}, id="updates"),
        pytest.param({"a": 1}, {"A": 2}, {"a": 1, "A": 2}, id="case-counts"),
        pytest.param(
            {"cidade": "Lisboa"}, {"cidade": "São Paulo 东京"}, {"cidade": "São Paulo 东京"}, id="UTF-8"
        ),
        pytest.param(
            {"a": {"b": 1, "c": {"d": 2, "e": 3}}},
            {"a": {"c": {"d": 4}, "f": 5}},
            {"a": {"b": 1, "c": {"d": 4, "e": 3}, "f": 5}},
            id="merges-nested-objects",
        ),
        pytest.param({"a": {"b": 1}}, {"a": "plain"}, {"a": "plain"}, id="a-value-for-an-object"),
        pytest.param({"a": "plain"}, {"a": {"b": 1}}, {"a": {"b": 1}}, id="an-object-for-a-value"),
    ],
)
def test_a_patch_updates_and_adds_and_keeps_the_rest(twin, stage, before, patch, after):
    """Each member of the patch takes the place of the one of its name; what the patch does not name stays."""
    stage(twin.establish, before, needs="twin.reported")

    twin.report(patch)

    assert twin.get().reported_members == after


@clause("twin.reported-merge")
@pytest.mark.parametrize("flag", [True, False])
def test_a_boolean_stays_a_boolean(twin, flag):
    """Neither a number nor a text."""
    twin.report({"flag": flag})

    assert twin.get().reported.get("flag") is flag


@clause("twin.reported-null")
@pytest.mark.parametrize(
    ("patch", "after"),
    [
        pytest.param({"a": None}, {"b": "text", "c": {"d": 2}}, id="a-value"),
        pytest.param({"c": None}, {"a": 1, "b": "text"}, id="an-object"),
        pytest.param({"a": None, "b": "new"}, {"b": "new", "c": {"d": 2}}, id="beside-an-update"),
        pytest.param({"a": None, "b": None, "c": None}, {}, id="all"),
    ],
)
def test_null_removes_a_member(twin, stage, patch, after):
    """A member set to null is gone; the others are as they were or as the patch has them."""
    stage(twin.establish, {"a": 1, "b": "text", "c": {"d": 2}}, needs="twin.reported")

    twin.report(patch)

    assert twin.get().reported_members == after


@clause("twin.reported-null-more")
@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"c": {"d": None}}, id="nested"),
        pytest.param({"absent": None}, id="absent"),
        pytest.param({"new": {"e": None}}, id="in-a-new-object"),
    ],
)
def test_null_elsewhere(twin, stage, observed, patch):
    """Seen on real hubs: an emptied object stays, and an absent member does no harm."""
    stage(twin.establish, {"a": 1, "c": {"d": 2}}, needs="twin.reported")

    answer = twin.report(patch)

    observed(f"{answer.outcome}, then {twin.get().reported_in_words}")


@clause("twin.reported-arrays")
@pytest.mark.parametrize(
    "value", [[1, 2], [], [{"a": 1}, "b"]], ids=["numbers", "empty", "of-objects-and-strings"]
)
def test_an_array_as_a_value(twin, observed, value):
    """Not accepted until 2019, accepted in tests that ran on real hubs since."""
    answer = twin.report({"list": value})

    observed(f"{answer.outcome}, then {twin.get().reported_in_words}")


@clause("twin.reported-nothing")
@pytest.mark.parametrize("patch", [{}, {"a": 1}], ids=["empty", "what-is-there"])
def test_a_patch_that_changes_nothing(twin, stage, observed, patch):
    """Whether it counts as a change."""
    before = stage(twin.establish, {"a": 1}, needs="twin.reported")

    answer = twin.report(patch)

    versions = f"version {before.version_in_words}, then {twin.get().reported_version_in_words}"
    observed(f"{answer.outcome}, {versions}")
