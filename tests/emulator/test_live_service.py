"""A device and a back end at the same hub: MQTT over TLS on one side, REST on the other."""

import contextlib
import json
import threading

import pytest
from live_hub import PATIENCE, live_hub
from mqtt_bytes import DISCONNECT, PINGREQ, PINGRESP
from rest_hub import owner

from iothub_emulator.hub.feedback import FeedbackRules
from iothub_emulator.hub.identity import WantedModule
from iothub_emulator.hub.mailbox_rules import CloudMessage, MailboxRules
from iothub_emulator.hub.method_rules import MethodRules
from iothub_emulator.hub.packets import Puback, Publish, Subscribe, Unsubscribe
from iothub_emulator.hub.twin_rules import TwinRules

DEVICEBOUND = "devices/device-1/messages/devicebound/#"
ANSWERS = "$iothub/twin/res/#"
DESIRED = "$iothub/twin/PATCH/properties/desired/#"
METHODS = "$iothub/methods/POST/#"


@pytest.fixture(scope="module")
def hub():
    with live_hub(edition="current", method_shortest_timeout=0.05) as hub:
        for device_id in ("device-1", "device-2"):
            wanted = WantedModule(device_id=device_id, module_id="m")
            hub.call(
                lambda wanted=wanted: hub.runtime.registry.modules.create(
                    wanted, hub.runtime.fresh(wanted.key)
                )
            )
        yield hub


@pytest.fixture
def rest(hub):
    with owner(hub.runtime, hub.ports.https, hub.context) as client:
        yield client


def subscribed(client, *filters, qos=1):
    """Subscribe and read the SUBACK."""
    client.send(Subscribe(1, tuple((name, qos) for name in filters)))
    assert client.read(4 + len(filters))[0] == 0x90
    return client


def expect_nothing(client):
    """Nothing has come until the answer to a ping."""
    client.send(PINGREQ)
    assert client.read(2) == PINGRESP


def send(hub, body=b"hello", device_id="device-1", **fields):
    message = CloudMessage(
        to=f"/devices/{device_id}/messages/devicebound", body=body, properties={}, **fields
    )
    return hub.call(hub.runtime.send_to_device, message, device_id)


class TestMessages:
    def test_a_message_arrives_at_once_and_its_puback_completes_it(self, hub, rest):
        with hub.connected() as client:
            subscribed(client, DEVICEBOUND)
            assert send(hub, message_id="m 1") is None
            message = client.message()
            assert message == Publish(
                "devices/device-1/messages/devicebound/"
                "%24.mid=m%201&%24.to=%2Fdevices%2Fdevice-1%2Fmessages%2Fdevicebound",
                b"hello",
                1,
                packet_id=1,
            )
            assert rest.get("/devices/device-1").json()["cloudToDeviceMessageCount"] == 1
            client.send(Puback(message.packet_id))
            expect_nothing(client)
            assert rest.get("/devices/device-1").json()["cloudToDeviceMessageCount"] == 0

    def test_what_waited_comes_behind_connack(self, hub):
        with hub.connected(clean_session=False) as client:
            subscribed(client, DEVICEBOUND)
            client.send(DISCONNECT)
            assert client.read_to_the_end() == b""
        for body in (b"1", b"2"):
            send(hub, body)
        with hub.client(hub.connect_packet(clean_session=False)) as client:
            assert client.read(4) == b"\x20\x02\x01\x00"
            assert [client.message().payload for _ in range(2)] == [b"1", b"2"]
            client.send(Unsubscribe(2, (DEVICEBOUND,)))
            assert client.read(4) == b"\xb0\x02\x00\x02"
            send(hub, b"3")
            expect_nothing(client)
        with hub.connected() as client:
            subscribed(client, DEVICEBOUND)
            expect_nothing(client)

    def test_purge_counts(self, hub, rest):
        send(hub)
        send(hub)
        assert rest.delete("/devices/device-1/commands").json() == {
            "deviceId": "device-1",
            "moduleId": None,
            "totalMessagesPurged": 2,
        }
        assert rest.delete("/devices/nobody/commands").status_code == 404

    def test_a_lock_that_runs_out_delivers_again_on_the_same_connection(self):
        with live_hub(c2d_lock=0.05) as hub, hub.connected() as client:
            subscribed(client, DEVICEBOUND)
            send(hub)
            first, second = client.message(), client.message()
            assert (first.dup, second.dup) == (False, True)
            assert first.packet_id == second.packet_id

    def test_an_expired_message_tells_its_sender(self):
        with live_hub(feedback_interval=0.01) as hub:
            told = threading.Event()
            hub.call(hub.runtime.on_feedback, told.set)
            message = CloudMessage(
                to="x",
                message_id="m1",
                expires_at=hub.runtime.now() + 0.05,
                properties={"iothub-ack": "full"},
            )
            assert hub.call(hub.runtime.send_to_device, message, "device-1") is None
            assert told.wait(PATIENCE)
            taken = hub.call(hub.runtime.feedback.take, hub.runtime.now())
            (record,) = json.loads(taken.body)
            assert (record["originalMessageId"], record["statusCode"]) == ("m1", "Expired")
            assert hub.call(hub.runtime.feedback.complete, taken.lock)

    def test_a_device_that_does_not_exist_is_refused(self, hub):
        assert hub.call(hub.runtime.addressee, "/devices/d%201/messages/deviceBound") == "d 1"
        message = CloudMessage(to="x", properties={})
        assert hub.call(hub.runtime.send_to_device, message, "nobody").code.name == "DeviceNotFound"

    def test_the_queue_has_an_end(self):
        with live_hub(c2d_queue_depth=1) as hub:
            assert send(hub) is None
            assert send(hub).code.name == "DeviceMaximumQueueDepthExceeded"

    def test_a_client_that_does_not_read_is_sent_nothing_more_until_it_does(self, hub):
        """What waits stays in the mailbox, and comes once there is room."""
        with hub.connected() as client:
            subscribed(client, DEVICEBOUND)
            connection = hub.runtime.connections.get("device-1")
            hub.call(connection.pause_writing)
            send(hub)
            hub.call(connection.resume_writing)
            assert client.message().payload == b"hello"


