"""What the README shows a newcomer works as it stands there."""

import json
import subprocess
import sys

import readme
from hub_program import run
from live_hub import PATIENCE


def test_the_readme_s_paho_device_sends_its_first_message(start, tmp_path):
    """Run beside the ready file, and seen by `monitor`."""
    start()
    (tmp_path / "device.py").write_text(readme.program("paho"))
    device = subprocess.run(
        [sys.executable, "device.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (device.returncode, device.stdout, device.stderr) == (0, "CONNACK: Success\nPUBACK\n", "")

    seen = run(
        tmp_path, "monitor", "--ready-file", "ready.json", "--from-start", "--events", "1", "--timeout", "60"
    )
    assert json.loads(seen.stdout) == {
        "event": {"origin": "device-1", "module": "", "payload": {"temperature": 21.5}}
    }
    assert seen.stdout in readme.README.read_text()
