"""`$management`: what the Event Hubs-compatible endpoint says of itself and of its partitions (READ)."""

from iothub_emulator.amqp.cbs import Authorisations
from iothub_emulator.amqp.errors import NOT_FOUND, NOT_IMPLEMENTED, UNAUTHORIZED
from iothub_emulator.amqp.messages import Message
from iothub_emulator.amqp.request_node import Reply
from iothub_emulator.amqp.values import Array, Int, Long, Timestamp, Value
from iothub_emulator.hub.link_refusals import LinkRefused
from iothub_emulator.runtime import Runtime

EVENT_HUB, PARTITION = "com.microsoft:eventhub", "com.microsoft:partition"


class Management:
    """Answers requests at `$management`."""

    def __init__(self, runtime: Runtime, authorisations: Authorisations) -> None:
        self._runtime = runtime
        self._authorisations = authorisations

    def answer(self, request: Message) -> Reply:
        """Read the event hub, or one partition of it."""
        properties = request.application_properties
        name, kind = properties.get("name"), properties.get("type")
        rules = self._runtime.rules.links
        if properties.get("operation") != "READ" or kind not in {EVENT_HUB, PARTITION}:
            return Reply(501, "only READ of an event hub or a partition is known", condition=NOT_IMPLEMENTED)
        entity = rules.entity_named(name) if isinstance(name, str) else None
        if not isinstance(name, str) or entity is None:
            return Reply(404, "The messaging entity could not be found.", condition=NOT_FOUND)
        # Node's client signs for exactly this path, Python's for the event hub above it.
        if not self._authorisations.opens(f"{name}/$management"):
            return Reply(401, "Unauthorized access to the event hub.", condition=UNAUTHORIZED)
        if kind == EVENT_HUB:
            return Reply(200, "OK", self._event_hub(name, entity))
        try:
            partition = rules.partition_number(str(properties.get("partition")))
        except LinkRefused as refusal:
            return Reply(400, refusal.description, condition=refusal.condition)
        return Reply(200, "OK", self._partition(name, entity, partition))

    def _event_hub(self, name: str, entity: str) -> dict[Value, Value]:
        count = len(self._runtime.endpoints.at(entity).log.partitions)
        return {
            "name": name,
            "type": EVENT_HUB,
            "created_at": Timestamp(self._runtime.started * 1000),
            "partition_count": Int(count),
            "partition_ids": Array(tuple(str(number) for number in range(count))),
        }

    def _partition(self, name: str, entity: str, number: int) -> dict[Value, Value]:
        partition = self._runtime.endpoints.at(entity).log.partitions[number]
        return {
            "name": name,
            "type": PARTITION,
            "partition": str(number),
            "begin_sequence_number": Long(partition.first_sequence_number),
            "last_enqueued_sequence_number": Long(partition.next_sequence_number - 1),
            "last_enqueued_offset": self._runtime.rules.links.last_offset(partition),
            "last_enqueued_time_utc": Timestamp(partition.last_enqueued_time * 1000),
            "is_partition_empty": partition.is_empty,
        }
