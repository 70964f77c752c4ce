"""Who wants only the hub writes tests with the fixture `iothub`, which the wheel brings."""

import pytest
import readme

DEVICE = '''
import base64, hmac, json, time
from urllib.parse import quote

import paho.mqtt.client as mqtt
import pytest

class Device:
    """A program under test: knows a connection string, a port and whom to trust."""

    def __init__(self, string, port, ca_file):
        fields = dict(part.split("=", 1) for part in string.split(";"))
        host, self.id = fields["HostName"], fields["DeviceId"]
        resource, expiry = quote(f"{host}/devices/{self.id}", safe=""), int(time.time()) + 3600
        key = base64.b64decode(fields["SharedAccessKey"])
        signature = base64.b64encode(hmac.digest(key, f"{resource}\\n{expiry}".encode(), "sha256"))
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=self.id)
        self.client.username_pw_set(
            f"{host}/{self.id}/?api-version=2021-04-12",
            f"SharedAccessSignature sr={resource}&sig={quote(signature, safe='')}&se={expiry}",
        )
        self.client.tls_set(ca_certs=ca_file)
        self.client.on_connect = self.subscribe
        self.subscribed, self.heard = [], []
        self.client.on_subscribe = lambda *_: self.subscribed.append(1)
        self.client.on_message = self.answer
        self.client.connect(host, port)
        self.client.loop_start()
        self.until(lambda: self.subscribed)

    def subscribe(self, *_):
        filters = [f"devices/{self.id}/messages/devicebound/#", "$iothub/methods/POST/#"]
        self.client.subscribe([(each, 1) for each in filters])

    def answer(self, client, userdata, message):
        self.heard.append(message)
        if message.topic.startswith("$iothub/methods/POST/"):
            request = message.topic.split("$rid=")[1]
            client.publish(f"$iothub/methods/res/200/?$rid={request}", b'{"seen": true}')

    def say(self, body, properties=""):
        topic = f"devices/{self.id}/messages/events/{properties}"
        self.client.publish(topic, body, qos=1).wait_for_publish(30)

    def until(self, holds):
        deadline = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.01)

@pytest.fixture
def device(iothub):
    made = Device(iothub.device("thermometer"), iothub.ports["mqtt"], iothub.ca_file)
    yield made
    made.client.disconnect()
    made.client.loop_stop()
'''


@pytest.fixture
def their_tests(newcomer):
    """Writes tests of somebody's own, beside a device of theirs, and runs them."""

    def run(text, *options, code=0, ini=""):
        (newcomer.folder / "conftest.py").write_text(DEVICE)
        (newcomer.folder / "test_mine.py").write_text(text)
        (newcomer.folder / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
        return newcomer.types("pytest", "-q", *options, code=code)

    return run


def test_what_a_device_sends_is_asked_for_in_a_line(their_tests):
    said = their_tests(
        """
def test_a_reading(iothub, device):
    device.say('{"temperature": 21.5}', "unit=C&$.ct=application%2Fjson&$.ce=utf-8")

    message = iothub.telemetry()
    assert (message.device_id, message.json) == ("thermometer", {"temperature": 21.5})
    assert message.properties == {"unit": "C"}
    assert message.system["content-type"] == "application/json"

def test_each_message_is_told_once_and_each_test_begins_without_those_before(iothub, device):
    device.say("one")
    device.say("two")
    assert [iothub.telemetry("thermometer").text for _ in "ab"] == ["one", "two"]
    device.say("three")

def test_begins_anew(iothub, device):
    device.say("four")
    assert iothub.telemetry().body == b"four"
"""
    )

    assert "3 passed" in said


def test_what_a_back_end_does_is_a_line_each(their_tests):
    said = their_tests(
        """
import pytest
from iothub_emulator.testing import IotHubError, MethodAnswer

def test_a_message(iothub, device):
    iothub.send("thermometer", "wake up", {"urgent": "yes"})

    device.until(lambda: device.heard)
    (message,) = device.heard
    assert message.payload == b"wake up"
    assert message.topic.endswith("&urgent=yes")

def test_a_twin(iothub):
    iothub.device("thermometer")
    twin = iothub.twin("thermometer", desired={"interval": 5})

    assert twin["properties"]["desired"]["interval"] == 5
    assert iothub.twin("thermometer")["properties"]["reported"].keys() == {"$metadata", "$version"}

def test_a_method(iothub, device):
    assert iothub.invoke("thermometer", "look", {"at": "me"}) == MethodAnswer(200, {"seen": True})
    assert device.heard[0].payload == b'{"at":"me"}'

def test_what_the_hub_refuses_is_told_with_its_words(iothub):
    with pytest.raises(IotHubError, match="404"):
        iothub.twin("nobody")
    with pytest.raises(IotHubError, match="404103|DeviceNotOnline"):
        iothub.invoke("device-1", "look")

def test_what_does_not_come_is_told(iothub, device):
    device.say("here")
    with pytest.raises(TimeoutError, match="no message of x .* within 0.1 s; 1 came of thermometer"):
        iothub.telemetry("x", timeout=0.1)
"""
    )

    assert "5 passed" in said


def test_options_of_the_hub_stand_in_the_ini_file(their_tests):
    their_tests(
        'def test_it(iothub): assert list(iothub.device_connection_strings) == ["a", "b"]',
        ini="iothub_options = --device a --device b",
    )


def test_a_hub_that_does_not_start_is_one_line(their_tests):
    said = their_tests("def test_it(iothub): pass", ini="iothub_options = --events weather", code=1)

    assert "IotHubError: the hub did not start: " in said
    assert "'weather' is none of telemetry, twin, lifecycle, connection" in said


def test_workers_have_a_hub_each(their_tests):
    said = their_tests(
        """
import pytest

@pytest.mark.parametrize("n", range(4))
def test_it(iothub, device, n):
    device.say(str(n))
    assert iothub.telemetry().text == str(n)
""",
        *("-n", "2"),
    )

    assert "4 passed" in said


def test_what_the_readme_shows_of_it_is_a_test_that_passes(newcomer):
    (text,) = (block for block in readme.blocks("python") if "def test_" in block)
    (newcomer.folder / "test_shown.py").write_text(text)
    (newcomer.folder / "device.py").write_text(readme.program("paho"))

    assert "1 passed" in newcomer.types("pytest", "-q")
