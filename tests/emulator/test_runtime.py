"""The runtime: fresh values, authorisation of services, waking readers, dropping connections."""

import asyncio
import base64
import dataclasses
from types import SimpleNamespace

import pytest
from sas import token

from iothub_emulator.hub.connection import ConnectionRules
from iothub_emulator.hub.effects import Admit, Close, End, Forward, Send, Telemetry
from iothub_emulator.hub.mailbox_rules import CloudMessage
from iothub_emulator.hub.method_rules import MethodCall
from iothub_emulator.hub.packets import Connack, Pingresp, Publish
from iothub_emulator.hub.policies import Right
from iothub_emulator.hub.subscribe import SubscribeRules
from iothub_emulator.hub.telemetry import TelemetryEvent
from iothub_emulator.hub.twin_rules import TwinRules
from iothub_emulator.runtime import Runtime, Unauthorised


class Recorder:
    """A connection that writes down what it is asked for."""

    last_activity = 5.0
    way = "tls"

    def __init__(self):
        self.log = []

    def admitted(self, admission):
        self.log.append(admission)

    def send(self, packet):
        self.log.append(packet)

    def close(self, because):
        self.log.append(because)

    def drop(self, end):
        self.log.append(end)


@pytest.fixture
def runtime():
    runtime = Runtime()
    runtime.add_device("d1")
    return runtime


def event(device="d1", body=b""):
    return TelemetryEvent(device, "g", "{}", body, 1.0)


def test_fresh_values_are_new_each_time(runtime):
    changes = [runtime.fresh("d1") for _ in range(3)]
    keys = {key for change in changes for key in (change.primary_key, change.secondary_key)}
    assert len(keys) == 6
    assert {len(base64.b64decode(key)) for key in keys} == {32}
    assert runtime.fresh_etag() != runtime.fresh_etag()
    assert len(runtime.fresh_generation_id()) == 18


def test_a_service_is_let_in_by_its_policy(runtime):
    policy = runtime.policies["service"]
    text = token("localhost", policy.primary_key, int(runtime.now()) + 60, policy="service")
    assert runtime.authorise(text, "localhost/devices", Right.SERVICE_CONNECT).policy == "service"
    with pytest.raises(Unauthorised, match="lacks the right"):
        runtime.authorise(text, "localhost/devices", Right.REGISTRY_WRITE)


def test_effects_are_carried_out_in_their_order(runtime):
    connection = Recorder()
    admission = Admit("d1", 90.0, None)
    runtime.perform(
        connection, [admission, Send(Connack(0, 0)), Telemetry(event()), Send(Pingresp()), Close("x")]
    )
    assert connection.log == [admission, Connack(0, 0), Pingresp(), "x"]
    assert sum(partition.next_sequence_number for partition in runtime.telemetry.partitions) == 1


def test_the_newest_connection_drops_the_older_one(runtime):
    first, second = Recorder(), Recorder()
    runtime.perform(first, [Admit("d1", 90.0, None)])
    runtime.perform(second, [Admit("d1", 90.0, None)])
    assert first.log[-1] is End.TAKE_OVER
    runtime.left("d1", first)
    assert runtime.is_connected("d1")
    runtime.left("d1", second)
    assert not runtime.is_connected("d1")
    assert runtime.last_activity("d1") == 5.0


def test_a_replaced_rule_drops_the_connections_of_others(runtime):
    runtime.rules.connection = type(
        "Greedy", (ConnectionRules,), {"replaced_by": lambda _self, _key: ("d1", "d2")}
    )()
    first, second = Recorder(), Recorder()
    runtime.perform(first, [Admit("d1", 90.0, None)])
    runtime.perform(second, [Admit("d1/m", 90.0, None)])
    assert first.log[-1] is End.TAKE_OVER
    assert runtime.is_connected("d1/m")


def test_an_identity_that_changed_loses_its_connection_and_a_deleted_one_its_session(runtime):
    connection = Recorder()
    runtime.perform(connection, [Admit("d1", 90.0, None)])
    runtime.state.subscriptions["d1"] = {"a": 1}
    runtime.identity_changed("d1")
    assert connection.log[-1] is End.IDENTITY_CHANGED
    assert runtime.state.subscriptions == {"d1": {"a": 1}}
    runtime.registry.delete("d1", "*")
    runtime.identity_changed("d1")
    assert runtime.state.subscriptions == {}
    runtime.identity_changed("unknown")


