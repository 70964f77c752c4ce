"""The built wheel, installed where no checkout is near, runs the suite."""

import json
import re
import subprocess
import sys
import venv
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def test_the_wheel_runs_the_suite_from_an_empty_directory(tmp_path):
    """Profiles, clauses and tests are inside the wheel; no ini file and no conftest is read."""
    dist, environment, empty = tmp_path / "dist", tmp_path / "environment", tmp_path / "empty"
    empty.mkdir()
    python = environment / "bin" / "python"

    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", dist, CHECKOUT)
    venv.create(environment, with_pip=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "--require-hashes", "--requirement", CHECKOUT / "requirements" / "lock.txt")
    run(*pip, "--no-deps", *dist.glob("*.whl"))

    run(python, "-m", "pytest", "--pyargs", "conformance", "--profile=emulator", "-n", "2", "-q", cwd=empty)
    report = json.loads((empty / "reports" / "emulator" / "conformance.json").read_text())
    assert (report["run"]["exit_code"], report["profile"]["name"]) == (0, "emulator")

    run(python, "-m", "conformance", "profiles", cwd=empty)
    for program in ("conformance", "iothub_emulator"):
        said = subprocess.check_output([python, "-m", program, "--version"], cwd=empty, text=True)
        assert re.fullmatch(rf"{program} \d{{4}}\.\d+\.\d+\n", said)


def run(*command, cwd=None):
    subprocess.run([str(word) for word in command], cwd=cwd, check=True, timeout=600)
