"""Identities as documents: what the registry says of one, and what it makes of a change.

`registry` makes the devices of the cases; here a case asks what the registry itself answers, refusals
included. Source: Microsoft, "Understand the identity registry in your IoT hub", and the REST reference
(Devices, Modules, Bulk Registry, Statistics).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from conformance.backend.addresses import Addressee, segments_of
from conformance.backend.rest import TELLING, Answer, RestClient
from conformance.errors import ServiceError, Violation
from conformance.run.sleeping import pause
from conformance.target.credentials import Secret

ABSENT: Final = "(absent)"
ANY: Final = "*"
# What the registry says of a connection may lag behind: it is asked again after so many seconds.
AGAIN_AFTER: Final = 0.1

_FIRST_ERROR: Final = 400
_NAMES: Final = {
    "404001": "DeviceNotFound",
    "404010": "ModuleNotFound",
    "409001": "DeviceAlreadyExists",
    "412001": "PreconditionFailed",
}
# What the service writes for a time that has not come yet.
_NEVER: Final = 1


@dataclass(frozen=True)
class Reply:
    """What the registry answers: `members` of the identity, its keys as a `Secret`; none beside an error."""

    what: str
    status: int
    error: str
    members: Mapping[str, Any]

    @property
    def outcome(self) -> str:
        """The status, with the service's name for an error behind it: "204", "409 DeviceAlreadyExists"."""
        return f"{self.status} {self.error}".rstrip()

    @property
    def etag(self) -> str:
        """The identity's etag, without quotes."""
        return str(self["etag"]).strip('"')

    def __getitem__(self, name: str) -> Any:
        """Return a member; ``authentication.type`` is one inside another. Violation where it was refused."""
        if self.status >= _FIRST_ERROR:
            raise Violation(
                f"{self.what}: {self.outcome}",
                observed=str(self.status),
                expected="an identity",
                actual=self.outcome,
            )
        value: Any = self.members
        for part in name.split("."):
            if not isinstance(value, Mapping) or part not in value:
                return ABSENT
            value = value[part]
        return value

    def shows(self, *names: str) -> dict[str, Any]:
        """Return these members by name; others there may be."""
        return {name: self[name] for name in names}

    def time(self, name: str) -> float | None:
        """Return a member that is a time, in unix seconds, or None for the time that has not come yet.

        Raises Violation where it is not ISO 8601; without an offset it is UTC.
        """
        text = self[name]
        try:
            when = datetime.fromisoformat(text)
        except (TypeError, ValueError):
            raise Violation(
                f"{self.what}: {name} is {text!r}",
                observed="no time",
                expected=f"{name} in ISO 8601",
                actual=repr(text),
            ) from None
        if when.year == _NEVER:
            return None
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


@dataclass(frozen=True)
class BulkReply:
    """What came of many changes in one call; `failures` are the errors' names, by whose they are."""

    status: int
    is_successful: object
    failures: Mapping[str, str]


