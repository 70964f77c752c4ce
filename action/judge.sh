#!/usr/bin/env bash
# Judges the hub of PROFILE with OPTIONS, one a line; tells later steps the exit code and where the report is.
# The run itself writes its verdict into the summary of the job.
set -uo pipefail

options=()
while IFS= read -r option; do
	[[ -z $option ]] || options+=("$option")
done <<<"$OPTIONS"

"$RUNNER_TEMP/conformance/bin/pytest" --pyargs conformance "--profile=$PROFILE" "--report-dir=$REPORT_DIR" \
	${options[@]+"${options[@]}"}
code=$?

# A run that was interrupted leaves what it has beside that folder, and one that was refused leaves nothing.
for report in "$REPORT_DIR" "$REPORT_DIR.partial"; do
	[[ ! -f $report/conformance.json ]] || break
	report=
done
printf 'exit-code=%s\nreport=%s\n' "$code" "$report" >>"$GITHUB_OUTPUT"
exit "$code"
