"""`python -m iothub_emulator monitor`: what devices send, as it arrives; mistakes in one line; the end."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trustme
from hub_program import command, environment, run
from live_hub import PATIENCE, live_hub

from iothub_emulator.hub.identity import WantedModule
from iothub_emulator.hub.packets import Publish
from iothub_emulator.ready import description

READING = "Reading the events of the hub on localhost:{}; Ctrl-C ends it.\n"


@pytest.fixture
def hub(tmp_path):
    """A running hub with two devices and a module, and its ready file at `ready.json`."""
    with live_hub(readers_per_partition=1) as hub:
        wanted = WantedModule(device_id="device-1", module_id="m")
        hub.call(lambda: hub.runtime.registry.modules.create(wanted, hub.runtime.fresh(wanted.key)))
        (tmp_path / "ca.pem").write_bytes(hub.ca_pem)
        write_ready_file(tmp_path, description(hub.runtime, hub.ports, tmp_path / "ca.pem"))
        yield hub


def write_ready_file(tmp_path, content):
    (tmp_path / "ready.json").write_text(json.dumps(content))


def publish(hub, identity_key, *payloads, bag=""):
    """Send as a device or a module, and return once the hub has taken the last."""
    topic = f"devices/{identity_key.replace('/', '/modules/')}/messages/events/{bag}"
    with hub.connected(identity_key) as client:
        for number, payload in enumerate(payloads, 1):
            client.send(Publish(topic, payload, qos=1, packet_id=number))
            assert client.read(4) == bytes((0x40, 2, 0, number))


def monitor(tmp_path, *arguments):
    """Run it to its end."""
    return run(tmp_path, "monitor", "--ready-file", "ready.json", *arguments)


@pytest.fixture
def reading(tmp_path):
    """Start it, and return once it reads."""
    with contextlib.ExitStack() as stack:

        def start(*arguments):
            process = subprocess.Popen(
                command("monitor", "--ready-file", "ready.json", *arguments),
                cwd=tmp_path,
                env=environment(tmp_path),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            process.began = process.stderr.readline()
            return process

        yield start


def shown(origin, payload, module=""):
    return {"event": {"origin": origin, "module": module, "payload": payload}}


def test_events_are_printed_as_they_arrive_from_its_start_on(hub, tmp_path, reading):
    """One line of JSON each; what was sent before is not shown."""
    publish(hub, "device-1", b"before")
    process = reading()
    assert process.began == READING.format(hub.ports.amqp)
    publish(hub, "device-1", b"first")
    assert json.loads(process.stdout.readline()) == shown("device-1", "first")
    publish(hub, "device-2", b"second")
    assert json.loads(process.stdout.readline()) == shown("device-2", "second")
    publish(hub, "device-1/m", b'{"a": 1}', bag="%24.ct=application%2Fjson")
    assert json.loads(process.stdout.readline()) == shown("device-1", {"a": 1}, module="m")


def test_it_can_begin_with_the_oldest_and_end_after_so_many(hub, tmp_path):
    publish(hub, "device-1", b"1", b"2", b"3")
    finished = monitor(tmp_path, "--from-start", "--events", "2")
    assert (finished.returncode, finished.stderr) == (0, READING.format(hub.ports.amqp))
    assert [json.loads(line) for line in finished.stdout.splitlines()] == [
        shown("device-1", "1"),
        shown("device-1", "2"),
    ]


@pytest.mark.parametrize("wanted", ["device-2", "*-2", "device-2*"])
def test_events_of_some_devices_alone_can_be_asked_for(hub, tmp_path, wanted):
    publish(hub, "device-1", b"1")
    publish(hub, "device-2", b"2", b"3")
    finished = monitor(tmp_path, "--from-start", "--device-id", wanted, "--events", "2")
    assert (finished.returncode, [json.loads(line) for line in finished.stdout.splitlines()]) == (
        0,
        [shown("device-2", "2"), shown("device-2", "3")],
    )


def test_properties_and_annotations_are_shown_on_demand(hub, tmp_path):
    publish(hub, "device-1", b"1", bag="alarm=yes&%24.mid=m-1")
    finished = monitor(tmp_path, "--from-start", "--events", "1", "--properties", "all")
    event = json.loads(finished.stdout)["event"]
    assert event["properties"] == {"system": {"message_id": "m-1"}, "application": {"alarm": "yes"}}
    assert event["annotations"]["iothub-message-source"] == "Telemetry"


def test_a_consumer_group_of_its_own_has_readers_of_its_own(hub, tmp_path, reading):
    """This hub lets one reader into each group; one too many is told in the hub's words."""
    reading()
    publish(hub, "device-1", b"1")
    own = monitor(tmp_path, "--from-start", "--events", "1", "--consumer-group", "mine")
    assert (own.returncode, json.loads(own.stdout)) == (0, shown("device-1", "1"))
    too_many = monitor(tmp_path, "--from-start", "--events", "1")
    assert (too_many.returncode, too_many.stdout) == (1, "")
    (_, line) = too_many.stderr.splitlines()
    assert line == (
        f"iothub_emulator monitor: the hub on localhost:{hub.ports.amqp} says: "
        "Exceeded the maximum number of allowed receivers per partition in a consumer group which is 1."
    )


