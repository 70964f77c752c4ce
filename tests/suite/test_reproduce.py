"""The line "Reproduce" of a report, run: it judges the hub of that report or none, and replaces no report."""

import contextlib
import html
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from patience import A_RUN, PATIENCE
from small_suite import environment_of_a_run

CHECKOUT = Path(__file__).parents[2]
CLAUSE = "transport.no-plaintext"
SUITE = ("--pyargs", "conformance")
ONE_CLAUSE = ("-q", "-p", "no:cacheprovider", f"--clause={CLAUSE}")

# A hub that is wrong about that clause.
FAULT = """
from iothub_emulator.net.rules import ListenerRules

class Wrong(ListenerRules):
    def answers_in_clear(self):
        return True

def plain_port_is_served(rules):
    rules.listeners = Wrong()
"""
WRONG = ("--load", "wrong:plain_port_is_served")
RANDOM_PORTS = ("--mqtt-port", "0", "--https-port", "0", "--amqp-port", "0", "--amqp-plain-port", "0")

LAUNCHES = f"""
schema = 1
extends = "{CHECKOUT / "profiles" / "emulator.toml"}"
[launch]
arguments = ["--load", "wrong:plain_port_is_served"]
"""
ATTACHES = """
schema = 1
[target]
name = "a hub"
[claims]
capabilities = ["registry"]
"""
NAMES = """
schema = 1
[target]
name = "a hub"
trust = "ca.pem"
ports = {{ mqtt = {mqtt}, https = {https}, amqp = {amqp}, plain = {plain} }}
[service]
connection-string = "env:HUB"
[claims]
capabilities = ["registry"]
"""


@pytest.fixture
def here(tmp_path):
    """The folder of a run."""
    folder = tmp_path / "my hubs"
    (folder / "profiles").mkdir(parents=True)
    (folder / "wrong.py").write_text(FAULT)
    return folder


@pytest.fixture
def elsewhere(tmp_path):
    """The folder where somebody pastes a line."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@contextlib.contextmanager
def hub(folder, *options, ready="ready.json"):
    """A hub that runs for itself; yields what its ready file says."""
    file = folder / ready
    command = [sys.executable, "-m", "iothub_emulator", *RANDOM_PORTS, "--ready-file", str(file), *options]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()  # it is written when the file is there
        yield json.loads(file.read_text())
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def shell(line, folder, **variables):
    """Run a line as somebody who is in the suite's environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = environment_of_a_run(folder) | {"PATH": path} | variables
    return subprocess.run(
        line,
        shell=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=A_RUN,
        check=False,
    )


def run(folder, *arguments, **variables):
    return shell(shlex.join(["pytest", *arguments, *ONE_CLAUSE]), folder, **variables)


def line_of(report):
    page = (report / "conformance.html").read_text()
    return html.unescape(re.search("Reproduce </span><code>(.*?)</code>", page)[1])


def verdict_in(report):
    statement = json.loads((report / "conformance.json").read_text())
    return next(clause["verdict"] for clause in statement["clauses"] if clause["id"] == CLAUSE)


@pytest.mark.parametrize(
    ("profile", "file"),
    [
        ("wrong.toml", "wrong.toml"),
        ("../my hubs/profiles/wrong.toml", "profiles/wrong.toml"),
        ("wrong", "profiles/wrong.toml"),
        ("emulator", "profiles/emulator.toml"),
    ],
    ids=["path", "path-with-folders", "name-here", "name-that-hides-a-shipped-one"],
)
def test_a_hub_that_a_profile_of_one_s_own_starts_is_started_again(here, elsewhere, profile, file):
    """Also where its command finds what it runs in the working directory."""
    (here / file).write_text(LAUNCHES)
    first = run(here, *SUITE, f"--profile={profile}")
    report = here / "reports" / f"{Path(file).stem}.partial"
    before = (report / "conformance.json").read_bytes()

    again = shell(line_of(report), elsewhere)

    assert (first.returncode, again.returncode) == (1, 1), again.stdout + again.stderr
    assert verdict_in(here / "reports" / f"{Path(file).stem}.again.partial") == "violation"
    assert (report / "conformance.json").read_bytes() == before
    assert list(elsewhere.iterdir()) == []


