"""The property bag of a cloud-to-device message.

Document: #receiving-cloud-to-device-messages. Clauses: clauses/c2d.toml.

The sender's properties are URL-encoded pairs behind the topic: application properties under their own names,
system properties under names that start with a dollar sign.
"""

import time

import pytest

from conformance.mqtt.bag import bag_of

clause = pytest.mark.clause

# What Microsoft allows in names and values of properties beside ASCII letters and digits.
MARKS = "!#$%&'*+-.^_`|~"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Far enough for a run that takes hours.
TOMORROW = time.time() + 24 * 3600
# What a hub may add of its own.
ADDED = {"$.to", "$.exp", "iothub-ack"}

ALLOWED = [
    *(pytest.param(mark, id=f"0x{ord(mark):02X}") for mark in MARKS),
    pytest.param(LETTERS, id="letters"),
    pytest.param("0123456789", id="digits"),
    pytest.param("%2B", id="plus-encoded-before"),
    pytest.param("%25", id="percent-encoded-before"),
]
# How the bag shows a value that is null or empty.
WRITTEN = {None: "name", "": "name=", "absent": "absent"}
NOT_ALLOWED = [
    pytest.param(" ", id="space"),
    pytest.param("=", id="equals-sign"),
    pytest.param("/", id="slash"),
    pytest.param("São Paulo", id="two-byte-UTF-8"),
    pytest.param("东京", id="three-byte-UTF-8"),
]


@clause("c2d.bag-names")
@pytest.mark.parametrize(
    ("fields", "named"),
    [
        pytest.param({"message_id": "m-1"}, {"$.mid": "m-1"}, id="message-id"),
        pytest.param({"correlation_id": "c-1"}, {"$.cid": "c-1"}, id="correlation-id"),
        pytest.param({"content_type": "text/plain"}, {"$.ct": "text/plain"}, id="content-type"),
        pytest.param(
            {"message_id": "m-1", "correlation_id": "c-1", "content_type": "text/plain"},
            {"$.mid": "m-1", "$.cid": "c-1", "$.ct": "text/plain"},
            id="all",
        ),
    ],
)
def test_a_system_property_has_a_name_with_a_dollar_sign(device, receiver, c2d, fields, named):
    """Message id, correlation id and content type are in the bag under $.mid, $.cid and $.ct."""
    c2d.send(device, b"x", **fields)

    system = bag_of(receiver.expect_message()).system
    assert {name: system.get(name) for name in named} == named


@clause("c2d.bag-names")
@pytest.mark.parametrize(
    "properties",
    [
        pytest.param({"alarm": "fire"}, id="one"),
        pytest.param({f"name{number}": f"value{number}" for number in range(10)}, id="ten"),
        pytest.param({"alarmLevel": "High"}, id="letter-case"),
        pytest.param({"mid": "1", "messageId": "2"}, id="like-system-properties"),
    ],
)
def test_an_application_property_keeps_its_name(device, receiver, c2d, properties):
    """The sender's own names come without any prefix."""
    c2d.send(device, b"x", message_id="m", properties=properties)

    assert bag_of(receiver.expect_message()).application == properties


@clause("c2d.bag-names-more")
@pytest.mark.parametrize(
    ("field", "value"),
    [("user_id", "someone"), ("content_encoding", "utf-8"), ("creation_time", 1_700_000_000)],
    ids=["user-id", "content-encoding", "creation-time"],
)
def test_a_system_property_that_is_not_named(device, receiver, c2d, observed, field, value):
    """SDKs read $.uid, $.ce and $.ctime; the document names none of them."""
    c2d.send(device, b"x", **{field: value})

    system = bag_of(receiver.expect_message()).system
    observed(", ".join(f"{name}={system[name]}" for name in sorted(system.keys() - ADDED)) or "absent")


