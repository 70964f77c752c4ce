#!/usr/bin/env bash
# A hub's author judges a hub that runs already, goes to a line of its report, and compares two runs.
# Suite and hub are installed; nothing else is here.
set -euo pipefail

start_hub() { # NAME OPTIONS...: a hub whose ready file is NAME.json
	local name=$1
	shift
	python -m iothub_emulator --mqtt-port 0 --https-port 0 --amqp-port 0 --amqp-plain-port 0 "$@" \
		--ready-file "$name.json" >"$name.txt" 2>&1 &
	hubs+=($!)
	for _ in $(seq 600); do
		[[ ! -f $name.json ]] || return 0
		sleep 0.1
	done
	cat "$name.txt"
	return 1
}
hubs=()
trap 'kill "${hubs[@]}"; wait' EXIT

start_hub today --sas-skew 1 --sas-grace 1 --c2d-lock 1
start_hub document --edition document

pytest --pyargs conformance --attach=today.json --dry-run | grep 'cases would run'
pytest --pyargs conformance --attach=today.json --section=transport -n 2 | tee said.txt
grep 'profile: attached; target: IoT Hub emulator at localhost' said.txt
grep 'what was selected holds (exit code 0)' said.txt

pytest --pyargs conformance --attach=document.json --section=transport -n 2 --report-dir=document
python -m conformance compare reports/attached.partial/conformance.json document/conformance.json

# Devices alone, by a copy of the shipped profile.
python -m conformance profiles | grep device-only
pytest --pyargs conformance --profile=device-only --section=transport | grep 'exit code 0'
