"""Twins while the hub runs: changes by the back end, and who hears of them."""

from collections.abc import Callable
from typing import Protocol

from iothub_emulator.hub import twin as twins
from iothub_emulator.hub.json_text import Json, Object
from iothub_emulator.hub.service_errors import Refused
from iothub_emulator.hub.state import HubState
from iothub_emulator.hub.twin import Change, Twin
from iothub_emulator.hub.twin_rules import TwinRules


class Changed(Protocol):
    """Hears of a change that the back end made."""

    def __call__(self, identity_key: str, change: Change, *, replaced: bool) -> None:
        """Take note of it; `replaced`: by a whole document, not by a patch."""


class TwinDesk:
    """All twins. `tell` sends a notification to an identity's connection; False: it was not sent.

    `changed` hears of each change that the back end made.
    """

    def __init__(
        self,
        state: HubState,
        now: Callable[[], float],
        tell: Callable[[str, Object], bool],
        changed: Changed,
    ) -> None:
        self._state = state
        self._now = now
        self._tell = tell
        self._changed = changed

    def get(self, identity_key: str) -> Twin:
        """Return the twin of an identity that exists."""
        return self._state.twin(identity_key, self._now())

    def patch(self, identity_key: str, document: Json, if_match: str | None) -> Twin:
        """Merge tags and desired properties of a document; `Refused` changes nothing."""
        return self._change(identity_key, document, if_match, twins.patch_twin, replaced=False)

    def replace(self, identity_key: str, document: Json, if_match: str | None) -> Twin:
        """Replace tags and desired properties by a document's; `Refused` changes nothing."""
        return self._change(identity_key, document, if_match, twins.replace_twin, replaced=True)

    def notify(self, owner: str, notification: Object) -> None:
        """Tell a change of the owner's twin to whom it concerns."""
        rules = self._state.rules.twins
        for recipient in rules.recipients(owner):
            if not self._tell(recipient, notification) and rules.keeps_notifications():
                self._state.kept_notifications.setdefault(recipient, []).append(notification)

    def _change(
        self,
        identity_key: str,
        document: Json,
        if_match: str | None,
        changed: Callable[[Twin, Json, str | None, TwinRules, float], Change],
        *,
        replaced: bool,
    ) -> Twin:
        now = self._now()
        before = self._state.twin(identity_key, now)
        rules = self._state.rules.twins
        try:
            change = changed(before, document, if_match, rules, now)
        except Refused:
            told = rules.notification_of_refused(document, before.desired.version)
            if told is not None:
                self.notify(identity_key, told)
            raise
        self._state.twins[identity_key] = change.twin
        self._changed(identity_key, change, replaced=replaced)
        if change.notification is not None:
            self.notify(identity_key, change.notification)
        return change.twin
