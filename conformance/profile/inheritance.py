"""``extends = "NAME"``: a profile that says only what is different from another one.

Tables are laid over each other key by key; any other value, a list too, takes the place of the other
profile's. [launch] arguments exist for this: they are added behind the command.
"""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from conformance.errors import ProfileError

EXTENDS: Final = "extends"

_PATHS: Final = (("target", "trust"), ("device-authority", "certificate"))


def read(path: Path, file: str, find: Callable[[str, Path], Path]) -> dict[str, Any]:
    """Return what a profile says, with what it takes over from others.

    `file` is its path as a message shows it; `find` returns the file that a name means, seen from a folder.
    Raises ProfileError where a file cannot be read, and where profiles extend each other in a circle.
    """
    return _read(path, file, find, ())


def _read(
    path: Path, file: str, find: Callable[[str, Path], Path], descendants: tuple[Path, ...]
) -> dict[str, Any]:
    contents = _toml(path, file)
    if EXTENDS not in contents:
        return contents
    name = contents[EXTENDS]
    if not isinstance(name, str) or not name:
        raise ProfileError(f"{file}: {EXTENDS}: must be the name or the path of a profile, in quotes.")
    try:
        base = find(name, path.parent)
    except ProfileError as error:
        raise ProfileError(f"{file}: {error}") from None
    seen = (*descendants, path.resolve())
    if base.resolve() in seen:
        raise ProfileError(f"{file}: {EXTENDS}: '{name}' extends this profile itself. Leave one of them out.")
    return overlaid(_with_own_paths(_read(base, f"{file}: {EXTENDS}: {name}", find, seen), base), contents)


def overlaid(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` laid on it."""
    both = dict(base)
    for key, value in over.items():
        mine = both.get(key)
        both[key] = overlaid(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
    return both


def _with_own_paths(contents: dict[str, Any], path: Path) -> dict[str, Any]:
    """Make the paths that a profile holds mean the same in another folder."""
    for table, key in _PATHS:
        values = contents.get(table)
        file = values.get(key) if isinstance(values, dict) else None
        if isinstance(file, str) and file != "system":
            contents = overlaid(contents, {table: {key: str((path.parent / file).resolve())}})
    return contents


def _toml(path: Path, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{file}: not TOML: {error}. Correct that line.") from None
    except UnicodeDecodeError:
        raise ProfileError(f"{file}: not UTF-8. Save it as UTF-8.") from None
    except OSError as error:
        raise ProfileError(f"{file}: cannot be read: {error.strerror}. Name a file that can.") from None
