"""Right hubs whose service side is slow or throttles, and whose connections end otherwise."""

import asyncio

from latitude import acted, replaced, right, wrapped

from iothub_emulator.hub.effects import End
from iothub_emulator.hub.keep_alive import KeepAliveRules
from iothub_emulator.hub.registry_rules import RegistryRules
from iothub_emulator.hub.will import WillRules
from iothub_emulator.rest import application, devices
from iothub_emulator.rest.throttling import Throttled


@right("hub facts 10, eventual consistency: a new identity takes a moment", "noticing F: slow registry")
def the_registry_is_slow(rules):
    """Each call to the registry takes a quarter of a second."""

    def wrap(carry_out):
        async def slowly(self, request):
            if request.path.startswith("/devices"):
                acted()
                await asyncio.sleep(0.25)
            return await carry_out(self, request)

        return slowly

    wrapped(application.Endpoint, "_carry_out", wrap)


@right("hub facts 10, throttles: registry 100/min/unit, twin updates 50/s; 429")
def the_service_throttles_now_and_then(rules):
    """Every fifteenth REST call is answered 429 with Retry-After 1; repeated, it is carried out."""
    counted = [0]

    def wrap(check):
        def checked(*arguments):
            counted[0] += 1
            if counted[0] % 15 == 0:
                acted()
                raise Throttled(1)
            check(*arguments)

        return checked

    wrapped(application, "check_throttle", wrap)


@right("hub facts 1, disabled while connected: drop OBSERVE; deleted while connected: unknown")
def changed_identities_keep_their_connection(rules):
    """A connection outlives that its identity is disabled, deleted or given other keys."""

    class Lasting(RegistryRules):
        def ends_connection(self, before, after):
            acted()
            return False

        def ends_modules_connections(self, after):
            return False

    replaced(rules, "registry", Lasting)


@right("hub facts 4, server time-out: drop between 1.0 times and 1.5 times plus 60 s", "MQTT-3.1.2-24")
def silent_clients_are_dropped_a_little_late(rules):
    """A silent client stays for seven tenths of a second more than one and a half times its keep-alive."""

    class Late(KeepAliveRules):
        def limit(self, keep_alive):
            acted()
            return super().limit(keep_alive) + 0.7

    replaced(rules, "keep_alive", Late)


@right("hub facts 2, se passes while connected: ACCEPT drop anywhere in [se, se + 20 min]")
def tokens_end_connections_without_grace(rules):
    """A connection ends at the very second at which its token expires."""

    def wrap(_ends_at):
        def expires(token):
            acted()
            return token.expiry

        return expires

    wrapped(rules.tokens, "ends_at", wrap)


@right("hub facts 4, Will on take-over, on a token's expiry, on QoS 2: unknown, OBSERVE")
def wills_are_for_lost_connections_alone(rules):
    """Only a connection that was lost or reset leaves a Will, or one that was silent for too long."""

    class Fewer(WillRules):
        def is_sent(self, will, end):
            sent = super().is_sent(will, end)
            is_lost = end in {End.LOST, End.RESET, End.KEEP_ALIVE}
            if sent and not is_lost:
                acted()
            return sent and is_lost

    replaced(rules, "will", Fewer)


@right("hub facts 10, CRUD: fields of SDKs and REST; unknown members are no error in JSON")
def identities_have_further_members(rules):
    """The document of a device has members that no page of 2021 knows."""

    def wrap(document):
        def larger(*arguments):
            acted()
            return {"$schema": 3, **document(*arguments), "parentScopes": [], "features": {"preview": None}}

        return larger

    wrapped(devices, "identity_document", wrap)
