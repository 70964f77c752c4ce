"""The back end of the embedded hub, for tests that show the suite's service side against real answers."""

import dataclasses
from contextlib import contextmanager

from conformance.backend import Service
from conformance.evidence.case import Evidence
from conformance.mqtt.device import Device
from conformance.mqtt.endpoint import Endpoint
from conformance.mqtt.reactor import Reactor
from conformance.profile import loading as profile
from conformance.target import opening

FACTOR = 6
"""The profile's timeouts leave ten seconds for an answer: enough for a case, which may be run again."""


@contextmanager
def embedded_hub(*options):
    """Start an embedded hub as the profile does, with further options, and yield it as a target."""
    loaded = profile.load("emulator", timeout_factor=FACTOR)
    launch = loaded.launch.model_copy(update={"command": (*loaded.launch.command, *options)})
    with opening.open_target(dataclasses.replace(loaded, launch=launch)) as opened:
        yield opened.target


class BackEnd:
    """One case's share: service, devices, and what the journal wrote."""

    def __init__(self, target, name):
        self.target = target
        self.evidence = Evidence()
        self.service = Service(target, telemetry=False)
        self.service.journal.follow(self.evidence.transcript)
        self._name = name.replace("_", "-").replace("[", "-").rstrip("]")
        self._reactor = Reactor()
        self._endpoint = Endpoint(
            host=target.host, port=target.ports.mqtt, trust=target.ca_file, timeouts=target.timeouts
        )
        self._devices = []

    @property
    def unused_name(self):
        return f"{self._name}-{len(self._devices)}"

    def device(self, identity=None):
        if identity is None:
            (identity,) = self.service.registry.create([self.unused_name])
        device = Device(identity, self._endpoint, self._reactor, self.evidence)
        self._devices.append(device)
        return device

    @property
    def lines(self):
        return [entry.text for entry in self.evidence.transcript.entries if entry.who == "service"]

    def close(self):
        for device in self._devices:
            device.close()
        self._reactor.stop()
        self.service.close()
