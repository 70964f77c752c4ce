"""What the suite's process and the hub's tell each other while a run lasts: four numbers in a file."""

import mmap
from pathlib import Path
from typing import Final, Self

_NUMBERS: Final = ("case", "reached", "triggered", "tracebacks")
_BYTES: Final = 4


class Board:
    """Numbers that both processes see at once.

    `case` is the one under way, counted from 1. The hub says how often the mutated node was `reached`, how
    often its trigger held then, and how many `tracebacks` it wrote.
    """

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), _BYTES * len(_NUMBERS))
        self._cells = memoryview(self._map).cast("I")

    @classmethod
    def new(cls, file: Path) -> Self:
        """Make a board on which every number is 0."""
        file.write_bytes(bytes(_BYTES * len(_NUMBERS)))
        return cls(file)

    def __getitem__(self, name: str) -> int:
        return self._cells[_NUMBERS.index(name)]

    def __setitem__(self, name: str, value: int) -> None:
        self._cells[_NUMBERS.index(name)] = value

    def numbers(self) -> dict[str, int]:
        """Return all of them."""
        return {name: self[name] for name in _NUMBERS}

    def count(self, name: str) -> None:
        """Add one to a number."""
        self[name] += 1

    def cell(self, name: str) -> memoryview:
        """Return the place of one number, for those who look at it often."""
        at = _NUMBERS.index(name)
        return self._cells[at : at + 1]
