"""adafruit-circuitpython-azureiot with its adafruit_minimqtt, unmodified, as a device under CPython.

The package is written for boards: one thread, and a loop of the user's that lets it listen for two seconds.
"""

import base64
import json
import socket
import ssl
import threading

import adafruit_azureiot.hmac
from adafruit_azureiot import IoTHubDevice, IoTResponse
from adafruit_minimqtt.adafruit_minimqtt import MMQTTException
from steps import HUB, ask, same, step

# Inside a class CPython mangles a name that begins with two underscores, and CircuitPython does not:
# this gives the package's own function the name that CPython looks for.
adafruit_azureiot.hmac._HMAC__translate = adafruit_azureiot.hmac.__translate


class Board:
    """One device and what its handlers were told."""

    def __init__(self, name):
        self.identity = name
        self.device = None
        self.connected, self.messages = [], []
        self.desired, self.reported = {}, {}

    def connect(self, key):
        text = f"HostName={HUB['host']};DeviceId={self.identity};SharedAccessKey={key}"
        self.device = IoTHubDevice(socket, ssl.create_default_context(cafile=HUB["ca_file"]), text)
        self.device.on_connection_status_changed = self.connected.append
        self.device.on_cloud_to_device_message_received = lambda body, bag: self.messages.append((body, bag))
        self.device.on_direct_method_invoked = self.answer
        self.device.on_device_twin_desired_updated = self.keep(self.desired)
        self.device.on_device_twin_reported_updated = self.keep(self.reported)
        self.device.connect()

    def keep(self, section):
        def told(name, value, version):
            section[name] = value
            section["$version"] = version

        return told

    def answer(self, name, payload):
        return IoTResponse(207, json.dumps({"name": name, "payload": payload}))

    def ask(self, question, **details):
        """Let the device listen while the other end does something, as a user's loop does."""
        answers = []
        asking = threading.Thread(
            target=lambda: answers.append(ask(question, identity=self.identity, **details))
        )
        asking.start()
        self.listen_until(lambda: not asking.is_alive())
        return answers[0]

    def listen_until(self, has_come):
        """Let the device listen, two seconds at a time; the step's own patience ends the wait."""
        while not has_come():
            self.device.loop()


def connect(board):
    with step(f"{board.identity}: connect, subscribe to messages, methods and the twin"):
        key = ask("create", identity=board.identity)["key"]
        ask("desire", identity=board.identity, desired={"interval": 6})
        board.connect(key)
        same((board.device.is_connected(), board.connected), (True, [True]))
    with step(f"{board.identity}: the desired properties come after connecting"):
        board.listen_until(lambda: board.desired)
        same(board.desired, {"interval": 6, "$version": 2})


def telemetry(board):
    with step(f"{board.identity}: telemetry"):
        board.device.send_device_to_cloud_message(json.dumps({"temperature": 21, "unit": "°C"}))
        event = ask("telemetry", identity=board.identity, body=json.dumps({"temperature": 21, "unit": "°C"}))
        same(event["properties"], {})
    with step(f"{board.identity}: telemetry with properties"):
        # The package writes them into the topic as they are: encoding is left to its user.
        properties = {"$.mid": "m-1", "$.ct": "application%2Fjson", "$.ce": "utf-8", "level": "high"}
        board.device.send_device_to_cloud_message("with properties", properties)
        event = ask("telemetry", identity=board.identity, body="with properties")
        same(
            [event["system"].get(name) for name in ("message-id", "content-type", "content-encoding")],
            ["m-1", "application/json", "utf-8"],
        )
        same(event["properties"], {"level": "high"})


def cloud_to_device(board, when=""):
    with step(f"{board.identity}: cloud-to-device{when}"):
        board.ask("cloud_to_device", body="ö", properties={"first": "1", "second": "c=d"}, message_id="m-2")
        board.listen_until(lambda: board.messages)
        body, properties = board.messages.pop()
        same(body, "ö")
        # The package drops what stands before the first `&`, and decodes nothing.
        same(properties["second"], "c%3Dd")


def desired(board, version, when=""):
    with step(f"{board.identity}: twin desired{when}"):
        board.ask("desire", desired={"rate": {"of": ["ü", version]}})
        board.listen_until(lambda: board.desired["$version"] == version)
        same(board.desired["rate"], {"of": ["ü", version]})


def reported(board):
    with step(f"{board.identity}: twin reported"):
        board.device.update_twin({"speed": {"now": 5, "unit": "m/s"}})
        stored = board.ask("twin")["properties"]["reported"]
        same((stored["speed"], stored["$version"]), ({"now": 5, "unit": "m/s"}, 2))


def methods(board, when=""):
    with step(f"{board.identity}: method with payload{when}"):
        result = board.ask("method", name="turn", payload={"to": ["ü", 1, None]})
        same(result["status"], 207)
        same(json.loads(result["payload"]["payload"]), {"to": ["ü", 1, None]})
    with step(f"{board.identity}: method without payload{when}"):
        result = board.ask("method", name="stop")
        same(result, {"status": 207, "payload": {"name": "stop", "payload": ""}})


def drop(board):
    with step(f"{board.identity}: reconnect after a drop"):
        ask("drop", identity=board.identity)
        try:
            while True:
                board.device.loop()
        except MMQTTException:
            # It notices after its ten seconds of patience; its user is the one who reconnects.
            board.device.reconnect()
        same(board.connected, [True, False, True])
        board.device.send_device_to_cloud_message("again")
        ask("telemetry", identity=board.identity, body="again")
    cloud_to_device(board, " after a drop")
    desired(board, 4, " after a drop")
    methods(board, " after a drop")


def disconnect(board):
    with step(f"{board.identity}: disconnect, connect again: the whole twin comes"):
        board.device.disconnect()
        same(board.device.is_connected(), False)
        board.reported.clear()
        board.device.connect()
        board.listen_until(lambda: board.reported)
        same(board.reported, {"speed": {"now": 5, "unit": "m/s"}, "$version": 2})
        board.device.disconnect()


def full_round(board):
    connect(board)
    telemetry(board)
    cloud_to_device(board)
    desired(board, 3)
    reported(board)
    methods(board)
    drop(board)
    disconnect(board)


def short_round(board):
    connect(board)
    telemetry(board)
    cloud_to_device(board)
    methods(board)
    with step(f"{board.identity}: disconnect"):
        board.device.disconnect()
        same(board.device.is_connected(), False)


def idle(board):
    with step("connect"):
        board.connect(ask("create", identity=board.identity)["key"])
    before, after = board.ask("silence", seconds=HUB["idle"])
    with step("stays connected through the silence, and answers a method"):
        same(after, before)
        same(board.ask("method", name="turn", payload=1)["status"], 207)


def refusal(board):
    with step(f"{board.identity}: is refused"):
        ask("create", identity=board.identity)
        try:
            board.connect(key=base64.b64encode(b"wrong key").decode())
        except MMQTTException as refusal:
            same(refusal.code, 5)
        else:
            raise AssertionError("the hub took it")


if __name__ == "__main__":
    # The package knows no other port.
    if "idle" in HUB:
        idle(Board("idle-feather"))
    elif HUB["ports"]["mqtt"] == 8883:
        full_round(Board("feather"))
        # An id as firmware makes it of its network address.
        short_round(Board("24:0a:c4:00:01:10"))
        refusal(Board("wrong-key"))
