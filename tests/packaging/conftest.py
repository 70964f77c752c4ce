"""What `make dist` makes, made once for all tests of it."""

import json
import subprocess
import sys

import pytest
from wheel_environment import CHECKOUT, Environment


@pytest.fixture(scope="session")
def dist(tmp_path_factory):
    """The folder of a release."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, CHECKOUT / "distributions" / "build.py", folder],
        check=True,
        cwd=CHECKOUT,
        timeout=600,
    )
    return folder


@pytest.fixture(scope="session")
def wheel(dist):
    """The whole: suite and hub."""
    (built,) = dist.glob("iothub_mqtt_conformance-*.whl")
    return built


@pytest.fixture(scope="session")
def environment(tmp_path_factory, wheel):
    """Where suite and hub are installed, and nothing else of the checkout."""
    return Environment(tmp_path_factory.mktemp("environment"), wheel)


@pytest.fixture(scope="session")
def hub_wheel(dist):
    """The hub alone."""
    (built,) = dist.glob("iothub_emulator-*.whl")
    return built


@pytest.fixture(scope="session")
def bill(dist):
    """The SBOM of the hub alone."""
    (file,) = dist.glob("iothub_emulator-*.cdx.json")
    return json.loads(file.read_text())
