"""The device of docs/devices.md, as it stands there: an adapter that is written from that page works."""

import re

from device_run import verdicts
from suite_server import CHECKOUT

PROGRAM = re.compile(r"```python\n(.*?)```", re.DOTALL)
CLAIMS = 'capabilities = ["telemetry"]\n[device.timing]\nkeep-alive = 60\nreconnect = 1\n'
SECTIONS = ("device-connect.*", "device-telemetry.*", "device-bag.*")


def test_the_device_of_the_page_holds_what_it_claims(tmp_path, judged):
    """It has sixty lines, and no clause that it claims is violated, broken or left untested."""
    (program,) = PROGRAM.findall((CHECKOUT / "docs" / "devices.md").read_text())
    (tmp_path / "device.py").write_text(program)
    command = ["{python}", str(tmp_path / "device.py")]
    statement = judged(command, SECTIONS, more=CLAIMS)

    chosen = tuple(section.removesuffix("*") for section in SECTIONS)
    found = {verdict for clause, verdict in verdicts(statement).items() if clause.startswith(chosen)}
    assert statement["run"]["exit_code"] == 0, statement["output"]
    assert found == {"pass", "observed", "not claimed"}
    assert len([line for line in program.splitlines() if line.strip()]) <= 60
