"""Devices whose ids resemble each other: each has its own sessions, messages and twin.

Document: #using-the-mqtt-protocol-directly-as-a-device and the sections behind it.
Clauses: ids-alike, in the file of each section. Ids: conformance/corpora/ids.toml.

One id is the beginning of another, or differs from it in the case of one letter or in one special character.
All of them are connected at once; on a live hub, which counts each message, one or two of each kind.
"""

import pytest

from conformance.corpora.whole import as_values, each_is
from conformance.hub.fixtures.twins import twin_of
from conformance.mqtt.methods import MethodsClient

clause = pytest.mark.clause


@clause("connection.ids-alike")
def test_devices_with_ids_alike_are_connected_at_once(family):
    """None takes over another one's session."""
    each_is(family.ids, "no answer").expect_same(family.each(lambda connection, _: connection.outcome()))


@clause("d2c.ids-alike")
def test_each_sends_under_its_own_id(family, telemetry):
    """The back end sees of each what it sent, and under its very id."""
    family.each(
        lambda connection, ending: connection.publish(connection.device.topics.events, ending.encode())
    )

    came = family.each(lambda connection, _: telemetry.next(sent_by=connection.device).body.decode())
    as_values(family.ids).expect_same(came)


@clause("c2d.ids-alike")
def test_each_hears_what_was_sent_to_its_own_id(family, c2d):
    """Nothing that was sent to another one comes before it, nor behind it."""
    family.each(lambda connection, _: connection.subscribe(connection.device.topics.devicebound))

    family.each(lambda connection, ending: c2d.send(connection.device, ending.encode()))
    family.each(lambda connection, _: c2d.send(connection.device, b"last"))

    came = family.each(lambda connection, _: b" and ".join(connection.payloads_until(b"last")).decode())
    as_values(family.ids).expect_same({name: heard.removesuffix(" and last") for name, heard in came.items()})


@clause("methods.ids-alike")
def test_each_is_called_by_its_own_id(family, methods):
    """All have been called before the first one looks, and each finds its own call."""
    family.each(lambda connection, _: MethodsClient(connection).subscribe())

    family.each(lambda connection, ending: methods.begin(connection.device, "who", ending))

    came = family.each(lambda connection, _: MethodsClient(connection).next_request().document)
    as_values(family.ids).expect_same(came)


@clause("twin.ids-alike")
def test_each_gets_back_what_it_reported_itself(family):
    """All have reported before the first one asks."""
    family.each(lambda connection, ending: twin_of(connection).subscribe().establish({"ending": ending}))

    came = family.each(lambda connection, _: twin_of(connection).get("back").reported_members.get("ending"))
    as_values(family.ids).expect_same(came)


@clause("twin.ids-alike")
def test_each_gets_what_is_desired_of_it(family, twins):
    """The back end has written to all twins before the first device asks."""
    family.each(lambda connection, ending: twins.patch(connection.device, desired={"ending": ending}))

    came = family.each(lambda connection, _: twin_of(connection).subscribe().get().desired.get("ending"))
    as_values(family.ids).expect_same(came)