def test_a_profile_that_starts_another_hub_since_is_refused(here, elsewhere):
    (here / "wrong.toml").write_text(LAUNCHES)
    run(here, *SUITE, "--profile=wrong.toml")
    (here / "wrong.toml").write_text(LAUNCHES.replace("arguments", "# arguments"))

    again = shell(line_of(here / "reports" / "wrong.partial"), elsewhere)

    assert again.returncode == 4
    assert re.fullmatch(
        "ERROR: --same-hub [0-9a-f]{12}: the command that .*wrong.toml starts a hub by is not that report's. "
        "Bring it back, or leave out --same-hub to judge this hub.\n",
        again.stderr,
    )


def test_the_embedded_hub_of_a_checkout_is_started_again_anywhere(tmp_path, elsewhere):
    first = run(CHECKOUT, "--profile=emulator", f"--report-dir={tmp_path / 'report'}")

    line = line_of(tmp_path / "report")
    again = shell(line, elsewhere)

    assert (first.returncode, again.returncode) == (0, 0), again.stdout + again.stderr
    assert re.fullmatch(
        f"pytest --pyargs conformance --profile=emulator --same-hub=[0-9a-f]{{12}} --clause={CLAUSE} "
        f"--report-dir={tmp_path}/report.again.partial",
        line,
    )
    assert verdict_in(tmp_path / "report.again.partial") == "pass"


def test_an_attached_hub_is_attached_to_again_while_it_runs_and_no_other_in_its_place(here, elsewhere):
    """What stands in the same ready file later is another hub; where none is, the line says what to do."""
    (here / "mine.toml").write_text(ATTACHES)
    report = here / "reports" / "mine.partial"
    with hub(here, *WRONG) as ready:
        first = run(here, *SUITE, "--profile=mine.toml", "--attach=ready.json")
        again = shell(line_of(report), elsewhere)
    gone = shell(line_of(report), elsewhere)
    with hub(here):
        other = shell(line_of(report), elsewhere)

    assert (first.returncode, again.returncode, gone.returncode, other.returncode) == (1, 1, 4, 4)
    assert verdict_in(elsewhere / "reports" / "mine.again.partial") == "violation"
    target = json.loads((report / "conformance.json").read_text())["target"]
    assert (target["name"], target["edition"]) == ("IoT Hub emulator", ready["edition"])
    assert target["ports"]["mqtt"] == ready["ports"]["mqtt"]
    assert "Start the hub with --ready-file and name that file." in gone.stderr
    assert "was started anew, or is another. Attach to the hub of that report, or leave out" in other.stderr


def test_a_hub_by_its_address_and_a_profile_with_variables_is_no_other_hub(here, elsewhere):
    """A variable that has another hub's value, or none, ends the run before its first case."""
    report = here / "reports" / "mine.partial"
    with hub(here, *WRONG) as wrong, hub(here, ready="right.json") as right:
        shutil.copyfile(wrong["ca_file"], here / "ca.pem")
        (here / "mine.toml").write_text(NAMES.format_map(wrong["ports"]))
        url = f"--hub-url=mqtts://localhost:{wrong['ports']['mqtt']}"
        string = wrong["service_connection_string"]
        first = run(here, *SUITE, "--profile=mine.toml", url, HUB=string)
        again = shell(line_of(report), elsewhere, HUB=string)
        without = shell(line_of(report), elsewhere)
        other = shell(line_of(report), elsewhere, HUB=right["service_connection_string"])

    assert (first.returncode, again.returncode) == (1, 1), again.stdout + again.stderr
    assert (without.returncode, other.returncode) == (4, 4), other.stdout + other.stderr
    assert "reads env:HUB, which is not set" in without.stderr
    assert "with HUB, names localhost" in other.stderr
    assert json.loads((report / "conformance.json").read_text())["target"]["name"] == "hub of --hub-url"
    page = html.unescape((report / "conformance.html").read_text())
    assert "The profile reads HUB: set them as they were." in page


def test_what_made_a_run_what_it_was_is_in_its_line(here, elsewhere):
    (here / "wrong.toml").write_text(LAUNCHES)
    options = ("--timeout-factor=2", "--large", "--no-preflight")
    run(here, *SUITE, "--profile=wrong.toml", *options)

    assert all(option in line_of(here / "reports" / "wrong.partial") for option in options)
