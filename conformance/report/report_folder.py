"""Where a report grows, and how it comes into place: whole, or not at all."""

import errno
import json
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from conformance.errors import NotWritten, UsageError

REPORT: Final = "conformance.json"
PAGE: Final = "conformance.html"
SUMMARY: Final = "summary.md"
JUNIT: Final = "junit.xml"
ALLURE: Final = "allure-results"
# Ends the name of a folder with less than a whole report.
PARTIAL: Final = ".partial"
# Two runs of one profile may end at the same moment; the later one wins, after a few tries at most.
_TRIES: Final = 20
_MOVED_MEANWHILE: Final = frozenset({errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY})


class ReportFolder:
    """A fresh folder beside the final one. Runs at the same time never mix.

    Raises UsageError where `final` is no place for a report, NotWritten where nothing can be written there.
    """

    def __init__(self, final: Path) -> None:
        self.final = final.absolute()
        check(final)
        with _named(final):
            self.final.parent.mkdir(parents=True, exist_ok=True)
            self.fresh = Path(tempfile.mkdtemp(prefix=f".{self.final.name}-", dir=self.final.parent))
            self.fresh.chmod(0o755)

    def publish(self, final: Path | None = None) -> None:
        """Put the fresh folder where the old report was, or into another place beside it: `final`."""
        self.final = final or self.final
        check(self.final)
        old = self.fresh.with_name(f"{self.fresh.name}-old")
        for _ in range(_TRIES):
            try:
                if self.final.exists():
                    self.final.rename(old)
                self.fresh.rename(self.final)
            except OSError as error:
                if not self.final.exists():
                    with suppress(OSError):
                        old.rename(self.final)
                # Another run moved its own folder in between; anything else is not over at the next try.
                if error.errno not in _MOVED_MEANWHILE:
                    raise
            else:
                return
            finally:
                shutil.rmtree(old, ignore_errors=True)
        raise NotWritten(
            f"{self.final}: other runs replace it all the time. "
            "Name another --report-dir for each of the runs that go on at once."
        )

    def discard(self) -> None:
        """Remove the fresh folder; the old report stays as it was."""
        shutil.rmtree(self.fresh, ignore_errors=True)


def check(final: Path) -> None:
    """Raise UsageError where a folder holds something that a report must not replace."""
    with _named(final):
        is_ours = _may_be_replaced(final)
    if not is_ours:
        raise UsageError(
            f"--report-dir {final}: exists and holds something that is no report of this suite. "
            "Name another folder, or empty this one."
        )


@contextmanager
def _named(final: Path) -> Iterator[None]:
    """Say which folder it is that cannot be read or made: a slip of the pen, or a disk that is full."""
    try:
        yield
    except OSError as error:
        message = f"--report-dir {final}: {error.strerror}. Name a folder that can be written."
        is_a_slip = isinstance(error, FileExistsError | NotADirectoryError)
        raise (UsageError(message) if is_a_slip else NotWritten(message)) from None


def place_of_part(final: Path) -> Path:
    """Return the folder beside that for a whole report which is for less; never one with a whole report."""
    place = final if final.name.endswith(PARTIAL) else final.with_name(final.name + PARTIAL)
    return place_of_part(place.with_name(place.name + PARTIAL)) if is_whole(place) else place


def is_whole(folder: Path) -> bool:
    """Say whether a folder holds the report of a whole run; one that cannot be read may be."""
    try:
        statement = json.loads((folder / REPORT).read_bytes())
        return statement["run"]["partial"] is not True
    except FileNotFoundError:
        return False
    except (OSError, ValueError, LookupError, TypeError):
        return True


def _may_be_replaced(folder: Path) -> bool:
    """Say whether nothing is there, or a report; what other runs move away meanwhile is looked at again."""
    for _ in range(_TRIES):
        try:
            before = folder.stat()
            names = {entry.name for entry in folder.iterdir()} if stat.S_ISDIR(before.st_mode) else {"a file"}
            if not names or REPORT in names:
                return True
            if folder.stat() == before:
                return False
        except FileNotFoundError:
            return True
    return False
