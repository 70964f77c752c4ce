"""The property bag: name=value pairs behind the events topic.

Document: #sending-device-to-cloud-messages. Clauses: clauses/bag.toml.

Names and values are percent-encoded UTF-8 and decoded exactly once. A plus sign stands for itself,
as %2B, since MQTT allows none in a topic name. Names that start with $ are system properties.
"""

import pytest

clause = pytest.mark.clause

RESERVED = "!#$%&'()*+,/:;=?@[] \"<>\\^`{|}~"


@clause("bag.properties")
@pytest.mark.parametrize(
    ("bag", "properties"),
    [
        pytest.param("alarm=true", {"alarm": "true"}, id="one"),
        pytest.param("a=1&b=2", {"a": "1", "b": "2"}, id="two"),
        pytest.param(
            "&".join(f"name{number}=value{number}" for number in range(10)),
            {f"name{number}": f"value{number}" for number in range(10)},
            id="ten",
        ),
    ],
)
def test_the_bag_becomes_application_properties(device, connection, telemetry, bag, properties):
    """Each name=value pair behind the topic is a property of the message."""
    connection.publish(device.topics.events + bag, b"x", qos=1)

    assert telemetry.next(sent_by=device).properties == properties


@clause("bag.encoding")
@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        pytest.param(f"%{ord(character):02X}", character, id=f"0x{ord(character):02X}")
        for character in RESERVED
    ]
    + [
        pytest.param("%2525", "%25", id="decoded-once"),
        pytest.param("%252B", "%2B", id="plus-decoded-once"),
        pytest.param("a%2Fb%2fc", "a/b/c", id="both-cases-of-hex"),
        pytest.param("S%C3%A3o%20Paulo", "São Paulo", id="two-byte-UTF-8"),
        pytest.param("%E4%B8%9C%E4%BA%AC", "东京", id="three-byte-UTF-8"),
        pytest.param("%F0%9F%98%80", "😀", id="four-byte-UTF-8"),
        pytest.param("plain-._09azAZ", "plain-._09azAZ", id="unreserved"),
    ],
)
def test_a_value_is_decoded_once(device, connection, telemetry, encoded, decoded):
    """A value is percent-encoded UTF-8, and what comes out is not decoded again."""
    connection.publish(f"{device.topics.events}name={encoded}", b"x", qos=1)

    assert telemetry.next(sent_by=device).properties == {"name": decoded}


@clause("bag.encoding")
@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        pytest.param(f"a%{ord(character):02X}b", f"a{character}b", id=f"0x{ord(character):02X}")
        for character in RESERVED
    ]
    + [
        pytest.param("a%2525b", "a%25b", id="decoded-once"),
        pytest.param("a%2Fb%2fc", "a/b/c", id="both-cases-of-hex"),
    ],
)
def test_a_name_is_decoded_once(device, connection, telemetry, encoded, decoded):
    """A name is encoded like a value."""
    connection.publish(f"{device.topics.events}{encoded}=1", b"x", qos=1)

    assert telemetry.next(sent_by=device).properties == {decoded: "1"}


@clause("bag.non-ascii-name")
def test_a_name_that_is_not_ascii(device, probe, observed):
    """Property names are documented as ASCII."""
    observed(probe(f"{device.topics.events}%C3%A9tat=1", b"x"))


@clause("bag.empty-value")
def test_a_property_with_an_empty_value(device, connection, telemetry, readings):
    """name= is an empty string in one table of Microsoft's, and null to an SDK's reader."""
    connection.publish(f"{device.topics.events}name=", b"x", qos=1)

    readings.match(telemetry.next(sent_by=device).value_in_words("name"))


@clause("bag.no-value")
def test_a_property_without_an_equals_sign(device, connection, telemetry, readings):
    """A bare name is null in one table of Microsoft's, and an empty string in what was seen."""
    connection.publish(f"{device.topics.events}name", b"x", qos=1)

    readings.match(telemetry.next(sent_by=device).value_in_words("name"))


