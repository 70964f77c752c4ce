"""Devices that are wrong in what they send, and in its properties."""

import base64
import time
from urllib.parse import quote, quote_plus

from wrong import wrong

from conformance.adapters.paho_device import SYSTEM, Device


@wrong("device-telemetry.delivered")
class BodyAsText(Device):
    """It decodes bodies as text, and encodes them again."""

    def publish(self, topic, body):
        super().publish(topic, body.decode("utf-8", errors="replace").encode())


@wrong("device-telemetry.delivered")
class CutsBodies(Device):
    """It cuts a body behind 4 KB."""

    def publish(self, topic, body):
        super().publish(topic, body[:4096])


@wrong("device-telemetry.topic")
class TopicInCapitals(Device):
    """It publishes to a topic with its id in capitals."""

    def events_topic(self):
        return f"devices/{self.path.upper()}/messages/events/"


@wrong("device-telemetry.module-topic")
class ModuleAsItsDevice(Device):
    """As a module it publishes to the topic of its device."""

    def events_topic(self):
        return f"devices/{self.settings.device_id}/messages/events/"


@wrong("device-telemetry.sent-when-acknowledged")
class SentBeforeAcknowledged(Device):
    """It says that a message is sent as soon as it has published it."""

    def publish(self, topic, body):
        self.client.publish(topic, body, qos=1)


@wrong("device-telemetry.order")
class NewestFirst(Device):
    """It collects messages, and sends the newest one first."""

    waiting = ()

    def send(self, order):
        self.waiting = (base64.b64decode(order["body"]), *self.waiting)
        if len(self.waiting) == 5:
            for body in self.waiting:
                self.publish(self.events_topic(), body)
        return {"event": "sent"}


@wrong("device-telemetry.sent-again")
class ForgetsWhatWasLost(Device):
    """It forgets what was not acknowledged when a connection is lost."""

    def on_disconnect(self, client, *more):
        client._out_messages.clear()
        super().on_disconnect(client, *more)


@wrong("device-telemetry.sent-again-dup")
class NewIdForOldMessage(Device):
    """It sends what was lost again under a new packet id and without DUP."""

    def on_disconnect(self, client, *more):
        lost = list(client._out_messages.values())
        client._out_messages.clear()
        for message in lost:
            client.publish(message.topic, message.payload, qos=1)
        super().on_disconnect(client, *more)


@wrong("device-telemetry.not-again")
class SendsAllAgain(Device):
    """It sends the last message again on each new connection."""

    last = None

    def publish(self, topic, body):
        self.last = topic, body
        super().publish(topic, body)

    def on_disconnect(self, client, *more):
        super().on_disconnect(client, *more)
        client.publish(*self.last, qos=1)


@wrong("device-bag.values")
class ValuesAsTheyAre(Device):
    """It does not encode the values of properties."""

    def pair(self, name, value):
        return f"{quote(name, safe='$.')}={value.replace('#', '').replace('+', '')}"


@wrong("device-bag.values")
class SpaceAsPlus(Device):
    """It encodes values as a form does, with a plus for a space."""

    def pair(self, name, value):
        return f"{quote(name, safe='$.')}={quote_plus(value).replace('+', '%2B')}"


@wrong("device-bag.names")
class NamesAsTheyAre(Device):
    """It does not encode the names of properties."""

    def pair(self, name, value):
        return f"{name.replace('#', '').replace('+', '')}={quote(value, safe='')}"


@wrong("device-bag.empty")
class NoEmptyValues(Device):
    """It leaves out properties whose value is empty."""

    def bag(self, order):
        filled = {name: value for name, value in order.get("properties", {}).items() if value}
        return super().bag({**order, "properties": filled})


@wrong("device-bag.many")
class TenProperties(Device):
    """It sends the first ten properties."""

    def bag(self, order):
        return "&".join(super().bag(order).split("&")[:10])


@wrong("device-bag.many")
class PropertyOfItsOwn(Device):
    """It adds a property of its own."""

    def bag(self, order):
        return "&".join([*filter(None, [super().bag(order)]), "sdk=mine"])


@wrong("device-bag.system")
class SystemWithoutDollar(Device):
    """It writes system properties under their names, without $. in front."""

    def bag(self, order):
        names = {own: name.replace("_", "-") for name, own in SYSTEM.items()}
        bag = super().bag(order)
        for own, name in names.items():
            bag = bag.replace(f"{own}=", f"{name}=")
        return bag


@wrong("device-bag.system")
class SystemAsItIs(Device):
    """It does not encode the values of system properties."""

    def pair(self, name, value):
        return f"{name}={value}" if name.startswith("$.") else super().pair(name, value)


@wrong("device-telemetry.sent-again-in-order")
class LastFirst(Device):
    """What was not acknowledged it sends again with the last message first."""

    def on_disconnect(self, client, *more):
        lost = list(client._out_messages.items())
        client._out_messages.clear()
        client._out_messages.update(reversed(lost))
        super().on_disconnect(client, *more)


@wrong("device-telemetry.own-acknowledgement")
class AnyPuback(Device):
    """It takes any PUBACK for the one that it waits for."""

    acknowledged = 0

    def publish(self, topic, body):
        before = self.acknowledged
        self.client.publish(topic, body, qos=1)
        with self.changed:
            self.changed.wait_for(lambda: self.acknowledged > before, 10)

    def on_publish(self, *more):
        with self.changed:
            self.acknowledged += 1
            self.changed.notify_all()


@wrong("device-telemetry.together")
class BusyWithOne(Device):
    """It passes over what it is to send while it sends something else."""

    is_busy = False

    def publish(self, topic, body):
        if not self.is_busy:
            self.is_busy = True
            time.sleep(0.5)
            super().publish(topic, body)
            self.is_busy = False
