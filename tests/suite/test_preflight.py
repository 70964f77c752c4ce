"""Whether a run can begin is found out in seconds, and what is wrong is one line that says what to do."""

import dataclasses
import email.utils
import json
import time
from pathlib import Path

import pytest
from scripted_service import Reply, ScriptedService

from conformance.credentials import ConnectionString, random_key
from conformance.errors import CredentialsRefused, ServiceError, TargetUnreachable, Violation
from conformance.service import Service
from conformance.target import preflight as module
from conformance.target.preflight import preflight

NINE_AHEAD = "the hub's clock is 9 s ahead of this machine's"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(module, "pause", lambda _: None)


def with_service(target, **changes):
    return dataclasses.replace(target, service=dataclasses.replace(target.service, **changes))


def with_key(string, key):
    parts = string.text.reveal().split(";")
    return ConnectionString.parse(
        ";".join(f"SharedAccessKey={key}" if part.startswith("SharedAccessKey=") else part for part in parts)
    )


def one_line(error):
    text = str(error.value)
    assert "\n" not in text
    return text


def test_a_hub_in_order_has_no_warnings_and_keeps_no_device(hub):
    assert preflight(hub) == ()

    service = Service(hub, telemetry=False)
    listed = service.rest.call("GET", "devices").json
    assert [device["deviceId"] for device in listed if device["deviceId"].startswith("conf-")] == []
    service.close()


def test_nobody_there(hub):
    gone = dataclasses.replace(hub, ports=dataclasses.replace(hub.ports, mqtt=hub.ports.plain))

    with pytest.raises(TargetUnreachable, match="Connection refused") as caught:
        preflight(gone)

    assert one_line(caught).startswith(f"localhost:{hub.ports.plain}: ")


def test_a_certificate_that_is_not_trusted(hub, tmp_path):
    stranger = ScriptedService(tmp_path)

    with pytest.raises(TargetUnreachable, match="certificate is not trusted") as caught:
        preflight(dataclasses.replace(hub, ca_file=stranger.ca_file))

    one_line(caught)
    stranger.close()


def test_a_wrong_service_key(hub):
    wrong = with_key(hub.service.hub, random_key().reveal())

    with pytest.raises(CredentialsRefused, match="the policy 'iothubowner' is refused") as caught:
        preflight(with_service(hub, hub=wrong))

    assert wrong.key.reveal() not in one_line(caught)


def test_a_wrong_events_key(hub):
    wrong = with_key(hub.service.events, random_key().reveal())

    with pytest.raises(CredentialsRefused, match="Check events-connection-string") as caught:
        preflight(with_service(hub, events=wrong))

    assert wrong.key.reveal() not in one_line(caught)


def test_telemetry_that_is_not_read_is_not_checked(hub):
    wrong = with_key(hub.service.events, random_key().reveal())
    blind = dataclasses.replace(with_service(hub, events=wrong), capabilities=frozenset({"registry"}))

    assert preflight(blind) == ()


def test_a_device_that_is_not_let_in(hub, monkeypatch):
    tries = []
    monkeypatch.setattr(module.Device, "attempt", lambda *_, **__: tries.append(1) or "connack 5")

    with pytest.raises(CredentialsRefused, match=r"is not let in with its own key \(connack 5\)") as caught:
        preflight(hub)

    assert len(tries) == 3
    assert "--no-preflight" in one_line(caught)


def test_a_device_that_is_let_in_after_a_moment(hub, monkeypatch):
    outcomes = iter(["connack 5", "connack 5", "accepted", "connack 5"])
    monkeypatch.setattr(module.Device, "attempt", lambda *_, **__: next(outcomes))

    assert preflight(hub) == ()


def test_a_wrong_token_that_is_accepted_is_a_warning(hub, monkeypatch):
    monkeypatch.setattr(module.Device, "attempt", lambda *_, **__: "accepted")

    assert preflight(hub) == (
        "the hub lets a device in with a wrong signature: sas.bad-signature judges that",
    )


def test_telemetry_that_does_not_come_through(hub, monkeypatch):
    def nothing(*_, **__):
        raise Violation("a message did not arrive within 5 s", observed="nothing arrived")

    monkeypatch.setattr("conformance.service.reader.TelemetryReader.next", nothing)

    with pytest.raises(
        ServiceError, match="telemetry does not come through: a message did not arrive"
    ) as caught:
        preflight(hub)

    one_line(caught)


@pytest.mark.parametrize(
    ("ahead", "warnings"),
    [
        pytest.param(0, [], id="agree"),
        pytest.param(-1.9, [], id="rounding"),
        pytest.param(
            9.0,
            [f"{NINE_AHEAD}: cases about the expiry of tokens are off by as much"],
            id="ahead",
        ),
    ],
)
def test_clocks_that_differ_a_little_are_a_warning(ahead, warnings):
    assert module._clock_warnings(ahead) == warnings


def test_clocks_that_differ_much_stop_the_run():
    with pytest.raises(ServiceError, match="the hub's clock is 400 s behind this machine's") as caught:
        module._clock_warnings(-400.2)

    one_line(caught)


def test_the_hubs_clock_is_read_from_its_answers(hub, tmp_path):
    slow = ScriptedService(tmp_path)
    late = email.utils.formatdate(time.time() - 400, usegmt=True)
    done = {"isSuccessful": True, "errors": [], "warnings": []}
    slow.replies = [Reply(200, done, {"Date": late}), Reply(200, done)]
    string = ConnectionString.parse(
        f"HostName=localhost:{slow.port};SharedAccessKeyName=x;SharedAccessKey={random_key().reveal()}"
    )
    bundle = tmp_path / "both.pem"
    bundle.write_bytes(b"".join(Path(file).read_bytes() for file in (hub.ca_file, slow.ca_file)))

    with pytest.raises(ServiceError, match="behind this machine's"):
        preflight(dataclasses.replace(with_service(hub, hub=string), ca_file=str(bundle)))

    assert [request.body[0]["importMode"] for request in slow.requests] == ["create", "delete"]
    slow.close()


def test_a_target_without_a_service_side_is_asked_through_its_own_device(hub, tmp_path):
    service = Service(hub, telemetry=False)
    (identity,) = service.registry.create(["ready-made"])
    service.close()
    alone = dataclasses.replace(hub, service=None, identities=(identity,), capabilities=frozenset())

    assert preflight(json_round_trip(alone)) == ()


def json_round_trip(target):
    return type(target).rebuild(json.loads(json.dumps(target.describe())))
