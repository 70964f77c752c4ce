"""Records of feedback, and what the workers of a run tell each other of them.

A hub gives a batch to one receiver at a time, and gives it up after its tenth delivery: passed from worker to
worker it would be gone before the last of them had seen it. So who takes one writes down what is the others'.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class FeedbackRecord:
    """What became of one message.

    `status` is the hub's word: ``Success``, ``Expired``, ``DeliveryCountExceeded``, ``Rejected``, ``Purged``.
    `enqueued_time` is the hub's text for when.
    """

    message_id: str
    status: str
    description: str
    device_id: str
    generation_id: str
    enqueued_time: str

    def __str__(self) -> str:
        return f"feedback on message {self.message_id!r} of {self.device_id}: {self.status}"


class FeedbackNotes:
    """One worker's notes, and its view of those of the others.

    `folder` is the run's own. `of_run` tells by the id whether a device is of this run, `own` whether it is
    this worker's.
    """

    def __init__(
        self, folder: Path, worker: str, *, of_run: Callable[[str], bool], own: Callable[[str], bool]
    ) -> None:
        self._folder = folder
        self._told = folder / f"feedback-told-{worker}.txt"
        self._held = folder / f"feedback-held-{worker}.txt"
        self._of_run = of_run
        self._own = own
        self._read: dict[Path, int] = {}

    def tell(self, records: Iterable[FeedbackRecord]) -> None:
        """Write down what is other workers'."""
        theirs = (each for each in records if self._of_run(each.device_id) and not self._own(each.device_id))
        lines = "".join(f"{json.dumps(asdict(each))}\n" for each in theirs)
        if lines:
            with self._told.open("a", encoding="utf-8") as file:
                file.write(lines)

    def heard(self) -> Iterator[FeedbackRecord]:
        """Yield what others have written down of our messages since the last time."""
        for file in sorted(self._folder.glob("feedback-told-*.txt")):
            if file == self._told:
                continue
            with file.open("rb") as opened:
                opened.seek(self._read.get(file, 0))
                # A line that is being written is read the next time.
                whole, _, _ = opened.read().rpartition(b"\n")
            if whole:
                self._read[file] = self._read.get(file, 0) + len(whole) + 1
                records = (FeedbackRecord(**json.loads(line)) for line in whole.splitlines())
                yield from (each for each in records if self._own(each.device_id))

    @contextmanager
    def holding(self, device_id: str) -> Iterator[None]:
        """Let others give back what tells of a device: a case of ours wants to have the batch itself."""
        self._held.write_text(device_id, encoding="utf-8")
        try:
            yield
        finally:
            self._held.unlink(missing_ok=True)

    def may_accept(self, device_ids: Iterable[str]) -> bool:
        """Tell whether nobody misses a batch about these devices, once it is written down."""
        held = {
            file.read_text(encoding="utf-8")
            for file in self._folder.glob("feedback-held-*.txt")
            if file != self._held
        }
        return all(self._of_run(each) and each not in held for each in device_ids)
