"""Where a back end sends messages to devices: each is put in a mailbox, or rejected with the reason."""

from iothub_emulator.amqp.answers import MAX_MESSAGE_SIZE
from iothub_emulator.amqp.cloud_messages import cloud_message
from iothub_emulator.amqp.composites import Composite
from iothub_emulator.amqp.errors import NOT_FOUND, AmqpError
from iothub_emulator.amqp.messages import BATCHED, decode_message, messages_in
from iothub_emulator.amqp.performatives import Accepted, Error, Rejected
from iothub_emulator.runtime import Runtime


class CloudToDeviceSender:
    """The consumer behind one sending link of a back end."""

    # Read as far as was stated, to be rejected by name: what a mailbox takes is far less.
    max_message_size = MAX_MESSAGE_SIZE

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def window(self) -> int:
        """Return how many messages may be under way: each is answered at once, so always as many."""
        return self._runtime.rules.links.sends_under_way()

    def take(self, message: bytes, message_format: int) -> Composite:
        """Put one message, or a batch of them, in its mailbox.

        unspecified: the first message of a batch that is refused decides the outcome of all; those before it
        are on their way.
        """
        try:
            for single in messages_in(message) if message_format == BATCHED else [message]:
                self._send(single)
        except AmqpError as refusal:
            return Rejected(error=Error(condition=refusal.condition, description=refusal.description))
        return Accepted()

    def _send(self, data: bytes) -> None:
        """Send one encoded message, or raise `AmqpError` with what its sender is told."""
        runtime = self._runtime
        rules = runtime.rules.links
        message = cloud_message(rules, decode_message(data), runtime.now())
        device_id = runtime.addressee(message.to)
        if device_id is None:
            raise AmqpError(NOT_FOUND, f"'{message.to[:256]}' is no address of a device.")
        refused = runtime.send_to_device(message, device_id)
        if refused is not None:
            raise AmqpError(
                rules.condition_for(refused.code), f"ErrorCode:{refused.code.name};{refused.message[:256]}"
            )

    def close(self) -> None:
        """Leave messages where they are: the link is no part of them."""
