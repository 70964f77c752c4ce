"""What the hub does about a twin request of a device: one value in, one answer out."""

from dataclasses import dataclass

from iothub_emulator.hub import json_text
from iothub_emulator.hub.json_text import Json, Object
from iothub_emulator.hub.refusals import error_body, invalid
from iothub_emulator.hub.service_errors import Refused
from iothub_emulator.hub.twin import Change, Twin, left_by_refusal, report
from iothub_emulator.hub.twin_rules import TwinRequest, TwinRules


@dataclass(frozen=True, slots=True)
class TwinAnswer:
    """The twin afterwards, and the message that answers the request."""

    change: Change
    topic: str
    payload: bytes

    @property
    def twin(self) -> Twin:
        """The twin afterwards; the one before if the request was refused."""
        return self.change.twin


def answer(
    request: TwinRequest,
    payload: bytes,
    twin: Twin,
    rules: TwinRules,
    *,
    now: float,
    tracking_id: str,
    throttled: bool = False,
    has_api_version: bool = True,
) -> TwinAnswer:
    """Carry out a request and answer it; never raises.

    The caller has settled what a missing request id leads to (`TwinRules.on_missing_request_id`); an answer
    for one has an empty id. `now` is unix seconds, `tracking_id` opaque text for the body of an error.
    """
    request_id = rules.echoed(request.request_id or "")
    patch: Json = None
    try:
        if throttled:
            raise rules.throttled()
        if not has_api_version:
            rules.check_without_api_version(request)
        if request.operation == "get":
            if not rules.accepts_get_payload(payload):
                raise invalid("The body of a GET is empty.")
            topic = rules.answer_topic(rules.get_status(), request_id, None)
            return TwinAnswer(Change(twin), topic, json_text.dump(twin.for_device(rules)))
        expected = rules.expected_version(request.version)
        patch = rules.read_patch(payload)
        change = report(twin, patch, expected, rules, now)
    except Refused as refused:
        topic = rules.answer_topic(refused.code.status, request_id, None)
        body = json_text.dump(error_body(refused, now, tracking_id))
        return TwinAnswer(Change(left_by_refusal(twin, patch, rules)), topic, body)
    version = change.twin.reported.version
    return TwinAnswer(change, rules.answer_topic(rules.patch_status(), request_id, version), b"")


def notify(notification: Object, rules: TwinRules) -> tuple[str, bytes]:
    """Return topic and body of a notification; its version is the one inside."""
    version = notification["$version"]
    if not isinstance(version, int):
        raise TypeError("a notification bears the version that its rule was given")
    return rules.notification_topic(version), json_text.dump(notification)
