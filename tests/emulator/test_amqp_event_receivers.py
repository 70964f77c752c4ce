"""Event receivers: from where they read, and how an event looks."""

import pytest
from amqp_peer import NOW, STREAM, Peer, bodies, event, fill, hub, refusal

from iothub_emulator.amqp.event_messages import encode_event
from iothub_emulator.amqp.event_receivers import RUNTIME_METRIC
from iothub_emulator.amqp.messages import decode_message
from iothub_emulator.amqp.performatives import Flow
from iothub_emulator.amqp.values import Described, Long, Symbol, Timestamp, Ulong
from iothub_emulator.hub.links import LinkRules

SELECTOR = Symbol("apache.org:selector-filter:string")


def selecting(expression):
    """Return the filter as azure-eventhub sends it."""
    return {SELECTOR: Described(SELECTOR, expression)}


def reader(runtime):
    peer = Peer(runtime).open()
    peer.put_token()
    return peer


def read(runtime, filters=None, address=STREAM, **fields):
    """Attach with these filters and return the bodies that come, and the attach."""
    peer = reader(runtime)
    attach, *_ = peer.attach_receiver(address, filters=filters, **fields)
    frames = peer.send(
        Flow(
            next_incoming_id=0,
            incoming_window=10_000,
            next_outgoing_id=0,
            outgoing_window=0,
            handle=0,
            delivery_count=0,
            link_credit=1000,
        )
    )
    return bodies(frames), attach


def filled(count=5, **settings):
    """Return a hub with events "0", "1", … in partition 0, one each millisecond."""
    runtime = hub(**settings)
    for number in range(count):
        runtime.telemetry.append(event(b"%d" % number, at=NOW + number / 1000), 0)
    return runtime


MILLISECONDS = int(NOW * 1000)


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        pytest.param("offset > '-1'", b"01234", id="beginning"),
        pytest.param("offset >= '-1'", b"01234", id="beginning-inclusive"),
        pytest.param("offset > '@latest'", b"", id="latest"),
        pytest.param("offset > '256'", b"34", id="offset"),
        pytest.param("offset >= '256'", b"234", id="offset-inclusive"),
        pytest.param("offset > '300'", b"34", id="offset-between-two"),
        pytest.param("offset >= '300'", b"34", id="offset-between-two-inclusive"),
        pytest.param("offset > '512'", b"", id="last-offset"),
        pytest.param("sequence-number > '-1'", b"01234", id="before-number-0"),
        pytest.param("sequence-number > '1'", b"234", id="number"),
        pytest.param("sequence-number >= '1'", b"1234", id="number-inclusive"),
        pytest.param("sequence-number > '4'", b"", id="last-number"),
        pytest.param("sequence-number >= '5'", b"", id="next-number"),
        pytest.param(f"enqueued-time > '{MILLISECONDS + 2}'", b"34", id="time"),
        pytest.param(f"enqueued-time >= '{MILLISECONDS + 2}'", b"234", id="time-inclusive"),
        pytest.param(f"enqueued-time > '{MILLISECONDS - 5}'", b"01234", id="time-before-all"),
        pytest.param(f"enqueued-time > '{MILLISECONDS + 99}'", b"", id="time-behind-all"),
        pytest.param("enqueued-time >= '-1'", b"01234", id="time-before-1970"),
        pytest.param("sequence-number > '@latest'", b"", id="latest-by-number"),
        pytest.param("  offset>'256' ", b"34", id="loose-spaces"),
        pytest.param(f"enqueuedtimeutc > '{MILLISECONDS + 2}'", b"34", id="time-by-its-old-name"),
        pytest.param(f"enqueuedtimeutc > {MILLISECONDS + 2}", b"34", id="old-time-without-quotes"),
        pytest.param(f"enqueuedtimeutc >= {MILLISECONDS + 2}", b"234", id="old-time-inclusive"),
        pytest.param("enqueuedtimeutc > '@latest'", b"", id="latest-by-old-time"),
        pytest.param(f"enqueued-time > {MILLISECONDS + 2}", b"34", id="time-without-quotes"),
        pytest.param("offset > -1", b"01234", id="beginning-without-quotes"),
        pytest.param("offset > 256", b"34", id="offset-without-quotes"),
        pytest.param("sequence-number >= 1", b"1234", id="number-without-quotes"),
    ],
)
def test_a_position(position, expected):
    prefix, _, rest = position.rpartition("  ")
    found, attach = read(filled(), selecting(f"{prefix}amqp.annotation.x-opt-{rest}"))

    assert b"".join(found) == expected
    assert SELECTOR in attach.source.filter


