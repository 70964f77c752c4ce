"""Where a report grows, and how it comes into place: whole, or not at all."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from conformance.errors import UsageError

REPORT: Final = "conformance.json"
PAGE: Final = "conformance.html"
SUMMARY: Final = "summary.md"
JUNIT: Final = "junit.xml"
ALLURE: Final = "allure-results"
# Two runs of one profile may end at the same moment; the later one wins, after a few tries at most.
_TRIES: Final = 20


class ReportFolder:
    """A fresh folder beside the final one. Runs at the same time never mix."""

    def __init__(self, final: Path) -> None:
        self.final = final.absolute()
        if self.final.exists() and not _is_a_report(self.final):
            raise UsageError(
                f"--report-dir {final}: exists and holds something that is no report of this suite. "
                "Name another folder, or empty this one."
            )
        try:
            self.final.parent.mkdir(parents=True, exist_ok=True)
            self.fresh = Path(tempfile.mkdtemp(prefix=f".{self.final.name}-", dir=self.final.parent))
            self.fresh.chmod(0o755)
        except OSError as error:
            raise UsageError(
                f"--report-dir {final}: {error.strerror}. Name a folder that can be written."
            ) from None

    def publish(self) -> None:
        """Put the fresh folder where the old report was."""
        for _ in range(_TRIES):
            old = self.fresh.with_name(f"{self.fresh.name}-old")
            try:
                if self.final.exists():
                    self.final.rename(old)
                self.fresh.rename(self.final)
            except OSError:
                continue  # another run moved its own folder in between
            finally:
                shutil.rmtree(old, ignore_errors=True)
            return
        raise UsageError(
            f"{self.final}: cannot be replaced; this run's report is {self.fresh}. "
            "Name another --report-dir for each of the runs that go on at once."
        )

    def discard(self) -> None:
        """Remove the fresh folder; the old report stays as it was."""
        shutil.rmtree(self.fresh, ignore_errors=True)


def _is_a_report(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    names = {entry.name for entry in folder.iterdir()}
    return not names or REPORT in names
