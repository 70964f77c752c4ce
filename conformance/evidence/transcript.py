"""The transcript of one case: what both sides of the hub sent and showed, on one time axis.

    0 ms  c1 → CONNECT  client=conf-7f3a-gw0-4 clean=1 keep-alive=60 user=… password=(redacted)
   41 ms  c1 ← CONNACK  accepted, session_present=0
   42 ms  c1 → PUBLISH  qos=1 packet=1 devices/conf-7f3a-gw0-4/messages/events/ (3 bytes) "21C"
   44 ms  c1 ← PUBACK   packet=1
   51 ms  service = telemetry of conf-7f3a-gw0-4: 3 bytes, no properties

An arrow is a packet of a connection, seen from the suite; `=` is something that is the case. The evidence of
a case has the bytes of each packet in a line below it, in hexadecimal.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from conformance.evidence.describe import cut

Glyph = Literal["→", "←", "="]

# A case of a few packets takes one or two KB, the longest of the suite ten; a flood of thousands must not
# take more of a report than it tells.
LIMIT_BYTES: Final = 32 * 1024
# A topic may have 64 KB; a line that shows one need not.
LONGEST_LINE: Final = 4096


# A sign of life, an acknowledgement, the frame that a packet travels in, and the answer to a close.
_BESIDE: Final = ("FRAME    binary", "FRAME    close", "PINGREQ", "PUBACK")


# So many bytes of a packet are shown beside what they mean; what follows them is looked at as well, so that
# the beginning of a key that is cut is known for one.
SHOWN_BYTES: Final = 64
_LOOKED_AT: Final = 640
RAW: Final = "           ⋮ "
"""Begins the line that has the bytes of the packet above it, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: milliseconds since the case began, who, which way, what.

    `data` are the first bytes of the packet that it is, `size` says how many it has.
    """

    milliseconds: float
    who: str
    glyph: Glyph
    text: str
    data: bytes = b""
    size: int = 0

    def __str__(self) -> str:
        return f"{self.milliseconds:>6.0f} ms  {self.who} {self.glyph} {self.text}"

    def with_bytes(self, is_harmless: Callable[[str], bool]) -> str:
        """Return the line, and that of its bytes where no text in them is one that nobody may see."""
        if not self.data or not is_harmless(self.data.decode("latin-1")):
            return str(self)
        more = f" … ({self.size} bytes)" if self.size > SHOWN_BYTES else ""
        return f"{self}\n{RAW}{self.data[:SHOWN_BYTES].hex(' ')}{more}"


class Transcript:
    """The entries of one case in the order in which they happened; any thread may add.

    It holds at most `limit` bytes: the first half from the beginning, the rest from the end, and a line in
    between that counts what was left out. A line is cut behind `LONGEST_LINE` characters. `clock` gives
    seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, limit: int = LIMIT_BYTES) -> None:
        self._clock = clock
        self._began = clock()
        self._lock = threading.Lock()
        self._half = limit // 2
        self._head: list[Entry] = []
        self._head_room = self._half
        self._tail: deque[Entry] = deque()
        self._tail_bytes = 0
        self._left_out = 0

    def add(self, who: str, glyph: Glyph, text: str, data: bytes = b"") -> None:
        """Add one line, at the time of this call; `data` are the bytes of a packet that may be shown."""
        with self._lock:
            milliseconds = (self._clock() - self._began) * 1000
            text = cut(text, LONGEST_LINE)
            entry = Entry(milliseconds, who, glyph, text, data[:_LOOKED_AT], len(data))
            size = _size(entry)
            if size <= self._head_room:
                self._head.append(entry)
                self._head_room -= size
                return
            self._head_room = 0
            self._tail.append(entry)
            self._tail_bytes += size
            while self._tail_bytes > self._half and len(self._tail) > 1:
                self._tail_bytes -= _size(self._tail.popleft())
                self._left_out += 1

    def service(self, text: str) -> None:
        """Add what the back-end side saw or did."""
        self.add("service", "=", text)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries that are kept."""
        with self._lock:
            return (*self._head, *self._tail)

    @property
    def last_act(self) -> Entry | None:
        """What was sent last that asks the hub for something; None where nothing was."""
        sent = (entry for entry in reversed(self.entries) if entry.glyph == "→")
        return next((entry for entry in sent if not entry.text.startswith(_BESIDE)), None)

    def render(self, show: Callable[[Entry], str] = str) -> str:
        """Return the lines as one text; `show` makes what stands for an entry."""
        with self._lock:
            middle = [f"… {self._left_out} lines left out …"] if self._left_out else []
            return "\n".join([*map(show, self._head), *middle, *map(show, self._tail)])


def _size(entry: Entry) -> int:
    raw = len(RAW) + 3 * min(entry.size, SHOWN_BYTES) if entry.size else 0
    return len(str(entry).encode(errors="replace")) + 1 + raw
