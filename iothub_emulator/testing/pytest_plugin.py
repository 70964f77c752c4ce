"""The fixture `iothub`: a hub of this test process, started when the first test asks for it.

It listens on free ports. ``iothub_options`` in the ini file are further options of the emulator, such as
``--mqtt-port 8883`` for a client that knows no other.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from iothub_emulator.testing.iothub import IotHub

_HUB = pytest.StashKey["IotHub"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take further options of the hub from the ini file."""
    parser.addini("iothub_options", "further options of the hub that the fixture iothub starts", type="args")


@pytest.fixture(scope="session")
def iothub(pytestconfig: pytest.Config) -> "Iterator[IotHub]":
    """Start an Azure IoT Hub on this machine: connection strings, telemetry(), send(), twin(), invoke()."""
    from iothub_emulator.testing.iothub import IotHub  # noqa: PLC0415 - most runs of pytest ask for none

    with IotHub(*pytestconfig.getini("iothub_options")) as hub:
        pytestconfig.stash[_HUB] = hub
        yield hub
        del pytestconfig.stash[_HUB]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let a test begin without the telemetry of those before it."""
    hub = item.config.stash.get(_HUB, None)
    if hub is not None:
        hub.forget_telemetry()
