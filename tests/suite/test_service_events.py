"""Events of the hub's own are kept apart from telemetry, read as far as they can be, and waited for."""

import json
import threading

import pytest
from patience import PATIENCE

from conformance.backend.events import HubEvent, HubEvents
from conformance.backend.inbox import Inbox
from conformance.backend.telemetry import EVENT_SOURCES, Telemetry
from conformance.errors import HarnessError, ServiceError, Violation

SOURCE = "deviceConnectionStateEvents"
NUMBER = f"{7:064X}"
PROPERTIES = {
    "opType": "deviceConnected",
    "deviceId": "d",
    "operationTimestamp": "2022-06-01T18:43:04.5561024Z",
    "iothub-message-schema": "deviceConnectionStateNotification",
}


def event(number=0, *, source=SOURCE, body=None, device_id="d", module_id=None, **properties):
    return Telemetry(
        body=json.dumps({"sequenceNumber": NUMBER}).encode() if body is None else body,
        properties={**PROPERTIES, **properties},
        system={},
        device_id=device_id,
        module_id=module_id,
        source=source,
        partition="0",
        sequence_number=number,
        enqueued_time=1654108985.5,
    )


class TestInbox:
    @pytest.mark.parametrize("source", sorted(EVENT_SOURCES))
    def test_whoever_waits_for_telemetry_hears_of_no_event(self, source):
        inbox = Inbox()
        inbox.arrive(event(source=source))
        assert inbox.drain("d") == []

    @pytest.mark.parametrize("source", ["Telemetry", "telemetry", "", None])
    def test_all_else_is_telemetry(self, source):
        inbox = Inbox()
        inbox.arrive(event(source=source))
        assert len(inbox.drain("d")) == 1

    def test_whoever_asked_gets_events_of_the_device_and_its_modules(self):
        inbox = Inbox()
        inbox.follow_events("d", SOURCE)
        inbox.arrive(event(1))
        inbox.arrive(event(2, module_id="m"))
        inbox.arrive(event(3, device_id="other"))
        assert [inbox.next_event("d", SOURCE, 0).sequence_number for _ in range(2)] == [1, 2]
        assert inbox.next_event("d", SOURCE, 0) is None
        assert inbox.next_event("other", SOURCE, 0) is None

    def test_each_source_is_followed_by_itself(self):
        inbox = Inbox()
        inbox.follow_events("d", SOURCE)
        inbox.follow_events("d", "twinChangeEvents")
        inbox.arrive(event(1, source="twinChangeEvents"))
        inbox.arrive(event(2))
        inbox.arrive(event(3, source="deviceLifecycleEvents"))
        assert inbox.next_event("d", SOURCE, 0).sequence_number == 2
        assert inbox.next_event("d", "twinChangeEvents", 0).sequence_number == 1
        assert inbox.next_event("d", SOURCE, 0) is None

    def test_what_came_before_anyone_asked_is_nobodys(self):
        inbox = Inbox()
        inbox.arrive(event(1))
        inbox.follow_events("d", SOURCE)
        assert inbox.next_event("d", SOURCE, 0) is None

    def test_a_device_that_is_forgotten_leaves_nothing(self):
        inbox = Inbox()
        inbox.follow_events("d", SOURCE)
        inbox.arrive(event(1))
        inbox.forget("d")
        inbox.arrive(event(2))
        assert (inbox._events, inbox._queues) == ({}, {})

    def test_an_event_is_written_to_the_transcript_of_its_case(self):
        inbox, lines = Inbox(), []
        inbox.follow("d", type("T", (), {"service": lambda self, text: lines.append(text)})())
        inbox.arrive(event(1))
        inbox.follow_events("d", SOURCE)
        inbox.arrive(event(2))
        (line,) = lines
        assert line.startswith("deviceConnectionStateEvents of d: ")

    def test_a_marker_in_an_event_is_a_marker(self):
        """A hub that gives telemetry a wrong source must not break the fence as well."""
        inbox = Inbox()
        inbox.await_marker(b"fence-1")
        inbox.arrive(event(1, body=b"fence-1"))
        assert inbox.marker(b"fence-1", 0).sequence_number == 1

    def test_a_readers_trouble_reaches_whoever_waits(self):
        inbox = Inbox()
        inbox.follow_events("d", SOURCE)
        inbox.fail("0", "gone")
        with pytest.raises(ServiceError, match="gone"):
            inbox.next_event("d", SOURCE, PATIENCE)

    def test_whoever_waits_is_woken(self):
        inbox, results = Inbox(), []
        inbox.follow_events("d", SOURCE)
        waiting = threading.Thread(target=lambda: results.append(inbox.next_event("d", SOURCE, PATIENCE)))
        waiting.start()
        inbox.arrive(event(1))
        waiting.join(PATIENCE)
        assert results == [event(1)]


