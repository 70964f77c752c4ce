"""Which mutants are drawn: the same for everybody, of nodes that the suite reached."""

from dataclasses import replace
from itertools import islice

import pytest
from baseline import Baseline, Reached
from draw import conditional, plain
from fitting import fitting
from hits import HIT_BYTES, Hit, read_hits
from served import KINDS
from sites import sites
from triggers import Counted

SOURCE = "def f(a, b):\n    if a < b:\n        return [a, b]\n    return g(a + 1, b - 1)\n"
SITES = sites("m.py", SOURCE)
EVERYTHING = (1 << len(KINDS)) - 1


def baseline(found=SITES, kinds=(EVERYTHING,)):
    reached = tuple(
        Reached(module=site.module, number=site.number, line=site.line, cases=(0, 2), kinds=kinds)
        for site in found
    )
    return Baseline(
        python="3.11", nodes=len(SITES), cases=("one", "two"), violated=(), reached=reached, seconds=1.0
    )


def drawn(commit, found=SITES):
    return [
        (mutant.name, mutant.site.number, mutant.change) for mutant in plain(commit, SITES, baseline(found))
    ]


def test_a_draw_follows_from_the_commit_alone():
    assert drawn("c0ffee") == drawn("c0ffee")
    assert drawn("c0ffee") != drawn("decade")


def test_each_node_is_drawn_once():
    assert sorted(number for _, number, _ in drawn("c0ffee")) == [site.number for site in SITES]


def test_a_node_that_was_not_reached_moves_no_other():
    """Two runs that differ in one node have draws that differ in that node."""
    without = SITES[:2] + SITES[3:]

    assert drawn("c0ffee", without) == [each for each in drawn("c0ffee") if each[1] != SITES[2].number]


def test_a_longer_draw_goes_on_where_a_shorter_one_ends():
    names = [mutant.name for mutant in islice(plain("c0ffee", SITES, baseline()), 3)]

    assert names == ["0", "1", "2"]


def test_the_cases_that_reach_a_node_come_first_and_the_start_is_none():
    site = baseline().reached[0]

    assert baseline().first(site) == ("two",)


@pytest.mark.parametrize(("cases", "alone"), [((0, 2), False), ((2,), True)])
def test_where_the_start_reaches_a_node_any_case_may_tell(cases, alone):
    site = replace(baseline().reached[0], cases=cases)

    assert baseline().is_reached_in_cases_alone(site) is alone


@pytest.mark.parametrize(
    ("known", "triggers"),
    [
        ((), set()),
        (("filters", "packet"), {"several filters", "several packets in one read"}),
        (
            ("identity",),
            {
                "for a module",
                "second for an identity",
                "third for an identity",
                "after a refusal",
                "an id with a sign",
                "a long id",
                "an id that ends in 7",
            },
        ),
    ],
)
def test_a_trigger_is_drawn_where_what_it_needs_is_known(known, triggers):
    """A node that is reached while the hub starts, for nobody, is under no trigger."""
    kinds = sum(1 << KINDS.index(name) for name in known)
    killed = list(plain("c0ffee", SITES, baseline(kinds=(kinds,))))

    made = {mutant.trigger for mutant in conditional("c0ffee", killed, fitting(), rounds=30)}

    assert made == triggers


def test_what_the_probes_tell_is_read_as_it_was_written(tmp_path):
    """The last hit may be cut off where the hub was ended."""
    hits = [Hit(case=0, number=5, kinds=0), Hit(case=1978, number=6119, kinds=EVERYTHING)]
    file = tmp_path / "hits"
    file.write_bytes(b"".join(hit.packed().to_bytes(HIT_BYTES, "little") for hit in hits) + b"\x01")

    assert list(read_hits(file)) == hits


def test_a_second_round_puts_another_trigger_on_the_same_mutant():
    killed = list(plain("c0ffee", SITES, baseline()))[:1]

    first, second = conditional("c0ffee", killed, fitting(), rounds=2)

    assert (first.name, second.name) == ("0.0", "0.1")
    assert first.trigger != second.trigger


class Turn:
    """A moment of one connection."""

    def __init__(self, turn, connection):
        self.turn = turn
        self.connection = connection


def test_the_second_of_its_kind_is_counted_in_turns_of_one_connection():
    """A node that is reached twice for one packet is reached once."""
    second = Counted(2, lambda moment: moment.connection)
    turns = [Turn(1, "a"), Turn(1, "a"), Turn(2, "b"), Turn(3, "a"), Turn(3, "a"), Turn(4, "a"), Turn(5, "b")]

    assert [second(turn) for turn in turns] == [False, False, False, True, True, False, True]
