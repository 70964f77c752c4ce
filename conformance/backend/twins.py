"""Twins of devices and modules, as the back end reads and changes them.

Source: Microsoft, "Understand and use device twins in IoT Hub", and its REST interface (`/twins/{id}`,
`/twins/{id}/modules/{module}`).
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from conformance.backend.addresses import Addressee, segments_of
from conformance.backend.rest import TELLING, Answer, RestClient, as_written
from conformance.errors import CredentialsRefused, ServiceError, Violation

_ANY: Final = "*"
_OK: Final = 200
# 403 may be a limit that is reached, which is an answer, or a right that is missing.
_ANSWERING: Final = TELLING | {403}


@dataclass(frozen=True, kw_only=True)
class Section:
    """The desired or the reported properties: `values` without the hub's own ``$`` members, and `version`."""

    values: Mapping[str, Any]
    version: int
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """When each member was last changed, as the hub has it: ``$lastUpdated``, ``$lastUpdatedVersion``."""

    def last_changed(self) -> dict[str, float]:
        """Return when each member was changed, unix seconds, by its path: "" for all, "a.b" for one inside.

        Raises Violation where a time is none, ISO 8601 in UTC.
        """
        return {path: _time(path, stamp.get("$lastUpdated")) for path, stamp in _stamps(self.metadata)}

    def changed_by(self) -> dict[str, Any]:
        """Return which version changed each member, by its path."""
        return {path: stamp.get("$lastUpdatedVersion") for path, stamp in _stamps(self.metadata)}


@dataclass(frozen=True, kw_only=True)
class Twin:
    """A twin at one moment. `etag` is without quotes; `version` counts changes of the whole twin."""

    device_id: str
    module_id: str | None
    etag: str
    version: int
    desired: Section
    reported: Section
    tags: Mapping[str, Any]
    connection_state: str | None
    pending_messages: int | None = None
    """Messages that wait for the device, as the hub counts them."""
    model_id: str | None = None
    """The model that the device announced; empty or None: none."""
    document: bytes = field(default=b"", compare=False, repr=False)
    """The whole answer of the hub, as it came."""

    def shows(self, *names: str) -> dict[str, Any]:
        """Return these members of the document by name; one that is not there is ``(absent)``."""
        members = self.members()
        return {name: members.get(name, "(absent)") for name in names}

    def whole(self) -> dict[str, Any]:
        """Return ids, etag, version, properties and tags, as an event shows a whole twin."""
        names = ("deviceId", "moduleId", "etag", "version", "tags", "properties")
        members = self.members()
        return {name: members[name] for name in names if members.get(name)}

    def members(self) -> dict[str, Any]:
        """Return the whole document."""
        found: dict[str, Any] = json.loads(self.document)
        return found


