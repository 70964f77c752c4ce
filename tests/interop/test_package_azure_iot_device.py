"""azure-iot-device, Microsoft's device for Python, against the embedded hub."""

import json
import subprocess
import sys
from functools import partial

import pytest
import readme
from environments import ROOT, python_environment

PACKAGE = "azure-iot-device"
SCRIPT = "scripts/azure_iot_device.py"
ENVIRONMENT = partial(python_environment, PACKAGE)
DEADLINE = 240

STYLES = ("sync", "async")
TRANSPORTS = {"MQTT": "mqtt", "WebSocket": "https"}

# The package knows port 8883 and 443 only: by HostName=localhost it needs them, through a proxy it does not.
FIXED_PORTS = {
    f"{style} {transport} device by key over localhost": (port,)
    for style in STYLES
    for transport, port in TRANSPORTS.items()
}

FULL = (
    "connect",
    "telemetry with every property",
    "telemetry keeps its order",
    "cloud-to-device with every property",
    "twin get",
    "twin reported",
    "twin desired",
    "method with payload",
    "method without payload",
    "reconnect after a drop",
    "cloud-to-device after a drop",
    "method with payload after a drop",
    "method without payload after a drop",
    "disconnect",
)
SHORT = ("connect", "telemetry with every property", "twin get", "disconnect")
RENEWAL = ("SAS renewal: connect", "SAS renewal: a new token replaces the old one", "disconnect")
OF_A_MODULE = tuple(name for name in FULL if "cloud-to-device" not in name)

ROUNDS = {
    "{style} {transport} device by key over localhost": FULL,
    "{style} {transport} device by key over CONNECT": FULL,
    "{style} {transport} module by key over CONNECT": OF_A_MODULE,
    "{style} {transport} device by certificate over CONNECT": SHORT,
    "{style} {transport} module by certificate over CONNECT": SHORT,
    "{style} {transport} device by symmetric key over CONNECT": SHORT,
}
RENEWALS = (
    "{style} MQTT device by token over CONNECT",
    "{style} WebSocket device by key with a short life over CONNECT",
)

STEPS = (
    *(
        f"{way.format(style=style, transport=transport)}: {name}"
        for style in STYLES
        for transport in TRANSPORTS
        for way, names in ROUNDS.items()
        for name in names
    ),
    *(f"{way.format(style=style)}: {name}" for style in STYLES for way in RENEWALS for name in RENEWAL),
    "sync MQTT device by wrong key over CONNECT: is refused",
)


@pytest.mark.parametrize("step", STEPS)
def test_azure_iot_device(passes, step):
    passes(step)


def test_the_readme_s_device_sends_its_first_message(environment, interop_hub, needs_usual_ports, tmp_path):
    """Run as it stands there, beside the ready file, and seen by `monitor`."""
    needs_usual_ports("mqtt")
    (tmp_path / "ready.json").write_text(json.dumps(interop_hub))
    (tmp_path / "device.py").write_text(readme.program("azure.iot.device"))
    subprocess.run([environment.program, "device.py"], cwd=tmp_path, check=True, timeout=DEADLINE)

    monitor = (sys.executable, "-m", "iothub_emulator", "monitor", "--ready-file", tmp_path / "ready.json")
    wanted = ("--from-start", "--device-id", "device-1", "--events", "1", "--timeout", "60")
    seen = subprocess.run(
        [*monitor, *wanted], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=DEADLINE
    )
    assert json.loads(seen.stdout)["event"]["payload"] == {"temperature": 21.5}
    assert seen.stdout in readme.README.read_text()


def test_azure_iot_device_performs_no_other_steps(performance):
    assert set(performance.steps) <= set(STEPS)
