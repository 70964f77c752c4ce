"""What several of these hubs do, each as a decision of the embedded hub made otherwise."""

from latitude import acted, wrapped

from iothub_emulator.hub.session import Session


def on_a_slash_in_the_bag(outcome):
    """Let a message with a raw slash in the middle of its bag come to another end.

    `outcome(session, publish, packet, sender, now)` returns the effects; `publish` is what the hub did.
    """

    def wrap(publish):
        def published(self, packet, sender, now):
            topic = self._rules.publish.parse_topic(packet.topic)
            if topic is None or "/" not in topic.bag.rstrip("/"):
                return publish(self, packet, sender, now)
            acted()
            return outcome(self, publish, packet, sender, now)

        return published

    wrapped(Session, "_publish", wrap)


def keep_no_filter(rules, is_forgotten):
    """Let a session that goes on be without the filters of which this is so, until they are repeated."""

    def wrap(restored):
        def kept(stored, *, clean_session):
            found = restored(stored, clean_session=clean_session)
            left = {each: qos for each, qos in found.items() if not is_forgotten(each)}
            if left != found:
                acted()
            return left

        return kept

    wrapped(rules.connect, "restored", wrap)
