"""Feedback is waited for by message; what belongs to others is given back, and they get time to fetch it."""

import contextlib
import dataclasses
import json
import threading

import pytest
from back_end import BackEnd, embedded_hub
from patience import PATIENCE

from conformance.backend import feedback as module
from conformance.backend.amqp import Incoming
from conformance.backend.call_log import Journal
from conformance.backend.feedback import FeedbackReader, patience
from conformance.backend.feedback_records import FeedbackNotes, FeedbackRecord
from conformance.backend.links import Links
from conformance.errors import ServiceError, Violation

SUCCESS = FeedbackRecord(
    message_id="m",
    status="Success",
    description="words",
    device_id="mine",
    generation_id="7",
    enqueued_time="2026-11-22T23:00:00Z",
)


def entry(message_id="m", device_id="mine", status="Success"):
    return {
        "originalMessageId": message_id,
        "statusCode": status,
        "description": "words",
        "deviceId": device_id,
        "deviceGenerationId": "7",
        "enqueuedTimeUtc": "2026-11-22T23:00:00Z",
    }


def batch(*entries):
    return json.dumps(entries).encode()


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def links(peer):
    made = Links(peer.endpoint())
    yield made
    made.close()


@pytest.fixture
def reader(links, transcript, pauses, monkeypatch):
    monkeypatch.setattr(module, "GATHERING", PATIENCE)
    journal = Journal()
    journal.follow(transcript)
    return FeedbackReader(
        links, journal, within=PATIENCE, accepts=lambda device_id: device_id == "mine", sleep=pauses.append
    )


class Endless:
    """Links on which a batch for somebody else is always there; each takes a moment of its own clock."""

    def __init__(self):
        self.now = 0.0

    @contextlib.contextmanager
    def receiver(self, _address):
        yield self

    def next(self, _within):
        self.now += 0.01
        return Incoming(body=batch(entry("x", "other")), number=1, tag=b"1")

    def stop(self):
        pass

    def settle(self, _message, _outcome):
        pass


def test_batches_without_end_leave_no_more_time():
    links = Endless()
    endless = FeedbackReader(
        links, Journal(), within=30.0, accepts=lambda _: False, clock=lambda: links.now, sleep=lambda _: None
    )

    with pytest.raises(Violation, match="no feedback on message 'm' within 30 s"):
        endless.expect("m")


def test_a_record_is_read_whole_and_kept(peer, reader, transcript):
    peer.batches.append(batch(entry()))

    assert reader.expect("m") == SUCCESS
    assert peer.attached[-1] == "/messages/servicebound/feedback"
    peer.wait_for(lambda: peer.detached)
    assert peer.settled == [(batch(entry()), "accepted")]
    assert [line.text for line in transcript.entries] == ["feedback on message 'm' of mine: Success"]


def test_a_record_that_came_before_it_was_asked_for_is_there(peer, reader):
    peer.batches.append(batch(entry("a"), entry("b", status="Expired"), entry("c")))

    assert [reader.expect(name).status for name in ("c", "b", "a")] == ["Success", "Expired", "Success"]
    assert [record.message_id for record in reader.received] == ["a", "b", "c"]
    assert reader.received_for("mine") == [("a", "Success"), ("b", "Expired"), ("c", "Success")]
    assert reader.received_for("other") == []


def test_the_first_record_on_a_message_is_the_answer(peer, reader):
    peer.batches.append(batch(entry(status="Rejected"), entry(status="Success")))

    assert reader.expect("m").status == "Rejected"
    assert [record.status for record in reader.received] == ["Rejected", "Success"]


def test_an_older_hub_names_the_outcome_in_the_description(peer, reader):
    peer.batches.append(batch({"originalMessageId": "m", "description": "Expired", "deviceId": "mine"}))

    assert reader.expect("m").status == "Expired"


def test_none_in_time_is_a_violation(peer, reader, monkeypatch):
    monkeypatch.setattr(module, "GATHERING", 0.01)
    reader._within = 0.1

    with pytest.raises(Violation, match=r"^no feedback on message 'm' within 0\.1 s$") as caught:
        reader.expect("m")

    assert caught.value.observed == "no feedback"