def test_without_a_filter_reading_begins_at_the_beginning():
    assert read(filled())[0] == [b"0", b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize(
    "filters",
    [
        pytest.param({SELECTOR: "amqp.annotation.x-opt-offset > '384'"}, id="not-described"),
        pytest.param(
            {Symbol("f"): Described(Ulong(0x468C00000004), "amqp.annotation.x-opt-offset > '384'")},
            id="by-code",
        ),
    ],
)
def test_a_filter_may_be_named_in_other_ways(filters):
    assert read(filled(), filters)[0] == [b"4"]


@pytest.mark.parametrize(
    ("expression", "condition"),
    [
        pytest.param("sequence-number > '5'", "com.microsoft:argument-error", id="number-in-the-future"),
        pytest.param("sequence-number >= '6'", "com.microsoft:argument-error", id="number-behind-next"),
        pytest.param("offset > '640'", "com.microsoft:argument-error", id="offset-in-the-future"),
        pytest.param("offset > 'x'", "com.microsoft:argument-error", id="offset-of-text"),
        pytest.param("offset > ''", "com.microsoft:argument-error", id="empty-offset"),
        pytest.param(f"offset > '{'9' * 99}'", "com.microsoft:argument-error", id="huge-offset"),
        pytest.param("enqueued-time > '1.5'", "com.microsoft:argument-error", id="time-with-a-fraction"),
        pytest.param("offset < '5'", "amqp:invalid-field", id="unknown-operator"),
        pytest.param("partition > '5'", "amqp:invalid-field", id="unknown-annotation"),
        pytest.param("offset > '1' OR 1=1", "amqp:invalid-field", id="an-expression"),
        pytest.param("offset > 1 OR 1=1", "amqp:invalid-field", id="an-expression-without-quotes"),
        pytest.param("offset > @latest", "amqp:invalid-field", id="latest-without-quotes"),
        pytest.param("offset > 640", "com.microsoft:argument-error", id="offset-in-the-future-unquoted"),
        pytest.param(f"enqueuedtimeutc > {'9' * 99}", "com.microsoft:argument-error", id="huge-time"),
    ],
)
def test_a_position_that_cannot_be_is_refused(expression, condition):
    peer = reader(filled())
    filters = selecting(f"amqp.annotation.x-opt-{expression}")

    assert refusal(peer.attach_receiver(STREAM, filters=filters)) == condition


def test_a_filter_of_another_type_is_refused():
    peer = reader(filled())

    assert refusal(peer.attach_receiver(STREAM, filters=selecting(b"bytes"))) == "amqp:invalid-field"


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        pytest.param("offset > '-1'", [b"3", b"4"], id="beginning"),
        pytest.param("sequence-number > '0'", [b"3", b"4"], id="number-that-fell-out"),
        pytest.param(f"enqueued-time > '{MILLISECONDS + 3}'", [b"4"], id="time"),
    ],
)
def test_what_fell_out_of_the_log_is_skipped(position, expected):
    runtime = filled(telemetry_log_events=2)

    assert read(runtime, selecting(f"amqp.annotation.x-opt-{position}"))[0] == expected


def test_times_are_compared_as_readers_see_them():
    """An event's time has microseconds, its annotation milliseconds: after it means after it."""
    runtime = hub()
    runtime.telemetry.append(event(b"0", at=NOW + 0.0009), 0)
    runtime.telemetry.append(event(b"1", at=NOW + 0.0011), 0)
    (first,) = runtime.telemetry.partitions[0].read(0, 1)
    seen = LinkRules(runtime.settings).annotations(first[1], 0, "0")["x-opt-enqueued-time"]

    found, _ = read(runtime, selecting(f"amqp.annotation.x-opt-enqueued-time > '{seen}'"))
    assert found == [b"1"]


def test_the_consumer_group_makes_no_difference():
    peer = Peer(filled()).open()
    peer.put_token(audience="sb://localhost/iothub-emulator")
    address = "iothub-emulator/ConsumerGroups/{}/Partitions/0"
    for handle, group in enumerate(["one", "two"]):
        answers = peer.attach_receiver(address.format(group), name=group, handle=handle)
        assert len(answers) == 1


def test_a_reader_is_woken_by_its_partition_alone():
    peer = reader(hub())
    peer.attach_receiver(STREAM, credit=10)
    peer.wakes = 0

    peer.runtime.endpoints.take(event(b"x", device_id="device-1"))
    partition = next(number for number in (0, 1) if not peer.runtime.telemetry.partitions[number].is_empty)
    assert peer.wakes == (1 if partition == 0 else 0)


def test_an_event_that_comes_later_is_sent_when_the_reader_is_woken():
    peer = reader(hub())
    peer.attach_receiver(STREAM, credit=10)
    fill(peer.runtime, [b"later"])

    assert bodies(peer.pump()) == [b"later"]


def message_of(an_event, number=7):
    runtime = hub()
    data = encode_event(runtime.rules.links, runtime.telemetry.partitions[0], number, an_event)
    return decode_message(data)


def typed(mapping):
    return {key: (type(value), value) for key, value in mapping.items()}


