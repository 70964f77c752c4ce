"""What a right hub that differs is: the embedded hub made other in one thing that no source forbids."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

VARIANTS: list["Variant"] = []

COUNTER = "LATITUDE_COUNTER"
"""Names the file in which a hub leaves a byte each time it does what the embedded hub would not."""


@dataclass(frozen=True)
class Variant:
    """One right hub. `load` is what `python -m iothub_emulator --load` takes."""

    load: str
    says: str
    sources: tuple[str, ...]
    """Rows of hub facts, statements of the document (S, T), rules of MQTT and RFCs."""
    arguments: tuple[str, ...]
    """Further options of the hub."""
    base: str
    """The shipped profile that it extends, with the edition that it differs from."""
    shown_by: str
    """The test that shows it act, where the suite never makes the stimulus; else empty: the run shows it."""

    @property
    def kind(self) -> str:
        """The last word of its file's name: "latitude", or "field"; empty where it loads nothing."""
        return self.load.partition(":")[0].rpartition("_")[2]

    def __str__(self) -> str:
        return self.load.replace(f"_{self.kind}:", ".").replace("_", "-")


def right(
    *sources: str,
    arguments: tuple[str, ...] = (),
    base: str = "emulator-current",
    shown_by: str = "",
) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register a function that makes the hub differ; its docstring says in one line what that hub does."""
    assert sources, "a hub that no source allows is wrong"

    def register(function: Callable[[Any], None]) -> Callable[[Any], None]:
        assert function.__doc__, f"{function.__name__} does not say what the hub does"
        load = f"{function.__module__}:{function.__name__}"
        says = function.__doc__.splitlines()[0]
        VARIANTS.append(Variant(load, says, sources, arguments, base, shown_by))
        return function

    return register


def all_variants(kind: str = "latitude") -> list[Variant]:
    """Return every variant of every file ``tests/{kind}/*_{kind}.py``, in the order of the files."""
    for file in sorted((Path(__file__).parents[1] / kind).glob(f"*_{kind}.py")):
        import_module(file.stem)  # registers its variants
    return [variant for variant in VARIANTS if variant.kind == kind]


def acted() -> None:
    """Take note, in a hub, that it did what the embedded hub would not."""
    path = os.environ.get(COUNTER)
    if path:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, b".")
        os.close(handle)


def replaced(rules: Any, name: str, other: type) -> None:
    """Put an instance of a subclass in the place of a rules object, with all that the right one knows."""
    made = other.__new__(other)
    vars(made).update(vars(getattr(rules, name)))
    setattr(rules, name, made)


def wrapped(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Put `wrap(function)` in the place of a real function or method."""
    setattr(owner, name, wrap(getattr(owner, name)))
