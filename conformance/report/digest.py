"""The digest of the suite: changed tests, clauses or judging code show in every statement."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from conformance.ways.depth import Depth

PACKAGE: Final = Path(__file__).resolve().parents[1]
# Inside an installed package, beside it in a checkout; and the user's business, not the suite's.
_NOT_THE_SUITE: Final = frozenset({"profiles", "__pycache__"})
_KINDS: Final = frozenset({".py", ".toml"})


@cache
def suite_digest(package: Path = PACKAGE, depth: Depth = "whole") -> str:
    """Return the SHA-256 over names, lengths and contents of the suite's source files, ordered by name.

    A run that looks at fewer ways has another one.
    """
    digest = hashlib.sha256(b"" if depth == "whole" else depth.encode())
    for name, file in sorted((file.relative_to(package).as_posix(), file) for file in _sources(package)):
        content = file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _sources(package: Path) -> list[Path]:
    return [
        file
        for file in package.rglob("*")
        if file.suffix in _KINDS and not _NOT_THE_SUITE.intersection(file.relative_to(package).parts)
    ]
