"""A device that says which model it implements.

Document: #using-the-mqtt-protocol-directly-as-a-device. Clauses: clauses/d2c.toml, clauses/twin.toml.

A device of IoT Plug and Play has model-id=... behind the api-version of its Username, percent-encoded. The
hub tells the back end of it, with each message and in the twin. A component of the device is named in $.sub.
"""

import pytest

clause = pytest.mark.clause

MODEL = "dtmi:com:example:Thermostat;1"
ENCODED = "dtmi%3Acom%3Aexample%3AThermostat%3B1"
OTHER_MODEL = "dtmi:com:example:Thermostat;12"


@pytest.fixture
def announcing(stage):
    """``announcing(device, "&model-id=...")``: open a session with this behind the api-version."""

    def connect(device, announced):
        username = f"{device.host}/{device.id}/?api-version=2021-04-12{announced}"
        return stage(device.connect, username=username, needs="connect.username")

    return connect


@pytest.fixture
def modelled(device, announcing):
    """Open a session of `device` that announces its model."""
    return announcing(device, f"&model-id={ENCODED}")


@pytest.fixture
def other_modelled(other_device, announcing):
    """Open a session of `other_device` that announces another model."""
    return announcing(other_device, f"&model-id={ENCODED}2")


@clause("d2c.model-id")
@pytest.mark.parametrize("bag", ["", "a=1"], ids=["no-bag", "bag"])
def test_telemetry_names_the_model(device, modelled, telemetry, bag):
    """The back end can tell by each message what its body means."""
    modelled.publish(f"{device.topics.events}{bag}", b"21.5", qos=1)

    assert telemetry.next(sent_by=device).annotations.get("dt-dataschema") == MODEL


@clause("d2c.model-id")
@pytest.mark.needs("registry")
@pytest.mark.parametrize(
    ("announced", "model"),
    [(f"&model-id={ENCODED}2", OTHER_MODEL), ("", None)],
    ids=["another-model", "no-model"],
)
def test_telemetry_names_the_model_of_its_own_sender(
    device, modelled, other_device, announcing, telemetry, announced, model
):
    """Two devices send by turns: what one has announced says nothing of the other."""
    other = announcing(other_device, announced)
    modelled.publish(device.topics.events, b"21.5", qos=1)
    other.publish(other_device.topics.events, b"on", qos=1)
    modelled.publish(device.topics.events, b"21.6", qos=1)

    sent = [telemetry.next(sent_by=sender) for sender in (device, other_device, device)]
    assert [message.annotations.get("dt-dataschema") for message in sent] == [MODEL, model, MODEL]


@clause("d2c.component")
@pytest.mark.parametrize("dollar", ["$", "%24"])
def test_telemetry_names_the_component(device, modelled, telemetry, dollar):
    """It is a system property, with its dollar sign escaped or not."""
    modelled.publish(f"{device.topics.events}{dollar}.sub=thermostat1&a=1", b"21.5", qos=1)

    message = telemetry.next(sent_by=device)
    assert (message.annotations.get("dt-subject"), message.properties) == ("thermostat1", {"a": "1"})


@clause("twin.model-id")
def test_the_twin_names_the_model(device, modelled, twins):
    """A solution reads there how to speak with the device."""
    modelled.ping()

    assert twins.get(device).model_id == MODEL


@clause("twin.model-id")
def test_the_twin_of_each_device_names_its_own_model(modelled, other_modelled, bystander, twins):
    """Two devices announced two models, a third one none."""
    models = [twins.get(each.device).model_id for each in (modelled, other_modelled, bystander)]

    assert models == [MODEL, OTHER_MODEL, ""]
