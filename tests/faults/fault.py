"""What a fault is: a hub made wrong in one decision, and the clauses that this breaks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

FAULTS: list["Fault"] = []
_WRAPPED: list[tuple[Any, str, Any]] = []


@dataclass(frozen=True)
class Fault:
    """One wrong hub. `load` is what `python -m iothub_emulator --load` takes."""

    load: str
    says: str
    breaks: frozenset[str]
    spreads: bool
    """It breaks what nearly every case needs: others may be violated or broken beside the named clauses."""

    @property
    def module(self) -> str:
        """The file that it stands in, without its ending."""
        return self.load.partition(":")[0]

    def __str__(self) -> str:
        return self.load.replace("_faults:", ".").replace("_", "-")


def fault(*breaks: str, spreads: bool = False) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register a function that makes the rules wrong; its docstring says in one line what the hub does."""

    def register(function: Callable[[Any], None]) -> Callable[[Any], None]:
        assert function.__doc__, f"{function.__name__} does not say what the hub does wrong"
        load = f"{function.__module__}:{function.__name__}"
        FAULTS.append(Fault(load, function.__doc__.splitlines()[0], frozenset(breaks), spreads))
        return function

    return register


def wrapped(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Put `wrap(right)` in the place of what a module, a class or a table has under a name.

    For what no rules object decides: a function of the hub's, a method of another class, an operation.
    """
    right = owner[name] if isinstance(owner, dict) else getattr(owner, name)
    _WRAPPED.append((owner, name, right))
    _put(owner, name, wrap(right))


@contextmanager
def made_wrong(fault: Fault, rules: Any) -> Iterator[list[tuple[str, Any, Any]]]:
    """Make rules wrong, and all that the fault wraps for as long as the block lasts.

    Yields name, right and wrong one of each thing that is wrapped.
    """
    _WRAPPED.clear()
    try:
        getattr(import_module(fault.module), fault.load.partition(":")[2])(rules)
        yield [
            (name, right, owner[name] if isinstance(owner, dict) else getattr(owner, name))
            for owner, name, right in _WRAPPED
        ]
    finally:
        for owner, name, right in reversed(_WRAPPED):
            _put(owner, name, right)
        _WRAPPED.clear()


def _put(owner: Any, name: str, value: Any) -> None:
    if isinstance(owner, dict):
        owner[name] = value
    else:
        setattr(owner, name, value)


def all_faults() -> list[Fault]:
    """Return every fault of every file here, in the order of the files."""
    for file in sorted(Path(__file__).parent.glob("*_faults.py")):
        import_module(file.stem)  # registers its faults
    return FAULTS
