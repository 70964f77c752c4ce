"""Cloud-to-device messages over REST, as Azure IoT Explorer and other tools send them."""

import pytest
from rest_hub import API_VERSION, error_of, owner, serving, token

from iothub_emulator.runtime import Runtime
from iothub_emulator.settings import Settings

PATH = "/devices/d1/messages/deviceBound"


@pytest.fixture
def runtime():
    runtime = Runtime(Settings(c2d_queue_depth=2))
    runtime.add_device("d1")
    return runtime


@pytest.fixture
def hub(runtime):
    with serving(runtime) as port, owner(runtime, port) as client:
        yield client


def waiting(runtime):
    """Return the topic and body of the oldest message that waits for the device."""
    mailbox = runtime.state.mailbox(runtime.registry.get("d1"))
    delivery = mailbox.next_delivery(lambda topic: 1, runtime.now())
    return delivery.topic, delivery.payload


@pytest.mark.parametrize("path", [PATH, PATH.lower(), "/devices%2Fd1%2Fmessages%2FdeviceBound"])
def test_the_body_waits_for_the_device(hub, runtime, path):
    answer = hub.post(path, content=b"\x00hello")

    assert (answer.status_code, answer.content) == (204, b"")
    assert waiting(runtime) == (
        "devices/d1/messages/devicebound/%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound",
        b"\x00hello",
    )


def test_headers_are_its_properties(hub, runtime):
    headers = {
        "iothub-app-Colour": "red",
        "IoTHub-App-size": "5",
        "iothub-app-": "no name",
        "iothub-messageid": "m-1",
        "iothub-correlationid": "c-1",
        "iothub-userid": "u-1",
        "iothub-contenttype": "application/json",
        "iothub-contentencoding": "utf-8",
        "iothub-creationtimeutc": "2026-01-31T12:00:00Z",
        "iothub-expiry": "2999-01-31T12:00:00+02:00",
        "iothub-ack": "full",
        "Content-Type": "text/plain",
    }
    assert hub.post(PATH, content=b"{}", headers=headers).status_code == 204

    topic, _ = waiting(runtime)
    assert set(topic.removeprefix("devices/d1/messages/devicebound/").split("&")) == {
        "%24.mid=m-1",
        "%24.exp=2999-01-31T10%3A00%3A00.000000Z",
        "%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound",
        "%24.cid=c-1",
        "%24.uid=u-1",
        "%24.ct=application%2Fjson",
        "%24.ce=utf-8",
        "%24.ctime=2026-01-31T12%3A00%3A00.000000Z",
        "Colour=red",
        "size=5",
        "iothub-ack=full",
    }


@pytest.mark.parametrize("name", ["iothub-expiry", "iothub-creationtimeutc"])
@pytest.mark.parametrize("value", ["tomorrow", "2026-01-31T12:00:00", "1769860800000"])
def test_a_time_that_is_none_is_refused(hub, runtime, name, value):
    assert error_of(hub.post(PATH, headers={name: value})) == (400, "ArgumentInvalid")
    assert runtime.messages.pending("d1") == 0


def test_a_header_that_is_not_utf_8_is_refused(hub):
    answer = hub.post(PATH, headers=[(b"iothub-app-a", b"\xff")])
    assert error_of(answer) == (400, "IotHubFormatError")


def test_refusals_are_those_of_other_senders(hub):
    full = [hub.post(PATH, content=b"x").status_code for _ in range(3)]

    assert full == [204, 204, 403]
    assert error_of(hub.post(PATH, content=b"x")) == (403, "DeviceMaximumQueueDepthExceeded")
    assert error_of(hub.post("/devices/nobody/messages/deviceBound")) == (404, "DeviceNotFound")
    assert error_of(hub.post(PATH, content=bytes(70_000))) == (413, "MessageTooLarge")


def test_sending_needs_the_right_of_a_service(hub, runtime):
    headers = {"Authorization": token(runtime, "registryReadWrite")}
    assert error_of(hub.post(PATH, headers=headers)) == (401, "IotHubUnauthorizedAccess")

    headers = {"Authorization": token(runtime, "service")}
    assert hub.post(PATH, params=API_VERSION, headers=headers).status_code == 204


def test_receiving_over_https_is_not_served(hub):
    assert error_of(hub.get(PATH)) == (405, "GenericMethodNotAllowed")
