"""Fixtures for tests of twins: the device's view of its twin, and what must survive a refusal."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.running.fixtures import Stage

if TYPE_CHECKING:  # a run that only collects loads neither side of a hub
    from conformance.device import Connection, Device
    from conformance.device.twin import TwinClient
    from conformance.service import Twins

# What nearly every clause about twins needs and does not check.
ANSWER: Final = "twin.get"


@dataclass(frozen=True)
class Contents:
    """A twin's contents at one moment, as its device gets them and as the back end reads them."""

    device_side: dict[str, Any]
    service_side: dict[str, Any]


class ContentsOfTwin:
    """The contents of one twin from both sides: `before` the test did anything, and `now`."""

    def __init__(self, device: "Device", twin: "TwinClient", twins: "Twins") -> None:
        self.twin = twin
        self._device = device
        self._twins = twins
        self.before = self.now()

    @property
    def reported_version(self) -> int:
        """The version of the reported properties before the test; there have been two older ones."""
        version: int = self.before.device_side["reported"]["$version"]
        return version

    def now(self) -> Contents:
        """Read the twin from both sides; what changes by itself (connection state, activity) is left out."""
        found = self._twins.get(self._device)
        return Contents(
            device_side=self.twin.get().properties,
            service_side={"desired": found.desired, "reported": found.reported, "tags": found.tags},
        )


@pytest.fixture
def twin(connection: "Connection", stage: Stage) -> "TwinClient":
    """Return the twin as `device` meets it, on a connection that hears the answers."""
    from conformance.device.twin import TwinClient  # noqa: PLC0415 - a run that only collects loads no device

    return stage(TwinClient(connection).subscribe, needs=ANSWER)


@pytest.fixture
def listener(twin: "TwinClient", stage: Stage) -> "TwinClient":
    """Return `twin`, on a connection that hears of changed desired properties too."""
    return stage(twin.subscribe_to_desired, needs="desired.notified")


@pytest.fixture
def contents(device: "Device", twin: "TwinClient", twins: "Twins", stage: Stage) -> ContentsOfTwin:
    """Fill the twin of `device`: ``contents.now() == contents.before`` says that nothing of it changed."""
    twins.patch(device, desired={"interval": 5, "route": {"via": "north"}}, tags={"site": "hall"})
    stage(twin.establish, {"firmware": "v0.9"}, needs="twin.reported")
    stage(twin.establish, {"firmware": "v1.0", "limits": {"low": 1, "high": 9}}, needs="twin.reported")
    return stage(ContentsOfTwin, device, twin, twins, needs=ANSWER)


@pytest.fixture
def reconnected_twin(contents: ContentsOfTwin, stage: Stage) -> "TwinClient":
    """Return the filled twin on a new connection of its device, with a clean session."""
    from conformance.device.twin import TwinClient  # noqa: PLC0415 - a run that only collects loads no device

    former = contents.twin.connection
    stage(former.disconnect)
    return stage(TwinClient(stage(former.device.connect)).subscribe, needs=ANSWER)


@pytest.fixture
def unsubscribed_twin(twin: "TwinClient", stage: Stage) -> "TwinClient":
    """Return the twin on a connection that hears no answers; on the one before, its device got one."""
    from conformance.device.twin import TwinClient  # noqa: PLC0415 - a run that only collects loads no device

    former = twin.connection
    stage(twin.get, needs=ANSWER)
    stage(former.disconnect)
    return TwinClient(stage(former.device.connect))
