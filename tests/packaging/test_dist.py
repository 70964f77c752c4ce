"""What a release has: the wheel of the whole, that of the hub alone, and what is in each."""

import hashlib
import json
import tomllib
from zipfile import ZipFile

import pytest
from wheel_environment import CHECKOUT, Environment, locked

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def hub_alone(tmp_path_factory, hub_wheel, bill):
    """An environment with the hub, and with what its SBOM names."""
    lock = tmp_path_factory.mktemp("lock") / "lock.txt"
    lock.write_text(locked(*(each["name"] for each in bill["components"])))
    return Environment(tmp_path_factory.mktemp("environment"), hub_wheel, lock=lock)


def test_the_hub_alone_serves_without_the_suite(hub_alone, tmp_path):
    """What its wheel brings is enough, and its own tests' fixture works without pytest too."""
    said = hub_alone.run(
        "python",
        "-c",
        "from iothub_emulator.testing import IotHub\n"
        "with IotHub() as hub: print(hub.twin('device-1')['deviceId'])",
        cwd=tmp_path,
    )

    assert said.stdout == "device-1\n"


def test_the_hub_alone_brings_its_own_dependencies_and_no_others(bill, hub_alone):
    names = {each["name"].lower() for each in bill["components"]}

    assert {"aiohttp", "cryptography"} < names
    assert names & {"pytest", "allure-pytest", "azure-eventhub", "pydantic", "paho-mqtt"} == set()
    installed = hub_alone.folder.glob("lib/*/site-packages/**/*")
    sizes = [
        file.stat().st_size
        for file in installed
        if file.is_file() and file.suffix != ".pyc" and "site-packages/pip" not in str(file)
    ]
    assert sum(sizes) < 40 * MEGABYTE


def test_the_hub_alone_says_what_monitor_wants(hub_alone, tmp_path):
    ready = {"events_connection_string": "", "host": "localhost", "ports": {"amqp": 1}, "ca_file": ""}
    (tmp_path / "ready.json").write_text(json.dumps(ready))

    done = hub_alone.run(
        "python", "-m", "iothub_emulator", "monitor", "--ready-file", "ready.json", cwd=tmp_path, code=1
    )

    assert done.stderr == (
        "iothub_emulator monitor: azure-eventhub, by which it reads, is not installed: "
        "pip install 'iothub-emulator[monitor]'\n"
    )


def test_both_wheels_have_the_same_hub_and_the_same_version(wheel, hub_wheel):
    with ZipFile(wheel) as whole, ZipFile(hub_wheel) as hub:
        of_the_hub = {name for name in hub.namelist() if name.endswith((".py", ".toml"))}
        same = {name for name in of_the_hub if whole.read(name) == hub.read(name)}

    assert of_the_hub == same
    assert [file.name.split("-")[1] for file in (wheel, hub_wheel)] == [PROJECT["version"]] * 2


def test_the_hub_wants_in_both_what_it_wants_in_one():
    """A lower bound that is raised in one place is raised in the other."""
    alone = tomllib.loads((CHECKOUT / "distributions" / "iothub-emulator" / "pyproject.toml").read_text())

    assert set(alone["project"]["dependencies"]) < set(PROJECT["dependencies"])
    assert set(alone["project"]["optional-dependencies"]["monitor"]) < set(PROJECT["dependencies"])


def test_a_bill_names_each_wheel_and_what_it_needs(dist, bill, hub_wheel):
    about = bill["metadata"]["component"]
    (needs,) = (each["dependsOn"] for each in bill["dependencies"] if each["ref"] == about["bom-ref"])

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert about["hashes"] == [{"alg": "SHA-256", "content": _sha256(hub_wheel)}]
    assert [purl.partition("@")[0] for purl in needs] == ["pkg:pypi/aiohttp", "pkg:pypi/cryptography"]
    named = {each["bom-ref"] for each in bill["components"]}
    assert {purl for each in bill["dependencies"] for purl in each["dependsOn"]} == named
    lines = locked(*(each["name"] for each in bill["components"])).splitlines()
    assert [each["purl"].replace("@", "==") for each in bill["components"]] == [
        f"pkg:pypi/{line.partition(' ')[0]}" for line in lines if "==" in line
    ]
    assert {digest["content"] for each in bill["components"] for digest in each["hashes"]} == {
        line.partition("sha256:")[2].partition(" ")[0] for line in lines if "sha256:" in line
    }


def test_the_digests_are_those_of_the_files(dist):
    lines = [line.split("  ") for line in (dist / "SHA256SUMS").read_text().splitlines()]

    assert {name: digest for digest, name in lines} == {
        file.name: _sha256(file) for file in dist.iterdir() if file.suffix in {".whl", ".json"}
    }


def _sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()
