"""Ids that have special characters in them, wherever a hub compares an id or prints one.

Document: #using-the-mqtt-protocol-directly-as-a-device and the sections behind it.
Clauses: special-characters and the like, in the file of each section.

Microsoft's page on the identity registry allows : @ , = ' ( and more in the id of a device, and there are
fleets whose ids are MAC or mail addresses. Such an id stands as it is in ClientId, Username and topics, and
is percent-encoded in the resource of a token, like the rest of it.
"""

import pytest

from conformance.mqtt.bag import bag_of, path_of
from conformance.mqtt.websocket import WebSocket
from conformance.target.credentials import escape

clause = pytest.mark.clause

CHARACTERS = pytest.mark.parametrize(
    "id_ending",
    [
        pytest.param("-a:b", id="colon"),
        pytest.param("-a@b", id="at"),
        pytest.param("-a,b", id="comma"),
        pytest.param("-a=b", id="equals"),
        pytest.param("-a'b", id="quote"),
        pytest.param("-a(b", id="parenthesis"),
    ],
)
# As fleets have them; together they have each of these characters.
IDS = pytest.mark.parametrize(
    "id_ending",
    [
        pytest.param("-00:11:22:33:44:55", id="MAC-address"),
        pytest.param("-n@m.et", id="mail-address"),
        pytest.param("-a,b=c'd(e", id="comma-equals-quote-parenthesis"),
    ],
)


# -- connecting


@clause("connect.special-characters")
@CHARACTERS
def test_an_id_with_a_special_character_opens_a_session(device):
    """ClientId and Username have the id as it is, and the token's resource is percent-encoded once."""
    device.expect_accepted(
        client_id=device.id,
        username=f"{device.host}/{device.id}/?api-version=2018-06-30",
        password=device.token(resource=f"{device.host}/devices/{device.id}"),
    )


@clause("connect.special-characters")
@IDS
def test_the_registry_gives_an_id_back_as_it_was_made(device, registry):
    """What the back end reads of the device has its id, character by character."""
    assert registry.get(device.id).device_id == device.id


@clause("connect.special-characters")
@IDS
def test_an_id_counts_with_the_newest_api_version_too(device):
    """The Username of today's page, with what an SDK adds to it."""
    device.expect_accepted(
        username=f"{device.host}/{device.id}/?api-version=2021-04-12&DeviceClientType=conformance%2F1.0"
    )


@clause("websocket.special-characters")
@IDS
def test_an_id_with_special_characters_is_served_over_websocket(device):
    """A session opens, and what is published there is acknowledged."""
    connection = device.connect(over=WebSocket())

    connection.publish(device.topics.events, b"over WebSocket", qos=1)


@clause("connection.special-characters")
@IDS
def test_a_new_connection_of_such_an_id_ends_the_old_one(device, connection, untouched):
    """The hub knows that it is the same device."""
    newest = device.connect()

    connection.expect_replaced()
    newest.ping()
    untouched.confirm()


@clause("connection.special-characters")
@CHARACTERS
def test_a_connection_of_an_id_that_is_only_alike_ends_no_other(devices_alike, stage, id_ending):
    """The hub knows that it is another device."""
    device, other = devices_alike(id_ending, "-ab")
    connection = stage(device.connect, needs="connect.special-characters")

    other.connect().ping()

    connection.ping()


# -- tokens


@clause("sas.special-characters")
@pytest.mark.parametrize("escapes", ["upper", "lower"])
@IDS
def test_escapes_of_special_characters_are_taken_as_they_were_signed(device, escapes):
    """%3A and %3a are the same character; the signature covers the text as it is sent."""
    device.expect_accepted(password=device.token(escapes=escapes))


@clause("sas.special-characters")
@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda device: device[:-2], id="up-to-it"),
        pytest.param(lambda device: device[-1:], id="behind-it"),
        pytest.param(lambda device: f"{device[:-2]}{device[-1]}", id="without-it"),
        pytest.param(lambda device: f"{device[:-2]}*{device[-1]}", id="another-in-its-place"),
        pytest.param(lambda device: escape(f"{device[:-2]}*{device[-1]}"), id="another-encoded-twice"),
    ],
)
@CHARACTERS
def test_a_token_for_an_id_that_is_only_alike_is_refused(admitted, other, untouched):
    """Each character of an id counts, whatever stands for it in a token."""
    resource = f"{admitted.host}/devices/{other(admitted.id)}"

    admitted.expect_refused(password=admitted.token(resource=resource))
    untouched.confirm()


@clause("sas.resource-encoded-twice")
@IDS
def test_the_resource_has_the_id_encoded_twice(admitted, readings, untouched):
    """So Microsoft's .NET SDK and IoT Edge build it: the id is encoded, and then all of the resource."""
    resource = f"{admitted.host}/devices/{escape(admitted.id)}"

    readings.match(admitted.attempt(password=admitted.token(resource=resource)))
    untouched.confirm()


