#!/usr/bin/env bash
# A CI owner gates a job on the answer: installs from a repository, keeps the report, sees red turn the job red.
# REPOSITORY is where the project is, COMMIT what is installed.
set -euo pipefail

python3 -m venv judge
judge/bin/pip install --quiet --disable-pip-version-check "git+$REPOSITORY@$COMMIT"

part=(--section=transport --clause='transport.*' -n auto)
judge/bin/pytest --pyargs conformance --profile=emulator "${part[@]}" --report-dir=conformance-report --junitxml=junit.xml
test -s conformance-report/conformance.html
test -s conformance-report/summary.md
test -s junit.xml

# A hub that needs a difference accepted that it has not: the gate closes.
cat >mine.toml <<'TOML'
schema = 1
extends = "emulator"
[[deviation]]
clause = "transport.mqtt"
observed = "closed"
reason = "Planned for the next release."
since = 2026-01-01
expires = 2099-01-01
TOML
code=0
judge/bin/pytest --pyargs conformance --profile=mine.toml "${part[@]}" >said.txt || code=$?
test "$code" = 11
grep 'stale deviation' said.txt

# The action does that in a job: it installs its own version, judges, and tells the next steps where the report is.
git clone --quiet "$REPOSITORY" action
git -C action checkout --quiet "$COMMIT"
export GITHUB_ACTION_PATH=$PWD/action RUNNER_TEMP=$PWD/runner GITHUB_OUTPUT=$PWD/output.txt GITHUB_STEP_SUMMARY=$PWD/summary.md
mkdir runner
bash action/action/install.sh
PROFILE=emulator OPTIONS=$'--section=transport\n-n=2' REPORT_DIR=reports/conformance bash action/action/judge.sh
grep -x 'exit-code=0' output.txt
grep -x 'report=reports/conformance' output.txt
grep transport summary.md >/dev/null
