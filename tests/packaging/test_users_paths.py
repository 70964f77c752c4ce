"""Four users' first minutes, as scripts: each in an empty folder, with an empty home."""

import subprocess

import pytest
from wheel_environment import CHECKOUT, Environment, locked

SCRIPTS = CHECKOUT / "tests" / "first_minutes"
HALF_AN_HOUR = 1800


@pytest.fixture(scope="module")
def project(tmp_path_factory, hub_wheel, bill):
    """The environment of a firmware project: pytest, the device's own library, and the hub alone."""
    own = ("pytest", "iniconfig", "packaging", "pluggy", "pygments", "paho-mqtt")
    lock = tmp_path_factory.mktemp("lock") / "lock.txt"
    lock.write_text(locked(*own, *(each["name"] for each in bill["components"])))
    return Environment(tmp_path_factory.mktemp("project"), hub_wheel, lock=lock)


@pytest.fixture
def walks(tmp_path):
    """Walks a script to its end, and returns what it said."""

    def walk(script, environment, **variables):
        home, folder = tmp_path / "home", tmp_path / "work"
        home.mkdir()
        folder.mkdir()
        done = subprocess.run(
            ["bash", SCRIPTS / script],
            cwd=folder,
            env={"HOME": str(home), "PATH": environment.path, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=HALF_AN_HOUR,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return walk


def test_a_ci_owner_installs_from_a_repository_and_gates_a_job(walks, environment):
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout.strip()

    walks("ci_owner.sh", environment, REPOSITORY=f"file://{CHECKOUT}", COMMIT=commit)


def test_a_hub_s_author_judges_a_hub_that_runs_and_compares(walks, environment):
    walks("hub_author.sh", environment)


def test_somebody_with_a_hub_in_the_cloud_judges_it_by_two_strings(walks, environment):
    walks("cloud_hub.sh", environment)


def test_a_firmware_developer_tests_a_device_on_the_hub_alone(walks, project):
    walks("firmware_developer.sh", project, README=str(CHECKOUT / "README.md"))
