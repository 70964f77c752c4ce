"""One call at a time, authorised, patient within bounds; what fails is one line without a secret."""

import email.utils
import re
import ssl
import time

import pytest
from patience import PATIENCE
from scripted_service import Reply, ScriptedService

from conformance.backend import rest
from conformance.errors import CredentialsRefused, NotInTier, ServiceError, Throttled
from conformance.run import sleeping
from conformance.target.credentials import Secret, sign

KEY = "c2VjcmV0LWtleS0xMjM0"


@pytest.fixture
def service(tmp_path):
    scripted = ScriptedService(tmp_path)
    yield scripted
    scripted.close()


@pytest.fixture
def waits():
    return []


@pytest.fixture
def client(service, waits):
    made = service.client(sleep=waits.append)
    yield made
    made.close()


def test_a_call_is_authorised_by_the_policy_for_the_whole_hub(service, client):
    service.replies = [Reply(200, {"a": 1})]

    assert client.call("GET", "devices", "a/b c").json == {"a": 1}

    request = service.requests[0]
    assert (request.method, request.path) == ("GET", "/devices/a%2Fb%20c?api-version=2021-04-12")
    resource, expiry = (
        f"localhost%3A{service.port}",
        request.headers["Authorization"].split("&se=")[1].split("&")[0],
    )
    signature = sign(resource, expiry, KEY).replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    assert request.headers["Authorization"] == (
        f"SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn=service"
    )
    assert 3600 - PATIENCE < int(expiry) - time.time() <= 3600


def test_body_and_etag_are_sent(service, client):
    service.replies = [Reply(204)]

    assert client.call("PUT", "devices", "d", body={"x": [1]}, if_match="*").status == 204

    assert service.requests[0].body == {"x": [1]}
    assert service.requests[0].headers["If-Match"] == "*"


def test_keys_are_revealed_on_the_wire_alone(service, client):
    service.replies = [Reply(204)]

    client.call("PUT", "devices", "d", body={"keys": [Secret(KEY)]})

    assert service.requests[0].body == {"keys": [KEY]}
    with pytest.raises(TypeError, match="a bytes is not JSON"):
        client.call("PUT", "devices", "d", body={"key": b""})


def test_retry_after_is_honoured_in_seconds_and_as_a_date(service, client, waits):
    in_ninety_seconds = email.utils.formatdate(time.time() + 90, usegmt=True)
    service.replies = [
        Reply(429, {}, {"Retry-After": "7"}),
        Reply(429, {}, {"Retry-After": in_ninety_seconds}),
        Reply(200, {}),
    ]

    client.call("GET", "devices", "d")

    assert waits[0] == 7.0
    assert 90 - PATIENCE < waits[1] <= 90


def test_without_retry_after_each_wait_is_twice_the_last(service, client, waits):
    service.replies = [Reply(429), Reply(429), Reply(429), Reply(200, {})]

    client.call("GET", "devices", "d")

    assert waits == [1, 2, 4]


def test_patience_ends(service, client, waits):
    service.replies = [Reply(429, {}, {"Retry-After": "50"})] * 9

    with pytest.raises(
        Throttled, match=r"GET /devices/d at localhost:\d+: still throttled after 100 s\. Run fewer"
    ):
        client.call("GET", "devices", "d")

    assert waits == [50, 50]


def test_waiting_is_counted(service, tmp_path):
    service.replies = [Reply(429, {}, {"Retry-After": "0"}), Reply(200, {})]
    counted = service.client()
    before = sleeping.slept_seconds()

    counted.call("GET", "devices", "d")

    assert sleeping.slept_seconds() - before >= 0.1
    counted.close()


def test_server_trouble_is_worth_three_more_tries(service, client, waits):
    service.replies = [Reply(503), Reply(500), Reply(502), Reply(200, {})]
    client.call("PUT", "devices", "d", body={})

    service.replies = [Reply(503, {"Message": "ErrorCode:ServerBusy;x"})] * 4
    with pytest.raises(ServiceError, match="503 ServerBusy"):
        client.call("PUT", "devices", "d", body={})

    assert waits == [1, 2, 4, 1, 2, 4]


def test_a_lost_answer_is_asked_for_again_only_if_that_changes_nothing(service, client):
    service.replies = [Reply(None), Reply(200, {})]
    assert client.call("GET", "devices", "d").status == 200

    service.replies = [Reply(None), Reply(200, {})]
    with pytest.raises(ServiceError, match="POST /devices"):
        client.call("POST", "devices", body=[])


def test_a_refused_policy_is_named(service, client):
    service.replies = [Reply(401, {"Message": "ErrorCode:IotHubUnauthorizedAccess;Unauthorized"})]

    with pytest.raises(CredentialsRefused) as caught:
        client.call("GET", "devices", "d")

    assert str(caught.value) == (
        f"GET /devices/d at localhost:{service.port}: the policy 'service' is refused "
        "(401 IotHubUnauthorizedAccess: Unauthorized). Check the key and the rights of the connection string "
        "in [service]. A hub with local authentication disabled (Entra ID alone) takes no policy, and cannot "
        "be judged."
    )


