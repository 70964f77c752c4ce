"""The rules objects that a session consults, by subject.

Stated as a protocol: the container with all of them (`iothub_emulator.rules`) also holds those of the
network, which the pure core must not import.
"""

from typing import Protocol

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.connection import ConnectionRules
from iothub_emulator.hub.hub_events import EventRules
from iothub_emulator.hub.keep_alive import KeepAliveRules
from iothub_emulator.hub.mailbox_rules import MailboxRules
from iothub_emulator.hub.method_rules import MethodRules
from iothub_emulator.hub.policies import PolicyRules
from iothub_emulator.hub.property_bag import PropertyBagRules
from iothub_emulator.hub.publish import PublishRules
from iothub_emulator.hub.subscribe import SubscribeRules
from iothub_emulator.hub.telemetry import TelemetryRules
from iothub_emulator.hub.throttle import ThrottleRules
from iothub_emulator.hub.tokens import TokenRules
from iothub_emulator.hub.twin_rules import TwinRules
from iothub_emulator.hub.will import WillRules


class Rulebook(Protocol):
    """What `iothub_emulator.rules.Rules` offers to the core; looked up at each decision."""

    tokens: TokenRules
    policies: PolicyRules
    connect: ConnectRules
    connection: ConnectionRules
    keep_alive: KeepAliveRules
    publish: PublishRules
    property_bag: PropertyBagRules
    subscribe: SubscribeRules
    telemetry: TelemetryRules
    events: EventRules
    throttle: ThrottleRules
    will: WillRules
    twins: TwinRules
    mailbox: MailboxRules
    methods: MethodRules