@clause("bag.system-properties")
@pytest.mark.parametrize("dollar", ["$", "%24"])
@pytest.mark.parametrize(
    ("name", "system_property"),
    [
        ("mid", "message-id"),
        ("cid", "correlation-id"),
        ("uid", "user-id"),
        ("ct", "content-type"),
        ("ce", "content-encoding"),
    ],
)
def test_a_system_property_is_none_of_the_applications(
    device, connection, telemetry, dollar, name, system_property
):
    """$.mid and its like arrive, decoded, as AMQP's own properties; the dollar sign may be escaped.

    Of a message's id Microsoft's page lists the characters; these are among them.
    """
    connection.publish(f"{device.topics.events}{dollar}.{name}=a%2Bb%3Bc%3Dd", b"x", qos=1)

    message = telemetry.next(sent_by=device)
    assert (message.system, message.properties) == ({system_property: "a+b;c=d"}, {})


@clause("bag.creation-time")
def test_the_creation_time(device, probe, observed):
    """$.ctime is known to arrive as the application property iothub-creation-time-utc."""
    observed(probe(f"{device.topics.events}%24.ctime=2025-01-01T00%3A00%3A00Z", b"x"))


@clause("bag.unknown-system")
def test_an_unknown_system_property(device, probe, observed):
    """Nothing states what becomes of a $ name that no table lists."""
    observed(probe(f"{device.topics.events}%24.xyz=1", b"x"))


@clause("bag.duplicates")
def test_a_name_that_stands_twice(device, probe, observed):
    """Nothing states which of two equal names wins."""
    observed(probe(f"{device.topics.events}name=first&name=second", b"x"))


@clause("bag.bad-escape")
@pytest.mark.parametrize("value", ["%zz", "%"], ids=["no-hex", "cut-off"])
def test_a_percent_sign_that_starts_no_escape(device, probe, observed, value):
    """Nothing states what becomes of an escape that cannot be decoded."""
    observed(probe(f"{device.topics.events}name={value}", b"x"))


@clause("bag.raw-delimiters")
@pytest.mark.parametrize(
    "bag",
    ["a=b=c", "a=1&&b=2", "a=1&", "a=1/b=2"],
    ids=["equals-sign", "two-ampersands", "last-ampersand", "slash"],
)
def test_a_delimiter_that_is_not_encoded(device, probe, observed, bag):
    """Hubs were seen to disconnect on some of these, and to stop reading at others."""
    observed(probe(f"{device.topics.events}{bag}", b"x"))


@clause("bag.raw-slash")
@pytest.mark.parametrize(
    ("before", "behind"),
    [
        pytest.param("a=1", "2&b=3", id="in-a-value"),
        pytest.param("$.ct=application", "json&$.ce=utf-8", id="in-a-content-type"),
        pytest.param("", "a=1", id="in-front"),
        pytest.param("a=1&b", "c=2", id="in-a-name"),
    ],
)
def test_a_slash_in_the_middle_of_the_bag(slash_in_bag, observed, before, behind):
    """Hubs were seen to close, to cut the bag there, and to do both."""
    observed(slash_in_bag(before, behind))


@clause("bag.more-system-properties")
@pytest.mark.parametrize(
    "name", ["$.exp", "$.to", "$.on", "$.ifid", "$.sub", "$.schema", "iothub-message-schema"]
)
def test_a_system_property_that_few_devices_send(names_at_the_back_end, observed, name):
    """Microsoft's SDKs write these; what a hub makes of them is not stated."""
    observed(names_at_the_back_end(f"{name}=2030-01-02T03%3A04%3A05Z"))


@clause("bag.leading-question-mark")
def test_a_question_mark_in_front(device, probe, observed):
    """Newer examples print /?a=1; none of the SDKs sends it."""
    observed(probe(f"{device.topics.events}?a=1", b"x"))


@clause("bag.not-shared")
def test_properties_do_not_stick_to_the_next_message(device, connection, telemetry):
    """A message has none of the properties of the one before, whether it has others of its own or none."""
    whole = "$.mid=m&$.cid=c&$.uid=u&$.ct=t&$.ce=e&a=1"
    connection.publish(f"{device.topics.events}{whole}", b"all", qos=1)
    connection.publish(f"{device.topics.events}b=2", b"one other", qos=1)
    connection.publish(device.topics.events, b"none", qos=1)

    arrived = telemetry.take_messages(3, sent_by=device)
    assert [(message.properties, message.system) for message in arrived] == [
        (
            {"a": "1"},
            {
                "message-id": "m",
                "correlation-id": "c",
                "user-id": "u",
                "content-type": "t",
                "content-encoding": "e",
            },
        ),
        ({"b": "2"}, {}),
        ({}, {}),
    ]
