"""A target is put together from profile, ready file and command line; all that does not fit is told."""

import json

import pytest
import trustme

from conformance.errors import ProfileError, TargetUnreachable, UsageError
from conformance.profile import loading as profile
from conformance.target import opening, ready
from conformance.target.certificates import DeviceAuthority
from conformance.target.target import Target

KEY = "c2VjcmV0LWtleS0xMjM0"
HUB = f"HostName=myhub.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey={KEY}"
EVENTS = f"Endpoint=sb://ns.example.net/;SharedAccessKeyName=iothubowner;SharedAccessKey={KEY};EntityPath=hub"
DEVICE = f"HostName=devices.example.net;DeviceId=d-1;SharedAccessKey={KEY}"
ENVIRONMENT = {"HUB": HUB, "EVENTS": EVENTS, "DEVICE": DEVICE, "SECOND": KEY}

READY = {
    "host": "localhost",
    "ports": {"mqtt": 1, "https": 2, "amqp": 3, "plain": 4, "later": 5},
    "ca_file": "/somewhere/ca.pem",
    "service_connection_string": f"HostName=localhost:2;SharedAccessKeyName=service;SharedAccessKey={KEY}",
    "events_connection_string": (
        f"Endpoint=sb://localhost:3/;SharedAccessKeyName=service;SharedAccessKey={KEY};EntityPath=e"
    ),
    "device_connection_strings": {},
    "edition": "document",
    "timing": {"sas-skew": 2.0, "keep-alive-tolerance": 1.0},
    "capabilities": ["registry", "telemetry"],
    "later": {},
}

SERVICE = '[service]\nconnection-string = "env:HUB"\nevents-connection-string = "env:EVENTS"\n'
CLAIMS = '[claims]\ncapabilities = ["registry", "telemetry"]\n'
REGISTRY_ONLY = '[claims]\ncapabilities = ["registry"]\n'


@pytest.fixture
def load(tmp_path):
    def load_profile(text, host='host = "myhub.example.net"', **environment):
        path = tmp_path / "mine.toml"
        path.write_text(f'schema = 1\n[target]\nname = "a hub"\n{host}\n{text}', encoding="utf-8")
        return profile.load(str(path), environment=ENVIRONMENT | environment)

    return load_profile


def ready_file(**changes):
    return ready.parse({**READY, **changes}, option="--attach r.json")


def test_a_named_hub_is_what_its_profile_says(load):
    target = opening.open_target(load(SERVICE + CLAIMS + "[timing]\nsas-grace = 600")).target

    assert (target.profile, target.name, target.host, target.origin) == (
        "mine",
        "a hub",
        "myhub.example.net",
        "named",
    )
    assert (target.ports.mqtt, target.ports.https, target.ports.amqp, target.ports.plain) == (
        8883,
        443,
        5671,
        1883,
    )
    assert (target.ca_file, target.edition, target.timing) == (None, None, {"sas-grace": 600.0})
    assert target.service is not None
    assert target.service.hub.host == "myhub.azure-devices.net"
    assert target.capabilities == {"registry", "telemetry"}


def test_the_host_comes_from_the_service_then_from_the_first_device(load):
    devices = '[[identity]]\nconnection-string = "env:DEVICE"\n'

    assert opening.settle(load(SERVICE + CLAIMS, host="")).host == "myhub.azure-devices.net"
    assert opening.settle(load(devices, host="")).host == "devices.example.net"


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("myhub.azure-devices.net", "myhub.azure-devices.net"),
        ("myhub.device.azure-devices.net", "myhub.device.azure-devices.net"),
        ("myhub.service.azure-devices.net", "myhub.azure-devices.net"),
        ("hub.service.consul", "hub.service.consul"),
    ],
)
def test_a_name_for_back_ends_is_none_for_devices(load, written, host):
    """Only where the name is known to be one: elsewhere a label may mean anything."""
    made = load(SERVICE + CLAIMS, host="", HUB=HUB.replace("myhub.azure-devices.net", written))

    target = opening.open_target(made).target
    assert (target.host, target.service.hub.host) == (host, written)


def test_devices_and_back_ends_may_call_a_hub_by_different_names(load):
    """Each side signs for, and asks TLS for, the name that it was given."""
    target = opening.open_target(
        load(SERVICE + CLAIMS, host='host = "myhub.device.azure-devices.net"')
    ).target

    assert (target.host, target.service.hub.host_name) == (
        "myhub.device.azure-devices.net",
        "myhub.azure-devices.net",
    )


def test_a_ready_file_overlays_everything_but_claims_and_timeouts(load):
    read = load(SERVICE + CLAIMS + "[timing]\nsas-skew = 300\nc2d-lock = 60\n[timeouts]\nreaction = 3")

    target = opening.settle(read, overlay=ready_file(), origin="attached", option="--attach r.json")

    assert (target.host, target.edition, target.origin) == ("localhost", "document", "attached")
    assert target.ports.mqtt == 1
    assert target.ports.plain == 4
    assert target.ca_file == "/somewhere/ca.pem"
    assert target.timing == {"sas-skew": 2.0, "c2d-lock": 60.0, "keep-alive-tolerance": 1.0}
    assert target.service is not None
    assert (target.service.hub.port, target.service.events.entity) == (2, "e")
    assert target.timeouts.reaction == 3.0