def test_it_can_end_when_nothing_came_for_so_long(hub, tmp_path):
    """Events of others than those asked for do not count."""
    publish(hub, "device-1", b"1")
    finished = monitor(tmp_path, "--from-start", "--device-id", "device-2", "--timeout", "0.1")
    assert (finished.returncode, finished.stdout) == (0, "")


def test_too_few_events_in_time_are_a_failure(hub, tmp_path):
    finished = monitor(tmp_path, "--from-start", "--events", "2", "--timeout", "0.1")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.splitlines()[1:] == [
        "iothub_emulator monitor: no event came for 0.1 seconds, after 0 of 2"
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_a_signal_ends_it_cleanly(hub, reading, number):
    process = reading()
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    assert (process.stdout.read(), process.stderr.read()) == ("", "")


# Its client is patched: it says that it is about to close its links, and never has.
STUBBORN = """
import sys, threading
from azure.eventhub import EventHubConsumerClient
from iothub_emulator import monitor

def close(_):
    sys.stderr.write("closing\\n")
    sys.stderr.flush()
    threading.Event().wait()

EventHubConsumerClient.close = close
monitor.CLOSING = {closing}
sys.exit(monitor.main(["--ready-file", "ready.json"]))
"""


@pytest.mark.parametrize(("closing", "signals", "code"), [(0.2, 1, 0), (600, 2, -signal.SIGINT)])
def test_a_client_that_does_not_end_keeps_nobody_waiting(hub, tmp_path, closing, signals, code):
    """What it may take is bounded, and whoever has no patience sends the signal again."""
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN.format(closing=closing)],
        cwd=tmp_path,
        env=environment(tmp_path),
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        said = []
        for _ in range(signals):
            said.append(process.stderr.readline())
            process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == code

    assert said == [READING.format(hub.ports.amqp), "closing\n"][:signals]


def test_who_has_read_enough_ends_it_cleanly(hub, tmp_path, reading):
    """As `head -1` does: the next event cannot be printed any more."""
    process = reading()
    publish(hub, "device-1", b"1")
    process.stdout.readline()
    process.stdout.close()
    publish(hub, "device-1", b"2")
    assert process.wait(PATIENCE) == 0
    assert process.stderr.read() == ""


