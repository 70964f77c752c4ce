"""Which connections a hub tells of: net changes at its interval, once a connection was used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iothub_emulator.hub.connection_reports import ConnectionReports
from iothub_emulator.hub.hub_events import EventRules
from iothub_emulator.settings import Settings

STARTED = 1_000.0


class Hub:
    """Reports with an interval of 60 seconds, beginning at 0; `told` is what was told when."""

    def __init__(self, interval=60.0):
        rules = EventRules(Settings(connection_events_interval=interval))
        self.reports = ConnectionReports(lambda: rules, STARTED)

    def at(self, when, *happenings):
        for happening in happenings:
            verb, _, key = happening.partition(" ")
            getattr(self.reports, verb)(key, STARTED + when)
        return self

    def told(self, when):
        return [
            (report.identity_key, report.connected, report.when - STARTED)
            for report in self.reports.advance(STARTED + when)
        ]

    def looks_at(self):
        deadline = self.reports.next_deadline()
        return None if deadline is None else deadline - STARTED


def test_a_connection_that_is_used_is_told_at_the_interval():
    hub = Hub().at(5, "connected d").at(7, "active d")
    assert hub.looks_at() == 60
    assert hub.told(59) == []
    assert hub.told(60) == [("d", True, 5)]
    assert hub.told(120) == []
    assert hub.looks_at() is None


def test_a_connection_that_is_not_used_is_not_told():
    hub = Hub().at(5, "connected d")
    assert hub.looks_at() is None
    assert hub.at(6, "disconnected d").looks_at() is None


def test_a_disconnection_is_told_at_the_interval():
    hub = Hub().at(5, "connected d", "active d")
    assert hub.told(60) == [("d", True, 5)]
    assert hub.at(61, "disconnected d").told(119) == []
    assert hub.told(120) == [("d", False, 61)]
    assert hub.reports._states == {}


def test_what_is_undone_in_between_is_not_told():
    hub = Hub().at(5, "connected d", "active d", "disconnected d")
    assert hub.told(60) == []
    hub.at(65, "connected d", "active d").told(120)
    assert hub.at(125, "disconnected d", "connected d", "active d").told(180) == []


def test_an_unused_connection_behind_a_used_one_is_not_told():
    """All within one interval; what is looked at later is looked at all the same."""
    hub = Hub().at(5, "connected d", "active d", "disconnected d", "connected d", "disconnected d")
    hub.at(6, "connected e", "active e")
    assert hub.told(60) == [("e", True, 6)]
    assert hub.at(65, "connected d", "active d").told(120) == [("d", True, 65)]


@given(
    st.lists(
        st.tuples(st.sampled_from(["connected", "active", "disconnected", "look"]), st.sampled_from("de"))
    )
)
def test_whatever_happens_each_change_is_told_once(happenings):
    """What is told of an identity alternates, and in the end is how things are."""
    hub, told, when, state = Hub(), {"d": [], "e": []}, 0, {}
    for verb, key in [*happenings, ("look", "d")]:
        when += 7
        if verb == "look":
            when = (when // 60 + 1) * 60
            for identity, connected, _ in hub.told(when):
                told[identity].append(connected)
            continue
        hub.at(when, f"{verb} {key}")
        connected, used = state.get(key, (False, False))
        if verb == "connected":
            state[key] = (True, used and connected)
        elif verb == "disconnected":
            state[key] = (False, False)
        else:
            state[key] = (connected, connected)

    for key in "de":
        assert told[key] == [number % 2 == 0 for number in range(len(told[key]))]
        assert (told[key][-1:] == [True]) is (state.get(key) == (True, True))


def test_a_take_over_changes_nothing():
    hub = Hub().at(5, "connected d", "active d")
    assert hub.told(60) == [("d", True, 5)]
    assert hub.at(61, "connected d", "active d").looks_at() is None


def test_a_connection_that_ended_and_is_not_used_again_is_told_as_ended():
    hub = Hub().at(5, "connected d", "active d")
    hub.told(60)
    assert hub.at(61, "disconnected d").at(62, "connected d").told(120) == [("d", False, 62)]
    assert hub.at(130, "active d").told(180) == [("d", True, 62)]


def test_reports_come_in_the_order_of_what_they_tell_and_are_numbered():
    hub = Hub().at(5, "connected b", "active b").at(6, "connected a/m", "active a/m")
    numbers = [report.number for report in hub.reports.advance(STARTED + 60)]
    hub.at(61, "disconnected a/m").at(62, "disconnected b")
    later = hub.reports.advance(STARTED + 120)
    assert [report.identity_key for report in later] == ["a/m", "b"]
    assert [*numbers, *(report.number for report in later)] == [1, 2, 3, 4]


def test_nothing_is_told_of_an_identity_that_is_gone():
    hub = Hub().at(5, "connected d", "active d")
    hub.reports.forget("d")
    assert hub.looks_at() is None
    assert hub.at(6, "active d", "disconnected d").told(60) == []


@pytest.mark.parametrize(("now", "look"), [(1_000.0, 1_060.0), (1_059.9, 1_060.0), (1_060.0, 1_120.0)])
def test_the_intervals_begin_with_the_hub(now, look):
    assert EventRules(Settings()).next_look(now, STARTED) == look


def test_without_an_interval_a_change_is_told_at_once():
    assert Hub(0.0).at(5, "connected d", "active d").told(5) == [("d", True, 5)]