@clause("sas.resource-not-encoded")
@pytest.mark.parametrize(
    "id_ending",
    [
        pytest.param("", id="no-special-character"),
        pytest.param("-00:11:22:33:44:55", id="MAC-address"),
        pytest.param("-n@m.et", id="mail-address"),
        pytest.param("-a,b=c'd(e", id="comma-equals-quote-parenthesis"),
    ],
)
def test_the_resource_is_not_encoded_at_all(admitted, observed):
    """The page on tokens encodes it; whether a hub asks for that is not stated."""
    observed(admitted.attempt(password=admitted.token(escapes="none")))


@clause("sas.resource-not-encoded")
@IDS
def test_the_id_in_the_resource_is_encoded_and_the_slashes_are_not(admitted, observed):
    """As somebody does who encodes each part of the path."""
    resource = f"{admitted.host}/devices/{escape(admitted.id)}"

    observed(admitted.attempt(password=admitted.token(resource=resource, escapes="none")))


# -- messages either way


@clause("d2c.special-characters")
@IDS
def test_telemetry_is_stamped_with_the_id_as_it_is(device, connection, telemetry):
    """The device publishes on its own topic, and the back end sees who it was."""
    connection.publish(f"devices/{device.id}/messages/events/room=A", b"21.5", qos=1)

    message = telemetry.next(sent_by=device)
    assert (message.device_id, message.module_id, message.body, message.properties) == (
        device.id,
        None,
        b"21.5",
        {"room": "A"},
    )


@clause("will.special-characters")
@IDS
def test_a_will_is_stamped_with_the_id_as_it_is(device, willed, telemetry):
    """The connection ends without DISCONNECT, and the back end sees whose it was."""
    willed.drop()

    message = telemetry.next(sent_by=device)
    assert (message.device_id, message.body, message.properties) == (
        device.id,
        b"gone",
        {"iothub-MessageType": "Will"},
    )


@clause("c2d.special-characters")
@IDS
def test_a_message_comes_on_the_topic_that_names_the_device_as_it_is(device, receiver, c2d):
    """Topic and address have the id, the latter percent-encoded once like every value in the bag."""
    outcome = c2d.attempt_to_send(device, b"21.5", properties={"room": "A"})
    assert outcome == "accepted"

    message = receiver.expect_message()
    bag, address = bag_of(message), f"/devices/{device.id}/messages/devicebound"
    # The bag may go without the address; its letter case is the sender's.
    told = str(bag.system.get("$.to", address)).replace("deviceBound", "devicebound")
    assert (path_of(message), message.payload, bag.application, told) == (
        f"devices/{device.id}/messages/devicebound/",
        b"21.5",
        {"room": "A"},
        address,
    )


@clause("c2d.special-characters")
@IDS
def test_a_message_waits_for_the_device(away, c2d, stage):
    """What was sent meanwhile is there when the device returns, and nothing else is."""
    c2d.send_each(away, [b"one", b"two"])

    returned = stage(away.connect, clean_session=False)

    assert returned.pending([b"one", b"two"]).payloads == [b"one", b"two"]


@clause("c2d.special-characters")
@IDS
def test_the_queue_of_such_an_id_can_be_purged(away, c2d, stage):
    """What waited when the back end purged it is not delivered."""
    c2d.send_and_purge(away, b"purged")
    c2d.send(away, b"sent later")

    returned = stage(away.connect, clean_session=False)

    assert returned.pending([b"sent later"]).payloads == [b"sent later"]


@clause("c2d.special-characters")
@CHARACTERS
def test_a_message_reaches_no_device_whose_id_is_only_alike(devices_alike, subscribed, c2d, id_ending):
    """Each hears what was sent to its own id."""
    device, other = devices_alike(id_ending, "-ab")
    receiver, other_receiver = subscribed(device), subscribed(other)

    c2d.send(other, b"theirs")
    c2d.send(device, b"mine")
    c2d.send(other, b"theirs too")

    heard = receiver.payloads_until(b"mine"), other_receiver.payloads_until(b"theirs too")
    assert heard == ([b"mine"], [b"theirs", b"theirs too"])


@clause("c2d.address-encoded")
@IDS
def test_the_back_end_encodes_the_id_in_the_address(device, receiver, c2d):
    """Microsoft's .NET SDK for back ends does so, the one for Python does not."""
    address = f"/devices/{escape(device.id)}/messages/deviceBound"
    assert c2d.attempt_to_send(device, b"21.5", address=address) == "accepted"

    assert receiver.expect_message().payload == b"21.5"


