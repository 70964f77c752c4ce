"""A device that says which model it implements.

Document: #using-the-mqtt-protocol-directly-as-a-device. Clauses: clauses/d2c.toml, clauses/twin.toml.

A device of IoT Plug and Play has model-id=... behind the api-version of its Username, percent-encoded. The
hub tells the back end of it, with each message and in the twin. A component of the device is named in $.sub.
"""

import pytest

clause = pytest.mark.clause

MODEL = "dtmi:com:example:Thermostat;1"
ENCODED = "dtmi%3Acom%3Aexample%3AThermostat%3B1"


@pytest.fixture
def modelled(device, stage):
    """Open a session of `device` that announces its model."""
    username = f"{device.host}/{device.id}/?api-version=2021-04-12&model-id={ENCODED}"
    return stage(device.connect, username=username, needs="connect.username")


@clause("d2c.model-id")
@pytest.mark.parametrize("bag", ["", "a=1"], ids=["no-bag", "bag"])
def test_telemetry_names_the_model(device, modelled, telemetry, bag):
    """The back end can tell by each message what its body means."""
    modelled.publish(f"{device.topics.events}{bag}", b"21.5", qos=1)

    assert telemetry.next(sent_by=device).annotations.get("dt-dataschema") == MODEL


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