class Twins:
    """Reads and changes twins. A device is given by itself or by its name, a module as ``{device}/{module}``.

    Each method returns the twin as the hub describes it afterwards, and raises ServiceError where the hub
    does not do as asked. `etag`, as a twin shows it, makes a change depend on nothing else having changed.
    """

    def __init__(self, client: RestClient) -> None:
        self._client = client

    def get(self, of: Addressee) -> Twin:
        """Return the twin."""
        return _twin(self._client.call("GET", "twins", *segments_of(of), open_book=True))

    def patch(
        self,
        of: Addressee,
        *,
        desired: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        etag: str | None = None,
    ) -> Twin:
        """Merge into desired properties and tags; a value of None removes a member."""
        return _twin(self._change("PATCH", of, desired, tags, etag, accept=(200,)))

    def patch_as_written(
        self, of: Addressee, *, desired: bytes | None = None, tags: bytes | None = None
    ) -> Twin:
        """Merge JSON objects, sent as they are written; raises Violation where the hub does not take them."""
        members: dict[str, object] = {}
        if desired is not None:
            members["properties"] = as_written({"desired": desired})
        if tags is not None:
            members["tags"] = tags
        answer = self._client.call(
            *("PATCH", "twins", *segments_of(of)),
            body=as_written(members),
            if_match=_ANY,
            accept=TELLING,
            open_book=True,
        )
        if answer.status != _OK:
            raise Violation(
                f"{answer.what}: {answer.error}",
                observed=str(answer.status),
                expected="an update of the twin that the hub takes",
                actual=answer.error,
            )
        return _twin(answer)

    def replace(
        self,
        of: Addressee,
        *,
        desired: Mapping[str, Any],
        tags: Mapping[str, Any] | None = None,
        etag: str | None = None,
    ) -> Twin:
        """Put these in place of all desired properties and all tags there were."""
        return _twin(self._change("PUT", of, desired, tags or {}, etag, accept=(200,)))

    def attempt_to_patch(
        self,
        of: Addressee,
        *,
        desired: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        etag: str | None = None,
    ) -> str:
        """Try to merge, and return the status: "200", "400", "403" of a limit, "412"; never 401 or 429."""
        return str(self._change("PATCH", of, desired, tags, etag, accept=_ANSWERING).status)

    def attempt_to_replace(
        self, of: Addressee, *, desired: Mapping[str, Any], tags: Mapping[str, Any], etag: str | None = None
    ) -> str:
        """Try to put these in place of all there were; return the status, as `attempt_to_patch` does."""
        return str(self._change("PUT", of, desired, tags, etag, accept=_ANSWERING).status)

    def attempt_to_get(self, of: Addressee) -> str:
        """Try to read a twin, and return the status."""
        return str(self._client.call("GET", "twins", *segments_of(of), accept=TELLING).status)

    def attempt_to_clear(self, of: Addressee, section: Literal["desired", "tags"]) -> str:
        """Try to merge null in place of a whole section; return the status, as `attempt_to_patch` does."""
        body = {"properties": {"desired": None}} if section == "desired" else {"tags": None}
        answer = self._client.call(
            "PATCH", "twins", *segments_of(of), body=body, if_match=_ANY, accept=TELLING, open_book=True
        )
        return str(answer.status)

    def _change(
        self,
        method: str,
        of: Addressee,
        desired: Mapping[str, Any] | None,
        tags: Mapping[str, Any] | None,
        etag: str | None,
        *,
        accept: Collection[int],
    ) -> Answer:
        body: dict[str, Any] = {}
        if desired is not None:
            body["properties"] = {"desired": dict(desired)}
        if tags is not None:
            body["tags"] = dict(tags)
        condition = _ANY if etag is None else f'"{etag}"'
        answer = self._client.call(
            method, "twins", *segments_of(of), body=body, if_match=condition, accept=accept, open_book=True
        )
        if answer.says_no_right:
            raise CredentialsRefused(f"{answer.what}: {answer.error}. Check the rights of the policy.")
        return answer


def _twin(answer: Answer) -> Twin:
    document = answer.json
    try:
        properties = document["properties"]
        return Twin(
            device_id=document["deviceId"],
            module_id=document.get("moduleId") or None,
            etag=str(document["etag"]).strip('"'),
            version=document["version"],
            desired=_section(properties["desired"]),
            reported=_section(properties["reported"]),
            tags=document.get("tags") or {},
            connection_state=document.get("connectionState"),
            pending_messages=document.get("cloudToDeviceMessageCount"),
            model_id=document.get("modelId"),
            document=answer.body,
        )
    except (KeyError, TypeError, AttributeError):
        raise ServiceError(
            f"{answer.what}: the answer is not a twin with versions of desired and reported."
        ) from None


def _section(document: Mapping[str, Any]) -> Section:
    values = {name: value for name, value in document.items() if not name.startswith("$")}
    metadata = document.get("$metadata") or {}
    return Section(values=values, version=document["$version"], metadata=metadata)


def _stamps(metadata: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each object of the metadata, the outermost first, with the path of the member it is about."""
    yield path, metadata
    for name, inner in metadata.items():
        if not name.startswith("$") and isinstance(inner, Mapping):
            yield from _stamps(inner, f"{path}.{name}".lstrip("."))


def _time(path: str, text: object) -> float:
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError:
        when = datetime.min  # noqa: DTZ901 - stands for none
    if when.tzinfo is None:
        raise Violation(
            f"the metadata of '{path}' have {text!r} as $lastUpdated",
            observed="no time",
            expected="$lastUpdated in ISO 8601, in UTC",
            actual=repr(text),
        )
    return when.timestamp()