class TestTwins:
    def test_device_and_service_see_the_same_twin(self, hub, rest):
        with hub.connected() as client:
            subscribed(client, ANSWERS, DESIRED)
            client.send(Publish("$iothub/twin/PATCH/properties/reported/?$rid=r1", b'{"t":21}'))
            patched = client.message()
            assert (patched.topic, patched.payload) == ("$iothub/twin/res/204/?$rid=r1&$version=2", b"")
            twin = rest.get("/twins/device-1")
            assert twin.json()["properties"]["reported"]["t"] == 21
            assert twin.json()["connectionState"] == "Connected"
            answer = rest.patch(
                "/twins/device-1",
                json={"tags": {"floor": 1}, "properties": {"desired": {"a": {"b": 1}, "c": None}}},
                headers={"If-Match": twin.headers["ETag"]},
            )
            assert answer.status_code == 200
            assert answer.json()["properties"]["desired"]["a"] == {"b": 1}
            told = client.message()
            assert told.topic == "$iothub/twin/PATCH/properties/desired/?$version=2"
            assert json.loads(told.payload) == {"a": {"b": 1}, "c": None, "$version": 2}
            stale = rest.put("/twins/device-1", json={}, headers={"If-Match": twin.headers["ETag"]})
            assert (stale.status_code, stale.headers["iothub-errorcode"]) == (412, "PreconditionFailed")
            assert (
                rest.put("/twins/device-1", json={"properties": {"desired": {"n": 1}}}).json()["tags"] == {}
            )
            assert json.loads(client.message().payload) == {"n": 1, "a": None, "$version": 3}
            client.send(Publish("$iothub/twin/GET/?$rid=r2", b"", 1, packet_id=9))
            assert client.read(4) == b"\x40\x02\x00\x09"
            got = client.message()
            assert got.topic == "$iothub/twin/res/200/?$rid=r2"
            assert json.loads(got.payload) == {
                "desired": {"n": 1, "$version": 3},
                "reported": {"t": 21, "$version": 2},
            }

    def test_a_change_while_away_is_not_told(self, hub, rest):
        with hub.connected("device-2", clean_session=False) as client:
            subscribed(client, DESIRED)
        rest.patch("/twins/device-2", json={"properties": {"desired": {"a": 1}}})
        with hub.client(hub.connect_packet("device-2", clean_session=False)) as client:
            assert client.read(4)[:2] == b"\x20\x02"
            expect_nothing(client)

    def test_a_deleted_device_takes_its_twin_along(self, rest):
        def create():
            body = {"deviceId": "short-lived"}
            assert rest.put("/devices/short-lived", json=body).status_code == 200

        create()
        rest.patch("/twins/short-lived", json={"tags": {"a": 1}})
        assert rest.delete("/devices/short-lived", headers={"If-Match": "*"}).status_code == 204
        assert rest.get("/twins/short-lived").headers["iothub-errorcode"] == "DeviceNotFound"
        create()
        assert rest.get("/twins/short-lived").json()["tags"] == {}
        assert rest.delete("/devices/short-lived", headers={"If-Match": "*"}).status_code == 204

    @pytest.mark.parametrize(
        ("body", "name"),
        [(b"{", "IotHubFormatError"), (b"[]", "ArgumentInvalid"), (b"NaN", "IotHubFormatError")],
    )
    def test_a_body_without_sense_is_refused(self, rest, body, name):
        answer = rest.patch("/twins/device-1", content=body)
        assert (answer.status_code, answer.headers["iothub-errorcode"]) == (400, name)


