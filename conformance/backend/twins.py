"""Twins of devices and modules, as the back end reads and changes them.

Source: Microsoft, "Understand and use device twins in IoT Hub", and its REST interface (`/twins/{id}`,
`/twins/{id}/modules/{module}`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from conformance.backend.addresses import Addressee, segments_of
from conformance.backend.rest import Answer, RestClient, as_written
from conformance.errors import ServiceError, Violation

_ANY: Final = "*"
_OK: Final = 200
# What says something of the change; the others say that we may not ask, or not now.
_TELLING: Final = (_OK, *(status for status in range(400, 500) if status not in {401, 403, 429}))


@dataclass(frozen=True, kw_only=True)
class Section:
    """The desired or the reported properties: `values` without the hub's own ``$`` members, and `version`."""

    values: Mapping[str, Any]
    version: int


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
    document: bytes = field(default=b"", compare=False, repr=False)
    """The whole answer of the hub, as it came."""


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
            accept=_TELLING,
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
        """Try to merge, and return the status: "200", "400", "412" and the like; never 401, 403 or 429."""
        return str(self._change("PATCH", of, desired, tags, etag, accept=_TELLING).status)

    def attempt_to_clear(self, of: Addressee, section: Literal["desired", "tags"]) -> str:
        """Try to merge null in place of a whole section; return the status, as `attempt_to_patch` does."""
        body = {"properties": {"desired": None}} if section == "desired" else {"tags": None}
        answer = self._client.call(
            "PATCH", "twins", *segments_of(of), body=body, if_match=_ANY, accept=_TELLING, open_book=True
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
        accept: tuple[int, ...],
    ) -> Answer:
        body: dict[str, Any] = {}
        if desired is not None:
            body["properties"] = {"desired": dict(desired)}
        if tags is not None:
            body["tags"] = dict(tags)
        condition = _ANY if etag is None else f'"{etag}"'
        return self._client.call(
            method, "twins", *segments_of(of), body=body, if_match=condition, accept=accept, open_book=True
        )


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
            document=answer.body,
        )
    except (KeyError, TypeError, AttributeError):
        raise ServiceError(
            f"{answer.what}: the answer is not a twin with versions of desired and reported."
        ) from None


def _section(document: Mapping[str, Any]) -> Section:
    values = {name: value for name, value in document.items() if not name.startswith("$")}
    return Section(values=values, version=document["$version"])
