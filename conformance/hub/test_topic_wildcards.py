"""Topic filters with a wildcard where the document has none.

Document: #receiving-cloud-to-device-messages. Clauses: clauses/topics.toml.

By the document one wildcard ends each filter, and no other is supported. Clients that are about use others
with hubs, and some have been seen to be granted. By MQTT a filter that is granted brings what matches it:
here what is the device's own, each kind by its own topic, and never what is another device's.
"""

import pytest

from conformance.mqtt.raw_packets import packet, text

clause = pytest.mark.clause
# What a filter can bring: answers, which a device alone brings about, or what the back end sends too.
of_a_device = pytest.mark.needs("twin")
of_both_sides = pytest.mark.needs("c2d", "registry")

# The constant of Microsoft's SDK for Embedded C (AZ_IOT_HUB_CLIENT_C2D_SUBSCRIBE_TOPIC).
ANY_DEVICE = "devices/+/messages/devicebound/#"
DOCUMENTED = "devices/{id}/messages/devicebound/#"


# -- a wildcard in place of the device


@clause("topics.device-wildcard")
@of_both_sides
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_wildcard_stands_for_the_device(trial, readings, qos, untouched):
    """Granted, it brings the device's own messages; refused, none; and another device's never."""
    readings.match(f"QoS {qos}: {trial.messages(ANY_DEVICE, qos=qos)}")
    untouched.confirm()


@clause("topics.device-wildcard")
@of_both_sides
def test_it_stands_for_the_device_in_a_session_that_goes_on(trial, readings, untouched):
    """What is sent while the device is away is its own as well."""
    readings.match(trial.messages_while_away(ANY_DEVICE))
    untouched.confirm()


@clause("topics.device-wildcard")
@of_both_sides
def test_it_is_unsubscribed_as_it_was_subscribed(trial, readings, untouched):
    """[MQTT-3.10.4-2] Nothing comes by a filter that was taken back."""
    readings.match(trial.messages_unsubscribed(ANY_DEVICE))
    untouched.confirm()


@clause("topics.device-wildcard")
@of_both_sides
def test_it_is_a_subscription_beside_the_documented_one(device, trial, readings, untouched):
    """[MQTT-3.10.4-1] Filters are compared character by character: taking one back leaves the other."""
    readings.match(trial.messages_beside(ANY_DEVICE, documented=DOCUMENTED.format(id=device.id)))
    untouched.confirm()


# -- wildcards in place of other levels


@clause("topics.subtopic-wildcards")
@pytest.mark.parametrize(
    "topic_filter",
    [
        pytest.param("#", id="everything", marks=of_both_sides),
        pytest.param("+/+/+/+/#", id="single-levels-in-front", marks=of_both_sides),
        pytest.param("+/{id}/messages/devicebound/#", id="any-first-level", marks=of_both_sides),
        pytest.param("devices/#", id="all-of-devices", marks=of_both_sides),
        pytest.param("devices/{id}/messages/#", id="all-messages", marks=of_both_sides),
        pytest.param("$iothub/#", id="all-of-iothub", marks=of_a_device),
        pytest.param("$iothub/+/#", id="all-of-iothub-by-a-single-level", marks=of_a_device),
        pytest.param("$iothub/twin/#", id="all-of-twin", marks=of_a_device),
        pytest.param("$iothub/twin/res/200/#", id="answers-of-one-status", marks=of_a_device),
        pytest.param("$iothub/twin/res/404/#", id="answers-of-another-status", marks=of_a_device),
        pytest.param("$iothub/twin/res/+/+", id="answers-by-single-levels", marks=of_a_device),
        pytest.param("$iothub/+/res/#", id="any-answers", marks=of_a_device),
        pytest.param("$iothub/twin/PATCH/#", id="all-of-PATCH"),
        pytest.param(
            "$iothub/twin/PATCH/properties/+/#", id="changes-of-either-section", marks=of_both_sides
        ),
        pytest.param("$iothub/methods/#", id="all-of-methods", marks=of_both_sides),
        pytest.param("$iothub/methods/POST/+/+", id="requests-by-single-levels", marks=of_both_sides),
        pytest.param("$iothub/methods/POST/mine/#", id="requests-of-one-method", marks=of_both_sides),
        pytest.param("$iothub/methods/POST/other/#", id="requests-of-another-method", marks=of_both_sides),
    ],
)
def test_a_filter_that_covers_more_or_less(device, trial, readings, topic_filter, untouched):
    """[MQTT-4.7.2-1] What comes matches it, and a wildcard in front matches nothing that begins with $."""
    readings.match(trial.everything(topic_filter.format(id=device.id)))
    untouched.confirm()


