"""A profile that extends another one says only what is different."""

import pytest
import trustme

from conformance.errors import ProfileError
from conformance.profile import loading as profile
from conformance.target.certificates import DeviceAuthority

BASE = """
schema = 1
[target]
name = "a hub"
host = "hub.example.net"
trust = "ca.pem"
ports = { mqtt = 18883 }
[launch]
command = ["hub", "{ready_file}"]
[claims]
capabilities = ["registry", "telemetry"]
[timing]
sas-skew = 1
c2d-lock = 1
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "base.toml").write_text(BASE)
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path


def load(folder, text, name="mine.toml"):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(f"schema = 1\n{text}")
    return profile.load(str(folder / name), environment={})


def problems_of(folder, text):
    with pytest.raises(ProfileError) as caught:
        load(folder, text)
    return [problem.replace(str(folder), "…") for problem in caught.value.problems]


def test_what_it_does_not_say_is_as_in_the_other(folder):
    read = load(folder, 'extends = "base"\n[target]\nname = "mine"')

    assert (read.name, read.target.name, read.target.host) == ("mine", "mine", "hub.example.net")
    assert read.target.ports.mqtt == 18883
    assert read.claims == {"registry", "telemetry"}
    assert read.timing == {"sas-skew": 1.0, "c2d-lock": 1.0}


def test_tables_are_laid_over_each_other_and_lists_replaced(folder):
    read = load(
        folder,
        'extends = "base"\n[target.ports]\nhttps = 8443\n[claims]\ncapabilities = []\n[timing]\nsas-skew = 2',
    )

    assert (read.target.ports.mqtt, read.target.ports.https) == (18883, 8443)
    assert read.claims == frozenset()
    assert read.timing == {"sas-skew": 2.0, "c2d-lock": 1.0}


def test_arguments_come_behind_the_command(folder):
    read = load(folder, 'extends = "base"\n[launch]\narguments = ["--edition", "current"]')

    assert (read.launch.command, read.launch.arguments) == (
        ("hub", "{ready_file}"),
        ("--edition", "current"),
    )


def test_a_path_of_the_other_stays_relative_to_the_other(folder):
    read = load(folder, 'extends = "../base"', name="sub/mine.toml")

    assert read.target.trust == str(folder / "ca.pem")


def test_the_authority_of_the_other_stays_relative_to_it_too(folder, monkeypatch):
    authority = DeviceAuthority.new()
    (folder / "ca.pem").write_text(authority.pem)
    table = '[device-authority]\ncertificate = "ca.pem"\nkey = "env:KEY"\n'
    (folder / "base.toml").write_text(BASE + table)
    (folder / "sub").mkdir()
    (folder / "sub" / "mine.toml").write_text('schema = 1\nextends = "../base"')

    read = profile.load(str(folder / "sub" / "mine.toml"), environment={"KEY": authority.key.reveal()})

    assert read.device_authority.certificate == authority.pem


def test_a_profile_that_extends_may_be_extended(folder):
    load(folder, 'extends = "base"\n[timing]\nfeedback = 3', name="middle.toml")

    assert load(folder, 'extends = "middle"').timing == {"sas-skew": 1.0, "c2d-lock": 1.0, "feedback": 3.0}


def test_a_name_may_be_one_of_the_suites_own_profiles(folder):
    assert load(folder, 'extends = "emulator"').launch.command[1:3] == ("-m", "iothub_emulator")


@pytest.mark.parametrize(
    ("extends", "problem"),
    [
        ('"bse"', "extends 'bse': no such profile; "),
        ("1", "extends: must be the name or the path of a profile, in quotes."),
        ('"mine"', "extends: 'mine' extends this profile itself. Leave one of them out."),
    ],
    ids=["unknown", "number", "itself"],
)
def test_what_cannot_be_extended_is_one_line(folder, extends, problem):
    (line,) = problems_of(folder, f"extends = {extends}")

    assert problem in line


def test_a_circle_is_found(folder):
    (folder / "other.toml").write_text('schema = 1\nextends = "mine"')

    (line,) = problems_of(folder, 'extends = "other"')

    assert "'mine' extends this profile itself" in line


def test_a_mistake_in_the_other_names_both_files(folder):
    (folder / "base.toml").write_text("[target")

    (line,) = problems_of(folder, 'extends = "base"')

    assert line.startswith("…/mine.toml: extends: base: not TOML")