class TestEvent:
    def test_what_it_says(self):
        seen = HubEvent(event(moduleId="m"))
        assert (seen.operation, seen.device_id, seen.module_id, seen.sequence_number) == (
            "deviceConnected",
            "d",
            "m",
            7,
        )
        assert seen.schema == "deviceConnectionStateNotification"
        assert seen.time == pytest.approx(1654108984.5561)
        assert seen.age == pytest.approx(0.9439, abs=0.001)

    @pytest.mark.parametrize("text", ["", "yesterday", "2022-06-01T18:43:04", "1654108984", None])
    def test_a_time_that_is_none(self, text):
        seen = HubEvent(event(operationTimestamp=text))
        assert (seen.time, seen.age) == (None, None)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\xff",
            b"[]",
            b"7",
            b"{}",
            b'{"sequenceNumber": 7}',
            b'{"sequenceNumber": "0x7"}',
            b'{"sequenceNumber": " 7"}',
            b'{"sequenceNumber": ""}',
            b'{"sequenceNumber": "' + b"x" * 64 + b'"}',
        ],
    )
    def test_a_sequence_number_that_is_none(self, body):
        assert HubEvent(event(body=body)).sequence_number is None

    def test_a_sequence_number_of_any_length(self):
        assert HubEvent(event(body=b'{"sequenceNumber": "00fF"}')).sequence_number == 255

    @pytest.mark.parametrize(
        ("stamp", "properties", "word"),
        [
            (None, {"moduleId": "m"}, "named"),
            ("m", {}, "named"),
            (None, {}, "no module"),
            (None, {"moduleId": "d"}, "another module"),
        ],
    )
    def test_whether_it_names_a_module(self, stamp, properties, word):
        assert HubEvent(event(module_id=stamp, **properties)).names_module("m") == word


TWIN = {
    "version": 7,
    "tags": {"owner": "office"},
    "properties": {
        "desired": {
            "a": {"b": 1},
            "$metadata": {"$lastUpdated": "t", "a": {"$lastUpdated": "u", "b": {"$lastUpdated": "v"}}},
            "$version": 6,
        }
    },
}


class TestTwin:
    def test_a_change_of_a_twin(self):
        seen = HubEvent(event(source="twinChangeEvents", body=json.dumps(TWIN).encode()))
        assert seen.sections() == {"tags": {"owner": "office"}, "desired": {"a": {"b": 1}}}
        assert seen.without_metadata() == {
            **TWIN,
            "properties": {"desired": {"a": {"b": 1}, "$version": 6}},
        }
        assert seen.stamps("desired", "a.b", "c") == {"": "t", "a.b": "v", "c": None}
        assert (seen.member("version"), seen.member("deviceId")) == (7, None)

    @pytest.mark.parametrize("body", [b"", b"[]", b"7"])
    def test_a_body_that_shows_no_twin(self, body):
        seen = HubEvent(event(body=body))
        assert (seen.sections(), seen.member("version"), seen.stamps("reported")) == ({}, None, {"": None})

    def test_whose_it_is(self):
        seen = HubEvent(event(module_id="m", hubName="h"))
        assert seen.marks() == {
            "hubName": "h",
            "deviceId": "d",
            "moduleId": None,
            "opType": "deviceConnected",
            "iothub-message-schema": "deviceConnectionStateNotification",
            "iothub-message-source": SOURCE,
            "iothub-connection-device-id": "d",
            "iothub-connection-module-id": "m",
            "content-type": None,
            "content-encoding": None,
            "user-id": None,
        }


class Reader:
    def __init__(self, *messages):
        self.messages = list(messages)
        self.asked = []

    def follow_events(self, device_id, source):
        self.asked.append((device_id, source))

    def next_event(self, device_id, source, within):
        self.asked.append((device_id, source, within))
        return self.messages.pop(0) if self.messages else None


class Who:
    def __init__(self, name):
        self.id = name


def test_the_next_event_is_a_devices_or_its_modules():
    reader = Reader(event(1), event(2))
    events = HubEvents(reader, SOURCE, 0.2)
    events.follow("d")

    assert events.next(about=Who("d")).message.sequence_number == 1
    assert events.next(about=Who("d/m")).message.sequence_number == 2
    assert reader.asked == [("d", SOURCE), ("d", SOURCE, 0.2), ("d", SOURCE, 0.2)]


def test_what_was_told_so_far():
    events = HubEvents(Reader(event(1), event(2, opType="deviceDisconnected")), SOURCE, 0.2)

    assert events.told_so_far(about=Who("d/m")) == "deviceConnected, deviceDisconnected"
    assert events.told_so_far(about=Who("d")) == "nothing"


def test_an_event_that_does_not_come_is_a_violation():
    says = r"expected an event about d within 0\.2 s; nothing arrived"
    with pytest.raises(Violation, match=says) as caught:
        HubEvents(Reader(), SOURCE, 0.2).next(about=Who("d"))
    assert caught.value.observed == "no event"


def test_a_further_event_that_does_not_come_is_told_behind_the_one_before():
    """Connections alone may be told, and their ends not: the reader sees which one is missing."""
    events = HubEvents(Reader(event(1)), SOURCE, 0.2)
    events.next(about=Who("d/m"))

    with pytest.raises(Violation, match=r"a further event, behind deviceConnected, about d within 0\.2 s"):
        events.next(about=Who("d"))


def test_waiting_before_reading_is_the_suites_own_mistake():
    from test_service_reader import TIMEOUTS, endpoint

    from conformance.backend.reader import TelemetryReader

    with pytest.raises(HarnessError, match="not opened before"):
        TelemetryReader(endpoint(), TIMEOUTS).next_event("d", SOURCE, 0)
