"""A hub that is already running is judged by what its ready file states; the README's lines are enough."""

import re
import shlex

import pytest
import readme

SMALL = ("--section=transport", "-n", "2")


@pytest.fixture
def readme_hub():
    """The options of the README's line that starts a hub."""
    (line,) = readme.console("python -m iothub_emulator --https-port")
    return shlex.split(line)[3:]


def test_the_readme_s_two_lines_judge_a_hub_of_ones_own(newcomer, readme_hub):
    """No profile is named, and none of the hub's options is missing."""
    (attach,) = readme.console("pytest --attach")

    with newcomer.hub(*readme_hub):
        said = newcomer.judges(*shlex.split(attach)[1:], *SMALL)

    assert "profile: attached; target: IoT Hub emulator at localhost:" in said
    assert newcomer.statement("attached.partial")["run"]["exit_code"] == 0


def test_the_readme_s_hub_takes_no_port_that_brokers_take(readme_hub):
    """5672 is RabbitMQ's, 443 wants root: a hub on any free port starts beside them."""
    assert readme_hub[:4] == ["--https-port", "0", "--amqp-plain-port", "0"]


def test_what_the_ready_file_states_is_what_is_claimed(newcomer):
    with newcomer.hub("--ready-file=ready.json", "--events=telemetry,twin", "--sas-skew=7") as ready:
        newcomer.judges("--attach=ready.json", *SMALL)

    claims = newcomer.statement("attached.partial")["claims"]
    assert claims["capabilities"] == sorted(ready["capabilities"])
    assert claims["timing"] == ready["timing"]


def test_a_dry_run_of_it_counts_what_the_ready_file_states(newcomer):
    """Feedback is claimed, and what needs its interval too."""
    with newcomer.hub("--ready-file=ready.json"):
        said = newcomer.judges("--attach=ready.json", "--dry-run", "--section=feedback")

    assert re.search(r"profile attached, depth whole: \d+ cases would run", said)
    assert "\nfeedback        ." not in said


def test_an_authority_that_nobody_names_is_left_out_and_told(newcomer, tmp_path):
    authority = tmp_path / "authority.pem"
    newcomer.types(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-days", "1", "-subj", "/CN=a", "-keyout", str(tmp_path / "key.pem"), "-out", str(authority)),
    )
    with newcomer.hub("--ready-file=ready.json", f"--device-ca={authority}"):
        said = newcomer.judges("--attach=ready.json", *SMALL)

    assert "preflight: 'x509-ca' is stated and not claimed: nothing says which authority" in said
    assert "x509-ca" not in newcomer.statement("attached.partial")["claims"]["capabilities"]


def test_a_profile_that_claims_more_says_how_to_claim_what_is_stated(newcomer):
    with newcomer.hub("--ready-file=ready.json"):
        said = newcomer.judges("--attach=ready.json", "--profile=emulator", code=4)

    assert (
        "the profile 'emulator' claims 'connection-events', which this hub does not state. Start it with the "
        "options of [launch], or remove the claim in "
    ) in said
    assert said.count(", or leave out --profile.") == 6


def test_the_profile_attached_without_a_hub_is_one_line(newcomer):
    said = newcomer.judges("--profile=attached", code=4)

    assert said.splitlines() == [
        (
            "ERROR: --profile attached: claims what the ready file of a running hub states. Name that file: "
            "--attach=ready.json"
        )
    ]


def test_with_a_hub_s_real_times_the_run_says_first_how_long_it_takes_and_why(newcomer):
    with newcomer.hub("--ready-file=ready.json"):
        options = ("--attach=ready.json", "--clause=sas.expiry-disconnects", "-n", "3")
        before = newcomer.judges(*options, "--dry-run")
        said = newcomer.judges_until("is judged sooner.", *options)

    assert "roughly 15 minutes on 3 workers" in before
    (line,) = [line for line in said.splitlines() if line.startswith("this run takes ")]
    assert line == (
        "this run takes 15 minutes at least on 3 workers, for times that the hub states: 3 cases wait 15 "
        "minutes each until the hub ends a connection whose token has expired (sas-skew 300 s, sas-grace "
        "600 s). "
        "A hub that is started with shorter ones is judged sooner."
    )
    assert "100 %" not in said
