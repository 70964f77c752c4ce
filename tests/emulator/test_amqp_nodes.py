"""`$cbs` and `$management`: requests and replies."""

import uuid

import pytest
from amqp_peer import AUDIENCE, ENTITY, NOW, Peer, event, fill, hub, token

from iothub_emulator.amqp.cbs import MAX_AUTHORISATIONS
from iothub_emulator.amqp.values import Array, Int, Long, Timestamp, Ulong

OTHER_KEY = "b3RoZXIta2V5"


@pytest.mark.parametrize("key_is_text", [True, False], ids=["event-hubs", "iot-hub"])
@pytest.mark.parametrize("policy", ["service", "iothubowner"])
def test_a_good_token_is_accepted(policy, key_is_text):
    """Event Hubs' clients sign with the key's text, IoT Hub's with what it decodes to."""
    peer = Peer().open()

    assert peer.status_of_put_token(token(peer.runtime, policy=policy, key_is_text=key_is_text)) == 200


def test_the_secondary_key_signs_too():
    peer = Peer().open()
    key = peer.runtime.policies["service"].secondary_key

    assert peer.status_of_put_token(token(peer.runtime, key=key)) == 200


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"key": OTHER_KEY}, id="wrong-key"),
        pytest.param({"policy": "device"}, id="policy-without-the-right"),
        pytest.param({"policy": "registryReadWrite"}, id="registry-policy"),
        pytest.param({"expires_in": -301}, id="expired"),
        pytest.param({"resource": "sb://localhost/other-entity"}, id="token-for-another-entity"),
        pytest.param({"resource": "sb://elsewhere.example/iothub-emulator"}, id="another-hub"),
    ],
)
def test_a_token_that_opens_nothing_is_answered_401(options):
    peer = Peer().open()
    resource = options.pop("resource", AUDIENCE)
    text = token(peer.runtime, resource, **{"key": None} | options)
    reply = peer.put_token(text)

    assert reply.application_properties["status-code"] == 401
    assert "error-condition" not in reply.application_properties
    assert not peer.connection.directory.authorisations.any()


def test_an_unknown_policy_is_answered_401():
    peer = Peer().open()
    text = token(peer.runtime).replace("skn=service", "skn=nobody")

    assert peer.status_of_put_token(text) == 401


def test_no_answer_holds_a_part_of_the_token():
    peer = Peer().open()
    text = token(peer.runtime, key=OTHER_KEY)
    reply = peer.put_token(text)
    signature = text.partition("sig=")[2].partition("&")[0]

    assert signature not in str(reply)


@pytest.mark.parametrize(
    ("text", "properties", "status"),
    [
        pytest.param("not a token", {}, 401, id="no-token"),
        pytest.param("", {}, 401, id="empty-token"),
        pytest.param(b"bytes", {}, 400, id="bytes"),
        pytest.param(None, {"name": None}, 400, id="no-name"),
        pytest.param(None, {"type": "jwt"}, 401, id="bearer-token"),
        pytest.param(None, {"operation": "delete-token"}, 400, id="other-operation"),
    ],
)
def test_a_request_that_is_none_has_its_status(text, properties, status):
    assert Peer().open().status_of_put_token(text, **properties) == status


@pytest.mark.parametrize(
    "identifier",
    [Ulong(2), uuid.UUID(int=7), "cbs-1", b"\x01"],
    ids=["ulong", "uuid", "string", "binary"],
)
def test_the_reply_carries_the_request_id_with_its_type(identifier):
    """uamqp sends a ulong, azure-eventhub a uuid, Node a string; each looks for exactly that."""
    peer = Peer().open()
    reply = peer.request("$cbs", {"operation": "x"}, message_id=identifier)

    assert reply.properties.correlation_id == identifier
    assert type(reply.properties.correlation_id) is type(identifier)


def test_the_status_is_an_int_and_the_description_a_string():
    reply = Peer().open().put_token()

    assert reply.application_properties == {"status-code": 200, "status-description": "OK"}
    assert type(reply.application_properties["status-code"]) is Int
    assert reply.value == (None,)


def test_a_reply_goes_where_it_is_asked_to():
    peer = Peer().open()
    peer.attach_receiver("$cbs", name="first", handle=20, credit=5)
    peer.attach_receiver("$cbs", name="second", handle=21, credit=5)
    peer.attach_sender("$cbs", name="s", handle=22)
    peer._nodes = {"$cbs": 21}
    reply = peer.request("$cbs", {"operation": "x"}, reply_to="first")

    assert reply.properties.to == "first"


