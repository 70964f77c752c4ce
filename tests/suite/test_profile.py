"""Every problem of a profile comes at once, one line each: file, key, what is wrong, the next step."""

from pathlib import Path

import pytest
import trustme

from conformance.documents.catalogue import CAPABILITIES
from conformance.errors import ProfileError
from conformance.profile import loading as profile
from conformance.profile.tables import ProfileFile, Timing
from conformance.profile.values import TIMINGS

KEY = "c2VjcmV0LWtleS0xMjM0"
HUB = f"HostName=myhub.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey={KEY}"
EVENTS = f"Endpoint=sb://ns.example.net/;SharedAccessKeyName=iothubowner;SharedAccessKey={KEY};EntityPath=hub"
DEVICE = f"HostName=myhub.azure-devices.net;DeviceId=d-1;SharedAccessKey={KEY}"
ENVIRONMENT = {
    "HUB": HUB,
    "EVENTS": EVENTS,
    "NAMESPACE": EVENTS.removesuffix(";EntityPath=hub"),
    "KEY_ALONE": f"HostName=myhub.azure-devices.net;SharedAccessKey={KEY}",
    "DEVICE": DEVICE,
    "SECOND": KEY,
    "NAME": "staging",
}

SMALLEST = """
schema = 1
[target]
name = "a hub"
"""


