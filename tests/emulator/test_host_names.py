"""Which names are the hub's own, and for whom."""

import pytest

from iothub_emulator.hub.host_names import alias, aliases, is_accepted

NAMES = ("localhost", "127.0.0.1", "emulator.azure-devices.net")


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("emulator.azure-devices.net", "emulator.device.azure-devices.net"),
        ("Hub.Example:8883", "hub.device.example"),
        ("hub.azure-devices.cn", "hub.device.azure-devices.cn"),
        ("emulator.device.azure-devices.net", None),
        ("emulator.service.azure-devices.net", None),
        ("localhost", None),
        ("127.0.0.1", None),
        ("127.0.0.1:8883", None),
        ("::1", None),
    ],
)
def test_a_classic_name_has_an_alias_and_nothing_else_has(name, device):
    assert alias(name, "device") == device


def test_all_aliases_of_all_names():
    assert aliases(NAMES) == ("emulator.device.azure-devices.net", "emulator.service.azure-devices.net")


@pytest.mark.parametrize(
    ("host", "device", "service"),
    [
        ("localhost", True, True),
        ("LOCALHOST:443", True, True),
        ("emulator.azure-devices.net", True, True),
        ("emulator.device.azure-devices.net", True, False),
        ("Emulator.Device.Azure-Devices.net:8883", True, False),
        ("emulator.service.azure-devices.net", False, True),
        ("other.azure-devices.net", False, False),
        ("other.device.azure-devices.net", False, False),
        ("localhost.device", False, False),
        ("", False, False),
    ],
)
def test_an_alias_is_accepted_of_its_own_side(host, device, service):
    assert (is_accepted(host, NAMES, "device"), is_accepted(host, NAMES, "service")) == (device, service)
