"""Which request an answer belongs to.

Document: #retrieving-a-device-twins-properties. Clauses: clauses/twin.toml.

A request carries an id of the device's choice, any value that is valid for a message property, and its answer
carries the same.
"""

import pytest

clause = pytest.mark.clause
writes_twin = pytest.mark.writes_twin

# A request id goes behind.
GET = "$iothub/twin/GET/?$rid="
PATCH = "$iothub/twin/PATCH/properties/reported/?$rid="

both_requests = pytest.mark.parametrize(
    ("topic", "body"),
    [
        pytest.param(GET, b"", id="GET"),
        pytest.param(PATCH, b'{"firmware_version": "v1.1"}', id="PATCH", marks=writes_twin),
    ],
)


@clause("twin.request-id")
@pytest.mark.parametrize(
    "request_id",
    [
        pytest.param("1", id="a-digit"),
        pytest.param("007", id="leading-zeros"),
        pytest.param("aBcXyZ", id="both-cases"),
        pytest.param("3f2504e0-4f89-11d3-9a0c-0305e82c3301", id="GUID"),
        pytest.param("0123456789abcdef-ABCDEF-9876543210-0123456789abcdef-zyxwvutsrqpo", id="64-characters"),
    ],
)
@both_requests
def test_an_answer_carries_the_id_of_its_request(twin, topic, body, request_id):
    """Letters, digits and dashes come back as they were sent."""
    twin.send(topic + request_id, body)

    assert twin.next_answer().request_id == request_id


@clause("twin.request-id")
def test_requests_at_once_are_answered_each_with_its_own_id(twin):
    """Ten GETs are sent before any answer is read: ten answers come, one for each."""
    request_ids = [f"request-{number:02}" for number in range(10)]

    answers = twin.get_all(*request_ids)

    assert sorted(answer.request_id for answer in answers) == request_ids
    twin.connection.expect_no_message()


@clause("twin.request-id")
def test_a_request_id_may_be_used_again(twin):
    """After its answer an id is free."""
    assert [twin.get(request_id="again").request_id for _ in range(2)] == ["again", "again"]


@clause("twin.get-fresh")
@writes_twin
def test_a_get_with_the_request_id_of_an_earlier_one_shows_what_changed(twin, stage):
    """It is a request of its own: the device reported in between, under the same id as well."""
    stage(twin.get, request_id="again", needs="twin.get")
    twin.report({"firmware_version": "v1.1"}, request_id="again")

    assert twin.get(request_id="again").reported_members == {"firmware_version": "v1.1"}


@clause("twin.get-fresh")
def test_a_get_with_the_request_id_of_an_earlier_one_shows_what_the_back_end_changed(
    device, twin, twins, stage
):
    """Likewise, where the back end did."""
    stage(twin.get, request_id="again", needs="twin.get")
    version = twins.patch(device, desired={"interval": 5}).desired.version
    stage(twin.get_since, version, needs="twin.get")

    assert twin.get(request_id="again").desired == {"interval": 5, "$version": version}


@clause("twin.reported-visible")
@pytest.mark.needs("registry")
def test_each_of_two_updates_with_one_request_id_is_applied(twin, everywhere):
    """Behind the answer to the first the id is another update's."""
    twin.report({"firmware_version": "v1.1"}, request_id="again")
    twin.report({"firmware_version": "v1.2", "restarts": 1}, request_id="again")

    assert everywhere.members(twin) == [{"firmware_version": "v1.2", "restarts": 1}]


@clause("twin.request-id")
@writes_twin
def test_a_refusal_carries_the_id_of_its_request(twin):
    """An update that is malformed is answered with its own id too."""
    assert twin.report(b"{", request_id="malformed-1").request_id == "malformed-1"


@clause("twin.request-id-forms")
@pytest.mark.parametrize(
    "request_id",
    [
        pytest.param("a%20b", id="escaped-space"),
        pytest.param("a%2Fb", id="escaped-slash"),
        pytest.param("a%26b", id="escaped-ampersand"),
        pytest.param("%E4%B8%9C", id="escaped-UTF-8"),
        pytest.param("-._~!*'()", id="punctuation"),
        pytest.param("a b", id="space"),
        pytest.param("a=b", id="equals-sign"),
        pytest.param("a/b", id="slash"),
        pytest.param("São", id="UTF-8"),
    ],
)
def test_how_other_request_ids_come_back(twin, observed, request_id):
    """The document allows whatever a property's value may be, and does not speak of its encoding."""
    observed(twin.get(request_id=request_id).echo_of(request_id))


@clause("twin.no-request-id")
@pytest.mark.parametrize("query", ["", "?", "?$rid", "?$rid="])
@pytest.mark.parametrize(
    ("topic", "body"),
    [
        pytest.param("$iothub/twin/GET/", b"", id="GET"),
        pytest.param(
            "$iothub/twin/PATCH/properties/reported/", b'{"firmware": "v1.1"}', id="PATCH", marks=writes_twin
        ),
    ],
)
@pytest.mark.usefixtures("contents")
def test_a_request_without_an_id(twin, readings, topic, body, query, untouched):
    """Nothing states what becomes of it; a success would be an answer to nobody."""
    readings.match(twin.outcome_of(topic + query, body))
    untouched.confirm_others()


@clause("twin.request-qos")
@pytest.mark.parametrize("qos", [0, 1])
def test_a_get_may_have_qos_0_or_1(contents, twin, qos):
    """With QoS 1 a PUBACK comes besides the answer."""
    assert twin.get(qos=qos).properties == contents.before.device_side


@clause("twin.request-qos")
@writes_twin
@pytest.mark.parametrize("qos", [0, 1])
def test_a_patch_may_have_qos_0_or_1(twin, everywhere, qos):
    """The document's sample sends its patch with QoS 0; with QoS 1 a PUBACK comes besides the answer."""
    twin.report({"firmware_version": "v1.1"}, qos=qos)

    assert everywhere.members(twin) == [{"firmware_version": "v1.1"}]


@clause("twin.without-api-version")
@both_requests
def test_a_request_without_api_version(twin_without_api_version, observed, topic, body):
    """Telemetry is known to work on such a connection; a patch was seen to be refused."""
    observed(twin_without_api_version.outcome_of(f"{topic}1", body))


@clause("twin.not-subscribed")
@both_requests
def test_who_has_not_subscribed_gets_no_answer(unsubscribed_twin, topic, body):
    """Without a subscription to $iothub/twin/res/# nothing comes back."""
    unsubscribed_twin.publish(f"{topic}1", body)

    unsubscribed_twin.connection.expect_no_message()


@clause("twin.not-subscribed")
@both_requests
@pytest.mark.usefixtures("contents")
def test_who_has_unsubscribed_gets_no_answer(twin, stage, topic, body):
    """[MQTT-3.10.4-2] Nothing more comes on a filter that was given up."""
    stage(twin.unsubscribe, needs="packets.unsuback")

    twin.publish(f"{topic}1", body)

    twin.connection.expect_no_message()


@clause("twin.patch-without-subscription")
@writes_twin
def test_a_patch_that_is_not_answered_is_applied(unsubscribed_twin, everywhere, stage, observed):
    """The subscription is for learning the result; whether the update needs it is not stated."""
    unsubscribed_twin.publish(f"{PATCH}1", b'{"firmware_version": "v1.1"}')

    unsubscribed_twin.connection.expect_no_message()
    stage(unsubscribed_twin.subscribe, needs="twin.get")
    observed(f"reported {everywhere.members(unsubscribed_twin)}")
