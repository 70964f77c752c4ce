"""A Will and the routes of the hub.

Document: #using-the-mqtt-protocol-directly-as-a-device. Clauses: clauses/will.toml.

The endpoint that gets telemetry, Wills among it, may be the built-in one or a custom one to which a route of
the hub leads. The route of these tests takes Wills, of them those with ``destination=routed`` in their bag.
"""

import pytest

from conformance.mqtt.fields import Will

clause = pytest.mark.clause


@pytest.fixture
def routed_will(device):
    """Return a Will that the route takes."""
    return Will(topic=f"{device.topics.events}destination=routed", payload=b"gone", qos=1)


@clause("will.routed")
def test_a_will_goes_where_its_route_leads(device, routed, routed_will, stage):
    """The custom endpoint gets the Will with its body and its properties."""
    connection = stage(device.connect, clean_session=False, will=routed_will, needs="will.accepted")

    connection.drop()

    message = routed.next(sent_by=device)
    assert (message.body, message.properties) == (
        b"gone",
        {"destination": "routed", "iothub-MessageType": "Will"},
    )


@clause("will.routed")
@pytest.mark.parametrize("bag", ["", "destination=routed"], ids=["plain", "with-the-property"])
def test_ordinary_telemetry_does_not_take_the_route_of_a_will(device, routed, routed_will, stage, bag):
    """Of telemetry, which comes first, and then a Will, the Will alone reaches the custom endpoint."""
    connection = stage(device.connect, clean_session=False, will=routed_will, needs="will.accepted")

    stage(connection.publish, device.topics.events + bag, b"ordinary", needs="d2c.puback")
    connection.drop()

    assert routed.next(sent_by=device).body == b"gone"


@clause("will.routed")
def test_a_will_that_the_route_does_not_take_is_not_there(device, routed, routed_will, stage):
    """Of a Will without the property, which comes first, and one with it, the second alone is there."""
    other = Will(topic=device.topics.events, payload=b"elsewhere", qos=1)
    stage(device.connect, clean_session=False, will=other, needs="will.accepted").drop()

    stage(device.connect, clean_session=False, will=routed_will, needs="will.accepted").drop()

    assert routed.next(sent_by=device).body == b"gone"
