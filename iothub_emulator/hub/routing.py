"""Where a message goes: to the built-in endpoint, or by a route to the custom one.

Source: Microsoft, "Use IoT Hub message routing to send device-to-cloud messages to Azure services". A message
that any route takes leaves by that route, once however many take it; the fallback route brings all other
messages of devices to the built-in endpoint.
"""

from collections.abc import Mapping
from typing import Literal

from iothub_emulator.hub.route_conditions import Route, holds
from iothub_emulator.hub.telemetry import TelemetryEvent
from iothub_emulator.settings import TELEMETRY, Settings

Endpoint = Literal["built-in", "custom"]


class RoutingRules:
    """Each decision about where a message of a device goes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.routes: tuple[Route, ...] = settings.routes

    def endpoints(self, event: TelemetryEvent) -> tuple[Endpoint, ...]:
        """will.routed: the custom endpoint for what a route takes, the built-in one for all else.

        As on a hub, where the fallback route takes only what no other route does.
        """
        if self.routes and any(self.takes(route, event) for route in self.routes):
            return ("custom",)
        return self.fallback()

    def takes(self, route: Route, event: TelemetryEvent) -> bool:
        """will.routed: a route takes what its condition is true of; undefined is not true."""
        application = {name.lower(): value for name, value in event.properties.items()}
        return holds(route.condition, application, self.system_properties(event))

    def fallback(self) -> tuple[Endpoint, ...]:
        """d2c.events-topic: the built-in endpoint, where telemetry is among its sources."""
        return ("built-in",) if TELEMETRY in self.settings.events else ()

    def system_properties(self, event: TelemetryEvent) -> Mapping[str, str]:
        """Return the hub's own properties by their names in a condition, without `$` and in lower case."""
        named: dict[str, str | bytes | None] = {
            "connectiondeviceid": event.device_id,
            "connectionmoduleid": event.module_id,
            "messageid": event.system.get("message-id"),
            "correlationid": event.system.get("correlation-id"),
            "userid": event.system.get("user-id"),
            "contenttype": event.system.get("content-type"),
            "contentencoding": event.system.get("content-encoding"),
            "dt-dataschema": event.system.get("dt-dataschema"),
            "dt-subject": event.system.get("dt-subject"),
        }
        return {
            name: value if isinstance(value, str) else value.decode("utf-8", "replace")
            for name, value in named.items()
            if value is not None
        }
