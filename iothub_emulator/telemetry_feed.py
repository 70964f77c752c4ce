"""Telemetry while the hub runs: the log, and readers that are woken when it grows."""

import asyncio
from collections.abc import Callable

from iothub_emulator.hub.rulebook import Rulebook
from iothub_emulator.hub.telemetry import TelemetryEvent, TelemetryLog


class TelemetryFeed:
    """A log with readers. The rules are looked up at each event."""

    def __init__(self, log: TelemetryLog, rules: Rulebook) -> None:
        self.log = log
        self._rules = rules
        self._wakes: list[dict[object, Callable[[], None]]] = [{} for _ in log.partitions]
        self._wake_due: set[int] = set()

    def append(self, event: TelemetryEvent) -> None:
        """Append to the log; readers of that partition are woken once the sender has its answer."""
        rules = self._rules.telemetry
        for arrival in rules.arrivals(event):
            wanted = rules.partition(arrival.device_id, len(self.log.partitions))
            partition, _ = self.log.append(arrival, wanted)
            if self._wakes[partition] and partition not in self._wake_due:
                self._wake_due.add(partition)
                self._soon(partition)

    def on_growth(self, partition: int, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when that partition has grown; return what ends it."""
        key = object()
        self._wakes[partition][key] = wake

        def forget() -> None:
            self._wakes[partition].pop(key, None)

        return forget

    def _soon(self, partition: int) -> None:
        """Wake readers in the next turn of the loop, so that the PUBACK leaves before anything is encoded."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no loop: a test that appends by hand
            self._wake(partition)
        else:
            loop.call_soon(self._wake, partition)

    def _wake(self, partition: int) -> None:
        self._wake_due.discard(partition)
        for wake in tuple(self._wakes[partition].values()):
            wake()
