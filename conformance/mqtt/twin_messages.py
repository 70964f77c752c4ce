"""What a hub says about a twin: answers to requests, and changes of desired properties, as they came.

Document: #retrieving-a-device-twins-properties and the two sections behind it. Topics are the same for
devices and modules.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote

from conformance.errors import Violation
from conformance.mqtt.own_member import OwnMember

# What a hub may send on the two filters; a request id may hold "&", so the version is looked for at the end.
_ANSWER: Final = re.compile(
    r"\$iothub/twin/res/(?P<status>[^/]*)/\?\$rid=(?P<rid>.*?)(&\$version=(?P<version>[^&]*))?", re.DOTALL
)
_CHANGE: Final = re.compile(r"\$iothub/twin/PATCH/properties/desired/\?\$version=(?P<version>.*)", re.DOTALL)

_NOT_JSON: Final = object()


@dataclass(frozen=True)
class TwinMessage:
    """A message about a twin, as it came. What cannot be read in it raises Violation when it is asked for.

    `document` is the body as JSON; members that begin with ``$`` are the hub's own.
    """

    topic: str
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body, which is a JSON object."""
        document = self._json()
        if not isinstance(document, dict):
            raise self._unreadable("a body that is a JSON object", self.body_in_words, repr(self.body))
        return document

    @property
    def body_in_words(self) -> str:
        """What the body is: "empty", "not JSON", "JSON object with a, b", "JSON, no object"."""
        if not self.body:
            return "empty"
        document = self._json()
        if document is _NOT_JSON:
            return "not JSON"
        if not isinstance(document, dict):
            return "JSON, no object"
        return f"JSON object with {', '.join(sorted(document)) or 'no member'}"

    def _json(self) -> object:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return _NOT_JSON

    def _unreadable(self, expected: str, observed: str, actual: str) -> Violation:
        return Violation(
            f"expected {expected}; got {actual} on {self.topic}",
            observed=observed,
            expected=expected,
            actual=actual,
        )

    def _field(self, form: "re.Pattern[str]", name: str) -> str | None:
        found = form.fullmatch(self.topic)
        if found is None:
            raise self._unreadable("a topic as documented", "undocumented topic", self.topic)
        return found[name]

    def _number(self, form: "re.Pattern[str]", name: str) -> int:
        text = self._field(form, name)
        if text is None or re.fullmatch(r"-?[0-9]+", text) is None:
            raise self._unreadable(
                f"a whole number for {name} in the topic", f"{name} {text or 'absent'}", str(text)
            )
        return int(text)


