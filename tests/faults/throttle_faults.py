"""Hubs that throttle in the wrong words, or for ever."""

from fault import fault

from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.throttle import ThrottleRules
from iothub_emulator.hub.twin_rules import TwinRules

THROTTLED = 429


def twin_rules(rules, wrong):
    rules.twins = wrong(rules.twins.get_status(), rules.twins.patch_status())


def throttle_rules(rules, wrong):
    rules.throttle = wrong(tuple(rules.throttle.throttles.values()), rules.throttle.scope)


@fault("twin.throttled")
def throttled_request_has_no_id(rules):
    """An answer with 429 is sent before the request id is read."""

    class Wrong(TwinRules):
        def answer_topic(self, status, request_id, version):
            return super().answer_topic(status, "" if status == THROTTLED else request_id, version)

    twin_rules(rules, Wrong)


@fault("twin.throttled")
def throttled_request_has_the_id_before(rules):
    """An answer with 429 bears the id of the request that was answered last."""

    class Wrong(TwinRules):
        last = ""

        def answer_topic(self, status, request_id, version):
            if status != THROTTLED:
                self.last = request_id
            return super().answer_topic(status, self.last, version)

    twin_rules(rules, Wrong)


@fault("twin.throttled")
def throttled_request_is_a_failure_of_the_hub(rules):
    """What is throttled is answered with 500."""

    class Wrong(TwinRules):
        def throttled(self):
            return Refused(ErrorCode.ServerError, "InternalServerError")

    twin_rules(rules, Wrong)


@fault("twin.throttled")
def throttle_lasts_for_ever(rules):
    """A device that was throttled once stays so."""

    class Wrong(ThrottleRules):
        def filled(self, bucket, throttle, now):
            return bucket.left

    throttle_rules(rules, Wrong)


@fault("twin.throttled")
def throttled_updates_are_counted_as_malformed(rules):
    """A request too many is answered with 400."""

    class Wrong(TwinRules):
        def throttled(self):
            return Refused(ErrorCode.ArgumentInvalid, "Too many requests.")

    twin_rules(rules, Wrong)
