"""Cloud-to-device messages and their feedback while the hub runs: mailboxes with a clock.

What a mailbox decides is in `hub/`; here are the timers, and who is woken.
"""

from collections.abc import Callable

from iothub_emulator.alarms import Alarm
from iothub_emulator.hub.feedback import Feedback, FeedbackRules, TakenBatch
from iothub_emulator.hub.mailbox import FeedbackRecord, Mailbox
from iothub_emulator.hub.mailbox_rules import CloudMessage
from iothub_emulator.hub.registry import Registry
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.state import HubState


class LiveFeedback(Feedback):
    """Feedback that looks after its own deadlines and wakes its receivers."""

    def __init__(self, rules: FeedbackRules, now: Callable[[], float]) -> None:
        super().__init__(rules)
        self._now = now
        self._alarm = Alarm(now, self._rings)
        self._wakes: dict[object, Callable[[], None]] = {}

    def on_feedback(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when a batch may be there to be taken; return what ends it."""
        key = object()
        self._wakes[key] = wake

        def forget() -> None:
            self._wakes.pop(key, None)

        return forget

    def add(self, record: FeedbackRecord, now: float) -> None:
        """Take a record; receivers are woken if it closed a batch."""
        super().add(record, now)
        self._changed()

    def take(self, now: float) -> TakenBatch | None:
        """Lock the oldest waiting batch for a receiver."""
        taken = super().take(now)
        self._alarm.set(self.next_deadline())
        return taken

    def abandon(self, lock: int) -> bool:
        """Let a batch wait again, for any receiver."""
        was_held = super().abandon(lock)
        if was_held:
            self._changed()
        return was_held

    def stop(self) -> None:
        """Keep time no longer: the hub stops."""
        self._alarm.cancel()

    def _rings(self) -> None:
        self.advance(self._now())
        self._changed()

    def _changed(self) -> None:
        self._alarm.set(self.next_deadline())
        for wake in tuple(self._wakes.values()):
            wake()


class CloudToDevice:
    """All mailboxes. `serve` is called with the id of a device whose mailbox may have something for it."""

    def __init__(
        self,
        registry: Registry,
        state: HubState,
        feedback: Feedback,
        now: Callable[[], float],
        serve: Callable[[str], None],
    ) -> None:
        self._registry = registry
        self._state = state
        self._feedback = feedback
        self._now = now
        self._serve = serve
        self._alarms: dict[str, Alarm] = {}

    def send(self, message: CloudMessage, device_id: str) -> Refused | None:
        """Put a message in the device's mailbox; return why it was not taken, None if it was."""
        now = self._now()
        if self._registry.get(device_id) is None:
            return Refused(ErrorCode.DeviceNotFound, device_id)
        for recipient in self._state.rules.mailbox.recipients(device_id):
            device = self._registry.get(recipient)
            if device is None:
                continue
            try:
                self._state.mailbox(device).put(message, now)
            except Refused as refused:
                return refused
            finally:
                self.keep_time(recipient)
            self._serve(recipient)
        return None

    def purge(self, device_id: str) -> int:
        """Empty a mailbox and return how many messages that ended."""
        self._state.mailbox(self._registry.require(device_id))
        reached = self._state.rules.mailbox.purged_with(device_id, tuple(self._state.mailboxes))
        purged = {name: self._state.mailboxes[name].purge(self._now()) for name in reached}
        self._serve(device_id)
        return purged.get(device_id, 0)

    def pending(self, device_id: str) -> int:
        """Return how many messages have not come to their end."""
        mailbox = self._state.mailboxes.get(device_id)
        return 0 if mailbox is None else len(mailbox)

    def keep_time(self, device_id: str) -> None:
        """See to it that the mailbox's next deadline is not missed; to be called after each use of it."""
        mailbox = self._state.mailboxes.get(device_id)
        deadline = None if mailbox is None else mailbox.next_deadline()
        if deadline is None:
            return
        alarm = self._alarms.get(device_id)
        if alarm is None:
            alarm = self._alarms[device_id] = Alarm(self._now, lambda: self._rings(device_id))
        alarm.set(deadline)

    def forget(self, device_id: str) -> None:
        """Stop keeping time for a device that is gone, and drop what its feedback has not yet told."""
        alarm = self._alarms.pop(device_id, None)
        if alarm is not None:
            alarm.cancel()
        self._feedback.forget(device_id)

    def stop(self) -> None:
        """Keep time no longer: the hub stops."""
        for alarm in self._alarms.values():
            alarm.cancel()

    def _rings(self, device_id: str) -> None:
        mailbox: Mailbox | None = self._state.mailboxes.get(device_id)
        if mailbox is None:
            return
        mailbox.advance(self._now())
        self._serve(device_id)
        self.keep_time(device_id)
