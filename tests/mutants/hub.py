"""The embedded hub, as `python -m iothub_emulator` runs it, with one mutant in it or with probes.

    python hub.py PLAN OPTIONS...

PLAN is a file that `suite.run` writes. No file of the hub is changed: its modules are, when imported.
"""

import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import json
import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, TextIO

import patching
from board import Board
from hits import HIT_BYTES, Hit
from sites import HUB, sites

_FIRST_LINE = "Traceback (most recent call last)"


class Importer(importlib.abc.MetaPathFinder):
    """Compiles what `trees` names its own way, and leaves all else to Python. Keys are names of modules."""

    def __init__(self, trees: dict[str, Callable[[str], Any]]) -> None:
        self._trees = trees

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module where Python does."""
        if fullname not in self._trees:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin, self._trees[fullname])
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, tree_of: Callable[[str], Any]) -> None:
        super().__init__(name, path)
        self._tree_of = tree_of

    def get_code(self, fullname: str) -> CodeType:
        """Compile the changed tree; nothing of it is kept on disk."""
        path = self.get_filename(fullname)
        return compile(self._tree_of(Path(path).read_text(encoding="utf-8")), path, "exec", dont_inherit=True)


class _Counting:
    """The hub's stderr, which counts tracebacks."""

    def __init__(self, real: TextIO, board: Board) -> None:
        self._real = real
        self._board = board

    def write(self, text: str) -> int:
        for _ in range(text.count(_FIRST_LINE)):
            self._board.count("tracebacks")
        return self._real.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def dotted(module: str) -> str:
    """Return the name by which a file below the hub's folder is imported."""
    return f"{HUB}.{module.removesuffix('.py').replace('/', '.')}"


def with_mutant(plan: dict[str, Any], board: Board) -> None:
    """Let the hub be imported with one mutant, which acts where its trigger holds; None: everywhere."""
    module, number, change = plan["module"], plan["number"], plan["change"]

    def tree(source: str) -> Any:
        (site,) = (each for each in sites(module, source) if each.number == number)
        return patching.mutated(source, site, change)

    wanted: list[Any] = []

    def acts() -> bool:
        board.count("reached")
        # What is reached while the hub is imported has no client: only a plain mutant acts there.
        is_on = plan["trigger"] is None or (bool(wanted) and triggers.holds(wanted[0]))
        if is_on:
            board.count("triggered")
        return is_on

    setattr(builtins, patching.TRIGGER, acts)
    sys.meta_path.insert(0, Importer({dotted(module): tree}))
    if plan["trigger"] is not None:
        import served  # imports the hub
        import triggers

        served.install()
        wanted.append(triggers.all_triggers()[plan["trigger"]])


def with_probes(plan: dict[str, Any], board: Board) -> Callable[[], None]:
    """Let the hub be imported with a probe at each node; return what writes down which were reached."""
    numbers: dict[str, dict[int, int]] = plan["numbers"]
    seen: set[int] = set()
    # Written as it comes: a hub that is asked to leave has three seconds, and all at once may take longer.
    file = Path(plan["hits"]).open("wb")  # noqa: SIM115 - it is open for as long as the hub runs
    case = board.cell("case")
    served: Any = None

    def probe(number: int) -> bool:
        hit = Hit(case[0], number, 0 if served is None else served.now().kinds()).packed()
        if hit not in seen:
            seen.add(hit)
            file.write(hit.to_bytes(HIT_BYTES, "little"))
        return True

    setattr(builtins, patching.PROBE, probe)

    def tree_of(module: str) -> Callable[[str], Any]:
        own = {int(number): name for number, name in numbers[module].items()}

        def tree(source: str) -> Any:
            return patching.probed(source, sites(module, source), own)

        return tree

    sys.meta_path.insert(0, Importer({dotted(module): tree_of(module) for module in numbers}))
    import served as installed

    installed.install()
    served = installed
    return file.close


def main() -> None:
    """Run the hub as the plan says, until its end."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    board = Board(Path(plan["board"]))
    sys.stderr = _Counting(sys.stderr, board)
    finish = with_probes(plan, board) if "numbers" in plan else with_mutant(plan, board)
    sys.argv[:] = [HUB, *sys.argv[2:]]
    try:
        runpy.run_module(HUB, run_name="__main__", alter_sys=True)
    finally:
        if finish is not None:
            finish()


if __name__ == "__main__":
    main()
