"""Right hubs whose twins and methods differ: in order and time, and in what stands beside the properties."""

import asyncio
import json
from collections import defaultdict

from latitude import acted, replaced, right, wrapped

from iothub_emulator.hub import json_text, state
from iothub_emulator.hub.device_requests import DeviceRequests
from iothub_emulator.hub.method_rules import MethodRules
from iothub_emulator.hub.packets import Publish
from iothub_emulator.hub.twin import new_twin
from iothub_emulator.hub.twin_rules import TwinRules
from iothub_emulator.mqtt.decoder import Decoder
from iothub_emulator.mqtt.endpoint import MqttEndpoint
from iothub_emulator.rest import twins as rest_twins

TOGETHER = 0.01
"""Seconds within which what arrives is under way together."""

EITHER_ORDER = "hub facts 7: no source orders answers and notifications; MQTT-4.6.0-6 orders one topic alone"


def late(prefix, seconds):
    """Let publications on these topics leave later, in their order."""

    def wrap(send):
        def sent(self, packet):
            if not isinstance(packet, Publish) or not packet.topic.startswith(prefix):
                send(self, packet)
                return
            acted()

            def out():
                if not self._transport.is_closing():
                    send(self, packet)
                    self.flush()

            asyncio.get_running_loop().call_later(seconds, out)

        return sent

    wrapped(MqttEndpoint, "send", wrap)


@right(EITHER_ORDER)
def twin_answers_come_behind_notifications(rules):
    """The answer to a twin request is a fifth of a second late; a notification overtakes it."""
    late("$iothub/twin/res/", 0.2)


@right(EITHER_ORDER, "MQTT-3.10.4-2")
def notifications_come_behind_twin_answers(rules):
    """A notification is a third of a second late; answers that already show the change overtake it."""
    late("$iothub/twin/PATCH/properties/desired/", 0.3)


@right(
    "S60, S61: a change is told with its $version; no source orders two calls that are under way together",
    shown_by="test_two_changes_under_way_together_are_made_last_to_first",
)
def changes_under_way_together_are_made_in_either_order(rules):
    """Of several changes of one twin that arrive within a moment, the last is made first; versions rise."""
    waiting = defaultdict(list)

    def wrap(change):
        async def changed(call):
            mine = asyncio.get_running_loop().create_future()
            together = waiting[call.ids]
            together.append(mine)
            if len(together) == 1:
                asyncio.get_running_loop().call_later(TOGETHER, carry_out, call.ids)
            await mine
            return await change(call)

        return changed

    def carry_out(ids):
        together = waiting.pop(ids)
        if len(together) > 1:
            acted()
        for each in reversed(together):
            if not each.done():
                each.set_result(None)

    operations = rest_twins._OPERATIONS
    for method in ("PATCH", "PUT"):
        operations[method] = type(operations[method])(
            operations[method].needs, wrap(operations[method].carry_out)
        )


def is_request(packet):
    return isinstance(packet, Publish) and packet.topic.startswith("$iothub/twin/")


def turned(packets):
    """Yield twin requests that are there together from the last to the first."""

    def all_there(self):
        together = []
        for packet in packets(self):
            if is_request(packet):
                together.append(packet)
                continue
            yield from reversed(together)
            together.clear()
            yield packet
        if len(together) > 1:
            acted()
        yield from reversed(together)

    return all_there


def gathered(data_received):
    """Hear what comes within a hundredth of a second in one piece."""

    def hear(self):
        data, self.gathered = vars(self).get("gathered", b""), b""
        if data:
            data_received(self, data)

    def received(self, data):
        if self.session.is_new or self.session.is_over:
            data_received(self, data)
            return
        if not vars(self).get("gathered"):
            self.gathered = b""
            asyncio.get_running_loop().call_later(TOGETHER, hear, self)
        self.gathered += data

    def before(end):
        def ended(self, *how):
            hear(self)
            return end(self, *how)

        return ended

    for ending in ("eof_received", "connection_lost"):
        wrapped(MqttEndpoint, ending, before)
    return received


