"""Who may read a partition beside whom, and who is ended by whom."""

import pytest

from iothub_emulator.hub.link_refusals import LinkRefused
from iothub_emulator.hub.links import LinkRules
from iothub_emulator.hub.readers import EventStream, Reader, Readers
from iothub_emulator.settings import Settings

STREAM = EventStream("hub", "$default", 0)


class Hall:
    """Readers of one hub, and who was ended with which words."""

    def __init__(self, rules=None):
        self.rules = rules or LinkRules(Settings())
        self.readers = Readers()
        self.ended = []

    def enter(self, epoch=None, name="", stream=STREAM):
        """Let a reader in and return it, or return the condition of its refusal."""
        reader = Reader(stream, epoch, lambda reason: self.ended.append((name, reason)))
        try:
            self.readers.enter(reader, self.rules)
        except LinkRefused as refusal:
            return refusal.condition
        return reader

    def names_ended(self):
        return [name for name, _ in self.ended]


def test_five_read_side_by_side_and_a_sixth_is_refused():
    hall = Hall()
    first, *_ = [hall.enter() for _ in range(5)]

    assert hall.enter() == "amqp:resource-limit-exceeded"
    hall.readers.leave(first)
    assert isinstance(hall.enter(), Reader)
    assert hall.ended == []


def test_the_limit_is_a_setting():
    hall = Hall(LinkRules(Settings(readers_per_partition=1)))
    hall.enter()

    assert hall.enter() == "amqp:resource-limit-exceeded"


@pytest.mark.parametrize(
    "other",
    [EventStream("hub", "$default", 1), EventStream("hub", "another", 0), EventStream("x", "$default", 0)],
    ids=["another-partition", "another-group", "another-entity"],
)
def test_each_stream_counts_for_itself(other):
    hall = Hall()
    for _ in range(5):
        hall.enter()

    assert isinstance(hall.enter(9, stream=other), Reader)
    assert hall.ended == []


@pytest.mark.parametrize(
    ("holder", "newcomer"),
    [(0, 1), (1, 1), (0, 0), (None, 0), (None, 7), (7, 2**62)],
    ids=["higher", "as-high", "both-0", "none-by-0", "none-by-7", "by-far"],
)
def test_an_epoch_steals(holder, newcomer):
    hall = Hall()
    hall.enter(holder, "holder")

    assert isinstance(hall.enter(newcomer, "newcomer"), Reader)
    ((name, reason),) = hall.ended
    assert (name, reason.condition) == ("holder", "amqp:link:stolen")
    assert f"'{newcomer}'" in reason.description


@pytest.mark.parametrize(
    ("holder", "newcomer"), [(1, 0), (0, None), (7, None)], ids=["lower", "none-beside-0", "none-beside-7"]
)
def test_who_is_outranked_stays_out(holder, newcomer):
    hall = Hall()
    hall.enter(holder, "holder")

    assert hall.enter(newcomer) == "amqp:link:stolen"
    assert hall.ended == []


def test_an_epoch_ends_all_that_state_none():
    hall = Hall()
    for name in "abcde":
        hall.enter(None, name)
    hall.enter(0, "owner")

    assert hall.names_ended() == list("abcde")
    assert hall.enter() == "amqp:link:stolen"


def test_an_epoch_is_over_when_its_reader_has_left():
    """Nothing is remembered of it: a lower one, or none, may follow."""
    hall = Hall()
    hall.readers.leave(hall.enter(5))

    assert isinstance(hall.enter(), Reader)
    assert isinstance(hall.enter(0), Reader)


def test_who_was_ended_leaves_without_harm():
    hall = Hall()
    holder = hall.enter(1, "holder")
    hall.enter(2)
    hall.readers.leave(holder)

    assert hall.enter(1) == "amqp:link:stolen"


def test_a_negative_epoch_is_refused():
    hall = Hall()
    hall.enter(None, "reader")

    assert hall.enter(-1) == "amqp:invalid-field"
    assert hall.ended == []


@pytest.mark.parametrize(
    ("method", "answer", "holder", "newcomer", "ended"),
    [
        pytest.param("is_outranked", False, 5, 1, ["holder"], id="nobody-is-outranked"),
        pytest.param("steals", False, 1, 5, [], id="nobody-steals"),
        pytest.param("steals", True, None, None, ["holder"], id="everybody-steals"),
        pytest.param("may_read_beside", True, None, None, [], id="any-number"),
    ],
)
def test_each_decision_can_be_replaced(method, answer, holder, newcomer, ended):
    hall = Hall(type("Faulty", (LinkRules,), {method: lambda *_: answer})(Settings()))
    hall.enter(holder, "holder")

    assert isinstance(hall.enter(newcomer), Reader)
    assert hall.names_ended() == ended
