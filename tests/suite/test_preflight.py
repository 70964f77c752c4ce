"""Whether a run can begin is found out in seconds, and what is wrong is one line that says what to do."""

import dataclasses
import json
import re
from types import SimpleNamespace

import pytest
from scripted_service import ScriptedService

from conformance.backend import Service
from conformance.errors import (
    CredentialsRefused,
    NotInTier,
    ProfileError,
    ServiceError,
    TargetUnreachable,
    Violation,
)
from conformance.target import preflight as module
from conformance.target.claim_checks import ClaimChecks, check_service
from conformance.target.credentials import ConnectionString, Identity, random_key
from conformance.target.preflight import Checked, preflight, unanswered


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
    assert preflight(hub) == Checked(target=dataclasses.replace(hub, clock_known=True))

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


def test_a_wrong_key_of_routed_events(hub):
    wrong = with_key(hub.service.routed, random_key().reveal())

    with pytest.raises(CredentialsRefused, match="'routing' needs a policy that may read events") as caught:
        preflight(with_service(hub, routed=wrong))

    assert "Check routed-events-connection-string" in one_line(caught)


def test_what_is_not_claimed_is_not_tried(hub):
    wrong = with_key(hub.service.events, random_key().reveal())
    blind = dataclasses.replace(
        with_service(hub, events=wrong, routed=wrong), capabilities=frozenset({"registry"})
    )

    assert preflight(blind).remarks == ()


def test_a_device_that_is_not_let_in_is_for_the_clauses(hub, monkeypatch):
    """The hub has just made it: its key is right."""
    tries = []
    monkeypatch.setattr(module.Device, "attempt", lambda *_, **__: tries.append(1) or "connack 5")

    (remark,) = preflight(hub).remarks

    assert re.sub("conf-[0-9a-f]+-preflight", "DEVICE", remark) == (
        f"localhost:{hub.ports.mqtt}: DEVICE is not let in with its own key (connack 5). "
        "Does the hub go by another host name? Set [target] host"
    )
    assert len(tries) == 3


def test_a_ready_made_device_that_is_not_let_in(hub, monkeypatch):
    """Its key stands in the profile, and may be a wrong one."""
    monkeypatch.setattr(module.Device, "attempt", lambda *_, **__: "connack 5")
    identity = Identity(device_id="ready-made", primary_key=random_key())
    alone = dataclasses.replace(hub, service=None, identities=(identity,), capabilities=frozenset())

    with pytest.raises(CredentialsRefused, match=r"is not let in with its own key \(connack 5\)") as caught:
        preflight(alone)

    assert "--no-preflight" in one_line(caught)


def test_a_device_that_is_let_in_after_a_moment(hub, monkeypatch):
    outcomes = iter(["connack 5", "connack 5", "accepted", "connack 5"])
    monkeypatch.setattr(module.Device, "attempt", lambda *_, **__: next(outcomes))

    assert preflight(hub).remarks == ()


def test_a_wrong_token_that_is_accepted_is_a_warning(hub, monkeypatch):
    monkeypatch.setattr(module.Device, "attempt", lambda *_, **__: "accepted")

    assert preflight(hub).remarks == (
        "the hub lets a device in with a wrong signature: sas.bad-signature judges that",
    )


def test_telemetry_that_does_not_come_through_is_for_the_clauses(hub, monkeypatch):
    def nothing(*_, **__):
        raise Violation("a message did not arrive within 5 s", observed="nothing arrived")

    monkeypatch.setattr("conformance.backend.reader.TelemetryReader.next", nothing)

    assert preflight(hub).remarks == (
        "telemetry: a message did not arrive within 5 s: its clauses judge that",
    )


def test_a_target_without_a_service_side_is_asked_through_its_own_device(hub):
    service = Service(hub, telemetry=False)
    (identity,) = service.registry.create(["ready-made"])
    service.close()
    alone = dataclasses.replace(hub, service=None, identities=(identity,), capabilities=frozenset())

    assert preflight(json_round_trip(alone)).remarks == ()


# -- what the claims need


def check(claims, **answers):
    """Check these claims on a service whose parts answer so, and return what came of it."""
    checks = ClaimChecks("mine")
    check_service(checks, SimpleNamespace(**answers), "d", frozenset(claims))
    return checks


def raising(error):
    def call(*_, **__):
        raise error

    return call


REFUSED = CredentialsRefused("GET /twins/d at hub:443: the policy 'p' is refused (401).")
BEYOND = NotInTier("GET /twins/d at hub:443: not in this hub's tier (403).")
FAILED = ServiceError("GET /twins/d at hub:443: 500.")


def twins(call):
    return SimpleNamespace(get=call)


def methods(call):
    return SimpleNamespace(outcome=call)


def test_a_right_that_is_missing_is_one_line_with_all_claims_that_need_it():
    checks = check(["twin", "methods"], twins=twins(raising(REFUSED)), methods=methods(raising(REFUSED)))

    with pytest.raises(CredentialsRefused) as caught:
        checks.stop_if_needed()

    assert one_line(caught) == (
        "'twin' and 'methods' need the right ServiceConnect: "
        "GET /twins/d at hub:443: the policy 'p' is refused (401)."
    )
    assert caught.value.exit_code == 10


def test_each_claim_beyond_the_tier_is_one_line():
    checks = check(["twin", "methods"], twins=twins(raising(BEYOND)), methods=methods(raising(BEYOND)))

    with pytest.raises(ProfileError) as caught:
        checks.stop_if_needed()

    assert caught.value.problems == tuple(
        f"profile 'mine': [claims] '{claim}': GET /twins/d at hub:443: not in this hub's tier (403). "
        "Remove the claim, or upgrade the hub."
        for claim in ("twin", "methods")
    )
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("call", "warning"),
    [
        (raising(FAILED), "methods: GET /twins/d at hub:443: 500: its clauses judge that"),
        (
            lambda *_: "200",
            "methods: a call of a device that is not connected ends with 200: its clauses judge that",
        ),
    ],
    ids=["failure", "another-outcome"],
)
def test_any_other_answer_is_a_warning(call, warning):
    checks = check(["methods"], methods=methods(call))

    checks.stop_if_needed()

    assert checks.warnings == [warning]


# -- made again


def test_a_hub_that_is_there_answers_again(hub):
    assert unanswered(hub) is None


def test_a_hub_that_is_gone_does_not(hub):
    gone = dataclasses.replace(hub, ports=dataclasses.replace(hub.ports, mqtt=hub.ports.plain))

    assert unanswered(gone) == (
        f"localhost:{hub.ports.plain}: Connection refused. Is the hub up, and are host and port right?"
    )


def test_a_hub_that_answers_a_made_up_device_is_there(hub):
    """A ready-made one may be in a case's hands."""
    identity = Identity(device_id="ready-made", primary_key=random_key())
    alone = dataclasses.replace(hub, service=None, identities=(identity,), capabilities=frozenset())

    assert unanswered(alone) is None


def json_round_trip(target):
    return type(target).rebuild(json.loads(json.dumps(target.describe())))
