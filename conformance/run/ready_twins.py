"""What a run writes into twins of ready-made devices, and how it is taken away again.

All of it stands under one member, ``conformance-{run}``, and each case takes its own away at its end, however
that came about. Whose twin is about to be written is noted before, and struck out when nothing is left: what
a worker could not take away, or did not live to, the controller does, from that list.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from conformance.errors import HarnessError, ServiceError, Violation
from conformance.mqtt.device import Device
from conformance.mqtt.own_member import OwnMember
from conformance.mqtt.twin import TwinClient, written
from conformance.target.credentials import Identity

DESIRED_PATCH: Final = "$iothub/twin/PATCH/properties/desired/"
# On a hub that does not answer each attempt takes as long as a hub may take to answer.
PATIENCE: Final = 2


def member_of(run: str) -> str:
    """Return the name of the member that a run, by its id, writes."""
    return f"conformance-{run}"


class ReadyTwins:
    """The twins of one worker's ready-made devices.

    `open_device` returns one of them with nothing of a case; `journal` is the list of those that are written;
    `may_write` is what the profile allows.
    """

    def __init__(
        self, open_device: Callable[[Identity], Device], member: str, journal: Path, *, may_write: bool
    ) -> None:
        self._open_device = open_device
        self._member = member
        self._journal = journal
        self._may_write = may_write
        self._written: dict[str, Identity] = {}
        self._patience = PATIENCE

    def member(self, identity: Identity) -> OwnMember:
        """Return what a case may write of the twin of one device."""
        return OwnMember(self._member, may_write=self._may_write, before_writing=lambda: self._note(identity))

    def clear(self) -> None:
        """Take away what was written; what a hub keeps all the same is tried again after the next case."""
        if not self._patience:
            return
        for identity in list(self._written.values()):
            try:
                take_away(self._open_device(identity), self._member)
            except (HarnessError, Violation):
                self._patience -= 1
                return
            del self._written[identity.id]
        self._keep()

    def close(self) -> None:
        """Try once more."""
        self._patience = 1
        self.clear()

    def _note(self, identity: Identity) -> None:
        self._written[identity.id] = identity
        self._keep()

    def _keep(self) -> None:
        """Write down whose twins are written."""
        if self._written:
            self._journal.write_text("\n".join(self._written), encoding="utf-8")
        else:
            self._journal.unlink(missing_ok=True)


def take_away(device: Device, member: str) -> None:
    """Remove the member from both sections of a device's twin, and see that it is gone.

    No right hub lets a device write desired properties: they are touched only where the member is in them.
    Raises Violation or HarnessError where that fails.
    """
    try:
        twin = TwinClient(device.connect(clean_session=True)).subscribe()
        nothing = {member: None}
        twin.establish(nothing)
        if member in twin.get().desired:
            twin.outcome_of(f"{DESIRED_PATCH}?$rid=desired", written(nothing))
        left = [name for name, section in twin.get().properties.items() if member in section]
        if left:
            raise ServiceError(f"{device.id}: {member} is still there, in {' and '.join(left)}")
    finally:
        device.close()


def take_away_all(
    identities: Sequence[Identity], ids: Iterable[str], member: str, open_device: Callable[[Identity], Device]
) -> None:
    """Do so for each device of these ids. Raises HarnessError for the first that keeps it."""
    wanted = set(ids)
    for identity in identities:
        if identity.id in wanted:
            try:
                take_away(open_device(identity), member)
            except Violation as violation:
                raise ServiceError(f"{identity.id}: {violation}") from None
