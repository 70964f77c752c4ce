#!/usr/bin/env bash
# Somebody with a hub in the cloud judges it by the shipped profile and two connection strings.
# No hub of Azure's is at hand: an embedded one stands for it, so the profile says its ports and whom to trust.
set -euo pipefail

python -m iothub_emulator --mqtt-port 0 --https-port 0 --amqp-port 0 --amqp-plain-port 0 --ready-file hub.json >hub.txt 2>&1 &
hub=$!
trap 'kill $hub; wait' EXIT
for _ in $(seq 600); do [[ ! -f hub.json ]] || break; sleep 0.1; done

# Without its strings the run says which are missing, and nothing else happens.
code=0
pytest --pyargs conformance --profile=real-hub >said.txt 2>&1 || code=$?
test "$code" = 4
grep IOTHUB_SERVICE_CONNECTION_STRING said.txt

of() { python -c 'import json, sys; hub = json.load(open("hub.json")); print(eval(sys.argv[1]))' "$1"; }
cat >mine.toml <<TOML
schema = 1
extends = "real-hub"
[target]
name = "hub in the cloud"
trust = "$(of 'hub["ca_file"]')"
ports = { mqtt = $(of 'hub["ports"]["mqtt"]'), https = $(of 'hub["ports"]["https"]'), amqp = $(of 'hub["ports"]["amqp"]') }
TOML
IOTHUB_SERVICE_CONNECTION_STRING=$(of 'hub["service_connection_string"]')
IOTHUB_EVENTS_CONNECTION_STRING=$(of 'hub["events_connection_string"]')
export IOTHUB_SERVICE_CONNECTION_STRING IOTHUB_EVENTS_CONNECTION_STRING

pytest --pyargs conformance --profile=mine.toml -n 4 --dry-run | tee said.txt
grep 'minutes on 4 workers of 3 processes each, on a hub that is 80 ms away' said.txt
pytest --pyargs conformance --profile=mine.toml --section=transport -n 4 | tee said.txt
grep 'what was selected holds (exit code 0)' said.txt
! grep -r "$(of 'hub["service_connection_string"].split("SharedAccessKey=")[1]')" reports
