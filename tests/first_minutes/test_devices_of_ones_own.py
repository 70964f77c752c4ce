"""`device-only` for a hub of one's own, as the comment in the file says."""

import re

import pytest
import readme

SHIPPED = readme.CHECKOUT / "profiles" / "device-only.toml"
DEVICES = ("one", "two", "three", "four")


@pytest.fixture
def own_profile(newcomer):
    """Writes a copy of the shipped file, changed as its comment says, for the hub of a ready file."""

    def write(ready):
        text = SHIPPED.read_text()
        for table in ("launch", "timeouts", "timing"):
            text = re.sub(rf"^\[{table}\].*?(?=^\[)", "", text, flags=re.MULTILINE | re.DOTALL)
        text = text[: text.index("\n[[identity]]") + 1]
        text += "".join(f'[[identity]]\nconnection-string = "env:{name.upper()}"\n' for name in DEVICES)
        ports = f"ports = {{ mqtt = {ready['ports']['mqtt']}, https = {ready['ports']['https']} }}"
        where = f'\n[target]\n{ports}\ntrust = "{ready["ca_file"]}"'
        (newcomer.folder / "mine.toml").write_text(text.replace("\n[target]", where))
        return {name.upper(): string for name, string in ready["device_connection_strings"].items()}

    return write


@pytest.fixture
def somebodys_hub(newcomer):
    """A hub with devices of somebody's own."""
    named = [f"--device={name}" for name in DEVICES]
    with newcomer.hub("--ready-file=ready.json", *named, "--edition=document") as ready:
        yield ready


def test_a_copy_without_launch_judges_that_hub(newcomer, own_profile, somebodys_hub):
    """The host comes from the devices' strings, and no other hub is started."""
    strings = own_profile(somebodys_hub)

    said = newcomer.judges("--profile=mine.toml", "--section=transport", **strings)

    assert f"at localhost:{somebodys_hub['ports']['mqtt']}" in said
    statement = newcomer.statement("mine.partial")
    assert (statement["run"]["exit_code"], statement["claims"]["timing"]) == (0, {})


def test_devices_of_another_hub_than_the_one_that_launch_starts_are_refused(newcomer, somebodys_hub):
    """Who extends the profile gets its [launch]: a run would judge the embedded hub in place of theirs."""
    identity = '[[identity]]\nconnection-string = "env:ONE"\n'
    (newcomer.folder / "mine.toml").write_text(f'schema = 1\nextends = "device-only"\n{identity}')
    string = somebodys_hub["device_connection_strings"]["one"].replace("localhost", "hub.example.net")

    said = newcomer.judges("--profile=mine.toml", code=4, ONE=string)

    assert said.splitlines() == [
        (
            "ERROR: mine.toml: [[identity]] number 1 is a device of hub.example.net, and [launch] starts a "
            "hub of its own. Leave out [launch]; where extends brings it, copy that profile."
        )
    ]