def invoke(rest, path="/twins/device-1/methods", **body):
    """Call a method in a thread; return what waits for the answer."""
    answers = []
    call = {"methodName": "reboot", "responseTimeoutInSeconds": PATIENCE, **body}
    thread = threading.Thread(target=lambda: answers.append(rest.post(path, json=call)))
    thread.start()

    def answer():
        thread.join(PATIENCE)
        return answers[0]

    return answer


class TestMethods:
    def test_a_round_trip(self, hub, rest):
        with hub.connected() as client:
            subscribed(client, METHODS)
            answer = invoke(rest, payload={"in": 5})
            assert client.message() == Publish("$iothub/methods/POST/reboot/?$rid=1", b'{"in":5}')
            client.send(Publish("$iothub/methods/res/201/?$rid=1", b'{"ok":true}', 1, packet_id=4))
            assert client.read(4) == b"\x40\x02\x00\x04"
            assert answer().json() == {"status": 201, "payload": {"ok": True}}
            again = invoke(rest)
            assert client.message() == Publish("$iothub/methods/POST/reboot/?$rid=2", b"")
            client.send(Publish("$iothub/methods/res/200/?$rid=2", b""))
            assert again().json() == {"status": 200, "payload": None}

    def test_a_device_that_is_away_or_deaf(self, hub, rest):
        for reach, awaited in (("away", "connect"), ("deaf", "subscribe")):
            with hub.connected("device-1" if reach == "deaf" else "device-2"):
                answer = rest.post("/twins/device-1/methods", json={"methodName": "reboot"})
            assert answer.status_code == 404
            assert answer.headers["iothub-errorcode"] == "DeviceNotOnline"
            told = json.loads(answer.json()["Message"])
            assert (told["errorCode"], told["message"], told["info"]) == (
                404103,
                f"Timed out waiting for device to {awaited}.",
                {"timeout": "00:00:00"},
            )
            assert answer.json()["ExceptionMessage"] == ""

    def test_a_device_that_does_not_answer(self, hub, rest):
        with hub.connected() as client:
            subscribed(client, METHODS)
            answer = rest.post(
                "/twins/device-1/methods", json={"methodName": "x", "responseTimeoutInSeconds": 0.1}
            )
            assert (answer.status_code, answer.headers["iothub-errorcode"]) == (504, "GatewayTimeout")
            client.message()
            client.send(Publish("$iothub/methods/res/200/?$rid=1", b""))
            expect_nothing(client)

    def test_a_call_waits_for_the_device_to_come(self, hub, rest):
        answer = invoke(rest, connectTimeoutInSeconds=PATIENCE)
        while not hub.call(lambda: hub.runtime.state.method_calls("device-1").next_deadline()):
            pass
        with hub.connected() as client:
            subscribed(client, METHODS)
            assert client.message().topic == "$iothub/methods/POST/reboot/?$rid=1"
            client.send(Publish("$iothub/methods/res/200/?$rid=1", b"1"))
            assert answer().json() == {"status": 200, "payload": 1}

    def test_a_caller_that_leaves_calls_it_off(self, hub, rest):
        calls = hub.call(hub.runtime.state.method_calls, "device-1")
        with hub.connected() as client:
            subscribed(client, METHODS)
            with owner(hub.runtime, hub.ports.https, hub.context) as impatient:
                request = impatient.build_request("POST", "/twins/device-1/methods", json={"methodName": "x"})
                sending = threading.Thread(target=lambda: _swallow(impatient, request))
                sending.start()
                client.message()
                assert hub.call(calls.next_deadline) is not None
            sending.join(PATIENCE)
            while hub.call(calls.next_deadline) is not None:
                pass

    def test_unknown_identities_and_calls_without_sense(self, rest):
        body = {"methodName": "x"}
        for path, name in (
            ("/twins/nobody/methods", "DeviceNotFound"),
            ("/twins/device-1/modules/none/methods", "ModuleNotFound"),
        ):
            answer = rest.post(path, json=body)
            assert (answer.status_code, answer.headers["iothub-errorcode"]) == (404, name)
        assert rest.post("/twins/device-1/methods", json={}).status_code == 400