def test_a_claim_that_the_hub_does_not_state_is_told_with_the_option(load):
    read = load('[claims]\ncapabilities = ["registry", "telemetry", "twin", "c2d"]\n')

    with pytest.raises(ProfileError) as caught:
        opening.settle(read, overlay=ready_file(), option="--attach r.json")

    assert [problem.split(" Remove")[0] for problem in caught.value.problems] == [
        f"--attach r.json: the profile 'mine' claims '{claim}', which this hub does not state."
        for claim in ("c2d", "twin")
    ]


def test_the_custom_endpoint_is_the_ready_files_or_the_profiles(load):
    routed = f"Endpoint=sb://localhost:3/;SharedAccessKeyName=service;SharedAccessKey={KEY};EntityPath=routed"
    file = ready_file(routed_events_connection_string=routed)
    overlaid = opening.settle(load(SERVICE + CLAIMS), overlay=file)
    named = opening.settle(load(f'{SERVICE}routed-events-connection-string = "env:EVENTS"\n{CLAIMS}'))

    assert overlaid.service.routed.entity == "routed"
    assert named.service.routed == named.service.events
    assert opening.settle(load(SERVICE + CLAIMS), overlay=ready_file()).service.routed is None
    assert Target.rebuild(overlaid.describe()).service.routed == overlaid.service.routed
    assert Target.rebuild(named.describe()) == named


def test_devices_of_an_authority_are_not_claimed_without_one(load, tmp_path):
    """The profile names it, or the run has made one for the hub; it travels with its key."""
    made = DeviceAuthority.new()
    (tmp_path / "ca.pem").write_text(made.pem)
    claim = '[claims]\ncapabilities = ["registry", "x509-ca"]\n'
    table = '[device-authority]\ncertificate = "ca.pem"\nkey = "env:KEY"\n'

    with pytest.raises(ProfileError, match=r"\[claims\] 'x509-ca' needs \[device-authority\]: certificate"):
        opening.settle(load(SERVICE + claim))
    named = opening.settle(load(SERVICE + table + claim, KEY=made.key.reveal()))
    given = opening.settle(load(SERVICE + claim), device_authority=made)

    assert named.device_authority == given.device_authority == made
    assert Target.rebuild(json.loads(json.dumps(named.describe()))) == named
    assert "PRIVATE KEY" not in repr(named) + json.dumps(named.public())


def test_a_route_is_not_claimed_without_its_endpoint(load):
    claims = '[claims]\ncapabilities = ["registry", "telemetry", "routing"]\n'

    with pytest.raises(ProfileError, match=r"'routing' needs \[service\] routed-events-connection-string\."):
        opening.settle(load(SERVICE + claims))


def test_what_no_case_could_use_is_told_at_once(load):
    with pytest.raises(ProfileError) as caught:
        opening.open_target(load('[claims]\ncapabilities = ["telemetry"]\n', host=""))

    first, second, third = caught.value.problems
    assert "[claims] 'telemetry' needs [service] events-connection-string" in first
    assert "no devices: 'registry' is not claimed and there is no [[identity]]" in second
    assert "[target] host: missing" in third


def test_ready_made_devices_come_from_the_ready_file(load):
    """Nothing of the hub's service side is used then, though the ready file offers it."""
    read = load('[[identity]]\nconnection-string = "ready:d-1"\n')
    device = f"HostName=localhost;DeviceId=d-1;SharedAccessKey={KEY}"

    target = opening.settle(read, overlay=ready_file(device_connection_strings={"d-1": device}))

    assert [(each.device_id, each.primary_key.reveal()) for each in target.identities] == [("d-1", KEY)]
    assert target.service is None


@pytest.mark.parametrize("overlay", [ready_file(), None], ids=["attached", "named"])
def test_a_ready_made_device_that_the_hub_does_not_have_is_told(load, overlay):
    read = load('[[identity]]\nconnection-string = "ready:d-1"\n')

    with pytest.raises(
        ProfileError, match=r"did not begin with a device 'd-1', which \[\[identity\]\] number 1"
    ):
        opening.settle(read, overlay=overlay)


def test_a_hub_without_a_service_side_cannot_claim_one(load):
    read = load('[[identity]]\nconnection-string = "env:DEVICE"\n' + REGISTRY_ONLY)

    with pytest.raises(ProfileError, match="'registry' needs \\[service\\] connection-string"):
        opening.settle(read, overlay=ready_file())


def test_a_hub_url_overrides_host_and_port(load):
    target = opening.open_target(load(SERVICE + CLAIMS), hub_url="mqtts://10.0.0.7:18883").target

    assert (target.host, target.ports.mqtt, target.ports.https) == ("10.0.0.7", 18883, 443)


