"""Which packet ids of one session wait for their PUBACK, and for which messages.

A session may outlive its connection: what was sent on one is sent again on the next, under the packet id that
it had [MQTT-4.4.0-1].
"""

from typing import TypeAlias

MOST = 4096
"""Packet ids remembered in one session; the oldest is forgotten, and its message comes under another."""

Message: TypeAlias = tuple[str, int]
"""Which message of all it is: the generation of its device, and its number in the mailbox."""


class Unacknowledged:
    """Those of one session."""

    def __init__(self) -> None:
        self._messages: dict[int, Message] = {}
        self._ids: dict[Message, int] = {}

    def __len__(self) -> int:
        """Count packet ids."""
        return len(self._messages)

    def __contains__(self, packet_id: int) -> bool:
        """Tell whether a packet id waits."""
        return packet_id in self._messages

    def id_of(self, message: Message) -> int | None:
        """Return the packet id under which a message was sent and waits; None: it is not on its way."""
        return self._ids.get(message)

    def add(self, packet_id: int, message: Message) -> int:
        """Take note that a message was sent; return the packet id that is forgotten for it, 0 for none."""
        forgotten = next(iter(self._messages)) if len(self) >= MOST else 0
        self.remove(forgotten)
        self._messages[packet_id], self._ids[message] = message, packet_id
        return forgotten

    def remove(self, packet_id: int) -> None:
        """Take note of a PUBACK; one for an id that does not wait has no effect."""
        message = self._messages.pop(packet_id, None)
        if message is not None:
            del self._ids[message]