@pytest.fixture
def write(tmp_path):
    def write_profile(text, name="some.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write_profile


def problems_of(path, environment=None):
    with pytest.raises(ProfileError) as caught:
        profile.load(path, environment=ENVIRONMENT if environment is None else environment)
    assert caught.value.exit_code == 4
    assert KEY not in str(caught.value)
    return caught.value.problems


def test_the_smallest_profile_has_the_defaults_of_a_live_hub(write):
    read = profile.load(write(SMALLEST), environment={})

    assert (read.name, read.claims, read.timing, read.launch, read.service) == (
        "some",
        frozenset(),
        {},
        None,
        None,
    )
    assert read.target.ports.model_dump() == {"mqtt": 8883, "https": 443, "amqp": 5671, "plain": 1883}
    assert read.target.trust == "system"
    assert read.timeouts.model_dump() == {
        "connect": 60.0,
        "reaction": 30.0,
        "silence": 2.0,
        "will_silence": 10.0,
        "settling": 5.0,
    }
    assert read.limits.model_dump() == {
        "workers": None,
        "messages": None,
        "large": False,
        "writes_twin": False,
    }


def test_a_whole_profile(write, tmp_path):
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    read = profile.load(
        write("""
schema = 1
[target]
name = "env:NAME"
host = "myhub.azure-devices.net"
ports = { mqtt = 18883 }
trust = "ca.pem"
[service]
connection-string = "env:HUB"
events-connection-string = "env:EVENTS"
consumer-groups = ["one", "two"]
[[identity]]
connection-string = "env:DEVICE"
secondary-key = "env:SECOND"
[claims]
capabilities = ["telemetry", "registry"]
[timeouts]
connect = 2
reaction = 1.5
silence = 0
[timing]
sas-skew = 300
[limits]
workers = 3
large = true
writes-twin = true
"""),
        environment=ENVIRONMENT,
        timeout_factor=2,
    )

    assert (read.target.name, read.target.ports.mqtt, read.target.ports.https) == ("staging", 18883, 443)
    assert read.target.trust == str(tmp_path / "ca.pem")
    assert read.service is not None
    assert read.service.connection_string.policy == "iothubowner"
    assert read.service.events_connection_string.entity == "hub"
    assert read.service.consumer_groups == ("one", "two")
    assert read.identities[0].connection_string.device_id == "d-1"
    assert read.identities[0].secondary_key.reveal() == KEY
    assert read.claims == {"telemetry", "registry"}
    assert (read.timeouts.connect, read.timeouts.reaction, read.timeouts.silence) == (4.0, 3.0, 0.0)
    assert read.timing == {"sas-skew": 300.0}
    assert read.limits.model_dump() == {
        "workers": 3,
        "messages": None,
        "large": True,
        "writes_twin": True,
    }
    assert read.variables == ("NAME", "HUB", "EVENTS", "DEVICE", "SECOND")
    assert KEY not in repr(read)


DEVIATION = """
[[deviation]]
clause = "d2c.qos2"
case = "*"
observed = "puback"
reason = "another edition"
since = 2026-11-23
expires = 2027-02-21
"""

WRONG = """
schema = 2
nme = 1
[target]
name = 3
hots = "x"
ports = { mqt = 1, mqtt = 0, https = "a" }
trust = "no.pem"
[launch]
command = ["{ready}", "x"]
[service]
connection-string = "env:MISSING"
consumer-groups = []
[[identity]]
secondary-key = "c2VjcmV0LWtleS0xMjM0"
[claims]
capabilities = ["telemetri", 3]
[timeouts]
connect = -1
reaction = "5"
[timing]
sas-skw = 3
sas-grace = true
[limits]
large = "yes"
writes-twin = 1
workers = 1.5
[[deviation]]
clause = "x"
observed = " "
since = "2027-06-30"
expires = 3
[targt]
"""


def test_all_problems_come_at_once_and_each_says_what_to_do(write):
    path = write(WRONG)

    lines = {problem.removeprefix(f"{path}: ") for problem in problems_of(path)}

    assert lines == {
        "schema: must be 1; this version reads no other.",
        "[target] name: must be a text, in quotes.",
        "[target] ports mqtt: must be at least 1.",
        "[target] ports https: must be a whole number.",
        "[target] ports mqt: unknown key; did you mean 'mqtt'?",
        '[target] trust: no such file. Write "system", or the path of a PEM file relative to the profile.',
        "[target] hots: unknown key; did you mean 'host'?",
        "[launch] command: unknown placeholder {ready}; did you mean 'ready_file'?",
        (
            "[service] connection-string: "
            "reads env:MISSING, which is not set. Export MISSING, or edit the profile."
        ),
        "[service] consumer-groups: must not be empty.",
        "[[identity]] number 1 connection-string: missing; profiles/README.md explains every key.",
        (
            '[[identity]] number 1 secondary-key: must be "env:NAME": '
            "a secret is read from the environment, never from a profile."
        ),
        "[claims] capabilities entry 1: unknown capability 'telemetri'; did you mean 'telemetry'?",
        "[claims] capabilities entry 2: must be a text, in quotes.",
        "[timeouts] connect: must be above 0.",
        "[timeouts] reaction: must be a number, without quotes.",
        "[timing] sas-grace: must be a number, without quotes.",
        "[timing] sas-skw: unknown key; did you mean 'sas-skew'?",
        "[limits] workers: must be a whole number.",
        "[limits] large: must be true or false, without quotes.",
        "[limits] writes-twin: must be true or false, without quotes.",
        "[[deviation]] number 1 observed: is blank. Fill in the observed: a reviewer reads it.",
        "[[deviation]] number 1 reason: missing; profiles/README.md explains every key.",
        "[[deviation]] number 1 since: must be a date without quotes, such as 2027-06-30.",
        "[[deviation]] number 1 expires: must be a date without quotes, such as 2027-06-30.",
        (
            "nme: unknown key; known are: claims, deviation, device, device-authority, extends, identity, "
            "launch, limits, schema, service, target, timeouts, timing."
        ),
        "targt: unknown key; did you mean 'target'?",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("schema = ", "not TOML: Invalid value (at end of document)", id="syntax"),
        pytest.param(
            'schema = 1\n[target]\nname = "a"\nname = "b"', "not TOML: Cannot overwrite", id="twice"
        ),
        pytest.param("", "schema: missing", id="empty"),
        pytest.param("schema = 1\ntarget = 3", "[target]: must be a table", id="no-table"),
        pytest.param(
            SMALLEST + 'host = "HostName=h;SharedAccessKey=x"', "[target] host: holds a secret", id="pasted"
        ),
        pytest.param(SMALLEST + "[launch]\ncommand = ['x']", "no {ready_file} in it", id="no-ready-file"),
        pytest.param(
            SMALLEST + "[launch]\ncommand = []", "[launch] command: must not be empty", id="no-command"
        ),
        pytest.param(
            SMALLEST + f'[service]\nconnection-string = "{HUB}"',
            '[service] connection-string: must be "env:NAME"',
            id="literal",
        ),
        pytest.param(
            SMALLEST + '[service]\nconnection-string = "env:SECOND"',
            "[service] connection-string: env:SECOND: not a connection string",
            id="no-connection-string",
        ),
        pytest.param(
            SMALLEST + '[service]\nconnection-string = "env:DEVICE"',
            "[service] connection-string: env:DEVICE is the connection string of a device; this key wants "
            "the one of a hub's policy: az iot hub connection-string show --hub-name NAME",
            id="device-as-service",
        ),
        pytest.param(
            SMALLEST + '[service]\nconnection-string = "env:EVENTS"',
            "[service] connection-string: env:EVENTS is the connection string of an Event Hub-compatible "
            "endpoint; this key wants the one of a hub's policy",
            id="events-as-service",
        ),
        pytest.param(
            SMALLEST + '[service]\nconnection-string = "env:HUB"\nevents-connection-string = "env:HUB"',
            "[service] events-connection-string: env:HUB is the connection string of a hub's policy; this "
            "key wants the one of an Event Hub-compatible endpoint: az iot hub connection-string show "
            "--hub-name NAME --default-eventhub",
            id="service-as-events",
        ),
        pytest.param(
            SMALLEST + '[service]\nconnection-string = "env:HUB"\nevents-connection-string = "env:NAMESPACE"',
            "[service] events-connection-string: env:NAMESPACE has no EntityPath, so it names no event hub",
            id="namespace-as-events",
        ),
        pytest.param(
            SMALLEST + '[service]\nconnection-string = "env:KEY_ALONE"',
            "[service] connection-string: env:KEY_ALONE has no SharedAccessKeyName",
            id="no-policy",
        ),
        pytest.param(
            SMALLEST + '[[identity]]\nconnection-string = "env:HUB"',
            "[[identity]] number 1 connection-string: no DeviceId in it",
            id="no-device",
        ),
        pytest.param(
            SMALLEST + "[limits]\nmessages = 0", "[limits] messages: must be at least 1", id="budget"
        ),
        pytest.param(
            SMALLEST + DEVIATION.replace("2026-11-23", "2027-11-23"),
            "[[deviation]] number 1: expires before since. Correct one of the two dates.",
            id="expires-before-since",
        ),
        pytest.param(
            SMALLEST + DEVIATION.replace("another edition", " "),
            "[[deviation]] number 1 reason: is blank. Fill in the reason",
            id="no-reason",
        ),
    ],
)
def test_a_wrong_profile_is_one_line(write, text, problem):
    (line,) = problems_of(write(text)) if text else problems_of(write(text))[:1]

    assert problem in line
    assert "\n" not in line