def test_a_launched_hub_is_not_launched_beside_a_hub_url(load):
    read = load('[launch]\ncommand = ["false", "{ready_file}"]\n' + CLAIMS)

    with pytest.raises(ProfileError, match=r"'registry' needs \[service\] connection-string"):
        opening.open_target(read, hub_url="mqtts://localhost:1")


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8883",
        "mqtt://h:1",
        "mqtts://",
        "mqtts://h:0",
        "mqtts://h:65536",
        "mqtts://u@h",
        "mqtts://h/x",
    ],
)
def test_a_hub_url_in_another_form_is_refused(load, url):
    with pytest.raises(UsageError, match="not of the form mqtts://HOST:PORT"):
        opening.open_target(load(SERVICE + CLAIMS), hub_url=url)


def test_an_ipv6_address_and_the_standard_port_are_understood():
    assert opening.HubUrl.parse("mqtts://[::1]") == opening.HubUrl("::1", 8883)


def test_attach_and_hub_url_exclude_each_other(load):
    with pytest.raises(UsageError, match="--attach and --hub-url"):
        opening.open_target(load(SERVICE + CLAIMS), attach="x", hub_url="mqtts://h:1")


def test_attach_reads_the_file_that_it_is_given(load, tmp_path):
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    path = tmp_path / "ready.json"
    path.write_text(json.dumps({**READY, "ca_file": str(tmp_path / "ca.pem")}))

    opened = opening.open_target(load(CLAIMS), attach=str(path))

    assert (opened.target.origin, opened.pid, opened.trouble()) == ("attached", None, None)
    opened.stop()
    opened.stop()


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        pytest.param(None, UsageError, "No such file", id="missing"),
        pytest.param("{", ProfileError, "not JSON", id="no-json"),
        pytest.param(b"\xff\xfe", ProfileError, "not JSON", id="no-utf-8"),
        pytest.param(
            json.dumps({**READY, "timing": {"c2d-lock": float("nan")}}),
            ProfileError,
            r"wrong or missing: timing\.c2d-lock",
            id="no-number",
        ),
        pytest.param(
            json.dumps(READY), TargetUnreachable, "no certificate in its ca_file", id="hub-has-ended"
        ),
        pytest.param(
            json.dumps({**READY, "ca_file": __file__}),
            TargetUnreachable,
            "no certificate in its ca_file",
            id="no-certificate",
        ),
        pytest.param("[]", ProfileError, "wrong or missing: the file", id="no-object"),
        pytest.param(
            json.dumps({**READY, "host": 3, "ports": {"mqtt": 1}}),
            ProfileError,
            "wrong or missing: host, ports.https, ports.amqp, ports.plain",
            id="incomplete",
        ),
        pytest.param(
            json.dumps({**READY, "events_connection_string": KEY}),
            ProfileError,
            "not a connection string",
            id="no-connection-string",
        ),
    ],
)
def test_a_file_that_is_no_ready_file_is_one_line(load, tmp_path, content, error, words):
    path = tmp_path / "ready.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(error, match=words) as caught:
        opening.open_target(load(CLAIMS), attach=str(path))

    assert KEY not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_embedded_hub_has_consumer_groups_for_any_number_of_workers(load):
    target = opening.settle(load(CLAIMS), overlay=ready_file(), origin="launched")

    assert target.worker_limit == 80


def test_a_target_travels_as_plain_values_and_shows_no_secret(load):
    devices = '[[identity]]\nconnection-string = "env:DEVICE"\nsecondary-key = "env:SECOND"\n'
    profile_of_it = load(
        SERVICE + devices + CLAIMS, DEVICE=DEVICE.replace("devices.example.net", "localhost")
    )
    target = opening.settle(profile_of_it, overlay=ready_file(), origin="launched")

    assert Target.rebuild(json.loads(json.dumps(target.describe()))) == target
    assert KEY not in repr(target)
    assert KEY not in json.dumps(target.public())
    assert KEY in json.dumps(target.describe())


@pytest.mark.parametrize(
    ("limits", "groups", "claims", "most"),
    [
        pytest.param("", '["$Default"]', CLAIMS, 5, id="one-group"),
        pytest.param("", '["a", "b"]', CLAIMS, 10, id="two-groups"),
        pytest.param("[limits]\nworkers = 3\n", '["a", "b"]', CLAIMS, 3, id="a-stated-limit"),
        pytest.param(
            "[limits]\nlarge = true\n",
            '["a"]',
            '[claims]\ncapabilities = ["registry"]\n',
            None,
            id="no-telemetry",
        ),
    ],
)
def test_readers_limit_the_workers(load, limits, groups, claims, most):
    target = opening.settle(load(f"{SERVICE}consumer-groups = {groups}\n{claims}{limits}"), origin="attached")

    assert target.worker_limit == most


@pytest.mark.parametrize(("limits", "most"), [("", None), ("[limits]\nworkers = 8\n", 8)])
def test_workers_on_a_hub_that_is_named_have_one_reader(load, limits, most):
    target = opening.settle(load(f'{SERVICE}consumer-groups = ["$Default"]\n{CLAIMS}{limits}'))

    assert target.worker_limit == most
