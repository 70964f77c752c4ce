"""Hubs that lead messages to the wrong endpoint."""

import dataclasses

from fault import fault

from iothub_emulator.hub.routing import RoutingRules


def routing_rules(rules, wrong):
    rules.routing = wrong(rules.routing.settings)


@fault("will.routed")
def routes_are_ignored(rules):
    """Every message goes to the built-in endpoint, whatever the routes say."""

    class Wrong(RoutingRules):
        def endpoints(self, event):
            return self.fallback()

    routing_rules(rules, Wrong)


@fault("will.routed")
def will_is_marked_behind_the_routes(rules):
    """A Will gets its iothub-MessageType when it has been routed already."""

    class Wrong(RoutingRules):
        def takes(self, route, event):
            properties = {
                name: value for name, value in event.properties.items() if name != "iothub-MessageType"
            }
            return super().takes(route, dataclasses.replace(event, properties=properties))

    routing_rules(rules, Wrong)


@fault("will.routed")
def only_the_last_condition_counts(rules):
    """Of conditions joined by AND the last one decides."""

    class Wrong(RoutingRules):
        def takes(self, route, event):
            last = dataclasses.replace(route, condition=route.condition.conditions[-1])
            return super().takes(last, event)

    routing_rules(rules, Wrong)


@fault("will.routed")
def every_will_takes_a_copy_along_the_route(rules):
    """Any Will reaches the custom endpoint too, whether the route takes it or not."""

    class Wrong(RoutingRules):
        def endpoints(self, event):
            is_will = event.properties.get("iothub-MessageType") == "Will"
            return ("custom", "built-in") if is_will else super().endpoints(event)

    routing_rules(rules, Wrong)


@fault("will.routed")
def custom_endpoint_gets_everything(rules):
    """All messages reach the custom endpoint beside their own."""

    class Wrong(RoutingRules):
        def endpoints(self, event):
            return tuple({"custom", *super().endpoints(event)})

    routing_rules(rules, Wrong)
