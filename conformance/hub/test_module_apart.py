"""A device and its modules that are connected at once: what each brought is its own.

Document: #using-the-mqtt-protocol-directly-as-a-module. Clauses: clauses/module.toml.

A module is an identity of its own: its connection has a Will, a token, a keep-alive, a model and requests. So
has that of its device, whose id it shares.
"""

import pytest

from conformance.mqtt.fields import Will

clause = pytest.mark.clause

MODEL = "dtmi:com:example:Thermostat;1"
ENCODED = "dtmi%3Acom%3Aexample%3AThermostat%3B1"
CALLS = "$iothub/methods/POST/#"


@pytest.fixture
def concerned(module):
    """Return whom the hub drops on this page."""
    return module


@pytest.fixture
def left(device, module, other_module, stage):
    """Open a session of the device and of two of its modules, each with a Will of its own."""
    return [
        stage(
            identity.connect,
            clean_session=False,
            will=Will(topic=identity.topics.events, payload=payload, qos=1),
            needs=needs,
        )
        for identity, payload, needs in (
            (device, b"the device", "will.accepted"),
            (module, b"a module", "module.will"),
            (other_module, b"another module", "module.will"),
        )
    ]


@clause("module.apart")
@pytest.mark.needs("telemetry")
@pytest.mark.parametrize(
    "order",
    [
        pytest.param((0, 1, 2), id="device-first"),
        pytest.param((2, 1, 0), id="device-last"),
    ],
)
def test_each_of_them_leaves_its_own_will(left, telemetry, order):
    """[MQTT-3.1.2-8] All three are lost: what is sent for each is what its own CONNECT left."""
    first, second, third = (left[place] for place in order)

    first.drop()
    second.drop()
    third.drop()

    wills = [telemetry.next(sent_by=connection.device).body for connection in left]
    assert wills == [b"the device", b"a module", b"another module"]


@clause("module.apart")
@pytest.mark.needs("telemetry")
def test_the_farewell_of_a_module_is_not_its_devices(device, module, left, telemetry):
    """[MQTT-3.1.2-10] The module leaves with DISCONNECT; its device, lost later, sends its Will."""
    of_device, of_module, _ = left

    of_module.disconnect()

    assert telemetry.until_no_will_is_due(module) == []
    of_device.drop()
    assert telemetry.next(sent_by=device).body == b"the device"


@clause("module.expiry-disconnects")
@pytest.mark.clock
def test_the_token_of_a_module_ends_its_connection_alone(
    module, connection, sibling_connection, stage, hub, untouched
):
    """Device and sibling stay, though they came before and after it."""
    lives = hub.timing["sas-skew"] + 2
    token = module.token(expires_in=lives)
    ending = stage(module.connect, password=token, keep_alive=20, needs="module.connect")

    ending.expect_closed(within=lives + hub.timing["sas-grace"] + hub.timeouts.reaction)

    connection.ping()
    sibling_connection.ping()
    untouched.confirm()


@clause("module.apart")
@pytest.mark.needs("timing.keep-alive-tolerance")
def test_the_keep_alive_of_a_module_ends_its_connection_alone(
    module, connection, sibling_connection, stage, hub, keep_alive, untouched
):
    """[MQTT-3.1.2-24] A silent module goes; device and sibling, with longer ones, stay."""
    silent = stage(module.raw_connected, keep_alive=keep_alive, needs="module.connect")

    silent.expect_closed(within=1.5 * keep_alive + hub.timing["keep-alive-tolerance"] + hub.timeouts.reaction)

    connection.ping()
    sibling_connection.ping()
    untouched.confirm()


@clause("module.apart")
@pytest.mark.needs("telemetry", "model-id")
def test_the_model_of_a_device_is_not_its_modules(device, module, stage, telemetry):
    """The device announced one and the module none: telemetry of either says so."""
    username = f"{device.host}/{device.id}/?api-version=2021-04-12&model-id={ENCODED}"
    of_device = stage(device.connect, username=username, needs="connect.username")
    of_module = stage(module.connect, needs="module.connect")

    of_device.publish(device.topics.events, b"21.5", qos=1)
    of_module.publish(module.topics.events, b"21.5", qos=1)

    messages = telemetry.next(sent_by=device), telemetry.next(sent_by=module)
    assert [each.annotations.get("dt-dataschema") for each in messages] == [MODEL, None]


@clause("module.apart")
@pytest.mark.needs("twin")
def test_the_same_request_id_of_a_device_and_its_module_has_two_answers(twin, module_twin, stage):
    """Each gets the answer to its own request, with its own twin in it."""
    stage(twin.establish, {"whose": "the device's"}, needs="twin.reported")
    stage(module_twin.establish, {"whose": "the module's"}, needs="module.twin")

    answers = twin.get(request_id="same"), module_twin.get(request_id="same")

    assert [each.reported_members for each in answers] == [
        {"whose": "the device's"},
        {"whose": "the module's"},
    ]


@clause("module.apart")
def test_what_a_device_unsubscribes_from_its_module_still_hears(callee, module_callee, methods, stage):
    """Both heard calls; the device takes its subscription back, and the module is called."""
    stage(callee.connection.unsubscribe, CALLS, needs="packets.unsuback")

    methods.begin(module_callee.device, "for_the_module")

    assert module_callee.next_request().name == "for_the_module"


@clause("module.apart")
@pytest.mark.needs("c2d")
def test_what_a_module_unsubscribes_from_its_device_still_hears(receiver, device, module_connection, c2d):
    """A module that names its device's filter takes nothing from its device."""
    module_connection.try_to_unsubscribe(device.topics.devicebound)

    c2d.send(device, b"for the device")

    assert receiver.expect_message().payload == b"for the device"
