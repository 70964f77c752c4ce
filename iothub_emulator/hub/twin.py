"""A twin: tags, desired and reported properties of one device or module, and how they change.

A twin is a value. A change returns a new one or raises `Refused` and leaves the old one as it was; nothing of
a refused change is ever stored. Every decision is a method of `TwinRules`. Objects inside a twin are shared
between its versions and must not be altered. JSON values come from `json_text.parse`, which refuses what
could not be handed on.
"""

import base64
import dataclasses
import enum
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from iothub_emulator.hub.json_text import Json, Object
from iothub_emulator.hub.refusals import invalid, iso
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.twin_limits import Section
from iothub_emulator.hub.twin_rules import TwinRules


class _Named(enum.Enum):
    """What a document says of a section, where it gives no members."""

    NULL = enum.auto()


_Given: TypeAlias = Object | Literal[_Named.NULL] | None
"""A section of a document: its members, null, or (None) not there."""


@dataclass(frozen=True, slots=True)
class Properties:
    """The desired or the reported properties."""

    values: Object = field(default_factory=dict)
    metadata: Object = field(default_factory=dict)
    """The same tree with `$lastUpdated` (and, of desired ones, `$lastUpdatedVersion`) at every level."""
    version: int = 1

    def for_device(self) -> Object:
        """Return the properties with their version."""
        return self.values | {"$version": self.version}

    def for_service(self) -> Object:
        """Return the properties with metadata and version."""
        return self.values | {"$metadata": self.metadata, "$version": self.version}


@dataclass(frozen=True, slots=True)
class Twin:
    """One twin; `new_twin` makes the first of an identity."""

    desired: Properties
    reported: Properties
    tags: Object = field(default_factory=dict)
    revision: int = 1
    """One more by each change that the back end makes."""

    @property
    def version(self) -> int:
        """The twin's own version: rises by each change of either side, as twins in traces do."""
        return self.revision + self.reported.version

    @property
    def etag(self) -> str:
        """The etag, without quotes: the count of the back end's changes in eight bytes, base64.

        Reports of a device leave it, as twins in traces show: a back end's If-Match does not fail by them.
        """
        return base64.b64encode(self.revision.to_bytes(8, "big")).decode()

    def for_device(self, rules: TwinRules) -> Object:
        """twin.get-body: return what the device gets to see."""
        return rules.visible_to_device(self.desired.for_device(), self.reported.for_device())


@dataclass(frozen=True, slots=True)
class Change:
    """A twin after a change, and what its device is to be told of it unasked; None: nothing."""

    twin: Twin
    notification: Object | None = None
    patched: Object = field(default_factory=dict)
    """By section, `tags`, `desired` or `reported`, the patch that was merged; of a replacement none."""


def new_twin(now: float) -> Twin:
    """Return the twin of a new identity: empty, both versions 1; `now` is unix seconds."""
    return Twin(Properties(metadata=_stamp(now)), Properties(metadata=_stamp(now)))


# The device's side


def report(twin: Twin, patch: Json, expected_version: int | None, rules: TwinRules, now: float) -> Change:
    """Apply a patch of the reported properties, or raise `Refused`.

    `expected_version`: the version that the patch is meant for, None for any.
    """
    wanted = _checked(patch, "properties.reported", rules)
    before = twin.reported
    if not rules.accepts_version(expected_version, before.version):
        raise rules.other_version()
    version = rules.next_version(before.version)
    after = Properties(
        _grown("properties.reported", before.values, rules.merged(before.values, wanted), rules),
        _merged_metadata(before.metadata, wanted, _stamp(now), rules),
        version,
    )
    notification = _told("properties.reported", rules.notification(wanted, version), rules)
    return Change(dataclasses.replace(twin, reported=after), notification, {"reported": wanted})


def left_by_refusal(twin: Twin, patch: Json, rules: TwinRules) -> Twin:
    """Return the twin after a patch was refused: the same. `patch` is None where it could not be read."""
    before = twin.reported.values
    after = rules.after_refusal(before, patch)
    if after is before:
        return twin
    return dataclasses.replace(twin, reported=dataclasses.replace(twin.reported, values=after))


# The back end's side


def patch_twin(twin: Twin, document: Json, if_match: str | None, rules: TwinRules, now: float) -> Change:
    """Merge the `tags` and `properties.desired` of a document (REST PATCH), or raise `Refused`.

    Everything else in it is ignored, so a twin that was read may be sent back changed.
    """
    tags_patch, desired_patch = _sections(document, rules)
    _check_etag(twin, if_match, rules)
    tags, desired, notification = twin.tags, twin.desired, None
    patched: Object = {}
    if tags_patch is _Named.NULL:
        tags_patch = rules.patch_of_null("tags", tags)
    if desired_patch is _Named.NULL:
        desired_patch = rules.patch_of_null("properties.desired", desired.values)
    if tags_patch is not None:
        patched["tags"] = tags_patch
        tags = _grown("tags", tags, rules.merged(tags, tags_patch), rules)
    if desired_patch is not None and rules.changes_section(desired_patch):
        version = rules.next_version(desired.version)
        patched["desired"] = desired_patch
        desired = Properties(
            _grown("properties.desired", desired.values, rules.merged(desired.values, desired_patch), rules),
            _merged_metadata(desired.metadata, desired_patch, _stamp(now, version), rules),
            version,
        )
        notification = _told("properties.desired", rules.notification(desired_patch, version), rules)
    elif tags_patch:
        notification = _told("tags", rules.notification({}, desired.version), rules)
    return dataclasses.replace(_changed(twin, tags, desired, notification), patched=patched)


