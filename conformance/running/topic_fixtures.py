"""What tests of topic filters ask for: a device that tries some beside another one, and what they bring."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import pytest

from conformance.errors import Violation
from conformance.evidence.grammar import DesiredChange, Devicebound, MethodRequest, TwinAnswer, matches, parse
from conformance.evidence.packets import Publish
from conformance.running.fixtures import Stage

if TYPE_CHECKING:  # a run that only collects loads neither side of a hub
    from conformance.device import Connection, Device
    from conformance.service import Service
    from conformance.target.target import Target

MINE: Final = "mine"
THEIRS: Final = "theirs"
GRANTED: Final = frozenset({"suback 0", "suback 1"})

# What a hub tells a device or asks of it, by the topic that it comes on.
_KINDS: Final = {
    Devicebound: "message",
    TwinAnswer: "twin answer",
    DesiredChange: "desired change",
    MethodRequest: "method request",
}


class FilterTrial:
    """A session of `device` that tries filters, while another device is subscribed to all that is its own.

    Whatever is sent, changed, asked or called for this test says whose it is: "mine" or "theirs". Twins and
    methods take part where the profile claims them.
    """

    def __init__(
        self, device: "Device", other: "Connection", service: "Service", hub: "Target", stage: Stage
    ) -> None:
        self._device = device
        self._other = other
        self._service = service
        self._hub = hub
        self._stage = stage

    def messages(self, topic_filter: str, *, qos: int = 1) -> str:
        """Subscribe; a message is sent to the other device, then one to this: "suback 1; heard mine"."""
        connection = self._stage(self._device.connect)
        answer = connection.try_to_subscribe(topic_filter, qos=qos)
        self._send_to_both()
        return self._told(connection, answer)

    def messages_beside(self, topic_filter: str, documented: str) -> str:
        """Do the same with the documented filter subscribed to first, and unsubscribed from then."""
        connection = self._stage(self._device.connect)
        self._stage(connection.subscribe, documented, needs="c2d.subscribe")
        answer = connection.try_to_subscribe(topic_filter)
        self._stage(connection.unsubscribe, documented, needs="c2d.unsubscribe")
        self._send_to_both()
        return self._told(connection, answer)

    def messages_while_away(self, topic_filter: str) -> str:
        """Subscribe with CleanSession 0 and leave; a message is sent to each; return.

        A hub may want the filter repeated then: so it is where nothing comes without that.
        """
        earlier = self._stage(self._device.connect, clean_session=False)
        answer = earlier.try_to_subscribe(topic_filter)
        self._stage(earlier.disconnect)
        self._send_to_both()
        connection = self._stage(self._device.connect, clean_session=False)
        if answer in GRANTED and not _hears_mine(connection):
            connection.try_to_subscribe(topic_filter)
        return self._told(connection, answer)

    def messages_unsubscribed(self, topic_filter: str) -> str:
        """Subscribe and unsubscribe before a message is sent to each: "suback 1, unsuback; heard nothing"."""
        connection = self._stage(self._device.connect)
        answer = connection.try_to_subscribe(topic_filter)
        answer = f"{answer}, {connection.try_to_unsubscribe(topic_filter)}"
        self._send_to_both()
        return self._told(connection, answer)

    def deliveries(self, filters: Sequence[tuple[str, int]]) -> str:
        """Subscribe to these pairs of filter and QoS; a message is sent: "suback 0, suback 1; QoS 1"."""
        connection = self._stage(self._device.connect)
        answers = [connection.try_to_subscribe(each, qos=qos) for each, qos in filters]
        self._send_to_both()
        if not GRANTED.isdisjoint(answers):
            _hears_mine(connection)
        how = [f"QoS {each.qos}" for each in connection.heard_messages()]
        return f"{', '.join(answers)}; {' and '.join(how) or 'nothing'}"

    def answers(self, filters: Sequence[tuple[str, int]]) -> str:
        """Subscribe to these pairs of filter and QoS and ask for the twin: "suback 0, suback 1; QoS 0"."""
        connection = self._stage(self._device.connect)
        answers = [connection.try_to_subscribe(each, qos=qos) for each, qos in filters]
        connection.send(f"$iothub/twin/GET/?$rid={MINE}", qos=0)
        how = [f"QoS {each.qos}" for each in connection.heard_messages()]
        return f"{', '.join(answers)}; {' and '.join(how) or 'nothing'}"

    def everything(self, topic_filter: str) -> str:
        """Subscribe; all that a hub may send is brought about for the other device, then for this.

        Returns the answer to SUBSCRIBE and which kinds came: "suback 1; heard mine: message, twin answer", or
        "heard what is another's: …", or "heard what does not match: …".
        """
        connection = self._stage(self._device.connect)
        answer = connection.try_to_subscribe(topic_filter)
        self._bring_about(self._other, THEIRS)
        self._bring_about(connection, MINE)
        return f"{answer}; heard {brought(connection.heard_messages(), topic_filter)}"

    def _bring_about(self, connection: "Connection", whose: str) -> None:
        device, service = connection.device, self._service
        service.c2d.send(device, whose.encode())
        if "twin" in self._hub.capabilities:
            service.twins.patch(device, desired={"whose": whose})
            connection.send(f"$iothub/twin/GET/?$rid={whose}-get", qos=0)
            report = f'{{"whose": "{whose}"}}'.encode()
            connection.send(f"$iothub/twin/PATCH/properties/reported/?$rid={whose}-patch", report, qos=0)
        if "methods" in self._hub.capabilities:
            self._call(connection, whose)

    def _call(self, connection: "Connection", whose: str) -> None:
        """Call a method of this name, and answer what comes of it until the caller waits no longer."""
        from conformance.device.methods import MethodsClient  # noqa: PLC0415 - see above

        call = self._service.methods.begin(
            connection.device, whose, whose, response_timeout=self._hub.timing.get("method-timeout", 5.0)
        )
        MethodsClient(connection).answer_while(lambda: not call.is_over())

    def _send_to_both(self) -> None:
        self._service.c2d.send(self._other.device, THEIRS.encode())
        self._service.c2d.send(self._device, MINE.encode())

    def _told(self, connection: "Connection", answer: str) -> str:
        if answer in GRANTED:
            _hears_mine(connection)
        return f"{answer}; heard {in_words(connection.heard())}"


def in_words(payloads: Sequence[bytes]) -> str:
    """Return "mine, theirs" or the like, each once: a hub delivers at least once. Or "nothing"."""
    return ", ".join(payload.decode() for payload in dict.fromkeys(payloads)) or "nothing"


def _hears_mine(connection: "Connection") -> bool:
    """Wait for this device's own message, as long as a documented answer may take; tell whether it came."""
    try:
        connection.messages_until(MINE.encode())
    except Violation:
        return False
    return True


def brought(messages: Sequence[Publish], topic_filter: str) -> str:
    """Return whose the messages are, the worst first, and their kinds."""
    theirs = [each for each in messages if THEIRS.encode() in each.payload or THEIRS in each.topic]
    astray = [each for each in messages if not matches(topic_filter, each.topic)]
    for found, what in ((theirs, "what is another's"), (astray, "what does not match"), (messages, MINE)):
        if found:
            kinds = dict.fromkeys(_KINDS.get(type(parse(each.topic)), "undocumented topic") for each in found)
            return f"{what}: {', '.join(sorted(kinds))}"
    return "nothing"


@pytest.fixture
def trial(
    device: "Device", other_device: "Device", service: "Service", hub: "Target", stage: Stage
) -> FilterTrial:
    """Return what tries filters as `device`, beside `other_device` with subscriptions of its own."""
    other = stage(other_device.connect)
    documented = [other_device.topics.devicebound]
    if "twin" in hub.capabilities:
        documented += ["$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#"]
    if "methods" in hub.capabilities:
        documented.append("$iothub/methods/POST/#")
    stage(other.subscribe_all, [(each, 1) for each in documented], needs="c2d.subscribe")
    return FilterTrial(device, other, service, hub, stage)