@clause("c2d.bag-contents")
@pytest.mark.parametrize(
    ("fields", "names"),
    [
        pytest.param({}, set(), id="nothing-set"),
        pytest.param({"message_id": "m"}, {"$.mid"}, id="message-id"),
        pytest.param({"properties": {"alarm": "fire"}}, {"alarm"}, id="a-property"),
        pytest.param(
            {
                "message_id": "m",
                "correlation_id": "c",
                "content_type": "t",
                "properties": {"a": "1", "b": "2"},
            },
            {"$.mid", "$.cid", "$.ct", "a", "b"},
            id="several",
        ),
        pytest.param({"message_id": "m", "ack": "full"}, {"$.mid"}, id="wish-for-feedback"),
        pytest.param({"expires_at": TOMORROW}, set(), id="expiry"),
    ],
)
def test_the_bag_holds_what_the_sender_set(device, receiver, c2d, fields, names):
    """Besides what was set there may be the address, the expiry and the wish for feedback."""
    c2d.send(device, b"x", **fields)

    assert bag_of(receiver.expect_message()).names - ADDED == names


@clause("c2d.bag-contents")
def test_properties_do_not_stick_to_the_next_message(device, receiver, c2d):
    """A message has its own properties, whatever the one before had."""
    c2d.send(device, b"with", message_id="m", properties={"alarm": "fire"})
    c2d.send(device, b"without")

    names = {each.payload: bag_of(each).names - ADDED for each in receiver.messages_until(b"without")}
    assert names == {b"with": {"$.mid", "alarm"}, b"without": set()}


@clause("c2d.bag-encoding")
@pytest.mark.parametrize("characters", ALLOWED)
def test_a_value_arrives_character_by_character(device, receiver, c2d, characters):
    """Decoded once, a value is what the sender set: a plus sign came as %2B, a percent sign as %25."""
    value = f"a{characters}41z"

    c2d.send(device, b"x", properties={"name": value})

    assert bag_of(receiver.expect_message()).application == {"name": value}


@clause("c2d.bag-encoding")
@pytest.mark.parametrize("characters", ALLOWED)
def test_a_name_arrives_character_by_character(device, receiver, c2d, characters):
    """Decoded once, a name is what the sender set."""
    name = f"a{characters}41z"

    c2d.send(device, b"x", properties={name: "value"})

    assert bag_of(receiver.expect_message()).application == {name: "value"}


@clause("c2d.bag-encoding")
@pytest.mark.parametrize(
    "properties",
    [{"name": "a+b"}, {"a+b": "value"}, {"name": "a#b"}, {"a#b": "value"}],
    ids=["plus-in-a-value", "plus-in-a-name", "number-sign-in-a-value", "number-sign-in-a-name"],
)
def test_a_wildcard_is_encoded(device, receiver, c2d, properties):
    """[MQTT-3.3.2-2] A topic name holds neither a plus sign nor a number sign."""
    c2d.send(device, b"x", properties=properties)

    assert {"+", "#"} & set(receiver.expect_message().topic) == set()


@clause("c2d.bag-encoding")
@pytest.mark.parametrize(
    ("field", "name"),
    [("message_id", "$.mid"), ("correlation_id", "$.cid")],
    ids=["message-id", "correlation-id"],
)
def test_a_system_property_is_encoded_alike(device, receiver, c2d, field, name):
    """Microsoft allows these in ids, an equals sign among them."""
    c2d.send(device, b"x", **{field: "50%25-:.+_#*?!(),=@;$'"})

    assert bag_of(receiver.expect_message()).system.get(name) == "50%25-:.+_#*?!(),=@;$'"


@clause("c2d.bag-encoding-more")
@pytest.mark.parametrize("characters", NOT_ALLOWED)
def test_a_character_that_is_not_allowed(device, receiver, c2d, observed, characters):
    """SDKs send these all the same; how a hub passes them on is not documented."""
    c2d.send(device, b"x", properties={"name": characters})

    observed(repr(bag_of(receiver.expect_message()).application.get("name")))


@clause("c2d.null-and-empty")
@pytest.mark.parametrize("value", [None, ""], ids=["null", "empty"])
def test_a_property_without_content(device, receiver, c2d, observed, value):
    """One table of Microsoft's has a bare name for null, and an equals sign for the empty string."""
    c2d.send(device, b"x", properties={"name": value})

    seen = bag_of(receiver.expect_message()).application.get("name", "absent")
    observed(WRITTEN.get(seen, repr(seen)))