def replace_twin(twin: Twin, document: Json, if_match: str | None, rules: TwinRules, now: float) -> Change:
    """Replace tags and desired properties by those of a document (REST PUT), or raise `Refused`."""
    tags_wanted, desired_wanted = _sections(document, rules)
    _check_etag(twin, if_match, rules)
    if tags_wanted is None or tags_wanted is _Named.NULL:
        tags_wanted = rules.replacement_of_absent(twin.tags)
    if desired_wanted is None or desired_wanted is _Named.NULL:
        desired_wanted = rules.replacement_of_absent(twin.desired.values)
    version, before = rules.next_version(twin.desired.version), twin.desired.values
    desired = Properties(
        _grown("properties.desired", before, rules.replaced(before, desired_wanted), rules),
        _merged_metadata({}, desired_wanted, _stamp(now, version), rules),
        version,
    )
    tags = _grown("tags", twin.tags, rules.replaced(twin.tags, tags_wanted), rules)
    told = rules.notification_of_replacement(before, desired.values, version)
    notification = _told("properties.desired", told, rules) if rules.announces_replacement() else None
    return _changed(twin, tags, desired, notification)


def _changed(twin: Twin, tags: Object, desired: Properties, notification: Object | None) -> Change:
    after = dataclasses.replace(twin, tags=tags, desired=desired, revision=twin.revision + 1)
    return Change(after, notification)


def _told(section: Section, notification: Object, rules: TwinRules) -> Object | None:
    return notification if rules.announces(section) else None


def _check_etag(twin: Twin, if_match: str | None, rules: TwinRules) -> None:
    if not rules.matches(if_match, twin.etag):
        raise Refused(ErrorCode.PreconditionFailed, "The etag is not the twin's current one.")


def _sections(document: Json, rules: TwinRules) -> tuple[_Given, _Given]:
    """Return tags and desired properties of a document, checked; None for what it leaves out."""
    if not isinstance(document, dict):
        raise invalid("The body is not a JSON object.")
    properties = document.get("properties")
    if properties is not None and not isinstance(properties, dict):
        raise invalid("properties is not a JSON object.")
    tags = _section(document, "tags", "tags", rules)
    return tags, _section(properties or {}, "desired", "properties.desired", rules)


def _section(holder: Object, name: str, section: Section, rules: TwinRules) -> _Given:
    if name not in holder:
        return None
    value = holder[name]
    if value is None:
        return _Named.NULL
    return _checked(rules.without_read_only(value) if isinstance(value, dict) else value, section, rules)


# What both sides share


def _checked(value: Json, section: Section, rules: TwinRules) -> Object:
    if not rules.accepts_value(value):
        raise invalid(f"{section} is not a JSON object.")
    if not isinstance(value, dict):
        return {}  # only a replaced rule lets it come this far
    problem = _problem_in_object(value, 0, rules)
    if problem is not None:
        raise invalid(f"{section}: {problem}")
    return value


def _problem_in_object(value: Object, depth: int, rules: TwinRules) -> str | None:
    for name, inner in value.items():
        problem = (
            rules.problem_with_reserved(name)
            or rules.problem_with_characters(name)
            or rules.problem_with_length(name)
            or _problem_with(inner, depth + 1, rules)
        )
        if problem is not None:
            return problem
    return None


def _problem_with(value: Json, depth: int, rules: TwinRules) -> str | None:
    match value:
        case str():
            return rules.problem_with_string(value)
        case int() if not isinstance(value, bool):
            return rules.problem_with_integer(value)
        case dict():
            return rules.problem_with_depth(depth) or _problem_in_object(value, depth, rules)
        case list():
            problem = rules.problem_with_array() or rules.problem_with_depth(depth)
            inner = (_problem_with(item, depth + 1, rules) for item in value)
            return problem or next((found for found in inner if found is not None), None)
    return None


def _grown(section: Section, before: Object, after: Object, rules: TwinRules) -> Object:
    """Return `after` if the section may become that large."""
    if not rules.accepts_size(section, rules.size_of(before), rules.size_of(after)):
        raise rules.too_large(section)
    return after


def _stamp(now: float, version: int | None = None) -> Object:
    stamp: Object = {"$lastUpdated": iso(now)}
    return stamp if version is None else stamp | {"$lastUpdatedVersion": version}


def _merged_metadata(before: Json, patch: Object, stamp: Object, rules: TwinRules) -> Object:
    """Return the metadata after a patch: all that it touches, and what holds it, bears the stamp."""
    after = dict(before) if isinstance(before, dict) else {}
    for name, value in patch.items():
        if rules.removes(value):
            after.pop(name, None)
        elif isinstance(value, dict):
            after[name] = _merged_metadata(after.get(name), value, stamp, rules)
        else:
            after[name] = stamp
    return after | stamp
