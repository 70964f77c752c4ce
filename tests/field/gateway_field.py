"""A hub as the protocol gateway and EdgeHub are, from which today's hub descends: inferred, never proof."""

from latitude import acted, right, wrapped

from iothub_emulator.hub.device_requests import DeviceRequests
from iothub_emulator.hub.session import Session

UNACCEPTABLE = 3


def taken_first(publish):
    def published(self, packet, sender, now):
        if packet.qos <= 1:
            return publish(self, packet, sender, now)
        acted()
        taken = publish(self, type(packet)(packet.topic, packet.payload), sender, now)
        return [*taken, *self._fail("d2c.qos2", now)]

    return published


def marked(_right):
    def properties(*, dup):
        if dup:
            acted()
        return {"mqtt-dup": "true"} if dup else {}

    return properties


def in_silence(twin):
    def carried_out(self, request, packet, now):
        if request.operation == "get" or request.request_id:
            return twin(self, request, packet, now)
        acted()
        numbered = type(request)("patch", "nobody-asks", request.version)
        twin(self, numbered, packet, now)
        return self._acknowledgement(packet)

    return carried_out


def by_reason(code_of):
    def code(reason):
        is_form = reason.startswith(("connect.empty-client-id", "connect.username-mismatch"))
        return UNACCEPTABLE if is_form else code_of(reason)

    return code


@right(
    "hub facts 5, QoS 2: the gateway takes the message first, then closes",
    "hub facts 5, DUP: the gateway adds mqtt-dup",
    "hub facts 7, missing $rid: EdgeHub closes on a GET, and carries a PATCH out in silence",
    "hub facts 1: code 3 for an empty ClientId and a malformed Username",
    base="emulator",
)
def hub_like_the_gateway(rules):
    """What is wrong is taken first and closes then; a message that was sent again says so."""
    wrapped(Session, "_publish", taken_first)
    wrapped(rules.publish, "duplicate_properties", marked)
    wrapped(DeviceRequests, "_twin", in_silence)
    wrapped(rules.connect, "refusal_code", by_reason)
