"""Twins are read into values and changed as asked; a change that the hub refuses is an error or a status."""

import json

import pytest
from scripted_service import Reply
from violations import observed

from conformance.backend.call_log import Journal
from conformance.backend.twins import Section, Twin, Twins
from conformance.errors import CredentialsRefused, ServiceError, Throttled
from conformance.target.credentials import Identity, random_key

KEY = "c2VjcmV0LWtleS0xMjM0"
DOCUMENT = {
    "deviceId": "d",
    "etag": "AAAAAAAAAAI=",
    "version": 5,
    "connectionState": "Connected",
    "tags": {"floor": 2},
    "properties": {
        "desired": {"a": {"b": 1}, "$metadata": {"$lastUpdated": "x"}, "$version": 3},
        "reported": {"c": None, "$metadata": {}, "$version": 4},
    },
}
TWIN = Twin(
    device_id="d",
    module_id=None,
    etag="AAAAAAAAAAI=",
    version=5,
    desired=Section(values={"a": {"b": 1}}, version=3),
    reported=Section(values={"c": None}, version=4),
    tags={"floor": 2},
    connection_state="Connected",
)


@pytest.fixture
def twins(rest, transcript):
    journal = Journal()
    journal.follow(transcript)
    client = rest.client(sleep=lambda _: None, journal=journal)
    yield Twins(client)
    client.close()


def asked(rest):
    request = rest.requests[-1]
    return request.method, request.path.partition("?")[0], request.headers.get("If-Match"), request.body


def test_a_twin_is_read(rest, twins):
    rest.replies = [Reply(200, DOCUMENT)]

    assert twins.get("d") == TWIN
    assert asked(rest) == ("GET", "/twins/d", None, None)


@pytest.mark.parametrize(
    "of",
    ["d/m", Identity(device_id="d", module_id="m", primary_key=random_key())],
    ids=["name", "identity"],
)
def test_a_module_has_a_twin_of_its_own(rest, twins, of):
    rest.replies = [Reply(200, {**DOCUMENT, "moduleId": "m"})]

    assert twins.get(of).module_id == "m"
    assert asked(rest)[1] == "/twins/d/modules/m"


def test_a_twin_without_tags_or_state_has_none(rest, twins):
    rest.replies = [Reply(200, {n: v for n, v in DOCUMENT.items() if n not in {"tags", "connectionState"}})]

    twin = twins.get("d")

    assert (twin.tags, twin.connection_state) == ({}, None)


def test_a_patch_names_only_what_changes(rest, twins):
    rest.replies = [Reply(200, DOCUMENT)] * 3

    assert twins.patch("d", desired={"a": None}) == TWIN
    assert asked(rest) == ("PATCH", "/twins/d", "*", {"properties": {"desired": {"a": None}}})
    twins.patch("d", tags={"floor": 3})
    assert asked(rest) == ("PATCH", "/twins/d", "*", {"tags": {"floor": 3}})
    twins.patch("d", desired={}, tags={}, etag=TWIN.etag)
    assert asked(rest) == (
        "PATCH",
        "/twins/d",
        '"AAAAAAAAAAI="',
        {"properties": {"desired": {}}, "tags": {}},
    )


def test_a_patch_of_bytes_is_sent_as_it_is_written(rest, twins, transcript):
    document = json.dumps(DOCUMENT, indent=1).encode()
    rest.replies = [Reply(200, document)] * 2

    twin = twins.patch_as_written("d", desired=b'{"a": 1.0}')
    twins.patch_as_written("d", tags=rb'{"a": "\u0041"}')

    assert [request.data for request in rest.requests] == [
        b'{"properties":{"desired":{"a": 1.0}}}',
        rb'{"tags":{"a": "\u0041"}}',
    ]
    assert (twin, twin.document) == (TWIN, document)
    assert transcript.entries[0].text == 'PATCH /twins/d {"properties":{"desired":{"a": 1.0}}}'


@pytest.mark.parametrize("status", [400, 404, 412])
def test_a_patch_of_bytes_that_is_refused_is_a_violation(rest, twins, status):
    rest.replies = [Reply(status, {"Message": "ErrorCode:Words;x"})]

    assert observed(twins.patch_as_written, "d", desired=b"{}") == str(status)


def test_a_replacement_is_a_put(rest, twins):
    rest.replies = [Reply(200, DOCUMENT)]

    assert twins.replace("d/m", desired={"only": 1}) == TWIN
    assert asked(rest) == (
        "PUT",
        "/twins/d/modules/m",
        "*",
        {"properties": {"desired": {"only": 1}}, "tags": {}},
    )


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_of_ours_is_no_status(rest, twins, status):
    rest.replies = [Reply(status, {"Message": "ErrorCode:Unauthorized;x"})]

    with pytest.raises(CredentialsRefused):
        twins.attempt_to_patch("d", desired={"a": 1})


