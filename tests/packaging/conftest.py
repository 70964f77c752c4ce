"""The wheel, built once for all tests of it."""

import subprocess
import sys

import pytest
from wheel_environment import CHECKOUT


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    dist = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", dist, CHECKOUT],
        check=True,
        timeout=600,
    )
    (built,) = dist.glob("*.whl")
    return built
