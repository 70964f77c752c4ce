"""A hub in values: identities, sessions and tokens for the tests of the pure core."""

import itertools

from sas import token

from iothub_emulator.editions import EDITIONS
from iothub_emulator.hub.identity import ClientCertificate, Fresh, Wanted, WantedModule
from iothub_emulator.hub.packets import Connect
from iothub_emulator.hub.policies import default_policies
from iothub_emulator.hub.registry import Registry
from iothub_emulator.hub.session import Session
from iothub_emulator.hub.state import HubState
from iothub_emulator.rules import rules_for
from iothub_emulator.settings import Settings

NOW = 1_800_000_000.0
DEVICE = "thermostat"
EVENTS = f"devices/{DEVICE}/messages/events/"
DEVICEBOUND = f"devices/{DEVICE}/messages/devicebound/#"


class Hub:
    """State and rules of one edition, with devices `thermostat` and `other`."""

    def __init__(self, edition="document", settings=None):
        keys = (f"{number:02d}" * 20 + "000=" for number in itertools.count())
        self.fresh_key = lambda: next(keys)
        self.rules = rules_for(settings or Settings(), EDITIONS[edition])
        self.registry = Registry(self.rules.registry)
        self.policies = default_policies(lambda _: (next(keys), next(keys)))
        for device_id in (DEVICE, "other"):
            fresh = Fresh(
                etag="e",
                generation_id=f"g-{device_id}",
                primary_key=next(keys),
                secondary_key=next(keys),
                now=NOW,
            )
            self.registry.create(Wanted(device_id=device_id), fresh)
        self.told = []
        self.state = HubState(self.registry, self.policies, self.rules, self.told.append)

    def fresh(self):
        """Return values for a change of the registry; keys as told apart by their bytes."""
        keys = (self.fresh_key(), self.fresh_key())
        return Fresh(etag="e", generation_id="g", primary_key=keys[0], secondary_key=keys[1], now=NOW)

    def module(self, module_id="m", **changes):
        """Register a module of the device and return its identity key."""
        wanted = WantedModule(device_id=DEVICE, module_id=module_id, **changes)
        return self.registry.modules.create(wanted, self.fresh()).key

    def key(self, device_id=DEVICE):
        return self.registry.identity(device_id).primary_key or self.fresh_key()

    def token(self, device_id=DEVICE, *, key=None, resource=None, expiry=NOW + 3600, policy=None):
        """Return a token of a device, or of a module by `{device}/{module}`."""
        key = key or self.key(device_id)
        resource = resource or f"localhost/devices/{device_id.replace('/', '/modules/')}"
        return token(resource, key, int(expiry), policy=policy)

    def connect_packet(self, device_id=DEVICE, **changes):
        fields = {
            "protocol_name": "MQTT",
            "protocol_level": 4,
            "client_id": device_id,
            "username": f"localhost/{device_id}/?api-version=2021-04-12",
            "password": self.token(device_id).encode(),
            "keep_alive": 60,
        }
        return Connect(**{**fields, **changes})

    def new_session(self, thumbprints=(), names=()):
        return Session(self.state, self.rules, ClientCertificate(thumbprints, names))

    def connect(self, device_id=DEVICE, **changes):
        """Return the session and the effects of its CONNECT."""
        session = self.new_session()
        return session, session.receive(self.connect_packet(device_id, **changes), NOW)

    def session(self, device_id=DEVICE, **changes):
        """Return a session that was accepted."""
        session, _ = self.connect(device_id, **changes)
        assert session.sender is not None
        return session