@pytest.mark.parametrize("words", ["", "Forbidden", "AccessDenied"])
def test_a_policy_may_be_refused_with_403(service, client, words):
    """A hub of Azure says 401, others keep to HTTP."""
    service.replies = [Reply(403, {"Message": f"ErrorCode:{words};"})]

    with pytest.raises(CredentialsRefused, match=rf"the policy 'service' is refused \(403 ?{words}\)"):
        client.call("GET", "devices", "d")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(403, {}, {"iothub-errorcode": "OperationNotAvailableInCurrentTier"}),
        Reply(403, {"Message": '{"errorCode":403010,"message":"no"}'}),
        Reply(400, {"Message": "Not supported in the basic tier."}),
    ],
    ids=["name", "number", "sentence"],
)
def test_what_is_not_in_the_tier_is_told_apart(service, client, reply):
    """Also where the caller would take the status for an outcome."""
    service.replies = [reply]

    with pytest.raises(NotInTier, match=r"^GET /devices/d at localhost:\d+: not in this hub's tier"):
        client.call("GET", "devices", "d", accept=(200, 400, 403))


@pytest.mark.parametrize("field", ["Date", "Retry-After"])
@pytest.mark.parametrize("moment", ["Mon, 99 Zzz 99999999999 99:99:99 GMT", "now"])
def test_a_time_that_is_none_is_none(service, client, waits, field, moment):
    service.replies = [Reply(429, {}, {field: moment}), Reply(200, {}, {field: moment})]

    client.call("GET", "devices", "d")

    assert waits == [1.0]
    assert client.clock_difference is None


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        pytest.param(
            Reply(404, {}, {"iothub-errorcode": "DeviceNotFound"}), "404 DeviceNotFound", id="header"
        ),
        pytest.param(
            Reply(404, {"Message": "ErrorCode:DeviceNotFound;gone"}), "404 DeviceNotFound: gone", id="message"
        ),
        pytest.param(Reply(412, {"Message": '{"errorCode":412001}'}), "412 412001", id="number"),
        pytest.param(
            Reply(403, {"Message": '{"errorCode":403002,"message":"Too many devices."}'}),
            "403 403002: Too many devices",
            id="number-and-words",
        ),
        pytest.param(Reply(418, b"<html>"), "418", id="no-json"),
        pytest.param(Reply(418, [1]), "418", id="no-object"),
    ],
)
def test_an_error_has_the_services_word(service, client, reply, error):
    service.replies = [reply]

    with pytest.raises(ServiceError, match=rf"^GET /devices/d at localhost:\d+: {error}\.$"):
        client.call("GET", "devices", "d")


def test_an_answer_that_is_not_json_is_one_line(service, client):
    service.replies = [Reply(200, b"<html>")]

    with pytest.raises(ServiceError, match="200 with a body that is not JSON"):
        _ = client.call("GET", "devices", "d").json


def test_nobody_there_is_told_after_some_tries(service, waits, deserted_port):
    client = service.client(port=deserted_port, sleep=waits.append)

    with pytest.raises(ServiceError, match=r"Connection refused\. Is the hub's HTTPS port right\?"):
        client.call("GET", "devices", "d")

    assert waits == [1, 2, 4]
    client.close()


def test_an_untrusted_certificate_is_told_at_once(service, waits, tmp_path):
    (tmp_path / "other").mkdir()
    other = ScriptedService(tmp_path / "other")
    stranger = service.client(verify=ssl.create_default_context(cafile=other.ca_file), sleep=waits.append)

    with pytest.raises(ServiceError, match="CERTIFICATE_VERIFY_FAILED"):
        stranger.call("GET", "devices", "d")

    assert waits == []
    other.close()
    stranger.close()


def test_clocks_are_compared(service, client):
    service.replies = [Reply(200, {}, {"Date": email.utils.formatdate(time.time() + 900, usegmt=True)})]
    assert client.clock_difference is None

    client.call("GET", "devices", "d")

    assert client.clock_difference is not None
    assert 900 - PATIENCE < client.clock_difference < 900 + PATIENCE


def test_a_token_is_renewed_before_it_ends(service, client, monkeypatch):
    service.replies = [Reply(200, {})] * 3
    began = time.time()

    for later in (0, 2900, 3100):
        monkeypatch.setattr(rest.time, "time", lambda later=later: began + later)
        client.call("GET", "devices", "d")

    first, second, third = (re.search(r"se=(\d+)", r.headers["Authorization"])[1] for r in service.requests)
    assert first == second != third
