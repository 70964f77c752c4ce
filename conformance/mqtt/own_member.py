"""The one member of a ready-made device's twin that a run may write: all else in it is its owner's.

What a case reports goes into that member, and what it reads back is what stands below it. So a test says the
same of such a twin as of a new one, which is the suite's as a whole.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from conformance.errors import HarnessError

# A patch of either section; whoever may not write the one must not try to write the other.
_PATCHES: Final = "$iothub/twin/PATCH/"


class OwnMember:
    """The member `name` of both sections of one device's twin, in one case.

    `may_write` is what the profile says. `before_writing` is called before the first patch goes out.
    """

    def __init__(self, name: str, *, may_write: bool, before_writing: Callable[[], None]) -> None:
        self.name = name
        self.may_write = may_write
        self._before_writing = before_writing
        self.is_written = False
        self._first_version: int | None = None

    def request(self, topic: str, body: bytes) -> bytes:
        """Return the body of a request: of a patch, moved into the member, whether it is JSON or not.

        Raises HarnessError for a patch where the profile allows none: a case that sends one has to say so.
        """
        if not topic.startswith(_PATCHES):
            return body
        if not self.may_write:
            raise HarnessError("this case writes a twin: mark it with writes_twin")
        if not self.is_written:
            self._before_writing()
            self.is_written = True
        return b'{"' + self.name.encode() + b'":' + body + b"}"

    def below(self, section: Mapping[str, Any]) -> dict[str, Any]:
        """Return a section as a case sees it: what stands in the member, and the section's ``$version``."""
        inner = section.get(self.name, {})
        version = {key: value for key, value in section.items() if key == "$version"}
        return {**inner, **version} if isinstance(inner, dict) else {self.name: inner, **version}

    def in_words(self, version: object) -> str:
        """Return a version beside the first one that was looked at: what it is has nothing to say here."""
        if not isinstance(version, int):
            return str(version)
        if self._first_version is None:
            self._first_version = version
        return f"first+{version - self._first_version}"