def _swallow(client, request):
    with contextlib.suppress(Exception):  # closed under its hands, as intended
        client.send(request)


class TestModules:
    def test_a_module_has_its_own_session_twin_and_methods(self, hub, rest):
        with hub.connected() as device, hub.connected("device-1/m") as module:
            for client in (device, module):
                subscribed(client, METHODS, ANSWERS, DESIRED)
            rest.patch("/twins/device-1/modules/m", json={"properties": {"desired": {"of": "m"}}})
            assert json.loads(module.message().payload) == {"of": "m", "$version": 2}
            answer = invoke(rest, "/twins/device-1/modules/m/methods")
            request = module.message()
            module.send(Publish(request.topic.replace("POST/reboot", "res/200"), b"7"))
            assert answer().json() == {"status": 200, "payload": 7}
            expect_nothing(device)
            assert rest.get("/twins/device-1/modules/m").json()["moduleId"] == "m"
            assert rest.get("/devices/device-1/modules/m").json()["connectionState"] == "Connected"
            assert rest.get("/statistics/service").json() == {"connectedDeviceCount": 1}

    def test_its_telemetry_is_stamped(self, hub):
        with hub.connected("device-2/m") as module:
            module.send(Publish("devices/device-2/modules/m/messages/events/a=1", b"x", 1, packet_id=3))
            assert module.read(4) == b"\x40\x02\x00\x03"
        partition = hub.runtime.telemetry.partitions[hub.runtime.rules.telemetry.partition("device-2", 2)]
        _, event = hub.call(lambda: partition.read(0, 1000)[-1])
        assert (event.device_id, event.module_id, event.properties) == ("device-2", "m", {"a": "1"})
        assert json.loads(event.auth_method)["scope"] == "module"

    def test_a_disabled_device_drops_its_modules(self, hub, rest):
        device = rest.get("/devices/device-2").json()
        with hub.connected("device-2/m") as module:
            rest.put("/devices/device-2", json={**device, "status": "disabled"}, headers={"If-Match": "*"})
            assert module.read_to_the_end() == b""
        with hub.client(hub.connect_packet("device-2/m")) as module:
            assert module.read_to_the_end() == b"\x20\x02\x00\x05"
        rest.put("/devices/device-2", json={**device, "status": "enabled"}, headers={"If-Match": "*"})


