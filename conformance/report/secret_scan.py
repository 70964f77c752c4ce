"""The last look at a report before it is published: no key, no token, no signature may be in it."""

from collections.abc import Iterable
from pathlib import Path

from conformance.report.redaction import redact


def scrub(folders: Iterable[Path]) -> tuple[str, ...]:
    """Blacken every secret in the files below some folders; return the names of those that held one.

    Whoever wrote it there forgot to hide it. The run is invalid: what else was said is not known.
    """
    return tuple(sorted({file.name for folder in folders for file in folder.rglob("*") if _scrubbed(file)}))


def _scrubbed(file: Path) -> bool:
    if not file.is_file():
        return False
    # Latin-1 reads any bytes and writes them back as they were; secrets are ASCII.
    text = file.read_bytes().decode("latin-1")
    clean = redact(text)
    if clean == text:
        return False
    file.write_bytes(clean.encode("latin-1"))
    return True
