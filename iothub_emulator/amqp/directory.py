"""What stands behind each address, for one connection, and whether that connection may attach to it."""

from collections.abc import Callable

from iothub_emulator.amqp.cbs import Authorisations, PutToken
from iothub_emulator.amqp.cloud_to_device import CloudToDeviceSender
from iothub_emulator.amqp.errors import (
    INVALID_FIELD,
    NOT_FOUND,
    NOT_IMPLEMENTED,
    REDIRECT,
    UNAUTHORIZED,
    LinkError,
)
from iothub_emulator.amqp.event_receivers import EventReceiver
from iothub_emulator.amqp.feedback_receivers import FeedbackReceiver
from iothub_emulator.amqp.management import Management
from iothub_emulator.amqp.nodes import Consumer, Supplier
from iothub_emulator.amqp.performatives import RECEIVER, Attach, Coordinator, Target
from iothub_emulator.amqp.request_node import RequestNode
from iothub_emulator.amqp.values import Symbol, Uint
from iothub_emulator.hub.host_names import without_port
from iothub_emulator.hub.link_refusals import LinkRefused
from iothub_emulator.runtime import Runtime

CBS, MANAGEMENT = "$cbs", "$management"


class Directory:
    """The nodes of one connection. `wake` is called when one of them has something to send."""

    def __init__(self, runtime: Runtime, wake: Callable[[], None]) -> None:
        self._runtime = runtime
        self._wake = wake
        self.host = runtime.settings.host_names[0]
        """The name by which the peer calls the hub, once it has said so."""
        self.authorisations = Authorisations(runtime)
        put_token = PutToken(runtime, self.authorisations, wake)
        management = Management(runtime, self.authorisations)
        self._request_nodes = {
            CBS: RequestNode(put_token.answer),
            MANAGEMENT: RequestNode(management.answer),
        }

    def path_of(self, attach: Attach) -> str:
        """Return which address an attach is for, without scheme and host; empty where it names none."""
        return self._runtime.rules.links.path_of(_address(attach))

    def open_supplier(self, attach: Attach, path: str) -> Supplier:
        """Return what sends at `path`, or raise `LinkError`."""
        if attach.source is not None and attach.source.dynamic:
            raise LinkError(NOT_IMPLEMENTED, "no dynamic nodes here")
        node = self._request_nodes.get(path.casefold())
        self._check_right(path, "Listen")
        if node is not None:
            return node.open_replies(attach.target.address if isinstance(attach.target, Target) else None)
        if self._runtime.rules.links.is_feedback(path):
            return FeedbackReceiver(self._runtime, self._wake)
        self._redirect(attach, path)
        try:
            stream = self._runtime.rules.links.stream_at(path)
        except LinkRefused as refusal:
            raise LinkError(refusal.condition, refusal.description) from None
        if stream is None:
            raise LinkError(NOT_FOUND, f"The messaging entity '{path[:256]}' could not be found.")
        return EventReceiver(self._runtime, stream, attach, self._wake)

    def open_consumer(self, attach: Attach, path: str) -> Consumer:
        """Return what takes messages at `path`, or raise `LinkError`."""
        if isinstance(attach.target, Coordinator):
            raise LinkError(NOT_IMPLEMENTED, "no transactions here")
        if attach.target is not None and attach.target.dynamic:
            raise LinkError(NOT_IMPLEMENTED, "no dynamic nodes here")
        node = self._request_nodes.get(path.casefold())
        self._check_right(path, "Send")
        if node is not None:
            return node
        if self._runtime.rules.links.is_devicebound(path):
            return CloudToDeviceSender(self._runtime)
        self._redirect(attach, path)
        raise LinkError(NOT_FOUND, f"The messaging entity '{path[:256]}' could not be found.")

    def _redirect(self, attach: Attach, path: str) -> None:
        """Lead a reader of events to where they are read (part 2, 2.8.18)."""
        last_slash = "/" if _address(attach).endswith("/") else ""
        elsewhere = self._runtime.rules.links.redirected(path + last_slash)
        if elsewhere is not None:
            host, port = without_port(self.host), self._runtime.amqp_port
            info = {
                Symbol("hostname"): host,
                Symbol("network-host"): host,
                Symbol("port"): Uint(port),
                Symbol("address"): f"amqps://{host}:{port}/{elsewhere}",
            }
            raise LinkError(REDIRECT, "Events are read at the Event Hubs-compatible endpoint.", info)

    def _check_right(self, path: str, claim: str) -> None:
        if not path:
            raise LinkError(INVALID_FIELD, "the link names no address")
        if not self.may_attach(path):
            raise LinkError(
                UNAUTHORIZED,
                f"Unauthorized access. '{claim}' claim(s) are required to perform this operation. "
                f"Resource: '{path[:256]}'.",
            )

    def may_attach(self, path: str) -> bool:
        """Tell whether a link at `path` may be, now; asked again when an authorisation ends."""
        if path.casefold() == CBS:
            return True
        if path.casefold() == MANAGEMENT:
            # Its requests name what they are about, and are authorised one by one.
            return self.authorisations.any()
        return self.authorisations.opens(path)


def _address(attach: Attach) -> str:
    """Return the address of the hub's end of a link as it was written; empty where there is none."""
    terminus = attach.source if attach.role == RECEIVER else attach.target
    return "" if terminus is None or isinstance(terminus, Coordinator) else terminus.address or ""
