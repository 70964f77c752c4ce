"""A run on ready-made devices: it writes where the profile says so, and leaves each twin as it was."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from back_end import BackEnd
from patience import PATIENCE
from small_suite import QUICK, environment_of_a_run

from conformance.mqtt.twin import TwinClient
from conformance.verdict.needs import NO_WRITING

CHECKOUT = Path(__file__).parents[2]
OWNERS = {"owner": "keeps", "limits": {"low": 1}}
PART = ("--clause=twin.*", "--clause=topics.*", "--clause=watch.*")


class Owner:
    """Whose devices they are: four of them, each with a twin that somebody has filled."""

    def __init__(self, hub, folder):
        self._back_end = BackEnd(hub, folder.name)
        names = [f"{folder.name.replace('_', '-')}-{number}" for number in range(4)]
        self._devices = [
            self._back_end.device(each) for each in self._back_end.service.registry.create(names)
        ]
        for device in self._devices:
            TwinClient(device.connect()).subscribe().establish(OWNERS)
            device.close()
        self.folder = folder
        self.profile = folder / "ready-made.toml"
        self.environment = environment_of_a_run(folder) | {
            f"DEVICE_{number}": (
                f"HostName={hub.host};DeviceId={device.id};SharedAccessKey={device.primary_key.reveal()}"
            )
            for number, device in enumerate(self._devices)
        }
        self._hub = hub

    def twins(self):
        return [self._back_end.service.twins.get(device).reported for device in self._devices]

    def start(self, *options, limits):
        """Start a run on these devices alone, which says line by line how its cases end."""
        tables = [f'[[identity]]\nconnection-string = "env:DEVICE_{number}"\n' for number in range(4)]
        self.profile.write_text(
            'schema = 1\n[target]\nname = "somebody\'s hub"\n'
            f'ports = {{ mqtt = {self._hub.ports.mqtt} }}\ntrust = "{self._hub.ca_file}"\n'
            '[claims]\ncapabilities = ["twin", "methods"]\n'
            f"[timeouts]\nconnect = {PATIENCE}\nreaction = {PATIENCE}\nsilence = 0\n"
            f"[limits]\n{limits}\n{''.join(tables)}"
        )
        command = [sys.executable, "-m", "pytest", f"--profile={self.profile}", "-v", *QUICK]
        return subprocess.Popen(
            [*command, f"--report-dir={self.folder / 'report'}", *options],
            cwd=CHECKOUT,
            env=self.environment | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def cases(self, *options, limits):
        """Run a part of the suite; return the cases by their verdicts, and what the run said."""
        said, _ = self.start(*options, limits=limits).communicate()
        statement = json.loads((self.folder / "report" / "conformance.json").read_text())
        cases = {}
        for clause in statement["clauses"]:
            for case in clause["cases"]:
                cases.setdefault(case["verdict"], []).append(case)
        return cases, said

    def close(self):
        self._back_end.close()


@pytest.fixture
def owner(hub, tmp_path):
    made = Owner(hub, tmp_path)
    yield made
    made.close()


def until_a_patch_passed(run):
    for line in run.stdout:
        if "test_a_patch_updates" in line and "PASSED" in line:
            return


def test_where_the_profile_says_so_twins_are_written_and_left_as_they_were(owner):
    before = owner.twins()

    cases, said = owner.cases(*PART, limits="writes-twin = true")

    after = owner.twins()
    assert cases.keys() == {"pass", "observed", "not claimed"}, said
    assert {case["message"] for case in cases["not claimed"] if NO_WRITING in case["message"]} == set()
    assert [twin.values for twin in after] == [OWNERS] * 4
    assert all(now.version > then.version for now, then in zip(after, before, strict=True))


def test_else_only_what_asks_for_a_twin_runs(owner):
    before = owner.twins()

    cases, said = owner.cases(*PART, limits="")

    assert cases.keys() == {"pass", "observed", "not claimed"}, said
    assert NO_WRITING in {case["message"] for case in cases["not claimed"]}
    assert "test_twin_get.py::test_a_get_is_answered_on_the_documented_topic" in {
        case["id"] for case in cases["pass"]
    }
    assert owner.twins() == before


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "a-cancelled-job"])
def test_an_interrupted_run_leaves_nothing_in_a_twin(owner, signal_number):
    run = owner.start("--clause=twin.*", limits="writes-twin = true")
    until_a_patch_passed(run)

    run.send_signal(signal_number)

    said, _ = run.communicate(timeout=PATIENCE * 4)
    assert run.returncode == 2, said
    assert [twin.values for twin in owner.twins()] == [OWNERS] * 4
