"""What killed runs left on a hub is told by the next run, shown by `reap`, and deleted when told to."""

import re

import pytest
from small_suite import run_pytest

from conformance.__main__ import main
from conformance.backend import Service
from conformance.errors import ServiceError
from conformance.run import leftovers
from conformance.run.leftovers import Leftover, by_run, new_id, remark

NOW = 1_790_000_000.0
HOUR = 3600.0


def run(hours):
    """Return the id of a run that began so many hours ago, and its age."""
    return f"{int(NOW - hours * HOUR):08x}beef"


def test_an_id_says_when_its_run_began():
    first, second = new_id(NOW), new_id(NOW)

    assert first[:8] == second[:8] == f"{int(NOW):08x}"
    assert (len(first), first != second) == (12, True)


def test_devices_are_shown_by_run_and_nobody_elses():
    """Ids of eight digits are those of earlier versions, which do not tell when they began."""
    names = [
        f"conf-{run(2)}-gw1-3",
        f"conf-{run(2)}-gw0-1-a:b",
        f"conf-{run(5)}-preflight-1",
        "conf-0a1b2c3d-main-7",
        "conf-preflight-0123456789ab",
        "conf-room-1",
        "conf-0a1b2c3d",
        "my-conf-0a1b2c3d-main-7",
    ]

    assert by_run(names, NOW) == [
        Leftover(run="0a1b2c3d", age=None, ids=("conf-0a1b2c3d", "conf-0a1b2c3d-main-7")),
        Leftover(run="preflight-0123456789ab", age=None, ids=("conf-preflight-0123456789ab",)),
        Leftover(run=run(5), age=5 * HOUR, ids=(f"conf-{run(5)}-preflight-1",)),
        Leftover(run=run(2), age=2 * HOUR, ids=(f"conf-{run(2)}-gw0-1-a:b", f"conf-{run(2)}-gw1-3")),
    ]


@pytest.mark.parametrize(
    ("age", "seconds", "is_older"),
    [(7200.0, 3600.0, True), (60.0, 3600.0, False), (None, 3600.0, False), (None, 0.0, True)],
)
def test_a_run_of_unknown_age_is_touched_only_where_any_is(age, seconds, is_older):
    assert Leftover(run="r", age=age, ids=("d",)).is_older(seconds) is is_older


def test_the_remark_is_one_line_with_the_command():
    left = [Leftover(run=run(50), age=50 * HOUR, ids=("a", "b")), Leftover(run="r", age=None, ids=("c",))]

    assert remark(left, "real-hub") == (
        "3 devices of runs that were killed are on the hub, the oldest 2 d old: "
        "python -m conformance reap --profile=real-hub shows them, --delete deletes them"
    )
    assert remark([], "real-hub") is None


# -- on a hub


@pytest.fixture
def named(hub, tmp_path, monkeypatch):
    """The profile of an embedded hub that is named, as one in the cloud is."""
    path = tmp_path / "mine.toml"
    path.write_text(
        f"""
schema = 1
[target]
name = "a hub"
host = "localhost"
trust = "{hub.ca_file}"
[target.ports]
mqtt = {hub.ports.mqtt}
https = {hub.ports.https}
amqp = {hub.ports.amqp}
[service]
connection-string = "env:HUB"
[claims]
capabilities = ["registry"]
[timeouts]
settling = 0
silence = 0
"""
    )
    monkeypatch.setenv("HUB", hub.service.hub.text.reveal())
    return str(path)


@pytest.fixture
def left(hub):
    """Devices of a killed run, of one that is under way, and of somebody else."""
    service = Service(hub, telemetry=False)
    names = ["conf-00000001beef-gw0-1", "conf-00000001beef-gw0-2", f"conf-{new_id()}-gw0-1", "conf-room-1"]
    service.registry.create(names)
    yield names
    service.registry.delete(names)
    service.close()


def there(hub):
    service = Service(hub, telemetry=False)
    names = leftovers.names_on(service, all_pages=True)
    service.close()
    return set(names)


def test_reap_shows_what_is_left_and_deletes_nothing(hub, named, left, capsys):
    assert main(["reap", f"--profile={named}"]) == 0

    first, end = capsys.readouterr().out.splitlines()
    assert first.startswith("conf-00000001beef*  ")
    assert first.endswith(" d  2 devices")
    assert end == (
        "2 devices of runs that were killed. --delete deletes them; "
        "1 device of younger runs, or of an unknown age, left alone: --older-than=0"
    )
    assert set(left) <= there(hub)


def test_reap_deletes_what_is_left_when_told_to(hub, named, left, capsys):
    assert main(["reap", f"--profile={named}", "--delete"]) == 0

    assert "2 devices of runs that were killed: deleted; 1 device of younger" in capsys.readouterr().out
    assert set(left) & there(hub) == set(left[2:])


def test_a_hub_without_queries_is_asked_for_its_first_devices(hub, left, monkeypatch):
    service = Service(hub, telemetry=False)

    def refuse(_):
        raise ServiceError("POST /devices/query: 501.")

    monkeypatch.setattr(service.queries, "found", refuse)

    assert set(left) <= set(leftovers.names_on(service, all_pages=True))
    service.close()


def test_a_run_says_at_its_start_what_killed_runs_left(named, left, tmp_path):
    result = run_pytest(
        tmp_path, f"--profile={named}", "--pyargs", "conformance", "--clause=connect.client-id"
    )

    (line,) = [line for line in result.stdout.lines if "of runs that were killed" in line][:1]
    assert re.sub(r"\d+ d old", "… d old", line) == (
        "preflight: 2 devices of runs that were killed are on the hub, the oldest … d old: "
        f"python -m conformance reap --profile={named} shows them, --delete deletes them"
    )


def test_a_hub_that_starts_with_each_run_keeps_nothing(capsys):
    assert main(["reap", "--profile=emulator"]) == 4
    assert capsys.readouterr().err == (
        "ERROR: --profile emulator: its hub starts and ends with each run, and keeps nothing.\n"
    )