def test_an_output_that_takes_nothing_is_told_in_one_line(hub, tmp_path):
    """Here it is open for reading alone; a full disk is another."""
    publish(hub, "device-1", b"1")
    words = command("monitor", "--ready-file", "ready.json", "--from-start")
    with Path(os.devnull).open() as output:
        finished = subprocess.run(
            words,
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[1:] == [
        "iothub_emulator monitor: the output cannot be written (Bad file descriptor)"
    ]


def test_a_hub_that_goes_away_is_told_in_one_line(tmp_path, start, reading):
    process, ready = start()
    monitoring = reading()
    process.send_signal(signal.SIGTERM)
    assert monitoring.wait(PATIENCE) == 1
    assert monitoring.stderr.read() == (
        f"iothub_emulator monitor: the hub on localhost:{ready['ports']['amqp']} is gone: start it anew\n"
    )


def told(finished):
    """Return the one line that it says in place of events."""
    assert (finished.returncode, finished.stdout) == (1, "")
    (line,) = finished.stderr.splitlines()
    return line.removeprefix("iothub_emulator monitor: ")


def test_a_ready_file_that_is_not_there_is_told(tmp_path):
    assert told(monitor(tmp_path)) == (
        "ready.json cannot be read (No such file or directory): "
        "start the hub with --ready-file ready.json, or name the file of one that runs"
    )


@pytest.mark.parametrize(
    "content",
    ["", "\xff", "[]", "null", "{}", '{"ports": 1}', "[" * 100_000],
    ids=["empty", "no UTF-8", "list", "null", "object", "half", "deep"],
)
def test_a_file_that_is_no_ready_file_is_told(tmp_path, content):
    (tmp_path / "ready.json").write_text(content, encoding="latin-1")
    assert told(monitor(tmp_path)) == (
        "ready.json is not the ready file of a hub: name the one that it was started with"
    )


def test_a_ready_file_that_its_hub_has_left_behind_is_told(hub, tmp_path):
    """Nothing listens there any more."""
    ready = json.loads((tmp_path / "ready.json").read_text())
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    write_ready_file(tmp_path, ready | {"ports": {"amqp": port}})
    assert told(monitor(tmp_path)) == (
        f"the hub on localhost:{port} does not answer, or is another one than the ready file's: start it anew"
    )


@pytest.mark.parametrize("changed", ["authority", "missing authority"])
def test_another_hub_in_its_place_is_told(hub, tmp_path, changed):
    ready = json.loads((tmp_path / "ready.json").read_text())
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "authority"))
    write_ready_file(tmp_path, ready | {"ca_file": str(tmp_path / changed)})
    assert told(monitor(tmp_path)) == (
        f"the hub on localhost:{hub.ports.amqp} does not answer, or is another one than the ready file's: "
        "start it anew"
    )


def test_a_key_that_the_hub_refuses_is_told_and_not_shown(hub, tmp_path):
    ready = json.loads((tmp_path / "ready.json").read_text())
    other = ready["events_connection_string"].replace("SharedAccessKey=", "SharedAccessKey=AAAA")
    write_ready_file(tmp_path, ready | {"events_connection_string": other})
    assert told(monitor(tmp_path)) == (
        f"the hub on localhost:{hub.ports.amqp} refuses the key of the ready file: "
        "name the file of the hub that runs there"
    )


def test_a_string_that_is_none_is_told_and_not_shown(hub, tmp_path):
    ready = json.loads((tmp_path / "ready.json").read_text())
    write_ready_file(tmp_path, ready | {"events_connection_string": "SharedAccessKey=secret"})
    assert told(monitor(tmp_path)) == (
        "the events connection string of the ready file is none: start the hub anew"
    )


def test_one_who_listens_and_says_nothing_is_waited_for_no_longer_than_told(hub, tmp_path):
    ready = json.loads((tmp_path / "ready.json").read_text())
    impatient = "from iothub_emulator import monitor; monitor.CONNECTING = 0.2; exit(monitor.main({}))"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        write_ready_file(tmp_path, ready | {"ports": {"amqp": port}})
        finished = subprocess.run(
            [sys.executable, "-c", impatient.format(["--ready-file", "ready.json"])],
            cwd=tmp_path,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert told(finished) == (
        f"the hub on localhost:{port} does not answer: stop what listens there, and start it anew"
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "--ready-file"),
        (("--ready-file", "r", "--events", "0"), "--events"),
        (("--ready-file", "r", "--timeout", "0"), "--timeout"),
        (("--ready-file", "r", "--timeout", "inf"), "--timeout"),
        (("--ready-file", "r", "--properties", "none"), "--properties"),
        (("--ready-file", "r", "now"), "now"),
    ],
    ids=str,
)
def test_a_mistake_in_its_options_is_told_in_one_line(tmp_path, arguments, named):
    line = told(run(tmp_path, "monitor", *arguments))
    assert named in line
    assert line.endswith("; see python -m iothub_emulator monitor --help")
