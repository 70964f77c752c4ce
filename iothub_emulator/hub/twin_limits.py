"""What may be stored in a twin, one decision a method: names, values, depth, size.

Source: Microsoft, "Understand and use device twins in IoT Hub" (format and size); where it is silent, that is
said. `problem_…` is `None` for no problem.
"""

import re
from collections.abc import Mapping
from typing import Literal

from iothub_emulator.hub import json_text
from iothub_emulator.hub.json_text import Json, NotJson
from iothub_emulator.hub.refusals import invalid
from iothub_emulator.hub.service_errors import ErrorCode, Refused

Section = Literal["tags", "properties.desired", "properties.reported"]

SECTION_LIMITS: Mapping[Section, int] = {
    "tags": 8 * 1024,
    "properties.desired": 32 * 1024,
    "properties.reported": 32 * 1024,
}
LONGEST_NAME = 1024
LONGEST_STRING = 4096
DEEPEST_OBJECT = 10
SMALLEST_INTEGER = -4503599627370496
LARGEST_INTEGER = 4503599627370495
NUMBER_SIZE = 8
BOOLEAN_SIZE = 4


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_ILLEGAL = re.compile(r"[\x00-\x1f\x7f-\x9f.$#\s]")


class TwinLimits:
    """Each decision about the content of a section."""

    def read_patch(self, payload: bytes) -> Json:
        """twin.reported-malformed, twin.reported-lenient: JSON to the letter, or `Refused` with 400004."""
        try:
            return json_text.parse(payload)
        except NotJson:
            raise invalid("The body is not JSON in UTF-8.") from None

    def accepts_value(self, value: Json) -> bool:
        """twin.reported-not-object: a section, and so a patch of it, is an object.

        unspecified: no source says how others are answered; 400 stands for everything invalid.
        """
        return isinstance(value, dict)

    def problem_with_reserved(self, name: str) -> str | None:
        """twin.reserved-names: names that begin with `$` are the hub's."""
        return "A name begins with $, which is reserved." if name.startswith("$") else None

    def problem_with_characters(self, name: str) -> str | None:
        """twin.illegal-names: no `.`, `$`, space or control character (C0 and C1), and not empty.

        twin.illegal-number-sign: no `#`; a hub's own error text names it (azure-iot-sdk-java issue 243).
        twin.illegal-white-space: nor any other white space, as EdgeHub has it; Microsoft's page names the
        space alone. unspecified: that page does not speak of the empty name.
        """
        if name and not _ILLEGAL.search(name):
            return None
        return "A name is empty or holds one of: . $ # white space, a control character."

    def problem_with_length(self, name: str) -> str | None:
        """twin.illegal-names: at most 1 KB of UTF-8."""
        return None if len(name.encode()) <= LONGEST_NAME else f"A name is longer than {LONGEST_NAME} bytes."

    def problem_with_string(self, text: str) -> str | None:
        """twin.too-large: a string has at most 4 KB of UTF-8 (too long: 400, iotedge issue 5921)."""
        if len(text.encode()) <= LONGEST_STRING:
            return None
        return f"A string is longer than {LONGEST_STRING} bytes."

    def problem_with_integer(self, number: int) -> str | None:
        """twin.integer-range: 53 bits, sign included."""
        if SMALLEST_INTEGER <= number <= LARGEST_INTEGER:
            return None
        return f"An integer is outside {SMALLEST_INTEGER} to {LARGEST_INTEGER}."

    def problem_with_array(self) -> str | None:
        """twin.reported-arrays: accepted today (until 2019 they were not)."""
        return None

    def problem_with_depth(self, depth: int) -> str | None:
        """twin.reported-merge: ten containers below the section itself; Microsoft's example shows ten.

        unspecified: whether an array counts as a level; it does here.
        """
        return None if depth <= DEEPEST_OBJECT else f"Objects are nested deeper than {DEEPEST_OBJECT}."

    def size_of(self, value: Json) -> int:
        """twin.too-large: names and strings by their characters, numbers 8, booleans 4, nested ones summed.

        Control characters are not counted. unspecified: null inside an array counts nothing.
        """
        match value:
            case bool():
                return BOOLEAN_SIZE
            case int() | float():
                return NUMBER_SIZE
            case str():
                return len(_CONTROL.sub("", value))
            case list():
                return sum(self.size_of(item) for item in value)
            case dict():
                return sum(self.size_of(name) + self.size_of(item) for name, item in value.items())
        return 0

    def accepts_size(self, section: Section, before: int, after: int) -> bool:
        """twin.too-large: within the section's limit; a change that does not grow it is always accepted."""
        return after <= SECTION_LIMITS[section] or after <= before

    def too_large(self, section: Section) -> Refused:
        """twin.too-large: status 403 with 403100 (iotedge issues 7035 and 1560)."""
        return Refused(
            ErrorCode.TwinSectionTooLarge, f"{section} is larger than {SECTION_LIMITS[section]} bytes."
        )
