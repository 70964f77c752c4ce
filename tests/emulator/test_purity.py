"""The core is pure, and every rule says which clause it is for."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import iothub_emulator
from iothub_emulator.editions import EDITIONS
from iothub_emulator.rules import rules_for
from iothub_emulator.settings import Settings

HUB = Path(iothub_emulator.__file__).parent / "hub"
CODEC = [HUB.parent / "mqtt" / name for name in ("decoder.py", "encoder.py", "rules.py")]
IMPURE = {"asyncio", "socket", "ssl", "time", "random", "secrets", "uuid", "aiohttp", "threading"}
CITATION = re.compile(r"\b[a-z0-9]+\.[a-z][a-z0-9-]+|\[MQTT-|\bRFC [0-9]+ section")

RULES = rules_for(Settings(), EDITIONS["document"])
OURS = ("tokens", "connect", "connection", "keep_alive", "publish", "property_bag", "subscribe", "will",
        "telemetry", "mailbox", "methods", "codec", "listeners")  # fmt: skip


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


@pytest.mark.parametrize(
    "path", [*sorted(HUB.glob("*.py")), *CODEC], ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_the_core_reads_no_clock_and_opens_no_socket(path):
    assert not IMPURE & set(imported(path))
    assert not re.search(r"\b(now|utcnow|today)\(\)", path.read_text())


@pytest.mark.parametrize("name", OURS)
def test_every_rule_cites_its_clause(name):
    """A decision without a clause id, an MQTT rule or a section of an RFC is nobody's."""
    silent = [
        method
        for method, function in inspect.getmembers(type(getattr(RULES, name)), inspect.isfunction)
        if not method.startswith("_") and not CITATION.search(function.__doc__ or "")
    ]
    # Composed of other methods that cite theirs; and one about a way in that no hub has.
    assert set(silent) <= {"parse", "stamp", "connect_target"}
