"""The steps of the GitHub Action, played: each is a script that knows what its environment says."""

import json
import sys

import pytest
import readme

SCRIPTS = readme.CHECKOUT / "action"


@pytest.fixture
def job(newcomer, tmp_path):
    """Runs a step of the action as a job does; its outputs and its summary are files."""
    runner = tmp_path / "runner"
    runner.mkdir()
    (runner / "conformance").symlink_to(sys.prefix)

    def step(name, code=0, **variables):
        return newcomer.types(
            *("bash", str(SCRIPTS / name)),
            code=code,
            RUNNER_TEMP=str(runner),
            GITHUB_OUTPUT=str(tmp_path / "output"),
            GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"),
            **variables,
        )

    return step


def outputs(tmp_path):
    return dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())


def test_it_judges_with_the_options_line_by_line_and_says_where_the_report_is(job, newcomer, tmp_path):
    job(
        "judge.sh",
        PROFILE="emulator",
        OPTIONS="--section=transport\n-n=2\n-k=not websocket\n",
        REPORT_DIR="reports/conformance",
    )

    assert outputs(tmp_path) == {"exit-code": "0", "report": "reports/conformance"}
    statement = json.loads((newcomer.folder / "reports" / "conformance" / "conformance.json").read_text())
    assert statement["run"]["selection"] == ["--section transport", "-k not websocket"]
    assert "transport" in (tmp_path / "summary.md").read_text()


def test_the_step_ends_with_the_code_of_the_run(job, tmp_path):
    said = job("judge.sh", PROFILE="weather", OPTIONS="", REPORT_DIR="reports/conformance", code=4)

    assert "--profile weather: unknown profile" in said
    assert outputs(tmp_path) == {"exit-code": "4", "report": ""}


def test_the_verdict_is_one_comment_that_is_written_over(job, newcomer, tmp_path):
    programs = newcomer.folder / "bin"
    programs.mkdir()
    (programs / "gh").write_text('#!/bin/sh\necho "$@"\ncp "${7}" said.md\n')
    (programs / "gh").chmod(0o755)
    (newcomer.folder / "report").mkdir()
    (newcomer.folder / "report" / "summary.md").write_text("The hub conforms.\n" + "x" * 70_000)

    said = job(
        "comment.sh",
        REPORT="report",
        PULL_REQUEST="https://git.example/pull/1",
        PATH=f"{programs}:{newcomer.environment['PATH']}",
    )

    assert said.split("--body-file")[0] == (
        "pr comment https://git.example/pull/1 --edit-last --create-if-none "
    )
    written = (newcomer.folder / "said.md").read_text()
    assert (written[:17], len(written)) == ("The hub conforms.", 60_000)


def test_each_step_is_a_script_and_each_script_a_step():
    action = (readme.CHECKOUT / "action.yml").read_text()

    assert sorted(f'run: bash "$GITHUB_ACTION_PATH/action/{file.name}"' for file in SCRIPTS.iterdir()) == (
        sorted(line.strip() for line in action.splitlines() if line.strip().startswith("run:"))
    )