def test_what_belongs_to_others_is_given_back(peer, reader, pauses):
    theirs, mixed = batch(entry("t", "theirs")), batch(entry(), entry("t2", "theirs"))
    peer.batches.extend([theirs, mixed])

    assert reader.expect("m") == SUCCESS

    peer.wait_for(lambda: len(peer.settled) == 2)
    assert peer.settled == [(theirs, "released"), (mixed, "released")]
    assert [record.device_id for record in reader.received] == ["mine"]
    assert len(pauses) <= 1


def test_one_of_ours_is_found_behind_any_number_of_others(peer, reader):
    theirs = [batch(entry(str(number), "theirs")) for number in range(20)]
    peer.batches.extend([*theirs, batch(entry())])

    assert reader.expect("m") == SUCCESS

    peer.wait_for(lambda: len(peer.settled) == 21)
    assert {outcome for one, outcome in peer.settled if one in theirs} == {"released"}


def test_others_get_longer_and_longer_to_fetch_theirs(peer, reader, pauses, monkeypatch):
    monkeypatch.setattr(module, "GATHERING", 0.01)
    peer.batches.append(batch(entry("t", "theirs")))

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 4:
            monkeypatch.setattr(module, "GATHERING", PATIENCE)
            peer.deliver(batch(entry()))

    reader._pause = sleep
    assert reader.expect("m") == SUCCESS
    assert pauses == [0.1, 0.2, 0.4, 0.8]


def test_a_batch_that_comes_twice_is_noted_once(peer, reader):
    peer.batches.append(batch(entry(), entry("t", "theirs")))
    reader.expect("m")
    peer.deliver(batch(entry("n")))

    reader.expect("n")

    assert [record.message_id for record in reader.received] == ["m", "n"]


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"7", b"\xff"])
def test_what_is_no_feedback_is_told(peer, reader, body):
    peer.batches.append(body)

    with pytest.raises(ServiceError, match=r"^feedback: not a JSON array of records: '"):
        reader.expect("m")


def test_a_lost_connection_reaches_whoever_waits(peer, reader):
    threading.Thread(target=lambda: (peer.wait_for(lambda: peer.credited), peer.drop())).start()

    with pytest.raises(ServiceError, match=r"^AMQP at localhost:\d+: "):
        reader.expect("m")


def test_a_pause_leaves_time_to_fetch_what_came_meanwhile(peer, reader, pauses, monkeypatch):
    monkeypatch.setattr(module, "GATHERING", 0.01)
    now = [0.0]
    reader._clock, reader._within = lambda: now[0], 1.0
    peer.batches.append(batch(entry("t", "theirs")))

    def sleep(seconds):
        pauses.append(seconds)
        now[0] += seconds
        if now[0] >= 1.0:
            monkeypatch.setattr(module, "GATHERING", PATIENCE)
            peer.deliver(batch(entry()))

    reader._pause = sleep
    assert reader.expect("m") == SUCCESS
    assert pauses == pytest.approx([0.1, 0.2, 0.35, 0.175, 0.1, 0.1])


# -- the workers of one run


def notes_of(folder, worker):
    """Those of a worker: `w1-device` is of the worker w1, and what begins so is of the run."""
    return FeedbackNotes(
        folder,
        worker,
        of_run=lambda device_id: device_id.startswith("w"),
        own=lambda device_id: device_id.startswith(f"{worker}-"),
    )


def record(device_id, message_id="m"):
    return dataclasses.replace(SUCCESS, device_id=device_id, message_id=message_id)


@pytest.fixture
def worker(links, tmp_path, monkeypatch):
    """The reader of worker w1."""
    monkeypatch.setattr(module, "GATHERING", 0.01)
    notes = notes_of(tmp_path, "w1")
    return FeedbackReader(
        links, Journal(), within=PATIENCE, accepts=lambda name: name.startswith("w1-"), notes=notes
    )


def test_what_another_worker_was_told_of_ours_is_heard_once(tmp_path):
    notes_of(tmp_path, "w2").tell([record("w1-a"), record("w2-b"), record("stranger")])
    mine = notes_of(tmp_path, "w1")

    assert list(mine.heard()) == [record("w1-a")]
    notes_of(tmp_path, "w3").tell([record("w1-c")])
    assert list(mine.heard()) == [record("w1-c")]


