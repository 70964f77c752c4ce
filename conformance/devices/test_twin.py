"""The twin: what the device asks, what it reports, what its application gets.

Document: "Recuperando propriedades de um dispositivo gêmeo" (#retrieving-a-device-twins-properties) and the
sections behind it. Clauses: clauses/device-twin.toml.
"""

import json
import re

import pytest

from conformance.mqtt.packets import Publish, Suback, Subscribe
from conformance.tap.happenings import AnswerInstead, Precede, Withhold

clause = pytest.mark.clause

VALUES = [
    pytest.param({"a": 1, "b": True, "c": "x", "d": 1.5}, id="kinds"),
    pytest.param({"a": {"b": {"c": {"d": 1}}}}, id="nested"),
    pytest.param({"lugar": "São Paulo €", "\U0001f321": "x"}, id="non-ascii"),
    pytest.param({"a": 4503599627370495}, id="big-number"),
    pytest.param({"a": "", "b": "null", "c": "1"}, id="texts"),
]


@clause("device-twin.subscribed-first")
def test_answers_are_subscribed_to_before_the_request(device, connected, tap, pause):
    """While SUBACK for the filter of answers is on its way nothing is asked; behind it the request comes."""
    device.record.happen(withheld := Withhold("SUBACK", lambda packet: isinstance(packet, Suback)))
    order = device.adapter.order("get_twin")
    device.wait(lambda: withheld.times == 0, "SUBACK of the hub's")
    pause(0.3)
    asked_before = list(connected.of_kind(Publish))
    (subscribed,) = connected.of_kind(Subscribe)
    tap.send(connected, b"\x90\x03" + subscribed.packet_id.to_bytes(2) + b"\x01")

    assert device.adapter.answer(order, device.seconds).name == "twin"
    assert "$iothub/twin/res/#" in [item for item, _ in subscribed.filters]
    assert asked_before == []


@clause("device-twin.get-request")
def test_a_request_for_the_twin_is_empty(device, connected):
    """Topic and body are the documented ones."""
    device.done("get_twin")

    (request,) = connected.of_kind(Publish)
    assert re.fullmatch(r"\$iothub/twin/GET/\?\$rid=[^/#+]+", request.topic)
    assert request.payload == b""


@clause("device-twin.request-ids")
def test_requests_have_ids_of_their_own(device, connected):
    """No two of four requests have one id."""
    device.done("get_twin")
    device.done("patch_reported", patch={"a": 1})
    device.done("get_twin")
    device.done("patch_reported", patch={"a": 2})

    ids = [packet.topic.partition("$rid=")[2] for packet in connected.of_kind(Publish)]
    assert len(ids) >= 4
    assert len(set(ids)) == len(ids)


@clause("device-twin.get-told")
@pytest.mark.parametrize("values", VALUES)
def test_the_application_gets_the_twin_as_it_is(device, connected, twins, values):
    """Desired properties are those of the back end."""
    twins.patch(device, desired=values)

    assert device.twin_without_stamps()["desired"] == values


@clause("device-twin.own-answer")
def test_the_answer_to_somebody_else_is_passed_over(device, connected, twins):
    """Before the answer of the hub comes one of the tap's, with an id that nobody asked with."""
    twins.patch(device, desired={"right": 1})
    device.record.happen(
        Precede(
            "answers a request that nobody made",
            lambda packet: isinstance(packet, Publish) and "/twin/GET/" in packet.topic,
            "$iothub/twin/res/200/?$rid=somebody-else",
            b'{"desired":{"wrong":1},"reported":{}}',
        )
    )

    assert device.twin_without_stamps()["desired"] == {"right": 1}


@clause("device-twin.get-refused")
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_refused_request_is_told_as_a_failure(device, connected, answer_of_twin, status):
    """The tap answers in the hub's place."""
    device.record.happen(AnswerInstead(f"answers {status}", answer_of_twin("GET", status), times=None))

    assert device.order_in_time("get_twin") != "twin"


@clause("device-twin.get-refused-again")
def test_requests_behind_a_refusal(device, connected, answer_of_twin, observed):
    """How many requests there are until the application hears of the failure."""
    device.record.happen(AnswerInstead("answers 429", answer_of_twin("GET", 429), times=None))
    device.order_in_time("get_twin")

    observed(f"{sum('/twin/GET/' in packet.topic for packet in connected.of_kind(Publish)) - 1} times")


@clause("device-twin.reported")
@pytest.mark.parametrize("values", VALUES)
def test_what_the_application_reports_is_at_the_hub(device, connected, twins, values):
    """The members are those of the application, and one of before is still there."""
    device.done("patch_reported", patch={"before": 1})
    device.done("patch_reported", patch=values)

    assert twins.get(device).reported.values == {"before": 1, **values}


@clause("device-twin.reported-null")
def test_a_member_reported_as_null_is_gone(device, connected, twins):
    """The null reaches the hub, also one that stands in an object."""
    device.done("patch_reported", patch={"a": 1, "b": {"c": 1, "d": 1}})
    device.done("patch_reported", patch={"a": None, "b": {"c": None}})

    assert twins.get(device).reported.values == {"b": {"d": 1}}


@clause("device-twin.reported-request")
def test_a_report_is_an_object_to_the_documented_topic(device, connected):
    """Topic and body are the documented ones."""
    device.done("patch_reported", patch={"a": 1})

    (request,) = (packet for packet in connected.of_kind(Publish) if "/twin/GET/" not in packet.topic)
    assert re.fullmatch(r"\$iothub/twin/PATCH/properties/reported/\?\$rid=[^/#+]+", request.topic)
    assert json.loads(request.payload) == {"a": 1}


