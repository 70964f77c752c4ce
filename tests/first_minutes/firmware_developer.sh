#!/usr/bin/env bash
# A firmware developer wants only the hub: for tests of a device, in the project's own environment.
# The hub alone is installed, with pytest and the device's own library; README is the project's.
set -euo pipefail

if python -c 'import conformance' 2>/dev/null; then exit 1; fi

# The README's device and its test, word by word.
python - "$README" <<'PYTHON'
import pathlib, re, sys
blocks = re.findall(r"^```python\n(.*?)^```$", pathlib.Path(sys.argv[1]).read_text(), re.M | re.S)
pathlib.Path("device.py").write_text(next(each for each in blocks if "paho" in each))
pathlib.Path("test_device.py").write_text(next(each for each in blocks if "def test_" in each))
PYTHON
pytest -q | tee said.txt
grep '1 passed' said.txt

# A hub to look at, and what a device says, in a file: no AMQP is needed.
python -m iothub_emulator --mqtt-port 0 --https-port 0 --amqp-port 0 --amqp-plain-port 0 \
	--ready-file ready.json --event-log events.jsonl >hub.txt 2>&1 &
hub=$!
trap 'kill $hub; wait' EXIT
rm -f ready.json
for _ in $(seq 600); do [[ ! -f ready.json ]] || break; sleep 0.1; done
python device.py | tee said.txt
grep PUBACK said.txt
grep '"device": "device-1"' events.jsonl