# -- filters that are none


@clause("topics.ill-formed-filters")
@pytest.mark.parametrize(
    "topic_filter",
    [
        pytest.param("devices/{id}/messages/devicebound#", id="4.7.1-2-number-sign-behind-a-name"),
        pytest.param("devices/{id}/messages/#/x", id="4.7.1-2-number-sign-before-the-last-level"),
        pytest.param("devices/{id}/messages/devicebound/#/", id="4.7.1-2-number-sign-before-an-empty-level"),
        pytest.param("$iothub/twin/res/##", id="4.7.1-2-two-number-signs"),
        pytest.param("devices/{id}+/messages/devicebound/#", id="4.7.1-3-plus-sign-behind-a-name"),
        pytest.param("devices/+{id}/messages/devicebound/#", id="4.7.1-3-plus-sign-before-a-name"),
        pytest.param("$iothub/twin/res/+x", id="4.7.1-3-plus-sign-before-a-letter"),
        pytest.param("", id="4.7.3-1-empty"),
    ],
)
def test_a_filter_that_is_none_is_not_granted(raw_connected, readings, topic_filter, untouched):
    """[MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.3-1] What such a filter should match, nobody can say."""
    filters = text(topic_filter.format(id=raw_connected.device.id))

    raw_connected.send(packet(0x82, b"\x00\x01", filters, b"\x00"))

    readings.match(raw_connected.outcome())
    untouched.confirm()


# -- two filters that match one message


@clause("topics.overlapping-filters")
@of_both_sides
@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param((DOCUMENTED, 0), (ANY_DEVICE, 1), id="documented-0-any-device-1"),
        pytest.param((DOCUMENTED, 1), (ANY_DEVICE, 0), id="documented-1-any-device-0"),
        pytest.param((ANY_DEVICE, 0), (DOCUMENTED, 1), id="any-device-0-documented-1"),
        pytest.param((DOCUMENTED, 0), ("#", 1), id="documented-0-everything-1"),
        pytest.param(("#", 1), (ANY_DEVICE, 1), id="everything-1-any-device-1"),
    ],
)
def test_a_message_matches_two_filters(device, trial, observed, first, second):
    """[MQTT-3.3.5-1] At the higher QoS; whether it comes once or for each filter is the hub's to choose."""
    filters = [(topic_filter.format(id=device.id), qos) for topic_filter, qos in (first, second)]

    observed(trial.deliveries(filters))


@clause("topics.overlapping-delivered")
@pytest.mark.needs("registry")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param((DOCUMENTED, 0), (ANY_DEVICE, 1), id="documented-0-any-device-1"),
        pytest.param((DOCUMENTED, 1), (ANY_DEVICE, 0), id="documented-1-any-device-0"),
        pytest.param(("#", 0), (DOCUMENTED, 1), id="everything-0-documented-1"),
        pytest.param((DOCUMENTED, 1), ("rooms/#", 0), id="documented-1-another-0"),
    ],
)
def test_another_filter_takes_nothing_from_the_documented_one(device, trial, first, second):
    """[MQTT-3.3.5-1] A message comes by the highest of those that match it: no other filter lowers it."""
    filters = [(topic_filter.format(id=device.id), qos) for topic_filter, qos in (first, second)]

    granted, delivered = trial.beside(filters)

    assert delivered >= granted


@clause("topics.overlapping-filters-of-the-twin")
@pytest.mark.parametrize("wider", ["$iothub/twin/#", "$iothub/twin/res/200/#", "$iothub/#"])
def test_an_answer_about_the_twin_matches_two_filters(trial, observed, wider):
    """[MQTT-3.3.5-1] Whether it comes once or for each filter is the hub's to choose."""
    observed(trial.answers([("$iothub/twin/res/#", 0), (wider, 1)]))
