"""The other end of an AMQP connection, for tests: performatives or literal bytes in, what the hub says out.

There is no network: a `Peer` hands bytes to the hub's `Connection` and decodes what it wants sent.
"""

import base64
import hashlib
import hmac
from urllib.parse import quote_plus

from iothub_emulator.amqp import frames
from iothub_emulator.amqp.composites import Composite
from iothub_emulator.amqp.connection import Connection
from iothub_emulator.amqp.frames import Frame
from iothub_emulator.amqp.messages import Message, Properties, decode_message, encode_message
from iothub_emulator.amqp.performatives import Attach, Begin, Close, Flow, Open, Source, Target, Transfer
from iothub_emulator.amqp.values import Ulong
from iothub_emulator.hub.telemetry import TelemetryEvent
from iothub_emulator.runtime import Runtime
from iothub_emulator.settings import Settings

NOW = 1_800_000_000.0
ENTITY = "iothub-emulator"
STREAM = f"amqps://localhost/{ENTITY}/ConsumerGroups/$Default/Partitions/0"
AUDIENCE = f"sb://localhost/{ENTITY}/consumergroups/$Default"


class ClockedRuntime(Runtime):
    """A hub whose clock stands still until a test moves it."""

    clock = NOW

    def now(self):
        return self.clock


def hub(**settings) -> ClockedRuntime:
    return ClockedRuntime(Settings(**settings))


def event(body=b"hello", *, at=NOW, device_id="device-1", **fields) -> TelemetryEvent:
    return TelemetryEvent(device_id, "1", '{"scope":"device"}', body, at, **fields)


def fill(runtime, bodies, partition=0):
    """Put an event with each body into one partition."""
    for body in bodies:
        runtime.telemetry.append(event(body), partition)


def token(runtime, resource=AUDIENCE, *, policy="service", expires_in=3600, key=None, key_is_text=True):
    """Return a SAS token as azure-eventhub makes it; IoT Hub's own clients decode the key first."""
    key = key or runtime.policies[policy].primary_key
    secret = key.encode() if key_is_text else base64.b64decode(key)
    expiry = int(runtime.now() + expires_in)
    signed = f"{quote_plus(resource)}\n{expiry}".encode()
    signature = quote_plus(base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)))
    return f"SharedAccessSignature sr={quote_plus(resource)}&sig={signature}&se={expiry}&skn={policy}"


