"""Profiles of devices: what may stand in [device]."""

import pytest

from conformance.errors import ProfileError
from conformance.profile import loading

RIGHT = 'schema = 1\nextends = "emulator"\n[device]\nname = "mine"\n'


@pytest.fixture
def load(tmp_path):
    def load(more=""):
        (tmp_path / "mine.toml").write_text(RIGHT + more)
        return loading.load(str(tmp_path / "mine.toml"))

    return load


def test_a_device_without_a_command_is_one_that_a_person_starts(load):
    assert load().device.command is None


def test_an_adapter_is_a_claim(load):
    device = load('command = ["mine"]\nadapter = true\ncapabilities = ["twin"]').device
    assert device.claims == {"adapter", "twin"}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("adapter = true", "say its command"),
        ('capabilities = ["queries"]', "unknown capability 'queries' of a device"),
        ('command = ["mine", "{keepalive}"]', "did you mean 'keep-alive'?"),
        ("[device.timing]\nkeep-alive = 0", "must be above 0"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(load, more, says):
    with pytest.raises(ProfileError) as error:
        load(more)
    assert len(error.value.problems) == 1
    assert says in error.value.problems[0]
