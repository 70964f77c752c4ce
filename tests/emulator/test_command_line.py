"""`python -m iothub_emulator`: mistakes in one line, the ready file, and the end."""

import contextlib
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import trustme
import websocket_client
from hub_program import FREE_PORTS, run
from live_hub import PATIENCE

KEY = "c2VjcmV0IG9mIHRoZSBkZXZpY2U="
OTHER_KEY = "YW5vdGhlciBzZWNyZXQgb2YgaXQ="

MISTAKES = {
    "edition": (("--edition", "tomorrow"), "--edition"),
    "negative seconds": (("--sas-skew=-1",), "--sas-skew"),
    "infinite seconds": (("--sas-grace", "inf"), "--sas-grace"),
    "no number": (("--partitions", "two"), "--partitions"),
    "no partitions": (("--partitions", "0"), "--partitions"),
    "no events": (("--telemetry-log-events", "0"), "--telemetry-log-events"),
    "port too large": (("--mqtt-port", "65536"), "--mqtt-port"),
    "proxy port too large": (("--connect-port", "65536"), "--connect-port"),
    "port of clear-text AMQP that is none": (("--amqp-plain-port", "none"), "--amqp-plain-port"),
    "client authority in no file": (("--client-ca", "nowhere.pem"), "nowhere.pem cannot be read"),
    "client authority that is a folder": (("--client-ca", "."), "--client-ca"),
    "client authority without a certificate": (
        ("--client-ca", os.devnull),
        "--client-ca holds no certificate",
    ),
    "client authority that is something else": (
        ("--client-ca", __file__),
        "--client-ca holds no certificate",
    ),
    "authority of devices in no file": (("--device-ca", "nowhere.pem"), "nowhere.pem cannot be read"),
    "authority of devices without a certificate": (
        ("--device-ca", os.devnull),
        "--device-ca holds no certificate",
    ),
    "endless lock": (("--c2d-lock", "inf"), "--c2d-lock"),
    "queue of nothing": (("--c2d-queue-depth", "0"), "--c2d-queue-depth"),
    "no delivery": (("--c2d-max-delivery-count", "0"), "--c2d-max-delivery-count"),
    "negative life": (("--c2d-time-to-live=-1",), "--c2d-time-to-live"),
    "method without time": (("--method-shortest-timeout", "soon"), "--method-shortest-timeout"),
    "batches of nothing": (("--feedback-batch-size", "0"), "--feedback-batch-size"),
    "feedback never": (("--feedback-interval", "nan"), "--feedback-interval"),
    "source that is none": (("--events", "telemetry,twins"), "'twins' is none of telemetry, twin"),
    "route without a name": (("--route", "true"), "NAME:CONDITION"),
    "route that is not understood": (("--route", "r:a >"), "from character 2 on"),
    "route of the body": (("--route", "r:$body.a = 'x'"), "only properties are"),
    "route given twice": (("--route", "r:true", "--route", "r:false"), "--route: r is given twice"),
    "throttle of nothing": (("--throttle", "twin-reads=0/s"), "not of the form twin-reads=100/s"),
    "throttle of what has none": (("--throttle", "twins=1/s"), "'twins' is none of"),
    "factor of nothing": (("--keep-alive-factor", "0"), "--keep-alive-factor"),
    "unknown option": (("--colour",), "--colour"),
    "stray word": (("now",), "now"),
    "host name with port": (("--host-name", "hub:1"), "--host-name"),
    "device id": (("--device", "a b"), "--device a b"),
    "device id with a key": (("--device-key", "a b", KEY), "--device-key a b"),
    "device with a key alone": (("--device-key", "d1"), "--device-key: expected 2 arguments"),
    "device with a key that is none": (("--device-key", "d1", "secret"), "--device-key d1: the second word"),
    "device with a short key": (("--device-key", "d1", "c2hvcnQ="), "--device-key d1: the second word"),
    "device with a key and one more": (
        ("--device-key", "d1", KEY, "--device-key", "d1", OTHER_KEY),
        "--device-key: d1 is given twice",
    ),
    "policy that is none": (("--policy-key", "owner", KEY), "--policy-key owner: there is no such policy"),
    "policy with a key that is none": (("--policy-key", "service", "*"), "--policy-key service: the second"),
    "policy twice": (
        ("--policy-key", "service", KEY, "--policy-key", "service", KEY),
        "--policy-key: service is given twice",
    ),
    "latency without a unit": (("--latency", "80"), "--latency: '80' is not a time such as 80ms"),
    "negative latency": (("--latency=-1ms",), "--latency: '-1ms' is not a time"),
    "latency of a minute": (("--latency", "60s"), "at most 10s"),
    "jitter in words": (("--jitter", "some"), "--jitter: 'some' is not a time such as 80ms"),
    "empty seed": (("--seed", ""), "--seed: the text is empty"),
    "address of another machine": (("--host", "192.0.2.1"), "--host"),
    "address that is none": (("--host", "no such host"), "--host"),
    "load without function": (("--load", "json"), "module:function"),
    "load of nothing": (("--load", "no_such_module:f"), "no_such_module"),
    "load of no function": (("--load", "json:nothing"), "nothing"),
    "ready file in no folder": (("--ready-file", "nowhere/ready.json"), "nowhere/ready.json"),
}


