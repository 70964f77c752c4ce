"""Attempts to connect that have to be refused, each on its ground."""

from collections.abc import Callable
from typing import Final

from conformance.errors import Violation
from conformance.explore import wire
from conformance.explore.actions import Action
from conformance.explore.expectations import Event
from conformance.explore.logins import Claim
from conformance.explore.model_connections import BY_AUTHORITY
from conformance.explore.stage import Stage
from conformance.mqtt import raw_packets
from conformance.mqtt.device import Device
from conformance.mqtt.fields import NO_PASSWORD, Absent, Will
from conformance.mqtt.packets import Connack
from conformance.mqtt.raw import RawConnection
from conformance.target.certificates import ClientCertificate, two_certificates
from conformance.target.credentials import Secret, random_key

# An hour ago: no allowance for clocks reaches as far.
LONG_AGO: Final = -3600


class Refusals:
    """Makes attempts, and says what came of each."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def attempt(self, action: Action) -> list[Event]:
        """Try to connect as the action says; return "session" if it is let in, "ended" once it is closed."""
        label = f"{action.who}!{action.id}"
        device = self._stage.devices[action.who]
        if action["ground"] in BY_AUTHORITY:
            device = self._stage.bench.pretender(device, self._certificate(action, device))
        elif action["ground"] == "unknown":
            device = self._stage.bench.unknown_device()
        try:
            raw = device.websocket() if action["over"] == "ws" else device.raw()
        except Violation as violation:
            # The TLS handshake, or HTTP, is refused already.
            return [] if violation.observed == "silence" else [Event(label, "ended")]
        behind = b""
        if action["behind"] == "telemetry":
            own = self._stage.devices[action.who].topics.events
            behind = wire.publish(own, wire.body_of(action.id, 0))
        before = wire.PINGREQ if action["ground"] == "late-connect" else b""
        raw.send(before + self._connect(action, device) + behind)
        events: list[Event] = []
        raw.wait_for(lambda: _is_accepted(raw), self._stage.target.timeouts.connect)
        if _is_accepted(raw):
            events.append(Event(label, "session"))
        if raw.has_ended:
            events.append(Event(label, "ended"))
        raw.close()
        return events

    def _certificate(self, action: Action, device: Device) -> ClientCertificate | None:
        """Return what somebody presents that has to be refused with it."""
        match action["ground"]:
            case "other-certificate":
                return two_certificates(device.id)[0]
            case "other-name":
                return self._stage.bench.device_authority.issue(self._stage.devices[action["other"]].id)
            case _:
                return None

    def _connect(self, action: Action, device: Device) -> bytes:
        ground = action["ground"]
        will = None
        if action["behind"] == "will":
            own = self._stage.devices[action.who].topics.events
            will = Will(topic=own, payload=wire.body_of(f"{action.id}w", 40))
        claim = self._claim(action, device)
        protocol, level, properties = {
            "mqtt-3.1": ("MQIsdp", 3, b""),
            "mqtt-5": ("MQTT", 5, b"\x00"),
        }.get(ground, ("MQTT", 4, b""))
        if level == MQTT_5 and will is not None:
            will = None  # there it has properties, and nothing is learned from a malformed one
        return raw_packets.connect(
            claim,
            protocol=protocol,
            level=level,
            properties=properties,
            clean_session=True,
            username=ground != "anonymous",
            password=claim.password,
            will=will,
        )

    def _claim(self, action: Action, device: Device) -> Claim:
        other = self._stage.devices.get(action["other"], device)
        ground = action["ground"]
        client_id = other.id if ground == "other-client-id" else device.id
        username = other.username if ground == "other-username" else device.username
        return Claim(client_id, username, self._password(ground, action.who, device, other))

    def _password(self, ground: str, who: str, device: Device, other: Device) -> Secret | Absent:
        makers: dict[str, Callable[[], Secret | Absent]] = {
            "bad-signature": lambda: device.token(key=random_key()),
            "other-key": lambda: device.token(key=other.primary_key),
            "old-key": lambda: device.token(key=self._stage.old_keys[who]),
            "tampered": lambda: _later(device.token()),
            "expired": lambda: device.token(expires_in=LONG_AGO),
            "other-resource": other.token,
            "sibling-token": other.token,
            "malformed": lambda: Secret("SharedAccessSignature sr=nothing"),
            **dict.fromkeys(("anonymous", *BY_AUTHORITY), lambda: NO_PASSWORD),
        }
        return makers.get(ground, device.password)()


def _is_accepted(raw: RawConnection) -> bool:
    return any(isinstance(each, Connack) and each.code == 0 for each in raw.received)


def _later(token: Secret) -> Secret:
    """Return a token whose expiry was put off after it was signed."""
    before, mark, after = token.reveal().partition("se=")
    digits = "".join(letter for letter in after if letter.isdecimal())[:10]
    return Secret(f"{before}{mark}{int(digits) + 1000}{after[len(digits) :]}")


MQTT_5: Final = 5