def test_audiences_on_one_connection_are_bounded():
    peer = Peer().open()
    statuses = []
    for number in range(MAX_AUTHORISATIONS + 1):
        audience = f"sb://localhost/{ENTITY}/consumergroups/{number}"
        statuses.append(peer.status_of_put_token(audience=audience, text=token(peer.runtime, audience)))
        peer.flow(100, 100, delivered=number + 1)

    assert statuses == [200] * MAX_AUTHORISATIONS + [403]


# $management


def reader(runtime=None):
    peer = Peer(runtime or hub()).open()
    peer.put_token(audience=f"sb://localhost/{ENTITY}")
    return peer


def read(peer, kind, **properties):
    reply = peer.request("$management", {"operation": "READ", "type": f"com.microsoft:{kind}"} | properties)
    return reply.application_properties, reply.value[0]


def test_the_event_hub_describes_itself():
    status, value = read(reader(hub(partitions=3)), "eventhub", name=ENTITY)

    assert status["status-code"] == 200
    assert value == {
        "name": ENTITY,
        "type": "com.microsoft:eventhub",
        "created_at": NOW * 1000,
        "partition_count": 3,
        "partition_ids": Array(("0", "1", "2")),
    }
    assert type(value["created_at"]) is Timestamp


def test_a_partition_describes_itself():
    runtime = hub(telemetry_log_events=2)
    runtime.telemetry.append(event(at=NOW - 10), 1)
    runtime.telemetry.append(event(at=NOW - 9), 1)
    runtime.telemetry.append(event(at=NOW - 8.5), 1)
    status, value = read(reader(runtime), "partition", name=ENTITY, partition="1")

    assert status["status-code"] == 200
    assert value == {
        "name": ENTITY,
        "type": "com.microsoft:partition",
        "partition": "1",
        "begin_sequence_number": 1,
        "last_enqueued_sequence_number": 2,
        "last_enqueued_offset": runtime.telemetry.partitions[1].offset_of(2),
        "last_enqueued_time_utc": (NOW - 8.5) * 1000,
        "is_partition_empty": False,
    }
    assert type(value["begin_sequence_number"]) is Long


def test_an_empty_partition_says_so():
    _, value = read(reader(), "partition", name=ENTITY, partition="0")

    assert value["is_partition_empty"] is True
    assert (value["last_enqueued_sequence_number"], value["last_enqueued_offset"]) == (-1, "-1")


@pytest.mark.parametrize(
    ("kind", "properties", "status", "condition"),
    [
        ("partition", {"name": ENTITY, "partition": "2"}, 400, "com.microsoft:argument-out-of-range"),
        ("partition", {"name": ENTITY}, 400, "com.microsoft:argument-out-of-range"),
        ("eventhub", {"name": "other"}, 404, "amqp:not-found"),
        ("eventhub", {}, 404, "amqp:not-found"),
        ("queue", {"name": ENTITY}, 501, "amqp:not-implemented"),
        ("eventhub", {"name": ENTITY, "operation": "WRITE"}, 501, "amqp:not-implemented"),
    ],
)
def test_what_cannot_be_read_has_its_status(kind, properties, status, condition):
    answer, value = read(reader(), kind, **properties)

    assert (answer["status-code"], answer["error-condition"], value) == (status, condition, None)


def test_management_needs_an_authorisation():
    attach, detach = Peer().open().attach_receiver("$management")

    assert attach.source is None
    assert detach.error.condition == "amqp:unauthorized-access"


def test_each_reading_is_authorised():
    """A token for one consumer group opens the link, not what the event hub says of itself."""
    peer = Peer().open()
    peer.put_token()
    status, _ = read(peer, "eventhub", name=ENTITY)

    assert status["status-code"] == 401


def test_names_are_compared_without_case():
    status, value = read(reader(), "eventhub", name=ENTITY.upper())

    assert (status["status-code"], value["name"]) == (200, ENTITY.upper())


def test_the_log_grows_between_two_readings():
    peer = reader()
    assert read(peer, "partition", name=ENTITY, partition="0")[1]["last_enqueued_sequence_number"] == -1

    fill(peer.runtime, [b"x"])
    assert read(peer, "partition", name=ENTITY, partition="0")[1]["last_enqueued_sequence_number"] == 0
