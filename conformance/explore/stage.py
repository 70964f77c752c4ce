"""The identities and connections of one play: who a scenario's names are this time, and what they hear."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from conformance.explore.expectations import Event
from conformance.explore.scenarios import Scenario
from conformance.explore.state import Cast
from conformance.explore.wire import Heard, number_in
from conformance.mqtt.device import Device
from conformance.mqtt.packets import Connack, Publish
from conformance.mqtt.raw import RawConnection
from conformance.run.bench import CaseBench
from conformance.run.orders import Order, Proof
from conformance.target.credentials import Secret


@dataclass
class Wire:
    """One connection of a play, and how much of what came on it has been told."""

    label: str
    who: str
    raw: RawConnection
    heard: Heard
    told: int = 0
    told_end: bool = False
    given: dict[str, float] = field(default_factory=dict)
    """When a message was given to it last, by the message's number."""

    def news(self) -> list[Event]:
        """Return what came since the last time."""
        ended = self.raw.has_ended
        packets = self.raw.received[self.told :]
        self.told += len(packets)
        events = []
        for each in packets:
            if isinstance(each, Connack) and each.code == 0:
                present = each.session_present
                events.append(Event(self.label, "session", "", {"session present": present}))
            elif isinstance(each, Publish) and each.qos:
                self.given[number_in(each.payload)] = time.monotonic()
        events += self.heard.events(packets)
        if ended and not self.told_end:
            self.told_end = True
            events.append(Event(self.label, "closed", "", {"after": self.raw.closed_after}))
        return events

    def has_news(self) -> bool:
        """Tell whether something came that was not told."""
        return len(self.raw.received) > self.told


class Stage:
    """Who plays. `names` maps this run's ids to the scenario's names."""

    def __init__(self, bench: CaseBench, scenario: Scenario) -> None:
        self.bench = bench
        self.target = bench.target
        self.devices: dict[str, Device] = {}
        self.old_keys: dict[str, Secret] = {}
        self.wires: dict[str, Wire] = {}
        self.names: dict[str, str] = {}
        self._appear(scenario.cast)

    def _appear(self, cast: Sequence[Cast]) -> None:
        devices = [each for each in cast if not each.is_module]
        if "registry" in self.target.capabilities:
            made = self.bench.ordered([_order(each, cast) for each in devices])
        else:  # ready-made ones have names of their own
            made = [self.bench.device() for _ in devices]
        self.devices.update({each.name: device for each, device in zip(devices, made, strict=True)})
        for each in cast:
            if each.is_module:
                module = each.name.partition("/")[2]
                self.devices[each.name] = self.bench.module_named(self.devices[each.device], module)
        self.names.update({device.id: name for name, device in self.devices.items()})

    def open(self, label: str, who: str, raw: RawConnection) -> Wire:
        """Take note of a new connection."""
        wire = Wire(label, who, raw, Heard(label, self.names))
        self.wires[label] = wire
        return wire

    def news(self) -> list[Event]:
        """Return what came on every connection since the last time."""
        return [event for wire in self.wires.values() for event in wire.news()]

    def leave(self, label: str) -> None:
        """Forget a connection that we ended."""
        self.wires.pop(label, None)


def _order(device: Cast, cast: Sequence[Cast]) -> Order:
    """Return what a device of a scenario is to be, with its modules."""
    modules = [
        (each.name.partition("/")[2], _PROOFS[each.credential])
        for each in cast
        if each.is_module and each.device == device.name
    ]
    return Order(ending=f"-{device.name}", proof=_PROOFS[device.credential], modules=tuple(modules))


_PROOFS: Final[Mapping[str, Proof]] = {"sas": "keys", "thumbprint": "SHA-1", "authority": "authority"}


# How old a message may be that is acknowledged, as a share of its lock, and a call that is answered, as one
# of the time that its caller waits.
IN_TIME: Final = 0.5
