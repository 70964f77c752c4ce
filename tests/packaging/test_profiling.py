"""The built wheel beside pytest-profiling, which has an option --profile too."""

import json

import pytest
from wheel_environment import Environment

SUITE = ("--pyargs", "conformance", "--section=transport", "-q")


@pytest.fixture(scope="module")
def environment(tmp_path_factory, wheel):
    return Environment(tmp_path_factory.mktemp("environment"), wheel, "profiling.txt")


@pytest.mark.parametrize("named", [("--profile=emulator",), ("--profile", "emulator"), ()], ids=" ".join)
@pytest.mark.parametrize("distribution", [(), ("-n", "2")], ids=["one-process", "n-2"])
def test_a_run_of_the_suite_keeps_its_option_and_names_the_other(environment, tmp_path, named, distribution):
    done = environment.run("pytest", *SUITE, *named, *distribution, cwd=tmp_path)

    report = json.loads((tmp_path / "reports" / "emulator.partial" / "conformance.json").read_text())
    assert report["profile"]["name"] == "emulator"
    assert [line for line in done.stderr.splitlines() if "-p no:profiling" in line] == [
        (
            "NOTE: --profile is the suite's in this run, and the plugin 'profiling', which has one too, is "
            "left out. Do so yourself with: -p no:profiling"
        )
    ]
    assert not (tmp_path / "prof").exists()


def test_told_to_leave_it_out_a_run_says_nothing_of_it(environment, tmp_path):
    done = environment.run("pytest", *SUITE, "--profile=emulator", "-p", "no:profiling", cwd=tmp_path)

    assert "profiling" not in done.stderr


def test_other_tests_are_profiled_as_they_were(environment, tmp_path):
    (tmp_path / "test_mine.py").write_text("def test_mine(): pass\n")

    plain = environment.run("pytest", cwd=tmp_path)
    assert not (tmp_path / "prof").exists()
    profiled = environment.run("pytest", "--profile", "test_mine.py", cwd=tmp_path)

    assert (tmp_path / "prof" / "test_mine.prof").exists()
    assert "Profiling (from " in profiled.stdout
    assert plain.stderr == profiled.stderr == ""
