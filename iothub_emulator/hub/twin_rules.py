"""Each decision about a twin, one method each: topics, answers, changes, who is told of them.

Sources: the document's sections on twins; Microsoft, "Understand and use device twins in IoT Hub"
(format, metadata, optimistic concurrency); traces and SDKs where both are silent. What may be stored is in
`twin_limits.py`.
"""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from iothub_emulator.hub.json_text import Json, Object
from iothub_emulator.hub.refusals import invalid
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.twin_limits import Section, TwinLimits

ANSWERS_FILTER = "$iothub/twin/res/#"
ANY_ANSWER = "$iothub/twin/res/200/?$rid=1"
"""A topic that who wants answers has subscribed to."""
DESIRED_FILTER = "$iothub/twin/PATCH/properties/desired/#"

LONGEST_REQUEST_ID = 65_000
"""Bytes; a topic has up to 65535."""

_REQUEST = re.compile(r"\$iothub/twin/(GET|PATCH/properties/reported)/(?:\?(.*))?", re.DOTALL)
_VERSION = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TwinRequest:
    """What a device asks for: `get`, or `patch` of its reported properties."""

    operation: Literal["get", "patch"]
    request_id: str | None
    """As written, None where the topic has none."""
    version: str | None = None
    """The `$version` of the topic, as written: the patch is meant for that version alone."""


