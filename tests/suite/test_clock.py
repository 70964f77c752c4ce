"""The hub's clock is learnt before the first case, and tokens are made for it."""

import dataclasses
import email.utils
import time

import pytest
from patience import PATIENCE
from scripted_service import Reply, ScriptedService
from small_suite import SmallSuite

from conformance.backend import Service
from conformance.backend.amqp import AmqpEndpoint
from conformance.backend.pyamqp import new_client
from conformance.evidence.case import Evidence
from conformance.mqtt.clock import clock_ahead
from conformance.mqtt.device import Device
from conformance.mqtt.endpoint import Endpoint
from conformance.mqtt.reactor import Reactor
from conformance.target import preflight as module
from conformance.target.credentials import ConnectionString, Identity, SasToken, random_key
from conformance.target.preflight import preflight
from conformance.target.target import Timeouts
from conformance.verdict.needs import NO_CLOCK, Claims, not_claimed

HOUR = 3600


@pytest.fixture
def https(tmp_path):
    scripted = ScriptedService(tmp_path)
    yield scripted
    scripted.close()


def endpoint(https, **changes):
    values = {
        "host": "localhost",
        "port": https.port,
        "trust": https.ca_file,
        "timeouts": Timeouts(connect=PATIENCE, reaction=PATIENCE, silence=0.0),
        "websocket_port": https.port,
    }
    return Endpoint(**{**values, **changes})


def dated(seconds, status=400):
    """An answer of a hub whose clock is so many seconds ahead."""
    return Reply(status, {}, {"Date": email.utils.formatdate(time.time() + seconds, usegmt=True)})


def is_about(found, wanted):
    return abs(found - wanted) < PATIENCE


@pytest.mark.parametrize("ahead", [0, 2 * HOUR, -20 * 60])
def test_the_answer_to_a_websocket_tells_it(https, ahead):
    https.replies = [dated(ahead)]

    assert is_about(clock_ahead(endpoint(https)), ahead)

    (request,) = https.requests
    assert (request.path, request.headers["Upgrade"]) == ("/$iothub/websocket", "websocket")


def test_so_does_any_other_answer(https):
    https.replies = [Reply(400, {}), dated(HOUR, status=404)]

    assert is_about(clock_ahead(endpoint(https)), HOUR)

    assert [request.path for request in https.requests] == ["/$iothub/websocket", "/"]


@pytest.mark.parametrize(
    "reply", [Reply(400, {}), Reply(None), Reply(400, {}, {"Date": "Mon, 99 Zzz 99999999999 99:99:99 GMT"})]
)
def test_where_no_answer_has_a_date_nothing_tells_it(https, reply):
    https.replies = [reply, reply]

    assert clock_ahead(endpoint(https)) is None


def test_where_nobody_answers_nothing_tells_it(https, deserted_port):
    assert clock_ahead(endpoint(https, websocket_port=deserted_port)) is None


# -- what comes of it


@pytest.mark.parametrize(
    ("told", "ahead", "remarks"),
    [
        (1.9, 0.0, ()),
        (-250.0, -250.0, ()),
        (
            -1200.4,
            -1200.4,
            ("the hub's clock is 1200 s behind this machine's: tokens are made for its time",),
        ),
        (
            7200.0,
            7200.0,
            ("the hub's clock is 7200 s ahead of this machine's: tokens are made for its time",),
        ),
    ],
    ids=["rounding", "within-five-minutes", "behind", "ahead"],
)
def test_a_difference_is_no_reason_to_stop(hub, monkeypatch, told, ahead, remarks):
    monkeypatch.setattr(module, "clock_ahead", lambda _: told)
    monkeypatch.setattr(module, "_check_device", lambda *_: None)

    checked = preflight(hub)

    assert (checked.target.clock_ahead, checked.target.clock_known) == (ahead, True)
    assert checked.remarks == remarks


def test_what_the_service_answers_tells_it_too(hub, monkeypatch):
    """Behind a proxy, the HTTPS port is reached by REST alone."""
    monkeypatch.setattr(module, "clock_ahead", lambda _: None)

    checked = preflight(hub)

    assert (checked.target.clock_ahead, checked.target.clock_known) == (0.0, True)


@pytest.mark.parametrize("stated", [True, False])
def test_where_nothing_tells_it_the_profile_may(hub, monkeypatch, stated):
    monkeypatch.setattr(module, "clock_ahead", lambda _: None)
    monkeypatch.setattr(module, "_check_device", lambda *_: None)
    identity = Identity(device_id="d", primary_key=random_key())
    alone = dataclasses.replace(
        hub, service=None, identities=(identity,), capabilities=frozenset(), clock_known=stated
    )

    assert preflight(alone).target.clock_known is stated


def test_a_case_that_depends_on_it_is_claimed_only_where_it_is_known():
    assert not_claimed([], Claims(clock=False), clock=True) == NO_CLOCK
    assert not_claimed([], Claims(clock=False)) is None
    assert not_claimed([], Claims(), clock=True) is None
    assert '[target] clock = "synchronised"' in NO_CLOCK


@pytest.mark.parametrize("distribution", [[], ["-n", "1"]], ids=["one-process", "n-1"])
def test_such_a_case_has_a_marker(tmp_path, distribution):
    suite = SmallSuite(tmp_path)
    conftest = tmp_path / "conftest.py"
    conftest.write_text(conftest.read_text().replace("large=options.large)", "clock=False)"))
    suite.cases(
        '@clause("small.holds")\n@pytest.mark.clock\ndef test_depends(): pass\n'
        '@clause("small.holds")\ndef test_does_not(): pass\n'
    )

    suite.run(*distribution)

    assert [(case["verdict"], case["message"]) for case in suite.clause("small.holds")["cases"]] == [
        ("not claimed", NO_CLOCK),
        ("pass", ""),
    ]


# -- for whose time tokens are made


def ends_at(token):
    return SasToken(token).expiry - time.time()


def test_a_devices_tokens_are_made_for_the_hubs_time(https):
    reactor = Reactor()
    identity = Identity(device_id="d", primary_key=random_key())
    device = Device(identity, endpoint(https, clock_ahead=-HOUR), reactor, Evidence())

    assert is_about(ends_at(device.token().reveal()), 0)
    assert is_about(ends_at(device.token(expires_in=-900).reveal()), -HOUR - 900)
    reactor.stop()


def test_so_are_those_of_the_service(https, hub):
    string = f"HostName=localhost:{https.port};SharedAccessKeyName=x;SharedAccessKey={random_key().reveal()}"
    access = dataclasses.replace(hub.service, hub=ConnectionString.parse(string))
    service = Service(
        dataclasses.replace(hub, service=access, ca_file=https.ca_file, clock_ahead=2 * HOUR), telemetry=False
    )
    https.replies = [Reply(200, {})]

    service.rest.call("GET", "devices", "d")

    assert is_about(ends_at(https.requests[0].headers["Authorization"]), 3 * HOUR)
    assert is_about(ends_at(service.policy_token().reveal()), 3 * HOUR)
    service.close()


def test_so_are_those_for_amqp(https):
    """The client itself renews them by the clock of this machine."""
    text = f"HostName=localhost:443;SharedAccessKeyName=x;SharedAccessKey={random_key().reveal()}"
    access = ConnectionString.parse(text)
    client = new_client(
        AmqpEndpoint(access=access, port=1, ca_file=https.ca_file, timeout=1.0, clock_ahead=2 * HOUR)
    )

    token = client._auth.get_token()

    assert is_about(ends_at(token.token), 3 * HOUR)
    assert is_about(token.expires_on - time.time(), HOUR)
