"""Fixtures for tests of twins: the device's view of its twin, and what must survive a refusal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.errors import StageFailed
from conformance.running.fixtures import Stage

if TYPE_CHECKING:  # a run that only collects loads neither side of a hub
    from conformance.device import Connection, Device
    from conformance.device.twin import TwinClient
    from conformance.service import Twins

# What nearly every clause about twins needs and does not check.
ANSWER: Final = "twin.get"
NOTIFICATION: Final = "desired.notified"


def twin_of(connection: "Connection") -> "TwinClient":
    """Return the twin on a connection of its device or module; nothing is subscribed to yet."""
    from conformance.device.twin import TwinClient  # noqa: PLC0415 - a run that only collects loads no device

    return TwinClient(connection)


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
        return Contents(device_side=self.twin.get().properties, service_side=self.at_the_back_end())

    def at_the_back_end(self) -> dict[str, Any]:
        """Read the twin from the back end alone: the device may be gone."""
        found = self._twins.get(self._device)
        return {"desired": found.desired, "reported": found.reported, "tags": found.tags}


@pytest.fixture
def twin(connection: "Connection", stage: Stage) -> "TwinClient":
    """Return the twin as `device` meets it, on a connection that hears the answers."""
    return stage(twin_of(connection).subscribe, needs=ANSWER)


@pytest.fixture
def listener(twin: "TwinClient", stage: Stage) -> "TwinClient":
    """Return `twin`, on a connection that hears of changed desired properties too."""
    return stage(twin.subscribe_to_desired, needs=NOTIFICATION)


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
    former = contents.twin.connection
    stage(former.disconnect)
    return stage(twin_of(stage(former.device.connect)).subscribe, needs=ANSWER)


@pytest.fixture
def twin_without_api_version(device: "Device", stage: Stage) -> "TwinClient":
    """Return the twin of `device` on a connection whose Username is ``{host}/{device}``; it hears answers."""
    connection = stage(
        device.connect, username=f"{device.host}/{device.id}", needs="connect.api-version-missing"
    )
    return stage(twin_of(connection).subscribe, needs=ANSWER)


@pytest.fixture
def unsubscribed_twin(twin: "TwinClient", stage: Stage) -> "TwinClient":
    """Return the twin on a connection that hears no answers; on the one before, its device got one."""
    former = twin.connection
    stage(twin.get, needs=ANSWER)
    stage(former.disconnect)
    return twin_of(stage(former.device.connect))


@pytest.fixture
def other_listener(other_device: "Device", stage: Stage) -> "TwinClient":
    """Return the twin of another device, on a connection that hears answers and changes."""
    other = stage(twin_of(stage(other_device.connect)).subscribe, needs=ANSWER)
    return stage(other.subscribe_to_desired, needs=NOTIFICATION)


@pytest.fixture
def subscribed_session(device: "Device", stage: Stage) -> "Callable[..., TwinClient]":
    """``subscribed_session(clean_session=…)`` connects `device` and subscribes to answers and changes."""

    def connect(*, clean_session: bool) -> "TwinClient":
        twin = twin_of(stage(device.connect, clean_session=clean_session))
        stage(twin.subscribe, needs=ANSWER)
        return stage(twin.subscribe_to_desired, needs=NOTIFICATION)

    return connect


@pytest.fixture
def desired(device: "Device", listener: "TwinClient", twins: "Twins", stage: Stage) -> dict[str, Any]:
    """Set some desired properties of `device`, of which `listener` has heard; return them."""
    properties = {"telemetrySendFrequency": "10m", "route": "north", "limits": {"low": 1, "high": 9}}
    twins.patch(device, desired=properties)
    stage(listener.next_change, needs=NOTIFICATION)
    return properties


@pytest.fixture
def refused_update(device: "Device", twins: "Twins") -> Callable[..., None]:
    """``refused_update(desired=…, etag=…)``: an update that the back end's own interface refuses."""

    def attempt(**update: Any) -> None:
        status = twins.attempt_to_patch(device, **update)
        if status == "200":
            raise StageFailed("needs a back end that refuses this update of a twin: it was accepted")

    return attempt