@pytest.mark.parametrize("status", [400, 404, 412])
def test_a_refusal_is_an_error_or_a_status(rest, twins, status):
    rest.replies = [Reply(status, {"Message": "ErrorCode:Words;x"})] * 2

    assert twins.attempt_to_patch("d", desired={"a": 1}) == str(status)
    with pytest.raises(ServiceError, match=rf"^PATCH /twins/d at localhost:\d+: {status} Words: x\.$"):
        twins.patch("d", desired={"a": 1})


@pytest.mark.parametrize(
    ("section", "body"), [("desired", {"properties": {"desired": None}}), ("tags", {"tags": None})]
)
def test_null_stands_in_place_of_a_section(rest, twins, section, body):
    rest.replies = [Reply(200, DOCUMENT), Reply(400, {"Message": "ErrorCode:ArgumentInvalid;x"})]

    assert [twins.attempt_to_clear("d", section) for _ in range(2)] == ["200", "400"]
    assert [request.body for request in rest.requests] == [body] * 2


def test_a_hub_under_load_is_asked_again(rest, twins):
    rest.replies = [Reply(429, {}, {"Retry-After": "1"}), Reply(200, DOCUMENT)]
    assert twins.attempt_to_patch("d", tags={}) == "200"

    rest.replies = [Reply(429, {}, {"Retry-After": "100"})] * 2
    with pytest.raises(Throttled):
        twins.attempt_to_patch("d", tags={})


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {**DOCUMENT, "properties": {"desired": {}, "reported": {}}},
        {**DOCUMENT, "properties": None},
        {n: v for n, v in DOCUMENT.items() if n != "etag"},
    ],
)
def test_what_is_no_twin_is_told(rest, twins, document):
    rest.replies = [Reply(200, document)]

    with pytest.raises(ServiceError, match="the answer is not a twin"):
        twins.get("d")


def test_question_and_answer_are_written_down(rest, twins, transcript):
    rest.replies = [Reply(200, DOCUMENT), Reply(412, {"Message": "ErrorCode:PreconditionFailed;x"})]

    twins.patch("d", desired={"a": 1})
    twins.attempt_to_patch("d", desired={"a": 1}, etag="old")

    lines = [entry.text for entry in transcript.entries]
    assert lines[0] == 'PATCH /twins/d {"properties": {"desired": {"a": 1}}}'
    assert lines[1].startswith('PATCH /twins/d: 200 {"deviceId": "d", "etag": "AAAAAAAAAAI="')
    assert lines[3] == (
        'PATCH /twins/d: 412 PreconditionFailed {"Message": "ErrorCode:PreconditionFailed;x"}'
    )


def test_a_long_body_is_cut_in_the_transcript_alone(rest, twins, transcript):
    rest.replies = [Reply(200, DOCUMENT)]

    twins.patch("d", desired={"a": "x" * 4000})

    assert transcript.entries[0].text.endswith("… (4038 characters)")
    assert len(rest.requests[0].body["properties"]["desired"]["a"]) == 4000


def test_the_embedded_hub_changes_a_twin_as_asked(back_end):
    twins, device = back_end.service.twins, back_end.device()
    before = twins.get(device)

    patched = twins.patch(device, desired={"a": {"x": 1, "y": 2}}, tags={"floor": 1})
    merged = twins.patch(device, desired={"a": {"x": None}})
    replaced = twins.replace(device, desired={"b": 1})

    assert (before.desired.values, before.reported.values, before.tags) == ({}, {}, {})
    assert patched.desired.values == {"a": {"x": 1, "y": 2}}
    assert merged.desired.values == {"a": {"y": 2}}
    assert (patched.tags, merged.tags) == ({"floor": 1}, {"floor": 1})
    assert (replaced.desired.values, replaced.tags) == ({"b": 1}, {})
    versions = [twin.desired.version for twin in (before, patched, merged, replaced)]
    assert versions == sorted(set(versions))
    assert twins.get(device) == replaced


def test_the_embedded_hub_heeds_an_etag(back_end):
    twins, device = back_end.service.twins, back_end.device()
    before = twins.get(device)
    now = twins.patch(device, desired={"a": 1}, etag=before.etag)

    assert twins.attempt_to_patch(device, desired={"a": 2}, etag=before.etag) == "412"
    assert twins.get(device) == now


def test_the_embedded_hub_knows_no_such_twin(back_end):
    with pytest.raises(ServiceError, match="404 DeviceNotFound"):
        back_end.service.twins.get("nobody")
