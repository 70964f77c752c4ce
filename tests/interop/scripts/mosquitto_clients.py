"""mosquitto_pub, mosquitto_sub and mosquitto_rr of Debian, called as Microsoft's page and sample do it."""

import signal

from mosquitto_tools import call, received, subscribed
from steps import HUB, ask, same, step


class Device:
    """One device, and the options with which each of the tools comes in as it."""

    def __init__(self, identity, by="token"):
        self.identity = identity
        self.events = f"devices/{identity}/messages/events/"
        self.messages = f"devices/{identity}/messages/devicebound/#"
        made = ask("create", identity=identity, by="key" if by == "token" else by)
        self.options = (
            *("-h", HUB["host"], "-p", str(HUB["ports"]["mqtt"]), "--cafile", HUB["ca_file"]),
            *("-i", identity, "-u", f"{HUB['host']}/{identity}/?api-version=2018-06-30"),
            *("-V", "mqttv311"),
        )
        if by == "token":
            self.options += ("-P", ask("token", identity=identity, seconds=3600))
        else:
            self.options += ("--cert", made["certificate"], "--key", made["key"])

    def call(self, tool, *options, **given):
        return call(tool, *self.options, *options, **given)

    def subscribed(self, *options):
        return subscribed(*self.options, *options)

    def publish(self, body, bag="", *options):
        self.call("mosquitto_pub", "-q", "1", "-t", self.events + bag, "-m", body, *options)
        return ask("telemetry", identity=self.identity, body=body)

    def refused(self, reason, *options):
        try:
            self.call("mosquitto_pub", "-t", self.events, "-m", "refused", *options)
        except AssertionError as refusal:
            if reason not in str(refusal):
                raise
        else:
            raise AssertionError("the hub took it")


def publishing():
    device = Device("mosquitto-pub")
    with step("mosquitto_pub by token: telemetry"):
        same(device.publish("hello world")["properties"], {})
    with step("mosquitto_pub by token: telemetry with a property bag"):
        event = device.publish("with a bag", "%24.ct=application%2Fjson&%24.ce=utf-8&room=k%C3%BCche")
        same(event["system"]["content-type"], "application/json")
        same(event["properties"], {"room": "küche"})
    with step("mosquitto_pub by token: telemetry with RETAIN"):
        same(device.publish("retained", "", "-r")["properties"], {"mqtt-retain": "true"})
    with step("mosquitto_pub by token: 20 lines of standard input keep their order"):
        lines = "".join(f"line {number}\n" for number in range(20))
        device.call("mosquitto_pub", "-q", "1", "-t", device.events, "-l", input=lines)
        numbers = [
            ask("telemetry", identity=device.identity, body=line)["system"]["x-opt-sequence-number"]
            for line in lines.splitlines()
        ]
        same(numbers, sorted(numbers))
    with step("mosquitto_pub by certificate: telemetry"):
        event = Device("mosquitto-pub-certificate", by="certificate").publish("by certificate")
        assert '"x509Certificate"' in event["system"]["iothub-connection-auth-method"]
    with step("mosquitto_pub by token: a device id with colons"):
        Device("b8:27:eb:12:34:56").publish("from a network address")


def subscribing():
    device = Device("mosquitto-sub")
    for topic_filter in (device.messages, "#"):
        with (
            step(f"mosquitto_sub -t {topic_filter}: cloud-to-device"),
            device.subscribed("-q", "1", "-t", topic_filter) as process,
        ):
            ask("cloud_to_device", identity=device.identity, body="ö", properties={"a": "b c"})
            topic, body = received(process)
            same(body, "ö")
            assert topic.startswith(f"devices/{device.identity}/messages/devicebound/"), topic
            assert "a=b%20c" in topic, topic
    with step("mosquitto_sub -c: what came meanwhile"):
        with device.subscribed("-c", "-q", "1", "-t", device.messages):
            pass
        ask("cloud_to_device", identity=device.identity, body="meanwhile")
        printed = device.call("mosquitto_sub", "-c", "-q", "1", "-t", device.messages, "-C", "1", "-F", "%p")
        same(printed, "meanwhile\n")
    with (
        step("mosquitto_sub: desired properties"),
        device.subscribed("-t", "$iothub/twin/PATCH/properties/desired/#") as process,
    ):
        ask("desire", identity=device.identity, desired={"rate": 7})
        same(
            received(process),
            ("$iothub/twin/PATCH/properties/desired/?$version=2", '{"rate":7,"$version":2}'),
        )
    with step("mosquitto_rr: twin get"):
        printed = device.call(
            *("mosquitto_rr", "-t", "$iothub/twin/GET/?$rid=1", "-e", "$iothub/twin/res/200/?$rid=1", "-n"),
            *("-F", "%p"),
        )
        same(printed, '{"desired":{"rate":7,"$version":2},"reported":{"$version":1}}\n')


def wills():
    for name, by in (("token", "token"), ("certificate", "certificate")):
        with step(f"mosquitto_sub by {name}: its Will is sent when it is killed"):
            device = Device(f"mosquitto-will-{name}", by=by)
            will = ("--will-topic", f"{device.events}left=yes", "--will-payload", f"gone by {name}")
            with device.subscribed("-t", device.messages, *will, "--will-qos", "1") as process:
                process.send_signal(signal.SIGKILL)
            event = ask("telemetry", identity=device.identity, body=f"gone by {name}")
            same(event["properties"], {"left": "yes", "iothub-MessageType": "Will"})


def refusals():
    device = Device("mosquitto-refused")
    with step("mosquitto_pub by a token of another device: is refused"):
        other = Device("mosquitto-other")
        device.refused("not authorised", "-P", other.options[-1])
    with step("mosquitto_pub -V mqttv5: is refused"):
        device.refused("Unsupported Protocol Version", "-V", "mqttv5")


if __name__ == "__main__":
    publishing()
    subscribing()
    wills()
    refusals()