def test_coming_and_going_is_remembered(runtime):
    assert runtime.connection_state_changed("d1") is None
    connection = Recorder()
    runtime.perform(connection, [Admit("d1", 90.0, None)])
    came = runtime.connection_state_changed("d1")
    runtime.left("d1", connection)
    assert runtime.connection_state_changed("d1") >= came
    assert runtime.connected() == 0
    runtime.registry.delete("d1", "*")
    runtime.identity_changed("d1")
    assert runtime.connection_state_changed("d1") is None


def test_a_device_that_is_gone_or_disabled_loses_its_modules_connections(runtime):
    for end in ("disabled", "gone"):
        module = Recorder()
        runtime.perform(module, [Admit("d1/m", 90.0, None)])
        if end == "disabled":
            wanted = dataclasses.replace(runtime.registry.require("d1").as_wanted(), status="disabled")
            runtime.registry.replace(wanted, "*", runtime.fresh("d1"))
        else:
            runtime.registry.delete("d1", "*")
        runtime.identity_changed("d1")
        assert module.log[-1] is End.IDENTITY_CHANGED
        runtime.left("d1/m", module)


def test_an_identity_that_is_gone_leaves_nobody_waiting(runtime):
    """A call of a method ends with the device, and an alarm with its mailbox."""
    call = MethodCall("x", b"", 30.0, 300.0)

    async def scenario():
        assert runtime.send_to_device(CloudMessage(to="x", properties={}), "d1") is None
        calling = asyncio.ensure_future(runtime.call_method("d1", call))
        await asyncio.sleep(0)
        runtime.registry.delete("d1", "*")
        runtime.identity_changed("d1")
        return await calling

    assert asyncio.run(scenario()).code.name == "DeviceNotFound"
    assert runtime.messages.pending("d1") == 0


def test_a_caller_that_gives_up_is_forgotten(runtime):
    call = MethodCall("x", b"", 30.0, 300.0)

    async def scenario():
        calling = asyncio.ensure_future(runtime.call_method("d1", call))
        await asyncio.sleep(0)
        assert runtime.state.method_calls("d1").next_deadline() is not None
        calling.cancel()
        await asyncio.wait([calling])

    asyncio.run(scenario())
    assert runtime.state.method_calls("d1").next_deadline() is None


def test_changes_of_twins_reach_those_who_listen_and_are_kept_by_a_replaced_rule(runtime):
    runtime.patch_twin("d1", {"properties": {"desired": {"a": 1}}}, None)
    assert runtime.state.kept_notifications == {}
    runtime.rules.twins = type("Keeping", (TwinRules,), {"keeps_notifications": lambda _self: True})()
    runtime.replace_twin("d1", {}, None)
    assert runtime.state.kept_notifications == {"d1": [{"a": None, "$version": 3}]}
    assert runtime.twin("d1").desired.version == 3


def test_readers_of_a_partition_are_woken_until_they_forget(runtime):
    woken = []
    partition = runtime.rules.telemetry.partition("d1", 2)
    forget = runtime.on_telemetry(partition, lambda: woken.append("mine"))
    runtime.on_telemetry(1 - partition, lambda: woken.append("other"))
    runtime.endpoints.take(event())
    forget()
    forget()
    runtime.endpoints.take(event())
    assert woken == ["mine"]


def test_readers_are_woken_after_the_turn_that_acknowledges(runtime):
    """Many events of one turn wake a reader once."""
    woken = []
    partition = runtime.rules.telemetry.partition("d1", 2)

    async def turn():
        runtime.on_telemetry(partition, lambda: woken.append(1))
        runtime.endpoints.take(event())
        runtime.endpoints.take(event())
        during = list(woken)
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        return during

    assert asyncio.run(turn()) == []
    assert woken == [1]


def test_what_a_device_publishes_is_forwarded_only_by_a_replaced_rule(runtime):
    class Broker(SubscribeRules):
        def hears(self, subscriptions, topic):
            return topic in subscriptions

    runtime.add_device("d2")
    sender, listener = Recorder(), Recorder()
    for recorder, key in ((sender, "d1"), (listener, "d2")):
        runtime.perform(recorder, [Admit(key, 90.0, None)])
        recorder.log.clear()
    sender.session, listener.session = (
        SimpleNamespace(subscriptions={}),
        SimpleNamespace(subscriptions={"t": 1}),
    )
    listener.flush = lambda: listener.log.append("flushed")

    runtime.perform(sender, [Forward(Publish("t", b"x", qos=1, packet_id=7))])
    assert (sender.log, listener.log) == ([], [])

    runtime.rules.subscribe = Broker()
    runtime.perform(sender, [Forward(Publish("t", b"x", qos=1, packet_id=7))])
    assert (sender.log, listener.log) == ([], [Publish("t", b"x", 0), "flushed"])