def test_a_line_that_is_being_written_is_heard_when_it_is_whole(tmp_path):
    notes_of(tmp_path, "w2").tell([record("w1-a")])
    file = tmp_path / "feedback-told-w2.txt"
    whole = file.read_text()
    mine = notes_of(tmp_path, "w1")

    file.write_text(whole[:20])
    assert list(mine.heard()) == []
    file.write_text(whole)
    assert list(mine.heard()) == [record("w1-a")]


def test_a_worker_accepts_a_batch_of_its_run_and_tells_the_others(peer, worker, tmp_path):
    """A hub gives a batch up after its tenth delivery: given back, it would not come to all who wait."""
    mixed = batch(entry("m", "w1-a"), entry("n", "w2-b"))
    peer.batches.append(mixed)

    assert worker.expect("m").device_id == "w1-a"
    peer.wait_for(lambda: peer.settled)
    assert peer.settled == [(mixed, "accepted")]
    assert [each.message_id for each in notes_of(tmp_path, "w2").heard()] == ["n"]


def test_a_worker_that_waits_hears_what_another_one_took(worker, tmp_path):
    """Though the hub has nothing more for it."""
    notes_of(tmp_path, "w2").tell([record("w1-a", "taken")])

    assert worker.expect("taken") == record("w1-a", "taken")
    assert worker.received_for("w1-a") == [("taken", "Success")]


@pytest.mark.parametrize("other", ["stranger", "w2-held"], ids=["another-program's", "a-case-has-it-itself"])
def test_a_batch_that_somebody_misses_is_given_back(peer, worker, tmp_path, other):
    mixed = batch(entry("m", "w1-a"), entry("n", other))
    peer.batches.append(mixed)

    with notes_of(tmp_path, "w2").holding("w2-held"):
        worker.expect("m")
        peer.wait_for(lambda: peer.settled)
    assert peer.settled == [(mixed, "released")]


def test_two_cases_of_others_may_hold_our_records_for_an_interval_each():
    """Beside the interval in which the hub collects them: fifteen seconds each, on one like a real one."""
    assert patience(reaction=5.0, interval=15.0) == 50.0


@pytest.fixture(scope="module")
def hub():
    with embedded_hub("--feedback-interval", "0.2", "--c2d-lock", "1") as target:
        yield target


@pytest.fixture
def one(hub, request):
    made = BackEnd(hub, f"{request.node.name}-one")
    yield made
    made.close()


@pytest.fixture
def two(hub, request):
    made = BackEnd(hub, f"{request.node.name}-two")
    yield made
    made.close()


def acknowledge(back_end, device, *message_ids):
    connection = device.connect()
    connection.subscribe(device.topics.devicebound)
    for message_id in message_ids:
        back_end.service.c2d.send(device, b"x", message_id=message_id, ack="full")
        connection.expect_message()
    connection.ping()


def test_the_embedded_hub_tells_of_an_acknowledged_message(one):
    device = one.device()
    acknowledge(one, device, "m")

    record = one.service.feedback.expect("m")

    assert (record.status, record.device_id, record.message_id) == ("Success", device.id, "m")
    assert record.generation_id
    assert one.lines[-1] == f"feedback on message 'm' of {device.id}: Success"


def test_the_embedded_hub_tells_of_a_purged_message(one):
    device = one.device()
    one.service.c2d.send(device, b"x", message_id="p", ack="negative")
    one.service.c2d.purge(device)

    assert one.service.feedback.expect("p").status == "Purged"


def test_two_that_wait_at_once_each_get_their_own(one, two):
    sides = {side: side.device() for side in (one, two)}
    for side, device in sides.items():
        side.service.feedback._accepts = device.id.__eq__
        acknowledge(side, device, *(f"{device.id}-{number}" for number in range(5)))
    seen = {}

    def wait(side, device):
        seen[side] = [side.service.feedback.expect(f"{device.id}-{number}").status for number in range(5)]

    threads = [threading.Thread(target=wait, args=pair) for pair in sides.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert list(seen.values()) == [["Success"] * 5] * 2
