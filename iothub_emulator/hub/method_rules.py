"""Each decision about direct methods, one method each.

Sources: the document's section on them; Microsoft, "Understand and invoke direct methods from IoT Hub";
traces and SDK tests where both are silent.
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from iothub_emulator.hub import json_text
from iothub_emulator.hub.json_text import Json, Object
from iothub_emulator.hub.refusals import invalid
from iothub_emulator.hub.service_errors import ErrorCode, Refused

REQUESTS_FILTER = "$iothub/methods/POST/#"

LONGEST_TIMEOUT = 300.0
LONGEST_PAYLOAD = 131_072

METHOD_NAME = re.compile(r"[!%&'*\-.0-9A-Z^_`a-z|~]{1,256}", re.ASCII)
"""What a method may be called: printable US-ASCII that a level of a topic can hold.

methods.component, methods.names: the page on direct methods excludes some marks, a star not; `#` and `+` no
topic holds [MQTT-3.3.2-2].
"""
_RESPONSE = re.compile(r"\$iothub/methods/res/([^/]*)/(?:\?(.*))?", re.DOTALL)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_SMALLEST_STATUS, _LARGEST_STATUS = -(2**31), 2**31 - 1


@dataclass(frozen=True, slots=True)
class MethodCall:
    """What a back end asks for. Timeouts are seconds."""

    name: str
    payload: bytes
    """The body of the request: JSON, or empty."""
    response_timeout: float
    connect_timeout: float


@dataclass(frozen=True, slots=True)
class MethodResponse:
    """What a device answers, as its topic says."""

    status: str
    request_id: str | None
    """None where the topic has none."""


@dataclass(frozen=True, slots=True)
class MethodResult:
    """What the caller of a method gets to see."""

    status: int
    payload: bytes
    """As the device sent it."""


class MethodRules:
    """Each decision about direct methods. `shortest_timeout` is seconds; 5 on a real hub."""

    def __init__(self, shortest_timeout: float = 5.0) -> None:
        self.shortest_timeout = shortest_timeout

    # The call

    def read_call(self, document: Json) -> MethodCall:
        """methods.request: return the body of the REST call as a call, or raise `Refused`."""
        if not isinstance(document, dict):
            raise invalid("The body is not a JSON object.")
        name = document.get("methodName")
        if not isinstance(name, str) or not self.accepts_name(name):
            raise invalid("methodName is missing, or not a name of printable US-ASCII characters.")
        payload = self.request_body(document)
        if not self.accepts_payload(len(payload)):
            raise Refused(ErrorCode.MessageTooLarge, f"The payload is larger than {LONGEST_PAYLOAD} bytes.")
        return MethodCall(
            name,
            payload,
            self._seconds(document, "responseTimeoutInSeconds", 30.0, self.shortest_timeout),
            self._seconds(document, "connectTimeoutInSeconds", 0.0, 0.0),
        )

    def accepts_name(self, name: str) -> bool:
        """methods.request: printable US-ASCII without separators, as Microsoft's page lists them.

        `+` and `#` cannot be in a topic name [MQTT-3.3.2-2]. unspecified: the longest name.
        """
        return METHOD_NAME.fullmatch(name) is not None

    def accepts_payload(self, size: int) -> bool:
        """methods.request-body, methods.response-body: up to 128 KB, both ways."""
        return size <= LONGEST_PAYLOAD

    def accepts_timeout(self, seconds: float, shortest: float) -> bool:
        """methods.timeout: within the documented range. unspecified: how others are answered; 400 here."""
        return shortest <= seconds <= LONGEST_TIMEOUT

    def request_body(self, document: Object) -> bytes:
        """methods.request-body, methods.request-empty, methods.request-null: the payload as JSON, if any.

        A call without one has an empty body (azure-iot-sdk-c pull request 2097), one of null has null, as
        tests of Microsoft's SDKs on real hubs expect it (azure-iot-sdk-java issue 327); one remark says that
        the latter is empty too (azure-iot-cli-extension issue 309).
        """
        return json_text.dump(document["payload"]) if "payload" in document else b""

    def _seconds(self, document: Object, name: str, default: float, shortest: float) -> float:
        value = document.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise invalid(f"{name} is not a number.")
        # In this order: a whole number beyond all floats is outside the range, and cannot be asked the other.
        if not self.accepts_timeout(value, shortest) or not math.isfinite(value):
            raise invalid(f"{name} is not between {shortest:g} and {LONGEST_TIMEOUT:g} seconds.")
        return float(value)

    # The request to the device

    def is_reachable(self, *, connected: bool, subscribed: bool) -> bool:
        """methods.offline, methods.not-subscribed: a method needs a connected device that subscribed."""
        return connected and subscribed

    def recipients(self, owner: str) -> tuple[str, ...]:
        """module.methods, topics.cross-device: the device or module that was called, and no other."""
        return (owner,)

    def request_id(self, count: int) -> str:
        """methods.request, methods.request-ids-differ: a counter from 1 in lower-case hexadecimal.

        As seen in nanoFramework.Azure.Devices PR 61 and sdk-nrf PR 3358.
        """
        return f"{count:x}"

    def request_topic(self, name: str, request_id: str) -> str:
        """methods.request, watch.topics: name and request id."""
        return f"$iothub/methods/POST/{name}/?$rid={request_id}"

    def request_qos(self, granted: int) -> int:
        """watch.qos: always 0 (Microsoft's page)."""
        return 0

    def keeps_for_later(self) -> bool:
        """methods.not-queued: a call that ended unsent is not delivered when the device comes."""
        return False

    # The response

    def parse_response(self, topic: str) -> MethodResponse | None:
        """methods.response, topics.undocumented-name: None for a topic that is no response."""
        found = _RESPONSE.fullmatch(topic)
        if found is None:
            return None
        parameters: dict[str, str] = {}
        for pair in (found[2] or "").split("&"):
            name, _, value = pair.partition("=")
            parameters.setdefault(unquote(name), value)
        return MethodResponse(found[1], parameters.get("$rid") or None)

    def answered_call(self, request_id: str | None, pending: Collection[str]) -> str | None:
        """methods.request-id, methods.concurrent, methods.late-answer: the call with that id.

        methods.request-id-forms: its letters in either case, as nanoFramework.Azure.Devices writes them in
        capitals. None: nobody waits for it (wrong, late, without an id): it is ignored (sdk-nrf PR 3358).
        """
        wanted = (request_id or "").lower()
        return next((each for each in pending if each.lower() == wanted), None)

    def on_unwanted_response(self) -> Literal["ignore", "close"]:
        """methods.late-answer: what nobody waits for leaves the connection as it is."""
        return "ignore"

    def status(self, text: str) -> int | None:
        """methods.status, methods.status-unusual: a 32-bit integer; None for anything else."""
        if not _INTEGER.fullmatch(text):
            return None
        number = int(text)
        return number if _SMALLEST_STATUS <= number <= _LARGEST_STATUS else None

    def on_bad_status(self) -> Literal["status 400", "ignore", "close"]:
        """methods.status-integer: the call ends with status 400 and no payload.

        inferred: EdgeHub's DeviceMessageHandler; of the hub it is unknown.
        """
        return "status 400"

    def on_large_response(self) -> Literal["ignore", "close"]:
        """methods.response-body: more than 128 KB ends the connection, as errors do in the document.

        unspecified: what a hub does with it.
        """
        return "close"

    # What the caller gets

    def result_document(self, result: MethodResult) -> bytes:
        """methods.response, methods.response-body: status and payload, the latter as the device wrote it."""
        return b'{"status":%d,"payload":%b}' % (result.status, self.rendered(result.payload))

    def rendered(self, payload: bytes) -> bytes:
        """methods.empty-response, methods.invalid-json: an empty body is null, all others go in as they are.

        A body that is not JSON makes the answer none either: so it was seen (azure-iot-sdk-node issue 736).
        Of the empty one reports are old; SDKs send null themselves.
        """
        return payload or b"null"

    def not_online(self, waited: float) -> Refused:
        """methods.offline: 404103 after `waited` seconds of waiting for a device to connect.

        The words are those of a hub (iotedge issue 98, azure-iot-cli-extension issue 54).
        """
        minutes, seconds = divmod(int(waited), 60)
        return Refused(
            ErrorCode.DeviceNotOnline,
            "Timed out waiting for device to connect.",
            {"timeout": f"00:{minutes:02}:{seconds:02}"},
        )

    def not_subscribed(self, waited: float) -> Refused:
        """methods.not-subscribed: the same error, in other words where the device is connected.

        andriyadi/AzureIoTHubMQTTClient issue 14.
        """
        away = self.not_online(waited)
        return Refused(away.code, "Timed out waiting for device to subscribe.", away.info)

    def nobody(self, refused: Refused) -> Refused:
        """methods.unknown-device: DeviceNotFound or ModuleNotFound, as everywhere in the service."""
        return refused

    def timed_out(self) -> Refused:
        """methods.timeout, methods.request-id: 504101, in a hub's words (azure-iot-sdk-java issue 640)."""
        return Refused(ErrorCode.GatewayTimeout, "Timed out waiting for the response from device.", {})

    def on_connection_lost(self) -> Literal["wait", "fail"]:
        """methods.timeout: a call whose connection is gone ends when its time is over.

        unspecified: nothing says that a hub answers earlier.
        """
        return "wait"