@dataclass(frozen=True)
class TwinAnswer(TwinMessage):
    """What the hub answers to a GET or a PATCH.

    Of a ready-made device both sections are what stands in the run's `own_member`, each with its version.
    """

    own_member: OwnMember | None = None

    @property
    def status(self) -> int:
        """The status in the topic."""
        return self._number(_ANSWER, "status")

    @property
    def outcome(self) -> str:
        """The status as a word: "status 204"."""
        return f"status {self._field(_ANSWER, 'status')}"

    @property
    def is_throttled(self) -> bool:
        """Whether the hub has too much to do at the moment."""
        found = _ANSWER.fullmatch(self.topic)
        return found is not None and found["status"] == "429"

    @property
    def outcome_with_body(self) -> str:
        """The status, and whether there is a body: "status 200 with body", "status 204 without body"."""
        return f"{self.outcome} {'with' if self.body else 'without'} body"

    @property
    def request_id(self) -> str:
        """The request id in the topic, as written there."""
        return self._field(_ANSWER, "rid") or ""

    @property
    def id_in_topic(self) -> str | None:
        """The request id, or None where the topic is not as documented."""
        return self.request_id if _ANSWER.fullmatch(self.topic) else None

    @property
    def version(self) -> int:
        """The `$version` in the topic; Violation where there is none."""
        return self._number(_ANSWER, "version")

    def is_older_than(self, desired_version: int) -> bool:
        """Tell whether the desired properties have an older version than this one."""
        version = self.desired.get("$version")
        return isinstance(version, int) and version < desired_version

    @property
    def desired(self) -> dict[str, Any]:
        """The desired properties and their ``$version``."""
        return self._section("desired")

    @property
    def reported(self) -> dict[str, Any]:
        """The reported properties and their ``$version``."""
        return self._section("reported")

    @property
    def reported_members(self) -> dict[str, Any]:
        """The reported properties alone, for tests that are not about their version."""
        return {name: value for name, value in self.reported.items() if name != "$version"}

    @property
    def properties(self) -> dict[str, dict[str, Any]]:
        """Both sections, each with its version; not that of what others desire of a ready-made device."""
        desired = self.desired
        if self.own_member is not None:
            desired.pop("$version", None)
        return {"desired": desired, "reported": self.reported}

    @property
    def reported_in_words(self) -> str:
        """The reported properties and their version, which of a ready-made device is told as "first+1"."""
        shown = self.reported
        if self.own_member is not None and "$version" in shown:
            shown["$version"] = self.own_member.in_words(shown["$version"])
        return str(shown)

    @property
    def version_in_words(self) -> str:
        """The version in the topic of an answer to a patch, told likewise."""
        return str(self.version) if self.own_member is None else self.own_member.in_words(self.version)

    @property
    def reported_version_in_words(self) -> str:
        """The version of the reported properties, told likewise."""
        version = self.reported.get("$version")
        return str(version) if self.own_member is None else self.own_member.in_words(version)

    def path(self, section: str) -> tuple[str, ...]:
        """Return under which names of the body the members of a section are: of those that a case may see."""
        return (section,) if self.own_member is None else (section, self.own_member.name)

    @property
    def members_of_the_hub(self) -> list[str]:
        """The names in both sections that begin with ``$``, at any depth, as "desired.$version"."""
        sections = ((name, self.document.get(name)) for name in ("desired", "reported"))
        return [f"{name}.{member}" for name, section in sections for member in _own_names(section)]

    def expect_status(self, lowest: int, highest: int) -> None:
        """Require a status of this range, its ends included."""
        if not lowest <= self.status <= highest:
            expected = f"a status from {lowest} to {highest}"
            raise self._unreadable(expected, self.outcome, f"{self.status} {self.body!r}")

    def echo_of(self, request_id: str) -> str:
        """Tell how the request id came back: "verbatim", "decoded", "encoded", or what came instead."""
        forms = {
            request_id: "verbatim",
            unquote(request_id): "decoded",
            quote(request_id, safe=""): "encoded",
        }
        return forms.get(self.request_id) or f"as {self.request_id!r}"

    def _section(self, name: str) -> dict[str, Any]:
        """Return a section without the hub's own members but its version: they are twin.get-members."""
        section = self.document.get(name)
        if not isinstance(section, dict):
            raise self._unreadable(f"{name} in the body", f"no {name}", self.body_in_words)
        if self.own_member is not None:
            section = self.own_member.below(section)
        return {key: value for key, value in section.items() if key == "$version" or not key.startswith("$")}


class TwinChange(TwinMessage):
    """What the hub tells unasked about desired properties."""

    @property
    def version(self) -> int:
        """The `$version` in the topic."""
        return self._number(_CHANGE, "version")

    @property
    def members(self) -> dict[str, Any]:
        """What the update did, without the hub's own members."""
        return {key: value for key, value in self.document.items() if not key.startswith("$")}

    def tells_of(self, path: str) -> str:
        """Say how it tells of a member, ``a`` or ``a.b``: "null", "absent", or "a value"."""
        told: object = self.members
        for name in path.split("."):
            if not isinstance(told, dict) or name not in told:
                return "null" if told is None else "absent"
            told = told[name]
        return "null" if told is None else "a value"


def _own_names(value: object) -> list[str]:
    if not isinstance(value, dict):
        return []
    return [
        name
        for key, inner in value.items()
        for name in ([key] if key.startswith("$") else [f"{key}.{own}" for own in _own_names(inner)])
    ]