@clause("c2d.feedback-special-characters")
@IDS
def test_feedback_names_the_device_as_it_is(device, receiver, c2d, feedback, stage):
    """The sender hears which device acknowledged."""
    c2d.send(device, b"21.5", message_id=f"{device.id}-m", ack="full")
    stage(receiver.expect_message, needs="c2d.delivered")

    record = feedback.expect(f"{device.id}-m")
    assert (record.status, record.device_id) == ("Success", device.id)


# -- twins and methods


@clause("twin.special-characters")
@IDS
def test_such_an_id_gets_what_is_desired_of_it(device, twin, twins):
    """The back end finds the twin under the id, and the device gets what it was given."""
    changed = twins.patch(device, desired={"interval": 5})

    assert (changed.device_id, twin.get_since(changed.desired.version).properties) == (
        device.id,
        {
            "desired": {"interval": 5, "$version": changed.desired.version},
            "reported": {"$version": changed.reported.version},
        },
    )


@clause("twin.special-characters")
@IDS
def test_the_back_end_reads_what_such_an_id_reports(device, twin, twins):
    """The answer has the version that the back end reads, under the id."""
    answer = twin.report({"firmware": "v1.1"})

    seen = twins.get(device)
    assert (seen.device_id, seen.reported.values, answer.version) == (
        device.id,
        {"firmware": "v1.1"},
        seen.reported.version,
    )


@clause("desired.special-characters")
@IDS
def test_a_change_of_desired_properties_is_told_to_such_an_id(device, listener, twins):
    """The notification has the documented topic, and the change."""
    changed = twins.patch(device, desired={"interval": 5})

    change = listener.next_change()
    assert (change.topic, change.members) == (
        f"$iothub/twin/PATCH/properties/desired/?$version={changed.desired.version}",
        {"interval": 5},
    )


@clause("methods.special-characters")
@IDS
def test_such_an_id_is_called_and_answers(callee, methods):
    """The call finds the device, and the answer the caller."""
    call = methods.begin(callee.device, "reboot", {"delay": 5})
    callee.echo_each([callee.next_request()])

    assert (call.result().status, call.result().payload) == (200, {"delay": 5})


# -- modules, and what is told of connections


@clause("module.special-characters")
@IDS
def test_a_module_of_such_an_id_and_with_such_a_name_connects(device, module):
    """ClientId and Username name both as they are, and the token's resource is percent-encoded once."""
    _, module_id = module.id.split("/")

    module.expect_accepted(
        client_id=f"{device.id}/{module_id}",
        username=f"{device.host}/{device.id}/{module_id}/?api-version=2018-06-30",
        password=module.token(resource=f"{device.host}/devices/{device.id}/modules/{module_id}"),
    )


@clause("module.resource-encoded-twice")
@IDS
def test_the_resource_has_both_names_encoded_twice(device, admitted_module, readings, untouched):
    """So Microsoft's .NET SDK and IoT Edge build it: each name is encoded, and then all of the resource."""
    _, module_id = admitted_module.id.split("/")
    resource = f"{device.host}/devices/{escape(device.id)}/modules/{escape(module_id)}"

    readings.match(admitted_module.attempt(password=admitted_module.token(resource=resource)))
    untouched.confirm()


@clause("module.telemetry-special-characters")
@IDS
def test_telemetry_of_such_a_module_is_stamped_with_both_names_as_they_are(
    module, module_connection, telemetry
):
    """The module publishes on its own topic, and the back end sees who it was."""
    device_id, module_id = module.id.split("/")
    module_connection.publish(f"devices/{device_id}/modules/{module_id}/messages/events/", b"21.5", qos=1)

    message = telemetry.next(sent_by=module)
    assert (message.device_id, message.module_id, message.body) == (device_id, module_id, b"21.5")


@clause("module.twin-special-characters")
@IDS
def test_both_sides_read_the_twin_of_such_a_module(module, module_twin, twins):
    """The back end finds it under both names, the module on the documented topics."""
    changed = twins.patch(module, desired={"interval": 5})

    assert (f"{changed.device_id}/{changed.module_id}", module_twin.get().desired) == (
        module.id,
        {"interval": 5, "$version": changed.desired.version},
    )


@clause("module.methods-special-characters")
@IDS
def test_such_a_module_is_called_and_answers(module_callee, methods):
    """The back end names both, and the module is called."""
    call = methods.begin(module_callee.device, "reboot", {"delay": 5})
    module_callee.echo_each([module_callee.next_request()])

    assert (call.result().status, call.result().payload) == (200, {"delay": 5})


@clause("monitoring.special-characters")
@IDS
def test_events_name_the_device_as_it_is(device, connection_events, connection, stage):
    """The properties of the event and its stamp have the id."""
    stage(connection.publish, device.topics.events, b"here", needs="d2c.puback")

    event = stage(connection_events.next, about=device, needs="monitoring.connected")
    assert (event.operation, event.device_id, event.message.device_id) == (
        "deviceConnected",
        device.id,
        device.id,
    )
