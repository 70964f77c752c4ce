"""Reading the twin from the device.

Document: #retrieving-a-device-twins-properties. Clauses: clauses/twin.toml.

A device subscribes to $iothub/twin/res/#, publishes to $iothub/twin/GET/?$rid={request id}, and gets the
properties section of its twin: desired and reported, each with a version of its own.
"""

import pytest

clause = pytest.mark.clause
writes_twin = pytest.mark.writes_twin


@clause("twin.subscribe")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_the_filter_of_answers_can_be_subscribed_to(connection, qos):
    """Whatever QoS is asked for, the SUBACK holds no failure."""
    assert connection.subscribe("$iothub/twin/res/#", qos=qos) != 128


@clause("twin.get")
def test_a_get_is_answered_on_the_documented_topic(twin):
    """The answer comes on $iothub/twin/res/{status}/?$rid={request id}, and there is one."""
    answer = twin.get(request_id="get-1")

    assert answer.topic == f"$iothub/twin/res/{answer.status}/?$rid=get-1"
    twin.connection.expect_no_message()


@clause("twin.get-status")
def test_a_get_has_a_status_of_success(twin, readings):
    """200 or 204, by which of its two tables was meant; the properties come with either."""
    readings.match(twin.get().outcome_with_body)


@clause("twin.get-body")
@writes_twin
def test_the_answer_holds_both_sections_as_they_were_set(device, twin, twins, stage):
    """What the back end desired and what the device reported come back, each with its $version."""
    desired = {"telemetrySendFrequency": "5m", "limits": {"low": -1.5, "high": 90}, "alarm": False}
    reported = {"telemetrySendFrequency": "5m", "batteryLevel": 55, "cidade": "São Paulo"}
    set_by_service = twins.patch(device, desired=desired)
    stage(twin.establish, {"batteryLevel": 56}, needs="twin.reported")  # so that the versions differ
    set_by_device = stage(twin.establish, reported, needs="twin.reported")

    assert twin.get_since(set_by_service.desired.version).properties == {
        "desired": {**desired, "$version": set_by_service.desired.version},
        "reported": {**reported, "$version": set_by_device.version},
    }


@clause("twin.get-body")
def test_the_sections_of_a_new_twin_have_nothing_but_versions(device, twin, twins):
    """Before anybody sets anything, both sections are there, with the versions that the back end reads."""
    new = twins.get(device)

    assert twin.get().properties == {
        "desired": {"$version": new.desired.version},
        "reported": {"$version": new.reported.version},
    }


@clause("twin.get-body")
def test_both_sections_are_there_with_a_version(twin):
    """Whatever is set in them, and if nothing is."""
    answer = twin.get()

    versions = answer.desired.get("$version"), answer.reported.get("$version")
    assert [type(version).__name__ for version in versions] == ["int", "int"]


@clause("twin.get-body")
@pytest.mark.usefixtures("contents")
def test_versions_are_integers(twin):
    """Not 3.0, which counts as equal to 3, and not text."""
    answer = twin.get()

    versions = answer.desired.get("$version"), answer.reported.get("$version")
    assert [type(version).__name__ for version in versions] == ["int", "int"]


@clause("twin.get-body")
@pytest.mark.parametrize("flag", [True, False])
def test_a_boolean_comes_back_as_one(device, twin, twins, flag):
    """Neither a number nor a text."""
    changed = twins.patch(device, desired={"flag": flag})

    assert twin.get_since(changed.desired.version).desired.get("flag") is flag


@clause("twin.get-members")
@pytest.mark.usefixtures("contents")
def test_what_else_the_answer_holds(twin, observed):
    """Neither tags nor metadata were seen in traces, nor anything else."""
    answer = twin.get()

    observed(f"{answer.body_in_words}; of the hub's own: {', '.join(answer.members_of_the_hub)}")


@clause("twin.no-tags")
def test_the_answer_shows_no_tags(device, twin, twins):
    """Neither their name nor what is in them."""
    twins.patch(device, tags={"site": "behind the hall"})

    answer = twin.get()
    assert "tags" not in answer.document
    assert b"behind the hall" not in answer.body


@clause("twin.tags-null")
def test_null_in_place_of_tags(device, twins, observed):
    """Whether a patch with null clears them, or leaves them alone."""
    twins.patch(device, tags={"site": "hall", "rack": 7})

    status = twins.attempt_to_clear(device, "tags")

    observed(f"status {status}, then tags {dict(twins.get(device).tags)}")


@clause("twin.desired-read-only")
@writes_twin
@pytest.mark.parametrize("query", ["?$rid=1", "?$version=9", ""], ids=["request-id", "version", "nothing"])
@pytest.mark.needs("registry")
def test_a_device_cannot_change_desired_properties(contents, twin, query):
    """Whatever the hub does with it, the back end reads the twin as it was, reported properties included."""
    twin.outcome_of(f"$iothub/twin/PATCH/properties/desired/{query}", b'{"interval": 9}')

    assert contents.at_the_back_end() == contents.before.service_side


@clause("twin.desired-read-only")
@writes_twin
def test_a_device_gets_what_was_desired_before_it_tried_to_change_that(contents, reconnect, twin):
    """The hub may close the connection of who tries; on the next one the twin is as it was."""
    twin.outcome_of("$iothub/twin/PATCH/properties/desired/?$rid=1", b'{"interval": 9}')

    assert reconnect(twin).get().properties == contents.before.device_side


@clause("twin.new-versions")
def test_the_versions_of_a_new_twin(twin, observed):
    """Both were seen to be 1."""
    answer = twin.get()

    observed(f"desired {answer.desired.get('$version')}, reported {answer.reported.get('$version')}")


@clause("twin.get-fresh")
def test_a_get_shows_what_the_back_end_changed(device, contents, twin, twins):
    """Desired properties and their version follow; what was reported, and its version, stay."""
    changed = twins.patch(device, desired={"interval": 6})

    assert twin.get_since(changed.desired.version).properties == {
        "desired": {"interval": 6, "route": {"via": "north"}, "$version": changed.desired.version},
        "reported": contents.before.device_side["reported"],
    }


@clause("twin.get-fresh")
def test_a_get_shows_what_the_back_end_replaced(device, contents, twin, twins):
    """After a replacement nothing is left of the desired properties before it."""
    replaced = twins.replace(device, desired={"mode": "night"}, tags={})

    assert twin.get_since(replaced.desired.version).properties == {
        "desired": {"mode": "night", "$version": replaced.desired.version},
        "reported": contents.before.device_side["reported"],
    }


@clause("twin.get-fresh")
@writes_twin
def test_a_get_shows_what_the_device_reported(contents, twin):
    """Reported properties and their version follow; what is desired, and its version, stay."""
    answer = twin.report({"firmware": "v1.1"})

    assert twin.get().properties == {
        "desired": contents.before.device_side["desired"],
        "reported": {"firmware": "v1.1", "limits": {"low": 1, "high": 9}, "$version": answer.version},
    }


@clause("twin.get-fresh")
def test_a_get_shows_what_was_set_before_the_connection(contents, reconnected_twin):
    """The twin belongs to the device, not to its session: it is the same on the next connection."""
    assert reconnected_twin.get().properties == contents.before.device_side


@clause("twin.get-payload")
@pytest.mark.parametrize("body", [b"", b" ", b"{}"], ids=["empty", "one-space", "empty-object"])
def test_the_body_of_a_get_is_not_looked_at(contents, twin, body):
    """The document wants it empty; SDKs also send a space or an empty object."""
    assert twin.get(payload=body).properties == contents.before.device_side