AUTHORITY = SMALLEST + '[device-authority]\ncertificate = "ca.pem"\nkey = "env:KEY"\n'


def test_an_authority_of_devices_is_read(write, tmp_path):
    """RSA, as openssl makes it, or EC; the key comes from the environment and shows nowhere."""
    made = trustme.CA(key_type=trustme.KeyType.RSA)
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    key = made.private_key_pem.bytes().decode()

    read = profile.load(write(AUTHORITY), environment={"KEY": key})

    assert read.device_authority.certificate.encode() == made.cert_pem.bytes()
    assert read.device_authority.key.reveal() == key.strip()
    assert read.variables == ("KEY",)
    assert "PRIVATE KEY" not in repr(read)


@pytest.mark.parametrize(
    ("certificate", "key", "problem"),
    [
        pytest.param(None, "own", "certificate: no such file. Name the PEM file", id="no-file"),
        pytest.param("none", "own", "certificate: holds no certificate. Name the PEM file", id="no-pem"),
        pytest.param(
            "-----BEGIN CERTIFICATE-----",
            "own",
            "the certificate cannot be read. Name the two that belong together.",
            id="broken",
        ),
        pytest.param("own", "none", "the key is no private key in PEM without a password.", id="no-key"),
        pytest.param("own", "other", "the key is not that of the certificate.", id="another-key"),
        pytest.param("leaf", "leaf", "the certificate is no authority's: it may not", id="a-device's"),
    ],
)
def test_what_is_no_authority_of_devices_is_one_line(write, tmp_path, certificate, key, problem):
    own, leaf = trustme.CA(), trustme.CA().issue_cert("device")
    certificates = {"own": own.cert_pem.bytes(), "leaf": leaf.cert_chain_pems[0].bytes()}
    keys = {"own": own, "other": trustme.CA(), "leaf": leaf}
    text = certificates.get(certificate, str(certificate).encode())
    if certificate is not None:
        (tmp_path / "ca.pem").write_bytes(text)
    secret = keys[key].private_key_pem.bytes().decode() if key in keys else key

    (line,) = problems_of(write(AUTHORITY), {"KEY": secret})

    assert line.partition("[device-authority]")[2].lstrip(": ").startswith(problem)
    assert "PRIVATE KEY" not in line


