"""The Event Hubs-compatible endpoints while the hub runs: the built-in one, and one that routes lead to."""

from iothub_emulator.hub.telemetry import TelemetryEvent, TelemetryLog
from iothub_emulator.rules import Rules
from iothub_emulator.settings import Settings
from iothub_emulator.telemetry_feed import TelemetryFeed


class EventEndpoints:
    """Each is a log with readers. The rules are looked up at each event."""

    def __init__(self, settings: Settings, rules: Rules) -> None:
        self._rules = rules
        self.built_in = TelemetryFeed(TelemetryLog(settings.partitions, settings.telemetry_log_events), rules)
        self._by_entity = {settings.entity: self.built_in}
        self._custom: TelemetryFeed | None = None
        if settings.routes:
            log = TelemetryLog(settings.partitions, settings.telemetry_log_events)
            self._custom = self._by_entity[settings.routed_entity] = TelemetryFeed(log, rules)

    def at(self, entity: str) -> TelemetryFeed:
        """Return the endpoint whose entity has this name, as `LinkRules.entity_named` gives it."""
        return self._by_entity[entity]

    def take(self, event: TelemetryEvent) -> None:
        """Take a message of a device, and bring it where it goes."""
        for endpoint in self._rules.routing.endpoints(event):
            feed = self.built_in if endpoint == "built-in" else self._custom
            if feed is not None:
                feed.append(event)

    def tell(self, event: TelemetryEvent) -> None:
        """Take an event of the hub's own, which no route leads away."""
        self.built_in.append(event)
