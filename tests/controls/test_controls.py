"""Nothing is green by accident: on targets that are no hub, no clause that must hold passes.

The service side is the embedded hub's, so that every clause is claimed and tested; only the ports of MQTT and
of WebSocket are an impostor's.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import trustme
from impostors import Agreeing, Closing, Echoing, OverWebSocket, Silent, serving

from conformance.profile import loading as profile
from conformance.target import launch
from conformance.target.certificates import DeviceAuthority

CHECKOUT = Path(__file__).parents[2]
# Who signs certificates of devices: the hub knows its certificate, the run its key.
DEVICES = DeviceAuthority.new()

ADMITS = "it accepts right credentials, as it accepts any"
SPEAKS_TLS = "its port does speak TLS with a trusted certificate"
HANDS_NOTHING_ON = "what it acknowledges reaches nobody, so no other device either"
ACKNOWLEDGES = "it does acknowledge each packet with the packet's id"
CHOOSES = "its WebSocket does have the subprotocol mqtt"
SERVED = "the ports that back ends use are the embedded hub's"

# What an impostor satisfies honestly, with the reason.
HONEST = {
    Silent: {},
    Closing: {},
    Echoing: {},
    Agreeing: {
        "connect.answered": ADMITS,
        "connect.client-id": ADMITS,
        "connect.keep-alive-long": ADMITS,
        "connect.special-characters": ADMITS,
        "connect.username": ADMITS,
        "connection.ids-alike": ADMITS,
        "module.connect": ADMITS,
        "module.special-characters": ADMITS,
        "sas.accepted": ADMITS,
        "sas.case-of-escapes": ADMITS,
        "sas.field-order": ADMITS,
        "sas.secondary-key": ADMITS,
        "transport.amqp-cipher-suites": SERVED,
        "twin.tags-kept": SERVED,
        "transport.mqtt": SPEAKS_TLS,
        "transport.no-plaintext": SPEAKS_TLS,
        "transport.plaintext-refused": SPEAKS_TLS,
        "transport.rest-cipher-suites": SERVED,
        "transport.server-certificate": SPEAKS_TLS,
        "transport.tls-1-2": SPEAKS_TLS,
        "c2d.subscribe": ACKNOWLEDGES,
        "methods.subscribe": ACKNOWLEDGES,
        "twin.subscribe": ACKNOWLEDGES,
        "connection.ping": ACKNOWLEDGES,
        "d2c.dup": ACKNOWLEDGES,
        "d2c.puback": ACKNOWLEDGES,
        "packets.lengths": ACKNOWLEDGES,
        "packets.unsuback": ACKNOWLEDGES,
        "websocket.frames": ACKNOWLEDGES,
        "websocket.no-client-cert": ADMITS,
        "websocket.special-characters": ADMITS,
        "websocket.subprotocol-chosen": CHOOSES,
        "x509.empty-password": ADMITS,
        "x509.secondary-thumbprint": ADMITS,
        "topics.no-device-to-device": HANDS_NOTHING_ON,
        "watch.server-only": ACKNOWLEDGES,
    },
}

# What other cases need while they set their stage: of thousands of answers one may come later than an
# impostor is given on a busy machine, and then these are violated in passing.
NEEDED_BY_OTHERS = {
    *("connect.client-id", "module.connect", "transport.mqtt", "connection.ping", "d2c.puback"),
    *("c2d.subscribe", "packets.unsuback", "methods.subscribe", "twin.subscribe"),
}

# Sections in which the back end acts, on ports that are the embedded hub's, and the clauses of them that need
# a device of the impostor's all the same. What is green of the others says nothing of the impostor; with the
# little patience that it is given, nor does what is red.
OF_THE_BACK_END = {"registry", "service-twins", "queries", "feedback", "events", "partitions"}
WITH_A_DEVICE = {
    "service-twins.reported-metadata",
    "service-twins.reported-kept",
    "queries.properties",
    "events.twin-reported",
    "partitions.information",
    "partitions.positions",
}

# Nothing comes from the first three, however long one waits. The last one has to be given time to answer.
PATIENCE = {Silent: 0.05, Closing: 0.05, Echoing: 0.05, Agreeing: 0.2}


# What the last one satisfies honestly of what is about twins and filters, where only devices can be used.
HONEST_TO_DEVICES_ALONE = {"methods.subscribe", "topics.no-device-to-device", "twin.subscribe"}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """The profiles' own embedded hub, which states all that they claim; its ready file, read."""
    ready = tmp_path_factory.mktemp("hub") / "ready.json"
    emulator, ready_made = profile.load("emulator"), profile.load("device-only")
    command = launch.filled(
        (*emulator.launch.command, *ready_made.launch.arguments),
        ready,
        emulator.timing,
        device_ca=DEVICES.pem,
        place="the profile",
    )
    process = subprocess.Popen(
        command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert "ready" in process.stdout.readline()
    yield json.loads(ready.read_text())
    process.stdin.close()
    process.wait(60)


@pytest.mark.parametrize(
    "impostor", [Silent, Closing, Echoing, Agreeing], ids=lambda kind: kind.__name__.lower()
)
def test_no_clause_that_must_hold_passes_on_an_impostor(hub, tmp_path, impostor):
    """Each is violated or broken; what an impostor satisfies honestly is named in a list, with its reason."""
    verdicts, run = judge(hub, tmp_path, impostor, "emulator", "-n", "8")

    green = {
        clause
        for clause, verdict in verdicts.items()
        if verdict not in {"violation", "broken"}
        if clause.partition(".")[0] not in OF_THE_BACK_END or clause in WITH_A_DEVICE
    }
    honest = set(HONEST[impostor])
    assert (green - honest, honest - green - NEEDED_BY_OTHERS) == (set(), set()), run.stdout[-3000:]
    assert run.returncode in {1, 10}


def test_none_about_twins_passes_on_one_that_agrees_with_devices_alone(hub, tmp_path):
    """No back end says that it forgets everything: each answer that does not come, or is another's, does."""
    part = ("-n", "2", "--section=twin", "--section=methods", "--section=topics")

    verdicts, run = judge(hub, tmp_path, Agreeing, "device-only", *part)

    green = {clause for clause, verdict in verdicts.items() if verdict == "pass"}
    assert green == HONEST_TO_DEVICES_ALONE, run.stdout[-3000:]
    assert run.returncode in {1, 10}


def judge(hub, folder, impostor, extends, *options):
    """Run the clauses that must hold on an impostor; return their verdicts, and the process."""
    authority = trustme.CA()
    trusted = folder / "trusted.pem"
    trusted.write_bytes(Path(hub["ca_file"]).read_bytes() + authority.cert_pem.bytes())
    attached, own = folder / "ready.json", folder / "own.toml"
    (folder / "devices.pem").write_text(DEVICES.pem)
    own.write_text(
        f'schema = 1\nextends = "{CHECKOUT / "profiles" / extends}.toml"\n'
        '[device-authority]\ncertificate = "devices.pem"\nkey = "env:CONTROLS_KEY"\n'
    )

    with (
        serving(impostor, authority) as port,
        serving(lambda: OverWebSocket(impostor), authority) as websocket_port,
    ):
        ports = {**hub["ports"], "mqtt": port, "https": websocket_port}
        attached.write_text(json.dumps({**hub, "ports": ports, "ca_file": str(trusted)}))
        run = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", f"--profile={own}", f"--attach={attached}"),
                *("--level=must", f"--timeout-factor={PATIENCE[impostor]}", "--no-preflight"),
                # Nearly every case waits until its time is over.
                *(f"--report-dir={folder / 'report'}", "-q", "-p", "no:cacheprovider"),
                # All is red here, in time or not: a case that was held up need not wait three times.
                *("-p", "no:conformance-again"),
                *options,
            ],
            cwd=CHECKOUT,
            env={**os.environ, "CONTROLS_KEY": DEVICES.key.reveal()},
            capture_output=True,
            text=True,
            timeout=1500,
            check=False,
        )

    statement = json.loads((folder / "report" / "conformance.json").read_text())
    clauses = [clause for clause in statement["clauses"] if clause["level"] == "must"]
    return {clause["id"]: clause["verdict"] for clause in clauses}, run
