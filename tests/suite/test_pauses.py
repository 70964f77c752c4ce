"""The one pause function: it counts, and an event may end it early."""

import contextlib
import re
from pathlib import Path

import conformance
from conformance.run import sleeping


def test_a_pause_is_counted():
    before = sleeping.slept_seconds()

    assert sleeping.pause(0.005) is False

    assert sleeping.slept_seconds() - before >= 0.005


def test_an_event_ends_a_pause_and_only_the_time_that_passed_is_counted():
    before = sleeping.slept_seconds()
    given = []

    assert sleeping.pause(60, until=lambda seconds: given.append(seconds) or True)

    assert given == [60]
    assert sleeping.slept_seconds() - before < 60


def test_a_pause_that_fails_is_counted_too():
    before = sleeping.slept_seconds()

    def interrupted(_seconds):
        raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        sleeping.pause(60, until=interrupted)

    assert sleeping.slept_seconds() > before


def test_nothing_else_in_the_device_side_sleeps():
    folder = Path(conformance.__file__).parent
    sources = [*(folder / "device").glob("*.py"), *(folder / "evidence").glob("*.py")]

    assert sources
    assert [path.name for path in sources if re.search(r"\bsleep\(", path.read_text())] == []