@clause("device-twin.reported-refused")
@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_a_refused_report_is_told_as_a_failure(device, connected, answer_of_twin, status):
    """The tap answers in the hub's place."""
    device.record.happen(AnswerInstead(f"answers {status}", answer_of_twin("PATCH", status), times=None))

    assert device.order_in_time("patch_reported", patch={"a": 1}) != "patched"


@clause("device-twin.desired-subscribes")
def test_the_device_subscribes_to_changes(listening_to_desired):
    """The filter is the documented one."""
    filters = [item for each in listening_to_desired.of_kind(Subscribe) for item, _ in each.filters]

    assert "$iothub/twin/PATCH/properties/desired/#" in filters
    assert set(filters) <= {"$iothub/twin/PATCH/properties/desired/#", "$iothub/twin/res/#"}


@clause("device-twin.desired-told")
@pytest.mark.parametrize("values", VALUES)
def test_the_application_gets_a_change_as_it_was_made(device, listening_to_desired, twins, values):
    """The patch is that of the back end."""
    twins.patch(device, desired=values)

    assert device.adapter.next("desired", device.seconds).says["patch"] == values


@clause("device-twin.desired-null")
def test_the_application_gets_a_null(device, listening_to_desired, twins):
    """A member that is removed comes as null."""
    twins.patch(device, desired={"a": 1, "b": 1})
    device.adapter.next("desired", device.seconds)
    twins.patch(device, desired={"a": None})

    assert device.adapter.next("desired", device.seconds).says["patch"] == {"a": None}


@clause("device-twin.desired-order")
def test_the_application_gets_changes_in_their_order(device, listening_to_desired, twins):
    """Five changes are told in the order of their versions."""
    for number in range(5):
        twins.patch(device, desired={"a": number})
    told = [device.adapter.next("desired", device.seconds).says["patch"] for _ in range(5)]

    assert told == [{"a": 0}, {"a": 1}, {"a": 2}, {"a": 3}, {"a": 4}]


@clause("device-twin.served-again")
def test_changes_come_behind_a_lost_connection(device, listening_to_desired, tap, twins):
    """The connection is lost, and the device comes again; what is changed then reaches the application."""
    tap.drop(listening_to_desired)
    device.reconnects()
    device.wait_until_served("$iothub/twin/PATCH/properties/desired/#")
    twins.patch(device, desired={"a": 1})

    assert device.adapter.next("desired", device.seconds).says["patch"] == {"a": 1}


@clause("device-twin.asks-again")
def test_the_twin_behind_a_lost_connection(device, listening_to_desired, tap, pause, observed):
    """Whether a request comes without an order."""
    tap.drop(listening_to_desired)
    line = device.reconnects()
    pause(0.5)

    asked = any("/twin/GET/" in packet.topic for packet in line.of_kind(Publish))
    observed("asks for it" if asked else "does not ask for it")


@clause("device-twin.get-told-reported")
@pytest.mark.parametrize("values", VALUES)
def test_the_application_gets_what_was_reported(device, connected, values):
    """Reported properties are those that the device reported before."""
    device.done("patch_reported", patch=values)

    assert device.twin_without_stamps()["reported"] == values


@clause("device-twin.together")
def test_answers_to_two_requests_are_not_mixed_up(device, connected, tap, answer_of_twin):
    """The tap keeps a request for the twin, and answers it when a report behind it was answered."""
    answer = answer_of_twin("GET", 200, b'{"desired":{"mine":1},"reported":{}}')
    device.record.happen(AnswerInstead("keeps a request", lambda packet: answer(packet) and b""))
    first = device.adapter.order("get_twin")
    device.wait(lambda: any(map(answer, connected.sent)), "request for the twin")
    second = device.order_in_time("patch_reported", patch={"a": 1})
    tap.send(connected, next(filter(None, map(answer, connected.sent))))

    assert second == "patched"
    assert device.twin_in(first).get("desired", {}).get("mine") == 1


@clause("device-twin.desired-version")
def test_the_application_gets_the_version_of_a_change(device, listening_to_desired, twins):
    """The version is that of the desired properties behind the change."""
    twins.patch(device, desired={"a": 1})
    device.adapter.next("desired", device.seconds)
    twins.patch(device, desired={"a": 2})

    told = device.adapter.next("desired", device.seconds)
    assert told.says["version"] == twins.get(device).desired.version


@clause("device-twin.subscribes-again")
def test_a_device_without_a_session_subscribes_to_changes_again(device, listening_to_desired, no_session):
    """CONNACK of the next connection says that there is no session; a SUBSCRIBE follows."""
    line = no_session(listening_to_desired)
    device.give_time(
        lambda: any("desired" in item for each in line.of_kind(Subscribe) for item, _ in each.filters)
    )

    filters = [item for each in line.of_kind(Subscribe) for item, _ in each.filters]
    assert "$iothub/twin/PATCH/properties/desired/#" in filters


@clause("device-twin.asks-behind-loss")
def test_the_twin_can_be_asked_for_behind_a_lost_connection(device, connected, tap, twins):
    """It was asked for before; the connection is lost; it is asked for again."""
    device.done("get_twin")
    tap.drop(connected)
    device.reconnects()
    twins.patch(device, desired={"a": 1})

    assert device.twin_in(device.adapter.order("get_twin")).get("desired", {}).get("a") == 1


@clause("device-twin.module")
def test_a_module_has_a_twin_of_its_own(device_as_module, twins):
    """The application gets what the back end wrote into the twin of the module, and the other way round."""
    device_as_module.connected()
    twins.patch(device_as_module, desired={"a": 1})
    told = device_as_module.twin_in(device_as_module.adapter.order("get_twin"))
    device_as_module.order_in_time("patch_reported", patch={"b": 2})

    assert told.get("desired", {}).get("a") == 1
    assert twins.get(device_as_module).reported.values == {"b": 2}