class TwinRules(TwinLimits):
    """Each decision about twins, their content included. The two statuses are those of an edition."""

    def __init__(self, get_status: int = 200, patch_status: int = 204) -> None:
        self._get_status = get_status
        self._patch_status = patch_status

    # Requests of the device

    def parse_request(self, topic: str) -> TwinRequest | None:
        """twin.get, twin.reported, topics.undocumented-name: None for a topic that is none of the twin's.

        unspecified: the first of repeated parameters counts; unknown ones are ignored.
        """
        found = _REQUEST.fullmatch(topic)
        if found is None:
            return None
        parameters: dict[str, str] = {}
        for pair in (found[2] or "").split("&"):
            name, _, value = pair.partition("=")
            parameters.setdefault(unquote(name), value)
        operation: Literal["get", "patch"] = "get" if found[1] == "GET" else "patch"
        return TwinRequest(operation, parameters.get("$rid"), parameters.get("$version"))

    def twin_of(self, identity_key: str) -> str:
        """twin.get-body, topics.cross-device-twin, module.twin: who asks is asked about its own twin."""
        return identity_key

    def serves(self, *, subscribed: bool) -> bool:
        """twin.not-subscribed: a request is carried out whether or not its answer will be heard."""
        return True

    def is_request_id(self, request_id: str | None) -> bool:
        """twin.request-id, twin.no-request-id: an absent or empty id is none.

        unspecified: nor is one with which an answer's topic might outgrow [MQTT-1.5.3-3].
        """
        return request_id is not None and 0 < len(request_id.encode()) <= LONGEST_REQUEST_ID

    def on_missing_request_id(self) -> Literal["close", "ignore", "refuse"]:
        """twin.no-request-id: the connection is closed.

        unspecified: it is what EdgeHub does for a GET, and how MQTT errors end elsewhere in the document.
        """
        return "close"

    def echoed(self, request_id: str) -> str:
        """twin.request-id, twin.request-id-forms: verbatim, percent escapes included."""
        return request_id

    def expected_version(self, text: str | None) -> int | None:
        """twin.stale-version: the version a patch is meant for; `Refused` if it is no number."""
        if text is None:
            return None
        if not _VERSION.fullmatch(text):
            raise invalid("$version in the topic is not a whole number.")
        return int(text)

    def accepts_version(self, expected: int | None, current: int) -> bool:
        """twin.current-version, twin.stale-version: none, or the current one."""
        return expected is None or expected == current

    def other_version(self) -> Refused:
        """twin.stale-version: 412, as the Java SDK's tests on real hubs expect it."""
        return Refused(ErrorCode.PreconditionFailed, "The reported properties have another version.")

    def check_without_api_version(self, request: TwinRequest) -> None:
        """twin.without-api-version: a patch gets 400 (andriyadi/AzureIoTHubMQTTClient pull request 5).

        unspecified: a GET is answered; no report speaks of one.
        """
        if request.operation == "patch":
            raise invalid("The Username of this connection has no api-version.")

    # Answers to the device

    def accepts_get_payload(self, payload: bytes) -> bool:
        """twin.get-payload: whatever it is, it is not looked into."""
        return True

    def get_status(self) -> int:
        """twin.get-status: per edition."""
        return self._get_status

    def patch_status(self) -> int:
        """twin.reported-status: per edition."""
        return self._patch_status

    def answer_topic(self, status: int, request_id: str, version: int | None) -> str:
        """twin.get, twin.reported, twin.reported-version, watch.twin-status: `version` after a patch only."""
        topic = f"$iothub/twin/res/{status}/?$rid={request_id}"
        return topic if version is None else f"{topic}&$version={version}"

    def answers(self, topic: str, payload: bytes) -> tuple[tuple[str, bytes], ...]:
        """twin.get, twin.reported: one message for one request."""
        return ((topic, payload),)

    def answer_recipients(self, asker: str, request_id: str) -> tuple[str, ...]:
        """topics.cross-device-twin: whose connection gets an answer; no other than the asker's."""
        return (asker,)

    def sends_answer(self, *, subscribed: bool) -> bool:
        """twin.not-subscribed: the request is carried out either way, the answer needs the subscription."""
        return subscribed

    def answer_qos(self, granted: int) -> int:
        """watch.qos: always 0 (azure-iot-sdk-csharp, branch previews/v2, MQTT transport handler)."""
        return 0

    def visible_to_device(self, desired: Object, reported: Object) -> Object:
        """twin.get-body, twin.get-fresh: both sections with `$version`, no tags, no metadata."""
        return {"desired": desired, "reported": reported}

    def visible_to_service(self, tags: Object, desired: Object, reported: Object) -> Object:
        """twin.reported-visible: all three sections; both kinds of properties with metadata and version."""
        return {"properties": {"desired": desired, "reported": reported}, "tags": tags}

    def model_id(self, announced: str) -> str:
        """twin.model-id: what the back end reads of it; empty where none was announced."""
        return announced

    # How a section changes

    def removes(self, value: Json) -> bool:
        """twin.reported-null, desired.null: null deletes a member."""
        return value is None

    def merged(self, before: Object, patch: Object) -> Object:
        """twin.reported-merge, twin.reported-null-more: deep merge, as RFC 7396 has it.

        An absent member may be deleted; an object left without members stays; nulls in new objects vanish.
        """
        after = dict(before)
        for name, value in patch.items():
            if self.removes(value):
                after.pop(name, None)
            elif isinstance(value, dict):
                inner = before.get(name)
                after[name] = self.merged(inner if isinstance(inner, dict) else {}, value)
            else:
                after[name] = value
        return after

    def replaced(self, before: Object, wanted: Object) -> Object:
        """twin.get-fresh, desired.replace: of what was there before, nothing is left."""
        return self.merged({}, wanted)

    def after_refusal(self, before: Object, patch: Json) -> Object:
        """twin.reserved-names and every other refusal: nothing of a refused patch is applied.

        `patch` is None where it could not be read.
        """
        return before

    def next_version(self, version: int) -> int:
        """twin.reported-version, desired.version: one more by each change, and each section on its own.

        A patch that repeats what is stored counts as a change (iotedge issue 1252).
        """
        return version + 1

    # The back end's side

    def matches(self, if_match: str | None, etag: str) -> bool:
        """Compare with `*` or the etag, each quoted or bare; a weak etag counts (RFC 7232 section 2.3)."""
        if if_match is None:
            return True
        candidates = (part.strip().removeprefix("W/").strip('"') for part in if_match.split(","))
        return any(candidate in {"*", etag} for candidate in candidates)

    def without_read_only(self, section: Object) -> Object:
        """Return a section from a back end without `$metadata` and `$version`.

        unspecified: SDKs send back whole twins that they read, so both are ignored there.
        """
        return {name: value for name, value in section.items() if name not in {"$metadata", "$version"}}

    def changes_section(self, patch: Object) -> bool:
        """desired.not-for-tags: an empty patch changes nothing, so SDKs may send one along with tags."""
        return bool(patch)

    def patch_of_null(self, section: Section, before: Object) -> Object | None:
        """desired.null-section, twin.tags-null: the patch that a whole section of null stands for.

        Each member goes (azure-iot-sdk-node, twin tests on real hubs; of tags azure-docs issue 32289 says
        otherwise). unspecified: `properties` of null counts as one that is not there.
        """
        return dict.fromkeys(before)

    def replacement_of_absent(self, before: Object) -> Object:
        """Return what a PUT without a section makes of it: nothing is left, as PUT replaces the whole.

        unspecified: the REST reference does not speak of a body with one section.
        """
        return {}

    # Notifications

    def notification(self, change: Object, version: int) -> Object:
        """desired.patch-only, desired.null, desired.version: what changed, nulls kept, and `$version`."""
        return change | {"$version": version}

    def notification_of_replacement(self, before: Object, after: Object, version: int) -> Object:
        """desired.replace, desired.replace-removed: the whole new section, and null for what is gone.

        Merged into what the device knows, it gives the new section (azure-iot-sdk-csharp issue 954).
        """
        return self.replacement(before, after) | {"$version": version}

    def replacement(self, before: Object, after: Object) -> Object:
        """desired.replace-removed: the patch that makes `before` into `after`, what stays included."""
        told: Object = {name: None for name in before if name not in after}
        for name, value in after.items():
            was = before.get(name)
            both = isinstance(was, dict) and isinstance(value, dict)
            told[name] = self.replacement(was, value) if both else value  # type: ignore[arg-type] # see both
        return told

    def notification_topic(self, version: int) -> str:
        """desired.notified, desired.version."""
        return f"$iothub/twin/PATCH/properties/desired/?$version={version}"

    def announces(self, section: Section) -> bool:
        """desired.not-for-tags, desired.not-for-reported: the device hears of desired properties alone."""
        return section == "properties.desired"

    def announces_replacement(self) -> bool:
        """desired.replace: a replacement is a change like any other."""
        return True

    def notification_of_refused(self, document: Json, version: int) -> Object | None:
        """desired.not-for-refused: nothing changed, so there is nothing to tell."""
        return None

    def sends_notification(self, *, connected: bool, subscribed: bool) -> bool:
        """desired.notified, desired.needs-subscription: who is there and has subscribed is told."""
        return connected and subscribed

    def keeps_notifications(self) -> bool:
        """desired.only-connected: what could not be sent at once is not sent later either."""
        return False

    def recipients(self, owner: str) -> tuple[str, ...]:
        """desired.own-only, topics.cross-device-twin: a change is told to the twin's own device or module."""
        return (owner,)

    # Throttling

    def throttled(self) -> Refused:
        """twin.throttled: 429, to the request's own id."""
        return Refused(ErrorCode.ThrottlingException, "Too many twin requests. Slow down and repeat.")