def test_what_the_hub_says_about_an_event():
    found = message_of(event(b"body", at=NOW + 0.25, source="Telemetry")).message_annotations

    assert typed(found) == {
        "x-opt-sequence-number": (Long, 7),
        "x-opt-offset": (str, "896"),
        "x-opt-enqueued-time": (Timestamp, MILLISECONDS + 250),
        "iothub-connection-device-id": (str, "device-1"),
        "iothub-connection-auth-method": (str, '{"scope":"device"}'),
        "iothub-connection-auth-generation-id": (str, "1"),
        "iothub-enqueuedtime": (Timestamp, MILLISECONDS + 250),
        "iothub-message-source": (str, "Telemetry"),
    }
    assert {type(key) for key in found} == {Symbol}


def test_a_module_is_named():
    assert message_of(event(module_id="m")).message_annotations["iothub-connection-module-id"] == "m"


def test_system_properties_become_the_message_s_own():
    system = {
        "message-id": "m-1",
        "correlation-id": "c-1",
        "user-id": b"u-1",
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "to": "/devices/d/messages/events",
    }
    found = message_of(event(system=system)).properties

    assert (found.message_id, found.correlation_id, found.user_id) == ("m-1", "c-1", b"u-1")
    assert (found.content_type, found.content_encoding) == ("application/json", "utf-8")
    assert type(found.content_type) is Symbol
    assert found.to == "/devices/d/messages/events"


def test_system_properties_may_hold_anything():
    """A device's bytes end up in the type that the property has: no event is undeliverable."""
    found = message_of(event(system={"message-id": b"\xff", "user-id": "ü", "content-type": "é"}))

    assert found.properties.message_id == "�"
    assert found.properties.user_id == "ü".encode()
    assert found.properties.content_type == "?"


def test_a_system_property_that_amqp_has_not_is_an_annotation():
    found = message_of(event(system={"dt-dataschema": "dtmi:example;1"}))

    assert found.message_annotations["dt-dataschema"] == "dtmi:example;1"


@pytest.mark.parametrize("text", ["2027-01-15T08:00:00Z", "2027-01-15T09:00:00+01:00", "2027-01-15T08:00:00"])
def test_a_time_of_expiry_is_a_time(text):
    found = message_of(event(system={"absolute-expiry-time": text}))

    assert found.properties.absolute_expiry_time == 1_800_000_000_000


def test_a_time_of_expiry_that_is_none_is_an_annotation():
    found = message_of(event(system={"absolute-expiry-time": "soon"}))

    assert found.message_annotations["absolute-expiry-time"] == "soon"


def test_the_bag_becomes_application_properties():
    found = message_of(event(properties={"a": "b", "": "", "ü": "ß"}))

    assert found.application_properties == {"a": "b", "": "", "ü": "ß"}


def test_the_body_is_data_untouched():
    assert message_of(event(b"")).data == b""
    assert message_of(event(bytes(range(256)))).data == bytes(range(256))


def test_a_rule_decides_what_the_reader_sees():
    """What a fault replaces: the annotation is gone for every reader."""

    class Forgetful(LinkRules):
        def annotations(self, event, number, offset):
            return {**super().annotations(event, number, offset), "iothub-message-source": "Nothing"}

    runtime = hub()
    runtime.rules.links = Forgetful(runtime.settings)
    runtime.telemetry.append(event(), 0)
    peer = reader(runtime)
    peer.attach_receiver(STREAM)
    (frame,) = peer.send(
        Flow(incoming_window=9, next_outgoing_id=0, outgoing_window=0, handle=0, link_credit=1)
    )

    assert decode_message(frame.payload).message_annotations["iothub-message-source"] == "Nothing"


def test_the_state_of_the_partition_travels_along_if_desired():
    """azure-eventhub's track_last_enqueued_event_properties."""
    runtime = filled()
    peer = reader(runtime)
    (attach,) = peer.attach_receiver(
        STREAM, desired_capabilities=(RUNTIME_METRIC, "com.microsoft:georeplication")
    )
    frame, *_ = peer.send(
        Flow(incoming_window=9, next_outgoing_id=0, outgoing_window=0, handle=0, link_credit=1)
    )

    assert attach.offered_capabilities == (RUNTIME_METRIC,)
    assert typed(decode_message(frame.payload).delivery_annotations) == {
        "last_enqueued_sequence_number": (Long, 4),
        "last_enqueued_offset": (str, "512"),
        "last_enqueued_time_utc": (Timestamp, MILLISECONDS + 4),
        "runtime_info_retrieval_time_utc": (Timestamp, MILLISECONDS),
    }


def test_nothing_is_encoded_before_it_is_asked_for():
    """A PUBACK waits for no encoder: without credit, rules are not even asked."""
    asked = []

    class Watched(LinkRules):
        def annotations(self, event, number, offset):
            asked.append(number)
            return super().annotations(event, number, offset)

    runtime = hub()
    runtime.rules.links = Watched(runtime.settings)
    peer = reader(runtime)
    peer.attach_receiver(STREAM)
    fill(runtime, [b"1", b"2"])
    peer.pump()

    assert asked == []
