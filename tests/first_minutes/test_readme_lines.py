"""The README's lines, figures and links are held against what they do, where nothing is in the home."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import readme
import trustme

from conformance.documents import catalogue
from conformance.explore import scenarios
from conformance.verdict.run import ExitCode
from conformance.verdict.verdicts import Verdict

TEXT = readme.README.read_text()
KEY = "c2VjcmV0LWtleS0xMjM0"
HUB = f"HostName=myhub.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey={KEY}"
EVENTS = f"Endpoint=sb://ns.example.net/;SharedAccessKeyName=iothubowner;SharedAccessKey={KEY};EntityPath=hub"
OF_A_LIVE_HUB = {"IOTHUB_SERVICE_CONNECTION_STRING": HUB, "IOTHUB_EVENTS_CONNECTION_STRING": EVENTS}


def files_of(folder):
    """Write what the lines of the README name: a hub's ready file, a scenario, a profile of a device."""
    (folder / "ready.json").write_text(
        json.dumps(
            {
                "host": "localhost",
                "ports": {"mqtt": 1, "https": 2, "amqp": 3, "plain": 4},
                "ca_file": str(folder / "ca.pem"),
                "service_connection_string": HUB,
                "events_connection_string": EVENTS,
                "device_connection_strings": {},
                "edition": "current",
                "timing": {},
                "capabilities": ["registry", "telemetry", "twin"],
            }
        )
    )
    trustme.CA().cert_pem.write_to_path(str(folder / "ca.pem"))
    (folder / "failure.txt").write_text(str(scenarios.draw(3)))
    shutil.copy(readme.CHECKOUT / "profiles" / "my-device.toml", folder / "mine.toml")


@pytest.mark.parametrize("line", readme.console("pytest"), ids=lambda line: line.replace("/", "_"))
def test_each_line_of_pytest_is_understood(newcomer, line):
    """As a dry run: it says what would run, and reaches no hub."""
    files_of(newcomer.folder)
    words = [word for word in re.findall(r"(?:'[^']*'|\S)+", line) if word not in {"pytest", "--dry-run"}]

    said = newcomer.judges(*(word.replace("'", "") for word in words), "--dry-run", **OF_A_LIVE_HUB)

    assert re.search(r"\d+ cases? would run", said)


def test_who_leaves_out_the_suite_s_name_elsewhere_is_told_so(newcomer):
    said = newcomer.types("pytest", "--profile=emulator", code=5)

    assert (
        f"ERROR: no case is below {newcomer.folder}, where this run was started. "
        "From any directory: pytest --pyargs conformance"
    ) in said.splitlines()


def test_each_line_of_make_is_a_target():
    asked = {line.split()[1] for line in readme.console("make")} | set(re.findall(r"`make ([a-z-]+)`", TEXT))

    done = subprocess.run(
        ["make", "--dry-run", "--always-make", *sorted(asked)],
        cwd=readme.CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, asked - {"report"}) == (0, asked - {"report"}), done.stderr


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`python -m conformance ([a-z]+)", TEXT))))
def test_each_command_is_there(newcomer, command):
    assert newcomer.types("python", "-m", "conformance", command, "--help").startswith("usage: ")


def test_each_option_of_the_hub_is_there(newcomer):
    told = newcomer.types("python", "-m", "iothub_emulator", "--help")
    about_the_hub = TEXT[TEXT.index("## The embedded hub") : TEXT.index("## Why one may trust")]
    named = set(re.findall(r"`(?:[^`]* )?(--[a-z-]+)", about_the_hub)) - {
        "--attach",
        "--help",
        "--from-start",
    }

    assert named - set(re.findall(r"--[a-z-]+", told)) == set()
    assert len(named) > 10


def test_each_link_leads_somewhere():
    targets = re.findall(r"\]\((?!https?://)([^)#]+)[^)]*\)", TEXT)

    assert [each for each in targets if not (readme.CHECKOUT / each).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "*/README.md", "docs/*.md"])
def test_no_table_is_cut_in_two(page):
    """A row behind an empty line is the head of another table: a line of dashes follows it."""
    texts = [file.read_text() for file in readme.CHECKOUT.glob(page)]
    begin = [line for text in texts for line in re.findall(r"(?<=\n\n)\|[^\n]*\n([^\n]*)", text)]

    assert texts
    assert [line for line in begin if not re.match(r"\| ?:?-", line)] == []


def test_the_example_counts_the_clauses_that_there_are():
    (clauses, counts, cases) = re.search(
        r"^(\d+) clauses: ((?:[a-z ]+ \d+,? ?)+); (\d+) cases in", TEXT, re.MULTILINE
    ).groups()

    known = catalogue.load().clauses
    assert int(clauses) == len(known)
    assert sum(map(int, re.findall(r"\d+", counts))) == len(known)
    assert {words.strip() for words in re.findall(r"([a-z ]+?) \d+", counts)} <= set(Verdict)
    assert 0.95 < int(cases) / _collected() < 1.05


def _collected():
    """Return how many cases the profile emulator has."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--profile=emulator", "--collect-only", "-q"],
        cwd=readme.CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    return int(re.search(r"(\d+) tests collected", done.stdout)[1])


def test_the_tables_of_verdicts_and_exit_codes_are_whole():
    tables = TEXT[TEXT.index("## How to read a verdict") : TEXT.index("Where several hold")]
    rows = re.findall(r"^\| ([^|]+) \|", tables, re.MULTILINE)

    assert [each for each in Verdict if each not in rows] == []
    codes = {int(code) for row in rows for code in re.findall(r"^\d+|(?<=, )\d+", row)}
    assert codes == set(map(int, ExitCode))


def test_as_many_right_hubs_as_it_says():
    """The figure is a round one below what the folders of right hubs list."""
    words = {"eighty": 80, "ninety": 90, "a hundred": 100}
    said = re.search(r"more than (\w+) right hubs", TEXT)[1]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "tests/latitude/test_latitude.py", "tests/field/test_field.py"),
            *("--collect-only", "-q"),
        ],
        cwd=readme.CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert int(re.search(r"(\d+) tests collected", done.stdout)[1]) > words[said]


def test_the_workflow_uses_what_the_action_has():
    (workflow,) = readme.blocks("yaml")
    action = (readme.CHECKOUT / "action.yml").read_text()
    inputs = re.findall(r"^  ([a-z-]+):$", action[: action.index("\noutputs:")], re.MULTILINE)

    used = re.findall(r"^          ([a-z-]+):", workflow, re.MULTILINE)
    assert used == ["profile", "options", "comment"]
    assert set(used) <= set(inputs)
    assert set(re.findall(r"inputs\.([a-z-]+)", action)) == set(inputs)
