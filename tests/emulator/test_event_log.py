"""`--event-log`: what reaches the built-in endpoint, as lines of JSON, for programs that speak no AMQP."""

import json
import subprocess
import sys

import readme
from hub_program import FREE_PORTS, run
from live_hub import PATIENCE


def test_each_event_is_a_line_with_all_that_a_back_end_sees(start, tmp_path):
    process, _ = start("--event-log", "events.jsonl", "--events", "telemetry,connection,lifecycle")
    (tmp_path / "device.py").write_text(readme.program("paho"))
    subprocess.run([sys.executable, "device.py"], cwd=tmp_path, check=True, timeout=PATIENCE)
    process.stdin.close()
    process.terminate()
    process.wait(PATIENCE)

    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    (telemetry,) = [event for event in events if event["source"] == "Telemetry"]
    assert telemetry.pop("time") > 1_700_000_000
    assert telemetry == {
        "device": "device-1",
        "module": "",
        "source": "Telemetry",
        "properties": {},
        "system": {"content-type": "application/json", "content-encoding": "utf-8"},
        "body_base64": "eyJ0ZW1wZXJhdHVyZSI6IDIxLjV9",
    }


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    done = run(tmp_path, *FREE_PORTS, "--event-log", "missing/events.jsonl")

    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        (
            "iothub_emulator: --event-log missing/events.jsonl cannot be written "
            "(No such file or directory): name a file in a writable folder\n"
        ),
    )
