"""All rules objects in one container: what an edition configures and `--load` may replace.

Whoever decides something looks the object up here at that moment, so a subclass instance put in its place
before the start takes effect everywhere.
"""

from dataclasses import dataclass

from iothub_emulator.editions import Edition
from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.connection import ConnectionRules
from iothub_emulator.hub.feedback import FeedbackRules
from iothub_emulator.hub.hub_events import EventRules
from iothub_emulator.hub.keep_alive import KeepAliveRules
from iothub_emulator.hub.links import LinkRules
from iothub_emulator.hub.mailbox_rules import MailboxRules
from iothub_emulator.hub.method_rules import MethodRules
from iothub_emulator.hub.policies import PolicyRules
from iothub_emulator.hub.property_bag import PropertyBagRules
from iothub_emulator.hub.publish import PublishRules
from iothub_emulator.hub.registry_rules import RegistryRules
from iothub_emulator.hub.routing import RoutingRules
from iothub_emulator.hub.subscribe import SubscribeRules
from iothub_emulator.hub.telemetry import TelemetryRules
from iothub_emulator.hub.throttle import ThrottleRules
from iothub_emulator.hub.tokens import TokenRules
from iothub_emulator.hub.twin_rules import TwinRules
from iothub_emulator.hub.will import WillRules
from iothub_emulator.mqtt.rules import CodecRules
from iothub_emulator.net.rules import ListenerRules
from iothub_emulator.settings import Settings


@dataclass(slots=True)
class Rules:
    """One object for each subject; plain attributes, each replaceable by an instance of a subclass."""

    tokens: TokenRules
    policies: PolicyRules
    connect: ConnectRules
    connection: ConnectionRules
    keep_alive: KeepAliveRules
    publish: PublishRules
    property_bag: PropertyBagRules
    subscribe: SubscribeRules
    telemetry: TelemetryRules
    routing: RoutingRules
    events: EventRules
    throttle: ThrottleRules
    will: WillRules
    twins: TwinRules
    mailbox: MailboxRules
    feedback: FeedbackRules
    methods: MethodRules
    registry: RegistryRules
    links: LinkRules
    codec: CodecRules
    listeners: ListenerRules


def rules_for(settings: Settings, edition: Edition) -> Rules:
    """Return the rules of an edition under the given settings."""
    return Rules(
        tokens=TokenRules(settings),
        policies=PolicyRules(),
        connect=ConnectRules(settings),
        connection=ConnectionRules(),
        keep_alive=KeepAliveRules(settings),
        publish=PublishRules(settings, edition),
        property_bag=PropertyBagRules(),
        subscribe=SubscribeRules(edition),
        telemetry=TelemetryRules(edition.certificate_method),
        routing=RoutingRules(settings),
        events=EventRules(settings),
        throttle=ThrottleRules(settings.throttles, settings.throttle_scope),
        will=WillRules(),
        twins=TwinRules(edition.twin_get_status, edition.twin_patch_status),
        mailbox=MailboxRules(
            lock=settings.c2d_lock,
            depth=settings.c2d_queue_depth,
            time_to_live=settings.c2d_time_to_live,
            max_delivery_count=settings.c2d_max_delivery_count,
        ),
        feedback=FeedbackRules(batch_size=settings.feedback_batch_size, interval=settings.feedback_interval),
        methods=MethodRules(settings.method_shortest_timeout),
        registry=RegistryRules(),
        links=LinkRules(settings),
        codec=CodecRules(settings),
        listeners=ListenerRules(settings, edition),
    )
