"""A model that a device announces in its Username: on telemetry, in its twin, and for queries."""

import pytest
from hub_values import DEVICE, EVENTS, NOW, Hub

from iothub_emulator.hub.effects import End
from iothub_emulator.hub.packets import Publish, Will
from iothub_emulator.hub.twin import new_twin
from iothub_emulator.hub.twin_document import TwinOwner, twin_document

MODEL = "dtmi:com:example:Thermostat;1"
ANNOUNCED = "/?api-version=2021-04-12&model-id=dtmi%3Acom%3Aexample%3AThermostat%3B1"


@pytest.fixture
def hub():
    return Hub()


def system_of(session, bag):
    (event,) = session.receive(Publish(EVENTS + bag, b""), NOW)
    return event.event.system


def test_telemetry_names_the_model_and_the_component(hub):
    session = hub.session(username=f"localhost/{DEVICE}{ANNOUNCED}")
    assert system_of(session, "$.sub=thermostat1") == {"dt-subject": "thermostat1", "dt-dataschema": MODEL}


def test_without_a_model_telemetry_names_none(hub):
    assert system_of(hub.session(), "%24.sub=t") == {"dt-subject": "t"}


def test_a_will_names_the_model(hub):
    session = hub.session(username=f"localhost/{DEVICE}{ANNOUNCED}", will=Will(EVENTS, b"", 0, retain=False))
    (event,) = session.ended(End.LOST, NOW)
    assert event.event.system == {"dt-dataschema": MODEL}


def test_the_model_stays_with_the_identity_until_that_is_gone(hub):
    """A later connection that announces none leaves it."""
    hub.session(username=f"localhost/{DEVICE}{ANNOUNCED}")
    hub.session()
    assert hub.state.model_ids == {DEVICE: MODEL}
    hub.state.forget(DEVICE)
    assert hub.state.model_ids == {}


def test_the_twin_shows_it(hub):
    owner = TwinOwner(device_id="d", etag="e", model_id=MODEL)
    assert twin_document(new_twin(NOW), owner, hub.rules.twins)["modelId"] == MODEL
