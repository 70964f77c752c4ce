"""The built wheel, installed where no checkout is near, runs the suite."""

import html
import json
import re
from zipfile import ZipFile

from wheel_environment import CHECKOUT


def test_the_wheel_runs_the_suite_from_an_empty_directory(environment, tmp_path):
    """Profiles, clauses and tests are inside the wheel; no ini file and no conftest is read.

    A line from its report runs there, and anywhere else, beside the report.
    """
    empty, elsewhere = tmp_path / "empty", tmp_path / "elsewhere"
    empty.mkdir()
    elsewhere.mkdir()

    environment.run("pytest", "--pyargs", "conformance", "--profile=emulator", "-n", "auto", "-q", cwd=empty)
    written = empty / "reports" / "emulator" / "conformance.json"
    report = json.loads(written.read_text())
    assert (report["run"]["exit_code"], report["profile"]["name"]) == (0, "emulator")

    before = written.read_bytes()
    page = html.unescape((written.parent / "conformance.html").read_text())
    line = next(
        found
        for found in re.findall("Reproduce </span><code>(.*?)</code>", page)
        if "--clause=transport.mqtt" in found
    )
    said = [environment.shell(line, cwd=folder).stdout for folder in (empty, elsewhere)]
    assert all("what was selected holds (exit code 0)" in each for each in said)
    assert written.read_bytes() == before
    assert [(folder / "reports" / "emulator.partial").is_dir() for folder in (empty, elsewhere)] == [
        True,
        True,
    ]
    for program in ("conformance", "iothub_emulator"):
        said = environment.run("python", "-m", program, "--version", cwd=empty).stdout
        assert re.fullmatch(rf"{program} \d{{4}}\.\d+\.\d+\n", said)

    environment.run("python", "-m", "conformance", "profiles", cwd=empty)


def test_the_wheel_carries_what_pages_are_made_of(wheel):
    folder = "conformance/report/html/templates/"
    carried = {name for name in ZipFile(wheel).namelist() if name.startswith(folder)}

    assert carried == {f"{folder}{file.name}" for file in (CHECKOUT / folder).iterdir()}
