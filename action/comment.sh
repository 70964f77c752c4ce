#!/usr/bin/env bash
# Says the verdict of REPORT in PULL_REQUEST: one comment, which the next run writes over.
set -euo pipefail

# A comment holds 65,536 characters; what is cut stands in the report.
head --bytes=60000 "$REPORT/summary.md" >"$RUNNER_TEMP/comment.md"
gh pr comment "$PULL_REQUEST" --edit-last --create-if-none --body-file "$RUNNER_TEMP/comment.md"
