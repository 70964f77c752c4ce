"""Hubs that break a clause where no case of that clause looks."""

from dataclasses import replace

from iothub_emulator.hub.connect import ConnectRules
from iothub_emulator.hub.device_requests import DeviceRequests
from iothub_emulator.hub.effects import End
from iothub_emulator.hub.publish import PublishRules
from iothub_emulator.hub.session import Session
from iothub_emulator.hub.subscribe import FAILURE, SubscribeRules


def behind_ends(effect, *ends):
    """Have every end of this kind do something more to the identity whose connection it is."""
    ended = Session.ended

    def wrong(self, end, now):
        if end in ends and self.identity_key is not None:
            effect(self._hub, self.identity_key, now)
        return ended(self, end, now)

    Session.ended = wrong


def behind_refusals(effect, ground):
    """Have every refusal on this ground do something more to the identity that was named."""
    refuse = Session._refuse

    def wrong(self, refused, will, now):
        if ground in refused.reason and refused.identity is not None:
            effect(self._hub, refused.identity.key)
        return refuse(self, refused, will, now)

    Session._refuse = wrong


def expired_token_ends_the_session(rules):
    """Whose token has run out is taken for somebody who left for good."""
    behind_refusals(lambda hub, key: hub.subscriptions.pop(key, None), "expired")


def token_for_another_resource_empties_the_queue(rules):
    """What waits for a device is thrown away where somebody comes with a token for something else."""
    behind_refusals(lambda hub, key: hub.mailboxes.pop(key, None), "another resource")


def silence_takes_desired_properties_away(rules):
    """What is desired of a device is forgotten when it was silent for too long."""

    def forget(hub, key, now):
        twin = hub.twin(key, now)
        hub.twins[key] = replace(twin, desired=replace(twin.desired, values={}))

    behind_ends(forget, End.KEEP_ALIVE)


def disabled_device_is_left_to_wait(rules):
    """A CONNECT of a disabled device is dropped, and its connection stays open without a word."""

    class Wrong(ConnectRules):
        def refusal(self, reason):
            return () if reason == "connect.disabled-device" else super().refusal(reason)

    rules.connect = Wrong(rules.connect.settings)


def replaced_connection_sends_its_will_twice(rules):
    """The Will goes out when the newer connection comes, and again when the older one is cleared up."""
    ended = Session.ended

    def wrong(self, end, now):
        effects = ended(self, end, now)
        return effects * 2 if end is End.TAKE_OVER else effects

    Session.ended = wrong


def bag_behind_a_question_mark_is_lost(rules):
    """A message whose bag is written as in a URL is acknowledged, and goes no further."""

    class Wrong(PublishRules):
        def delivers(self, packet):
            return super().delivers(packet) and "/?" not in packet.topic

    rules.publish = Wrong(rules.publish.settings, rules.publish.edition)


def expired_token_makes_all_twins_silent(rules):
    """From the first token that has run out on, no request for a twin is answered, whoever asks."""
    answered, silent = DeviceRequests._twin, set()
    behind_refusals(lambda hub, key: silent.add(key), "expired")

    def wrong(self, request, packet, now):
        return [] if silent else answered(self, request, packet, now)

    DeviceRequests._twin = wrong


def expired_token_bars_from_messages(rules):
    """Who came with a token that has run out has no session any more, and may not ask for messages again."""
    barred = set()

    def bar(hub, key):
        barred.add(key)
        hub.subscriptions.pop(key, None)

    class Wrong(SubscribeRules):
        def grants(self, topic_filter, qos, identity_key):
            code = super().grants(topic_filter, qos, identity_key)
            return FAILURE if identity_key in barred and "devicebound" in topic_filter else code

    behind_refusals(bar, "expired")
    rules.subscribe = Wrong(rules.subscribe.edition)