class Peer:
    """A client, frame by frame. Each call returns the frames that the hub sends because of it."""

    def __init__(self, runtime=None):
        self.runtime = runtime or hub()
        self.wakes = 0
        self.connection = Connection(self.runtime, self._woken)
        self.next_transfer = 0

    def _woken(self):
        self.wakes += 1

    def raw(self, data) -> bytes:
        self.connection.receive(data)
        return self.pump_raw()

    def pump_raw(self) -> bytes:
        """Let the hub send all that it can, as its endpoint does."""
        sent = self.connection.bytes_to_send()
        while True:
            more = self.connection.pump()
            sent += self.connection.bytes_to_send()
            if not more:
                return sent

    def pump(self) -> list[Frame]:
        return decoded(self.pump_raw())

    def send(self, performative, payload=b"", *, channel=0) -> list[Frame]:
        return decoded(self.raw(frames.encode_frame(channel, performative, payload)))

    def say(self, performative, payload=b"", *, channel=0) -> list:
        """Send and return the performatives alone."""
        return [frame.performative for frame in self.send(performative, payload, channel=channel)]

    def open(self, **fields):
        """Skip SASL, open, and begin a session on channel 0."""
        assert self.raw(frames.AMQP_HEADER) == frames.AMQP_HEADER
        (answer,) = self.say(Open(container_id="peer", **fields))
        assert isinstance(answer, Open)
        self.begin()
        return self

    def begin(self, *, window=10_000, channel=0, handle_max=1000):
        return self.say(
            Begin(next_outgoing_id=0, incoming_window=window, outgoing_window=100, handle_max=handle_max),
            channel=channel,
        )

    def attach_receiver(self, address, *, name="receiver", handle=0, filters=None, credit=None, **fields):
        """Attach to receive, grant credit if told to, and return what came back."""
        answers = self.say(
            Attach(
                name=name,
                handle=handle,
                role=True,
                source=Source(address=address, filter=filters),
                target=Target(address=name),
                **fields,
            )
        )
        return answers if credit is None else answers + self.flow(handle, credit)

    def attach_sender(self, address, *, name="sender", handle=1, **fields):
        return self.say(
            Attach(
                name=name,
                handle=handle,
                role=False,
                source=Source(address=name),
                target=Target(address=address),
                initial_delivery_count=0,
                **fields,
            )
        )

    def flow(self, handle=None, credit=None, *, seen=0, delivered=0, window=10_000, **fields):
        return self.say(
            Flow(
                next_incoming_id=seen,
                incoming_window=window,
                next_outgoing_id=self.next_transfer,
                outgoing_window=100,
                handle=handle,
                delivery_count=delivered if handle is not None else None,
                link_credit=credit,
                **fields,
            )
        )

    def transfer(self, message, *, handle=1, **fields):
        number = self.next_transfer
        self.next_transfer += 1
        fields = {"delivery_id": number, "delivery_tag": b"t", "settled": False} | fields
        return self.send(Transfer(handle=handle, **fields), message)

    def request(self, node, properties, value=None, *, message_id=None, reply_to=None, credit=100):
        """Attach both ways to a node if need be, send one request, and return the reply."""
        if node not in getattr(self, "_nodes", {}):
            self._nodes = {**getattr(self, "_nodes", {}), node: 100 + 2 * len(getattr(self, "_nodes", {}))}
            handle = self._nodes[node]
            self.attach_receiver(node, name=f"{node}-replies", handle=handle, credit=credit)
            self.attach_sender(node, name=f"{node}-requests", handle=handle + 1)
        message = encode_message(
            Message(
                properties=Properties(message_id=message_id or Ulong(1), reply_to=reply_to),
                application_properties=properties,
                value=(value,),
            )
        )
        answers = self.transfer(message, handle=self._nodes[node] + 1)
        return next(
            decode_message(frame.payload) for frame in answers if isinstance(frame.performative, Transfer)
        )

    def put_token(self, text=None, audience=AUDIENCE, **properties):
        text = token(self.runtime, audience) if text is None else text
        properties = {
            "operation": "put-token",
            "type": "servicebus.windows.net:sastoken",
            "name": audience,
        } | properties
        return self.request("$cbs", properties, text)

    def status_of_put_token(self, *arguments, **properties) -> int:
        return self.put_token(*arguments, **properties).application_properties["status-code"]


def decoded(data: bytes) -> list[Frame]:
    """Return the frames in what the hub sent."""
    found = []
    while data:
        size = int.from_bytes(data[:4], "big")
        found.append(frames.decode_frame(data[:size], data[5]))
        data = data[size:]
    return found


def bodies(answers) -> list[bytes]:
    """Return the bodies of the whole messages among frames."""
    found, parts = [], b""
    for frame in answers:
        if isinstance(frame.performative, Transfer):
            parts += frame.payload
            if not frame.performative.more:
                found.append(decode_message(parts).data)
                parts = b""
    return found


def performatives(answers: list[Frame]) -> list[Composite]:
    """Return what frames carry."""
    return [frame.performative for frame in answers]


def errors(answers) -> list[str]:
    """Return the conditions of the Closes among performatives."""
    return [item.error.condition for item in answers if isinstance(item, Close) and item.error]


def refusal(answers):
    """Return the condition of a refused attach: an attach without termini, then a Detach that says why."""
    attach, detach = answers
    assert (attach.source, attach.target) == (None, None)
    assert detach.closed
    return detach.error.condition


def flow_of(*, credit, delivered=0, handle=0, **fields):
    """Return the Flow of a peer that has seen so many deliveries on a link and grants it credit."""
    return Flow(
        next_incoming_id=1,
        incoming_window=10_000,
        next_outgoing_id=1,
        outgoing_window=1,
        handle=handle,
        delivery_count=delivered,
        link_credit=credit,
        **fields,
    )