def test_an_empty_variable_counts_as_missing(write):
    path = write(SMALLEST + '[service]\nconnection-string = "env:HUB"')

    assert "which is not set" in problems_of(path, {"HUB": " "})[0]


@pytest.mark.parametrize("factor", [0, -1, 1001, float("nan")])
def test_a_senseless_timeout_factor_is_refused(write, factor):
    with pytest.raises(ProfileError, match="--timeout-factor"):
        profile.load(write(SMALLEST), timeout_factor=factor)


def test_what_reproduces_a_run_names_the_same_profile_in_any_folder(write, tmp_path, monkeypatch):
    """One that came with the suite has its name; any other its path, also where a name found it."""
    (tmp_path / "profiles").mkdir()
    write(SMALLEST, "profiles/mine.toml")
    write(SMALLEST, "profiles/emulator.toml")
    shipped = profile.load("device-only")
    monkeypatch.chdir(tmp_path)

    assert (shipped.argument, shipped.is_shipped) == ("device-only", True)
    assert profile.load("mine").argument == str(tmp_path / "profiles" / "mine.toml")
    assert profile.load("profiles/mine.toml").argument == str(tmp_path / "profiles" / "mine.toml")
    assert profile.load("emulator").argument == str(tmp_path / "profiles" / "emulator.toml")
    assert not profile.load("emulator").is_shipped


def test_a_name_is_looked_up_here_then_in_the_checkout(write, tmp_path, monkeypatch):
    (tmp_path / "profiles").mkdir()
    write(SMALLEST, "profiles/mine.toml")
    write(SMALLEST, "profiles/emulator.toml")
    monkeypatch.chdir(tmp_path)

    assert profile.load("mine").file == "profiles/mine.toml"
    assert profile.load("emulator").target.name == "a hub"
    assert profile.find("real-hub") == Path(profile.__file__).parents[2] / "profiles" / "real-hub.toml"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("emulatr", "unknown profile; did you mean 'emulator'?"),
        ("zzz", "known are: "),
        ("missing.toml", "no such file"),
        ("./emulator", "no such file"),
    ],
)
def test_an_unknown_profile_is_met_with_the_known_ones(name, hint):
    with pytest.raises(ProfileError, match=f"^--profile {name}: ") as caught:
        profile.find(name)

    assert hint in str(caught.value)


def test_the_shipped_profiles_hold():
    names = {"IOTHUB_SERVICE_CONNECTION_STRING": HUB, "IOTHUB_EVENTS_CONNECTION_STRING": EVENTS}
    environment = {**names, "DEVICE_PYTHON": "python3"}
    shipped = {name: profile.load(name, environment=environment) for name in profile.known()}

    assert {"emulator", "real-hub"} <= set(shipped)
    assert shipped["emulator"].launch is not None
    assert shipped["emulator"].variables == ()
    assert shipped["real-hub"].variables == tuple(names)


def test_each_timing_has_its_key():
    assert sorted(field.alias for field in Timing.model_fields.values()) == sorted(TIMINGS)


def test_the_readme_explains_every_key():
    readme = (Path(profile.__file__).parents[2] / "profiles" / "README.md").read_text(encoding="utf-8")
    tables = [ProfileFile, *(model for model in map(_model, ProfileFile.model_fields.values()) if model)]

    keys = {field.alias for table in tables for field in table.model_fields.values()}
    assert [key for key in sorted(keys) if f"`{key}`" not in readme] == []
    assert [word for word in (*CAPABILITIES, *TIMINGS) if f"`{word}`" not in readme] == []


def _model(field):
    candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
    return next((model for model in candidates if hasattr(model, "model_fields")), None)


STOOD_IN = """
[service]
connection-string = "env:NO_HUB"
events-connection-string = "env:NO_EVENTS"
[[identity]]
connection-string = "env:NO_DEVICE"
secondary-key = "env:NO_KEY"
"""


def test_something_stands_for_variables_that_are_not_set_where_nothing_is_done_with_it(write):
    path = write(SMALLEST + 'host = "env:NO_HOST"' + STOOD_IN)

    loaded = profile.load(path, environment={}, stands_in=True)

    assert loaded.unset == ("NO_HOST", "NO_HUB", "NO_EVENTS", "NO_DEVICE", "NO_KEY")
    assert (loaded.target.host, loaded.service.connection_string.host) == ("unset.invalid", "unset.invalid")
    assert len(problems_of(path, environment={})) == 5