class TestQueries:
    def test_pages(self, rest):
        body = {"query": "SELECT * FROM devices"}
        first = rest.post("/devices/query", json=body, headers={"x-ms-max-item-count": "1"})
        assert [twin["deviceId"] for twin in first.json()] == ["device-1"]
        assert first.headers["x-ms-item-type"] == "Twin"
        second = rest.post(
            "/devices/query", json=body, headers={"x-ms-continuation": first.headers["x-ms-continuation"]}
        )
        assert [twin["deviceId"] for twin in second.json()] == ["device-2"]
        assert "x-ms-continuation" not in second.headers

    def test_modules_and_raw_columns(self, rest):
        body = {"query": "SELECT deviceId, moduleId FROM devices.modules"}
        answer = rest.post("/devices/query", json=body)
        assert answer.headers["x-ms-item-type"] == "Raw"
        assert answer.json() == [{"deviceId": f"device-{n}", "moduleId": "m"} for n in (1, 2)]

    def test_a_model_that_was_announced_is_found(self, hub, rest):
        announced = "localhost/device-1/?api-version=2021-04-12&model-id=dtmi%3Aexample%3B1"
        assert rest.get("/twins/device-1").json()["modelId"] == ""
        with hub.client(hub.connect_packet("device-1", username=announced)) as client:
            assert client.read(4) == b"\x20\x02\x00\x00"
        assert rest.get("/twins/device-1").json()["modelId"] == "dtmi:example;1"
        query = "SELECT deviceId FROM devices WHERE modelId = 'dtmi:example;1'"
        assert rest.post("/devices/query", json={"query": query}).json() == [{"deviceId": "device-1"}]

    @pytest.mark.parametrize("query", ["DROP TABLE devices", "SELECT * FROM planets", 5, None])
    def test_what_is_not_understood_is_refused(self, rest, query):
        answer = rest.post("/devices/query", json={"query": query})
        assert (answer.status_code, answer.headers["iothub-errorcode"]) == (400, "ArgumentInvalid")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/configurations"),
        ("PUT", "/configurations/c"),
        ("GET", "/jobs/v2/x"),
        ("POST", "/jobs/create"),
    ],
)
def test_what_is_not_served_is_said_to_be(rest, method, path):
    answer = rest.request(method, path, json=None)
    assert (answer.status_code, answer.headers["iothub-errorcode"]) == (400, "InvalidOperation")


def test_counts(rest):
    assert rest.get("/statistics/devices").json() == {
        "totalDeviceCount": 2,
        "enabledDeviceCount": 2,
        "disabledDeviceCount": 0,
    }


def test_replaced_rules_take_effect_everywhere():
    """The containers are asked at each decision; feedback is made once the rules are loaded."""

    class Twins(TwinRules):
        def get_status(self):
            return 299

        def recipients(self, owner):
            return (owner, "device-2")

    class Mailbox(MailboxRules):
        def recipients(self, addressee):
            return (addressee, "device-2")

        def retain(self):
            return True

    class Methods(MethodRules):
        def request_id(self, count):
            return f"call-{count}"

        def recipients(self, owner):
            return (owner, "device-2")

    class Feedback(FeedbackRules):
        def record(self, record):
            return {"id": record.original_message_id}

    def load(rules):
        rules.twins, rules.mailbox, rules.methods, rules.feedback = Twins(), Mailbox(), Methods(), Feedback()

    with (
        live_hub(load) as hub,
        owner(hub.runtime, hub.ports.https, hub.context) as rest,
        hub.connected() as client,
        hub.connected("device-2") as other,
    ):
        subscribed(client, DEVICEBOUND, ANSWERS, DESIRED, METHODS)
        subscribed(other, "devices/device-2/messages/devicebound/#", DESIRED, METHODS)
        client.send(Publish("$iothub/twin/GET/?$rid=1", b""))
        assert client.message().topic == "$iothub/twin/res/299/?$rid=1"
        rest.patch("/twins/device-1", json={"properties": {"desired": {"a": 1}}})
        assert client.message() == other.message()
        message = CloudMessage(to="x", message_id="m", properties={"iothub-ack": "full"})
        hub.call(hub.runtime.send_to_device, message, "device-1")
        assert [device.message().retain for device in (client, other)] == [True, True]
        client.send(Puback(1))
        expect_nothing(client)
        taken = hub.call(hub.runtime.feedback.take, hub.runtime.now())
        assert json.loads(taken.body) == [{"id": "m"}]
        answer = invoke(rest)
        assert client.message().topic == other.message().topic == "$iothub/methods/POST/reboot/?$rid=call-1"
        client.send(Publish("$iothub/methods/res/200/?$rid=call-1", b""))
        assert answer().json()["status"] == 200


def test_a_device_that_comes_again_ends_what_its_older_connection_worked_on(rest, hub):
    """A call that the older connection was given is not answered by the newer one."""
    with hub.connected() as older:
        subscribed(older, METHODS)
        answer = invoke(rest, responseTimeoutInSeconds=0.5)
        older.message()
        with hub.connected() as newer:
            assert older.read_to_the_end() == b""
            subscribed(newer, METHODS)
            newer.send(Publish("$iothub/methods/res/200/?$rid=1", b""))
            expect_nothing(newer)
            assert answer().status_code == 504
            again = invoke(rest)
            request = newer.message()
            newer.send(Publish(request.topic.replace("POST/reboot", "res/200"), b""))
            assert again().status_code == 200
