"""Devices that are wrong in how they subscribe."""

from wrong import wrong

from conformance.adapters.paho_device import Device


@wrong("device-subscriptions.told-when-granted")
class ListensAtOnce(Device):
    """It says that it listens as soon as it has sent SUBSCRIBE."""

    def subscribe(self, topic_filter):
        self.client.subscribe(topic_filter, 1)
        self.listens_to.append(topic_filter)


@wrong("device-subscriptions.granted-qos")
class WantsQoS1(Device):
    """It takes a grant of QoS 0 for a refusal."""

    def on_subscribe(self, _client, _userdata, _id, codes, _properties):
        self.answer("suback", [0x80 if code.value == 0 else code.value for code in codes])


@wrong("device-subscriptions.kept-session")
class PassesOverWhatWaited(Device):
    """It passes over what comes before it has been told that it is connected again."""

    is_away = False

    def on_disconnect(self, *more):
        self.is_away = True
        super().on_disconnect(*more)

    def on_cloud_message(self, topic, body):
        if not self.is_away:
            super().on_cloud_message(topic, body)


@wrong("device-subscriptions.several")
class OneHandler(Device):
    """It takes all that comes for messages, once it listens to them."""

    def on_message(self, client, userdata, message):
        if any("devicebound" in each for each in self.listens_to):
            self.on_cloud_message(message.topic, bytes(message.payload))
        else:
            super().on_message(client, userdata, message)