class Identities:
    """The registry by its documents. Who is meant is given by itself or by name, ``{device}/{module}``.

    Each method returns what was answered; only 401, 403 and a hub that does not answer raise.
    """

    def __init__(self, client: RestClient, *, sleep: Callable[[float], object] = pause) -> None:
        self._client = client
        self._pause = sleep

    def get(self, of: Addressee) -> Reply:
        """Read an identity."""
        return self._call("GET", of)

    def get_by_escaped_path(self, of: Addressee) -> Reply:
        """Read a device by a path whose slash is escaped, as Azure IoT Explorer writes it."""
        answer = self._client.call("GET", f"devices/{'/'.join(segments_of(of))}", accept=TELLING)
        return _reply(answer, answer.json if answer.status < _FIRST_ERROR else {})

    def await_member(self, of: Addressee, name: str, value: object, *, within: float) -> Any:
        """Read an identity until a member has this value, or for so many seconds; return what it has then."""
        return self._await(of, lambda reply: reply[name] == value, within)[name]

    def await_time(self, of: Addressee, name: str, *, within: float) -> float | None:
        """Read an identity until a member is a time that has come, or for so many seconds; return it."""
        return self._await(of, lambda reply: reply.time(name) is not None, within).time(name)

    def create(self, of: Addressee, **members: Any) -> Reply:
        """Make an identity with these members, none of them demanded."""
        return self._call("PUT", of, body=_document(of, members))

    def replace(self, of: Addressee, *, etag: str = ANY, **members: Any) -> Reply:
        """Put these members in place of what there was, if its etag is this one."""
        return self._call("PUT", of, body=_document(of, members), if_match=_quoted(etag))

    def delete(self, of: Addressee, *, etag: str = ANY) -> Reply:
        """Delete an identity, if its etag is this one."""
        return self._call("DELETE", of, if_match=_quoted(etag))

    def modules_of(self, device: Addressee) -> list[Reply]:
        """List the modules of a device."""
        answer = self._client.call("GET", "devices", *segments_of(device), "modules")
        return [_reply(answer, each) for each in _array(answer)]

    def first(self, top: int) -> list[Reply]:
        """List at most so many devices."""
        answer = self._client.call("GET", "devices", params={"top": top})
        return [_reply(answer, each) for each in _array(answer)]

    def count(self) -> dict[str, Any]:
        """Return how many devices there are, enabled and disabled."""
        found: dict[str, Any] = self._client.call("GET", "statistics", "devices").json
        return found

    def change_many(self, entries: Sequence[Mapping[str, Any]]) -> BulkReply:
        """Make changes in one call; each is a document with its `id` and `importMode`."""
        answer = self._client.call("POST", "devices", body=list(entries), accept=TELLING)
        result = answer.json
        errors = result.get("errors") if isinstance(result, dict) else None
        if not isinstance(errors, list):
            return BulkReply(answer.status, answer.name, {})
        failures = {_name_in(error): _error_in(error) for error in errors}
        return BulkReply(answer.status, result.get("isSuccessful"), failures)

    def _await(self, of: Addressee, is_so: Callable[["Reply"], bool], within: float) -> "Reply":
        end = time.monotonic() + within
        while not is_so(reply := self.get(of)) and time.monotonic() < end:
            self._pause(AGAIN_AFTER)
        return reply

    def _call(self, method: str, of: Addressee, *, body: object = None, if_match: str | None = None) -> Reply:
        answer = self._client.call(
            method, "devices", *segments_of(of), body=body, if_match=if_match, accept=TELLING
        )
        return _reply(answer, answer.json if answer.body and answer.status < _FIRST_ERROR else {})


def _document(of: Addressee, members: Mapping[str, Any]) -> dict[str, Any]:
    device_id, *rest = segments_of(of)
    ids = {"deviceId": device_id} | ({"moduleId": rest[-1]} if rest else {})
    return {**ids, **members}


def _quoted(etag: str) -> str:
    return etag if etag == ANY else f'"{etag}"'


def _array(answer: Answer) -> list[Any]:
    found = answer.json
    if not isinstance(found, list):
        raise ServiceError(f"{answer.what}: the answer is no JSON array.")
    return found


def _reply(answer: Answer, document: Any) -> Reply:
    return Reply(answer.what, answer.status, answer.name, _without_keys(document))


def _without_keys(document: Any) -> dict[str, Any]:
    """Return the members of an identity, so that no message can show a key."""
    members = dict(document) if isinstance(document, Mapping) else {}
    proof = members.get("authentication")
    keys = proof.get("symmetricKey") if isinstance(proof, Mapping) else None
    if isinstance(proof, Mapping) and isinstance(keys, Mapping):
        hidden = {name: Secret(key) if isinstance(key, str) and key else key for name, key in keys.items()}
        members["authentication"] = {**proof, "symmetricKey": hidden}
    return members


def _name_in(error: Mapping[str, Any]) -> str:
    device_id, module_id = error.get("deviceId"), error.get("moduleId")
    return str(device_id) if not module_id else f"{device_id}/{module_id}"


def _error_in(error: Mapping[str, Any]) -> str:
    """Return an error's name; the live service sends its number."""
    code = str(error.get("errorCode"))
    return _NAMES.get(code, code)