@pytest.mark.parametrize(("arguments", "named"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_in_one_line(tmp_path, arguments, named):
    """What is wrong and where, no traceback, exit code 1."""
    finished = run(tmp_path, *FREE_PORTS, *arguments)
    assert finished.returncode == 1
    assert finished.stdout == ""
    (line,) = finished.stderr.splitlines()
    assert line.startswith("iothub_emulator: ")
    assert named in line


@pytest.mark.parametrize(
    "arguments",
    [
        ("--device-key", KEY, "device-1"),
        ("--policy-key", KEY, "service"),
        ("--policy-key", KEY, KEY),
        ("--device", "device-1", KEY),
        ("--device-key=device-1", KEY),
        ("--seed", "a", KEY[:7]),
        ("--sed", KEY),
        (f"--key={KEY}",),
    ],
    ids=str,
)
def test_a_mistake_about_a_secret_does_not_show_it(tmp_path, arguments):
    """Words swapped, one too many, an option misspelt: in each case one of the words is a key."""
    finished = run(tmp_path, *FREE_PORTS, *arguments)
    assert (finished.returncode, finished.stdout) == (1, "")
    (line,) = finished.stderr.splitlines()
    assert KEY[:7] not in line


@pytest.mark.parametrize("words", [("--version",), ("--mqtt-port", "0", "--version")], ids=str)
def test_the_version_is_that_of_the_package(tmp_path, words):
    finished = run(tmp_path, *words)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout == f"iothub_emulator {version('iothub-mqtt-conformance')}\n"


@pytest.mark.parametrize(
    ("option", "what"),
    [("--amqp-port", "AMQP"), ("--amqp-plain-port", "clear-text AMQP"), ("--connect-port", "CONNECT")],
)
def test_a_port_in_use_is_told_with_the_next_step(tmp_path, option, what):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        finished = run(tmp_path, *FREE_PORTS, option, port)
    assert finished.returncode == 1
    (line,) = finished.stderr.splitlines()
    assert line == (
        f"iothub_emulator: {what} port {port} on 127.0.0.1 is in use: "
        f"stop the program that holds it, or pass {option} 0 for a free port"
    )


def test_one_port_for_two_protocols_is_told_with_the_next_step(tmp_path):
    """Both could be bound to it; only the second to listen would be told, by a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    finished = run(tmp_path, *FREE_PORTS, "--mqtt-port", port, "--https-port", port)
    assert (finished.returncode, finished.stderr) == (
        1,
        (
            f"iothub_emulator: HTTPS port {port} on 127.0.0.1 is in use: "
            "stop the program that holds it, or pass --https-port 0 for a free port\n"
        ),
    )


def test_a_hub_whose_output_is_closed_starts_all_the_same(tmp_path):
    """It ends with its input, which has nothing in it."""
    hub = [sys.executable, "-m", "iothub_emulator", *FREE_PORTS, "--exit-with-stdin"]
    command = ["sh", "-c", 'exec "$@" >&-', "sh", *hub]
    ended = subprocess.run(command, cwd=tmp_path, input=b"", stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_what_a_loaded_function_raises_is_told_in_one_line(tmp_path):
    (tmp_path / "broken_load.py").write_text("def f(rules):\n    raise ValueError('two\\nlines')\n")
    finished = run(tmp_path, *FREE_PORTS, "--load", "broken_load:f")
    assert finished.returncode == 1
    assert finished.stderr == (
        "iothub_emulator: --load broken_load:f raised ValueError: two lines: correct the function\n"
    )


def test_the_ready_file_says_where_everything_is(start, tmp_path):
    """Whole, for its owner only, as it really is; gone when the hub is."""
    process, ready = start(
        *("--device", "d1", "--device", "d2", "--edition", "document", "--sas-grace", "5"),
        *("--host-name", "hub.example", "--exit-with-stdin", "--connect-port", "0"),
        *("--c2d-lock", "1", "--method-shortest-timeout", "2", "--feedback-interval", "3"),
    )
    ports = ready["ports"]
    assert set(ready) == {
        "name", "host", "ports", "ca_file", "service_connection_string", "events_connection_string",
        "events_development_connection_string", "device_connection_strings", "host_names", "edition",
        "timing", "capabilities",
    }  # fmt: skip
    assert ready["host"] == "localhost"
    assert set(ports) == {"mqtt", "https", "amqp", "plain", "amqp_plain", "connect"}
    assert len(set(ports.values())) == 6
    assert ready["service_connection_string"].startswith(
        f"HostName=localhost:{ports['https']};SharedAccessKeyName=iothubowner;SharedAccessKey="
    )
    assert ready["events_connection_string"].startswith(
        f"Endpoint=sb://localhost:{ports['amqp']}/;SharedAccessKeyName=service;SharedAccessKey="
    )
    assert ready["events_connection_string"].endswith(";EntityPath=iothub-emulator")
    assert ready["events_development_connection_string"].startswith(
        f"Endpoint=sb://localhost:{ports['amqp_plain']};SharedAccessKeyName=service;SharedAccessKey="
    )
    assert ready["events_development_connection_string"].endswith(
        ";UseDevelopmentEmulator=true;EntityPath=iothub-emulator"
    )
    assert list(ready["device_connection_strings"]) == ["d1", "d2"]
    assert ready["device_connection_strings"]["d1"].startswith(
        "HostName=localhost;DeviceId=d1;SharedAccessKey="
    )
    assert ready["edition"] == "document"
    assert ready["timing"] == {
        "sas-skew": 300.0,
        "sas-grace": 5.0,
        "c2d-lock": 1.0,
        "c2d-expiry": 0.0,
        "method-timeout": 2.0,
        "feedback": 3.0,
        "keep-alive-tolerance": 1.4,
        "connection-state": 0.0,
    }
    assert set(ready["capabilities"]) == {
        "registry", "telemetry", "c2d", "twin", "methods", "modules", "feedback", "websocket", "x509",
        "x509-over-websocket", "x509-modules", "model-id", "registry-reference", "queries",
    }  # fmt: skip
    assert Path(ready["ca_file"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert stat.S_IMODE((tmp_path / "ready.json").stat().st_mode) == 0o600

    # Nothing listens on the plain port, and nobody else can have it.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", ports["plain"]), timeout=PATIENCE)
    with socket.socket() as rival, pytest.raises(OSError, match="in use"):
        rival.bind(("127.0.0.1", ports["plain"]))

    process.stdin.close()
    assert process.wait(PATIENCE) == 0
    assert not (tmp_path / "ready.json").exists()
    assert not Path(ready["ca_file"]).exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_a_signal_ends_it_cleanly(start, number):
    """At once, with a client still connected to each port, and one in the middle of a WebSocket."""
    process, ready = start("--connect-port", "0")
    with contextlib.ExitStack() as stack:
        context = ssl.create_default_context(cafile=ready["ca_file"])
        for port in ("mqtt", "https", "amqp"):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", ready["ports"][port])))
            stream = stack.enter_context(context.wrap_socket(plain, server_hostname="localhost"))
            if port == "https":
                stream.sendall(websocket_client.request())
                assert stream.recv(1000).startswith(b"HTTP/1.1 101 ")
        for port in ("amqp_plain", "connect"):
            stack.enter_context(socket.create_connection(("127.0.0.1", ready["ports"][port])))
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
    assert process.stderr.read() == ""
    assert not Path(ready["ca_file"]).exists()


def test_what_is_not_there_is_not_stated(start, tmp_path):
    """No CONNECT port without the option, and X.509 only where a device's own certificate is taken."""
    authority = tmp_path / "authority.pem"
    trustme.CA().cert_pem.write_to_path(str(authority))
    _, ready = start("--client-ca", str(authority))
    assert "connect" not in ready["ports"]
    assert "x509" not in ready["capabilities"]


def test_authorities_of_devices_are_stated(start, tmp_path):
    """With one, and only with one, devices of the type certificateAuthority are served."""
    authority = tmp_path / "authority.pem"
    trustme.CA().cert_pem.write_to_path(str(authority))
    _, ready = start("--device-ca", str(authority), "--device-ca", str(authority))
    _, without = start()
    assert "x509-ca" in ready["capabilities"]
    assert "x509-ca" not in without["capabilities"]


def test_what_was_asked_for_is_stated(start):
    """Connection events with their interval, routes with the custom endpoint, throttles of a twin."""
    _, ready = start(
        *("--events", "telemetry,connection", "--connection-events-interval", "0.5"),
        *("--route", 'wills:iothub-MessageType = "Will"', "--throttle", "twin-reads=100/s"),
        *("--throttle", "twin-updates=50/s"),
    )
    assert set(ready["capabilities"]) >= {"telemetry", "connection-events", "routing", "throttling"}
    assert ready["timing"]["connection-events"] == 0.5
    assert ready["routed_events_connection_string"] == ready["events_connection_string"] + "-routed"


def test_telemetry_that_goes_nowhere_is_not_stated(start):
    _, ready = start("--events", "connection", "--throttle", "twin-reads=100/s")
    assert {"telemetry", "routing", "throttling"}.isdisjoint(ready["capabilities"])


def test_stdin_is_ignored_unless_asked(start):
    process, _ = start()
    process.stdin.close()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)


def test_the_ca_file_may_be_named(start, tmp_path):
    _, ready = start("--ca-file", "ca.pem")
    assert ready["ca_file"] == str(tmp_path / "ca.pem")


@pytest.fixture
def closed_umask():
    """What this process makes, and those that it starts, is for its user alone, unless it says otherwise."""
    usual = os.umask(0o077)
    yield
    os.umask(usual)


@pytest.mark.parametrize("named", [(), ("--ca-file", "ca.pem")], ids=["default", "named"])
def test_the_ca_file_is_for_every_user_of_the_machine(start, closed_umask, named):
    """A client may run as a user of its own, as mosquitto does; only the owner may write."""
    _, ready = start(*named)
    file = Path(ready["ca_file"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert named or stat.S_IMODE(file.parent.stat().st_mode) == 0o755


def test_a_loaded_function_gets_the_rules(start, tmp_path):
    """Its replacement is what the hub then asks."""
    (tmp_path / "keen.py").write_text("def f(rules):\n    print('loaded', rules.__slots__[0], flush=True)\n")
    process, _ = start("--load", "keen:f")
    assert process.said[0] == "loaded tokens\n"


def test_a_keep_alive_beyond_mqtt_promises_nothing(start):
    """With a factor above 1.5 a tolerance would be a lie."""
    _, ready = start("--keep-alive-factor", "3")
    assert "keep-alive-tolerance" not in ready["timing"]