@right("hub facts 7, pipelined patches: in-flight patches may be applied out of order")
def requests_under_way_together_are_carried_out_in_either_order(rules):
    """Twin requests of a device that arrive within a hundredth of a second are carried out last to first."""
    wrapped(Decoder, "packets", turned)
    wrapped(MqttEndpoint, "data_received", gathered)


@right("hub facts 7, body of GET: extra keys OBSERVE", "noticing F: extra $ members")
def twins_have_further_members_of_the_hub(rules):
    """Sections and their whole have $metadata, $etag and the like beside $version."""

    class More(TwinRules):
        def visible_to_device(self, desired, reported):
            acted()
            return {
                "desired": {"$metadata": {"$lastUpdated": "2026-11-30T00:00:00Z"}, **desired},
                "reported": {**reported, "$metadata": {"$lastUpdated": "2026-11-30T00:00:00Z"}},
                "$etag": "AAAAAAAAAAE=",
            }

    replaced(rules, "twins", More)


@right(
    "S61: the body has what changed and $version",
    "hub facts 7, notification: MUST contain patch and $version",
)
def notifications_have_further_members_of_the_hub(rules):
    """A notification has $metadata and $previous beside $version."""

    class More(TwinRules):
        def notification(self, change, version):
            acted()
            return {"$metadata": {}, **super().notification(change, version), "$previous": version - 1}

        def notification_of_replacement(self, before, after, version):
            acted()
            return {**super().notification_of_replacement(before, after, version), "$metadata": {}}

    replaced(rules, "twins", More)


@right("hub facts 7, $version: MUST be strictly greater; new twin: OBSERVE exact 1")
def versions_rise_in_larger_steps(rules):
    """A new twin's versions are 7 and 7, and each change adds three."""

    class Steps(TwinRules):
        def next_version(self, version):
            acted()
            return version + 3

    def later_twin(now):
        twin = new_twin(now)
        object.__setattr__(twin.desired, "version", 7)
        object.__setattr__(twin.reported, "version", 7)
        return twin

    state.new_twin = later_twin
    replaced(rules, "twins", Steps)


@right("RFC 8259 section 4: objects are unordered; section 2: whitespace; section 7: escapes")
def json_is_written_otherwise(rules):
    """Members come in another order, with spaces between them, and all but ASCII is escaped."""

    def turned(value):
        match value:
            case dict():
                return {name: turned(value[name]) for name in reversed(value)}
            case list():
                return [turned(item) for item in value]
        return value

    def wrap(dump):
        def dumped(value):
            compact = dump(value)
            if len(compact) > 10_000:
                return compact
            acted()
            return json.dumps(turned(value), separators=(" , ", " : ")).encode()

        return dumped

    wrapped(json_text, "dump", wrap)


@right("hub facts 7, error body: may be empty")
def errors_have_no_body(rules):
    """The answer to a refused twin request has no body."""

    class Bare(TwinRules):
        def answers(self, topic, payload):
            if not topic.startswith("$iothub/twin/res/2"):
                acted()
                return ((topic, b""),)
            return super().answers(topic, payload)

    replaced(rules, "twins", Bare)


@right("S54, S57, T43, T46: 429", "hub facts 7, throttled: retry")
def twin_requests_are_throttled_now_and_then(rules):
    """Every twelfth twin request of a device is answered 429; the next one is carried out."""
    counted = [0]

    def wrap(is_admitted):
        def admitted(self, request, now):
            counted[0] += 1
            if counted[0] % 12 == 0:
                acted()
                return False
            return is_admitted(self, request, now)

        return admitted

    wrapped(DeviceRequests, "_is_admitted", wrap)


@right("hub facts 8, $rid: opaque, Edge sends GUIDs", "S63")
def method_requests_have_long_ids(rules):
    """The request id of a method is a GUID in upper case."""

    class Guid(MethodRules):
        def request_id(self, count):
            acted()
            return f"6F9619FF-8B86-D011-B42D-{count:012X}"

    replaced(rules, "methods", Guid)
