"""Devices that are wrong about the Will that they leave."""

import base64

from wrong import wrong

from conformance.adapters.paho_device import Device


@wrong("device-will.topic")
class WillOfItsOwn(Device):
    """Its Will goes to a topic that it made up."""

    def leave_will(self, order):
        if "will" in order:
            self.client.will_set(f"devices/{self.path}/status", base64.b64decode(order["will"]), qos=1)


@wrong("device-will.module-topic")
class WillOfItsDevice(Device):
    """As a module it leaves a Will for its device."""

    def leave_will(self, order):
        topic = f"devices/{self.settings.device_id}/messages/events/"
        if "will" in order:
            self.client.will_set(topic, base64.b64decode(order["will"]), qos=1)


@wrong("device-will.payload")
class WillAsText(Device):
    """It takes the payload of a Will for text."""

    def leave_will(self, order):
        text = base64.b64decode(order.get("will", "")).decode("utf-8", errors="replace")
        super().leave_will({"will": base64.b64encode(text.encode()).decode()} if "will" in order else {})


@wrong("device-will.sent", "device-will.payload")
class ForgetsWill(Device):
    """It leaves no Will."""

    def leave_will(self, order):
        pass


@wrong("device-will.not-behind-goodbye")
class LeavesWithoutGoodbye(Device):
    """It closes its connection without DISCONNECT."""

    def give_up(self):
        self.wants_connection = False
        self.client._thread_terminate = True
        self.client._sock_close()


@wrong("device-will.again")
class WillOnce(Device):
    """It leaves its Will on the first connection alone."""

    connections = 0

    def on_pre_connect(self, client, userdata):
        super().on_pre_connect(client, userdata)
        self.connections += 1
        if self.connections > 1:
            client.will_clear()
