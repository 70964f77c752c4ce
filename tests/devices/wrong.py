"""What a wrong device is: the reference device, wrong in one decision, and the clauses that this breaks."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from conformance.adapters.paho_device import Device

WRONG: list["Wrong"] = []


@dataclass(frozen=True)
class Wrong:
    """One wrong device. `load` is what `run_wrong.py` takes: module and class."""

    load: str
    says: str
    breaks: frozenset[str]

    def __str__(self) -> str:
        return self.load.replace("_devices:", ".")


def wrong(*breaks: str) -> Callable[[type[Device]], type[Device]]:
    """Register a class whose docstring says in one line what the device does wrong."""

    def register(device: type[Device]) -> type[Device]:
        assert device.__doc__, f"{device.__name__} does not say what the device does wrong"
        load = f"{device.__module__}:{device.__name__}"
        WRONG.append(Wrong(load, device.__doc__.splitlines()[0], frozenset(breaks)))
        return device

    return register


def all_wrong() -> list[Wrong]:
    """Return every wrong device of every file here, in the order of the files."""
    for file in sorted(Path(__file__).parent.glob("*_devices.py")):
        import_module(file.stem)  # registers its devices
    return WRONG
