"""Identities by their documents: what was answered is told, a refusal too, and no key shows in it."""

import pytest
from scripted_service import Reply as Answered
from violations import observed

from conformance.backend.identities import ABSENT, BulkReply, Identities
from conformance.errors import CredentialsRefused, ServiceError
from conformance.target.credentials import Secret

KEY = "c2VjcmV0LWtleS0xMjM0"
DOCUMENT = {
    "deviceId": "d",
    "etag": '"AA"',
    "status": "enabled",
    "statusUpdatedTime": "0001-01-01T00:00:00",
    "lastActivityTime": "2026-11-30T12:00:00.5Z",
    "connectionStateUpdatedTime": "yesterday",
    "authentication": {"type": "sas", "symmetricKey": {"primaryKey": KEY, "secondaryKey": None}},
}
NOT_FOUND = Answered(404, {"Message": "ErrorCode:DeviceNotFound;d"})


@pytest.fixture
def identities(rest):
    client = rest.client(sleep=lambda _: None)
    yield Identities(client, sleep=lambda _: None)
    client.close()


def asked(rest):
    request = rest.requests[-1]
    return request.method, request.path.partition("?")[0], request.headers.get("If-Match"), request.body


def test_an_identity_is_read(rest, identities):
    rest.replies = [Answered(200, DOCUMENT)]

    found = identities.get("d")

    assert (found.outcome, found.etag, found["nothing"]) == ("200", "AA", ABSENT)
    assert found.shows("status", "authentication.type", "authentication.type.more") == {
        "status": "enabled",
        "authentication.type": "sas",
        "authentication.type.more": ABSENT,
    }
    assert found["authentication.symmetricKey"] == {"primaryKey": Secret(KEY), "secondaryKey": None}
    assert KEY not in repr(found)
    assert asked(rest) == ("GET", "/devices/d", None, None)


def test_a_whole_path_is_escaped(rest, identities):
    rest.replies = [Answered(200, DOCUMENT), NOT_FOUND]

    assert identities.get_by_escaped_path("d:1")["deviceId"] == "d"
    assert asked(rest) == ("GET", "/devices%2Fd%3A1", None, None)
    assert identities.get_by_escaped_path("d").outcome == "404 DeviceNotFound"


def test_times_are_read(rest, identities):
    rest.replies = [Answered(200, DOCUMENT)]
    found = identities.get("d")

    assert found.time("statusUpdatedTime") is None
    assert found.time("lastActivityTime") == pytest.approx(1796040000.5)
    assert observed(lambda: found.time("connectionStateUpdatedTime")) == "no time"


def test_a_refusal_is_an_answer_whose_members_nobody_has(rest, identities):
    rest.replies = [NOT_FOUND]
    found = identities.get("d")

    assert (found.status, found.outcome) == (404, "404 DeviceNotFound")
    assert observed(lambda: found["status"]) == "404"


@pytest.mark.parametrize(
    ("call", "request_"),
    [
        pytest.param(
            lambda identities: identities.create("d", status="disabled"),
            ("PUT", "/devices/d", None, {"deviceId": "d", "status": "disabled"}),
            id="create",
        ),
        pytest.param(
            lambda identities: identities.create("d/m", authentication={"keys": Secret(KEY)}),
            (
                "PUT",
                "/devices/d/modules/m",
                None,
                {"deviceId": "d", "moduleId": "m", "authentication": {"keys": KEY}},
            ),
            id="create-module",
        ),
        pytest.param(
            lambda identities: identities.replace("d", etag="AA"),
            ("PUT", "/devices/d", '"AA"', {"deviceId": "d"}),
            id="replace",
        ),
        pytest.param(
            lambda identities: identities.delete("d"), ("DELETE", "/devices/d", "*", None), id="delete"
        ),
    ],
)
def test_a_change_is_one_call(rest, identities, call, request_):
    rest.replies = [Answered(200, DOCUMENT)]

    assert call(identities).status == 200
    assert asked(rest) == request_


def test_a_deletion_has_no_members(rest, identities):
    rest.replies = [Answered(204)]

    assert identities.delete("d").outcome == "204"


def test_lists_are_of_replies(rest, identities):
    rest.replies = [
        Answered(200, [DOCUMENT]),
        Answered(200, [DOCUMENT, {"moduleId": "m"}]),
        Answered(200, {}),
    ]

    assert [each["deviceId"] for each in identities.first(1)] == ["d"]
    assert rest.requests[0].path.partition("?")[2].split("&")[-1] == "top=1"
    assert [each["moduleId"] for each in identities.modules_of("d")] == [ABSENT, "m"]
    with pytest.raises(ServiceError, match="no JSON array"):
        identities.first(1)


def test_many_changes_are_told_by_name(rest, identities):
    errors = [
        {"deviceId": "a", "errorCode": 409001},
        {"deviceId": "b", "moduleId": "m", "errorCode": "404010"},
        {"deviceId": "c", "errorCode": "Other"},
    ]
    rest.replies = [
        Answered(400, {"isSuccessful": False, "errors": errors}),
        Answered(400, {"Message": "ErrorCode:IotHubFormatError;"}),
    ]

    assert identities.change_many([{"id": "a", "importMode": "create"}]) == BulkReply(
        400,
        is_successful=False,
        failures={"a": "DeviceAlreadyExists", "b/m": "ModuleNotFound", "c": "Other"},
    )
    assert identities.change_many([]) == BulkReply(400, is_successful="IotHubFormatError", failures={})


def test_a_member_is_awaited(rest, identities):
    rest.replies = [
        Answered(200, {"connectionState": state}) for state in ("Disconnected", "Disconnected", "Connected")
    ]

    assert identities.await_member("d", "connectionState", "Connected", within=60) == "Connected"
    assert len(rest.requests) == 3


def test_a_member_is_awaited_no_longer_than_asked_for(rest, identities):
    rest.replies = [Answered(200, {"connectionState": "Disconnected"})]

    assert identities.await_member("d", "connectionState", "Connected", within=0) == "Disconnected"


def test_a_time_is_awaited(rest, identities):
    rest.replies = [
        Answered(200, {"lastActivityTime": when}) for when in ("0001-01-01T00:00:00Z", "1970-01-01T00:01:40Z")
    ]

    assert identities.await_time("d", "lastActivityTime", within=60) == 100


def test_a_time_is_awaited_no_longer_than_asked_for(rest, identities):
    rest.replies = [Answered(200, {"lastActivityTime": "0001-01-01T00:00:00Z"})]

    assert identities.await_time("d", "lastActivityTime", within=0) is None


def test_a_right_that_is_missing_is_no_answer(rest, identities):
    rest.replies = [Answered(401)]

    with pytest.raises(CredentialsRefused):
        identities.get("d")
