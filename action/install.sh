#!/usr/bin/env bash
# Installs the suite of this action's own version into an environment of its own.
set -euo pipefail

python -m venv "$RUNNER_TEMP/conformance"
"$RUNNER_TEMP/conformance/bin/python" -m pip install --quiet --disable-pip-version-check "$GITHUB_ACTION_PATH"
