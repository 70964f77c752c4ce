"""Devices that are wrong about their twin."""

import json

from wrong import wrong

from conformance.adapters.paho_device import Device


@wrong("device-twin.subscribed-first")
class AsksAtOnce(Device):
    """It subscribes to answers and asks without waiting for SUBACK."""

    def subscribe(self, topic_filter):
        self.client.subscribe(topic_filter, 1)
        self.listens_to.append(topic_filter)


@wrong("device-twin.get-request")
class AsksWithBody(Device):
    """Its request for the twin has a body."""

    def ask(self, topic, body):
        return super().ask(topic, body or b"{}")


@wrong("device-twin.request-ids")
class OneRequestId(Device):
    """All of its requests have one id."""

    def request_id(self):
        self.answers.pop("twin 1", None)
        return "1"


@wrong("device-twin.get-told")
class NumbersAsFloats(Device):
    """It reads all numbers as floating point of 32 bits."""

    def get_twin(self, order):
        import struct

        short = lambda text: struct.unpack("f", struct.pack("f", float(text)))[0]  # noqa: E731
        twin = super().get_twin(order)
        return {**twin, "twin": json.loads(json.dumps(twin["twin"]), parse_int=short)}


@wrong("device-twin.get-told")
class FlatTwin(Device):
    """It hands on the first level of its twin alone."""

    def get_twin(self, order):
        twin = super().get_twin(order)
        desired = {
            name: value for name, value in twin["twin"]["desired"].items() if not isinstance(value, dict)
        }
        return {**twin, "twin": {**twin["twin"], "desired": desired}}


@wrong("device-twin.own-answer", "device-twin.together")
class TakesAnyAnswer(Device):
    """It takes the next answer for its own."""

    def on_twin_answer(self, topic, body):
        status, _, _ = topic.removeprefix("$iothub/twin/res/").partition("/")
        own = f"twin {self.requests}"
        if own not in self.answers:
            self.answer(own, (int(status), None, body))


@wrong("device-twin.get-refused")
class StatusPassedOver(Device):
    """It does not look at the status of an answer: one without a body is an empty twin."""

    def ask(self, topic, body):
        _, version, answer = super().ask(topic, body)
        return 200, version, answer or b"{}"


@wrong("device-twin.reported")
class ReplacesAll(Device):
    """It takes away what it reported before."""

    before = ()

    def patch_reported(self, order):
        gone = dict.fromkeys(self.before)
        self.before = tuple(order["patch"])
        return super().patch_reported({**order, "patch": {**gone, **order["patch"]}})


@wrong("device-twin.reported")
class ValuesAsTexts(Device):
    """It reports all values as texts."""

    def patch_reported(self, order):
        texts = {name: str(value) for name, value in order["patch"].items()}
        return super().patch_reported({**order, "patch": texts})


@wrong("device-twin.reported-null")
class NullsLeftOut(Device):
    """It leaves out what is null."""

    def patch_reported(self, order):
        return super().patch_reported({**order, "patch": without_nulls(order["patch"])})


def without_nulls(value):
    if not isinstance(value, dict):
        return value
    return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}


@wrong("device-twin.reported-request")
class ReportsSection(Device):
    """It reports its properties inside an object named reported."""

    def patch_reported(self, order):
        return super().patch_reported({**order, "patch": {"reported": order["patch"]}})


@wrong("device-twin.reported-refused")
class ReportsAndForgets(Device):
    """It takes a report for done whatever the answer is."""

    def patch_reported(self, order):
        patch = json.dumps(order["patch"]).encode()
        self.ask("$iothub/twin/PATCH/properties/reported/?$rid={id}", patch)
        return {"event": "patched"}


@wrong("device-twin.desired-subscribes")
class AllOfTwin(Device):
    """It subscribes to all about its twin."""

    def filters(self):
        return {**super().filters(), "desired": "$iothub/twin/#"}


@wrong("device-twin.desired-told")
class FlatChanges(Device):
    """It hands on changes of the first level alone."""

    def on_desired(self, topic, body):
        patch = {name: value for name, value in json.loads(body).items() if not isinstance(value, dict)}
        super().on_desired(topic, json.dumps(patch).encode())


@wrong("device-twin.desired-null")
class NullChangesLeftOut(Device):
    """It leaves out of a change what is null."""

    def on_desired(self, topic, body):
        super().on_desired(topic, json.dumps(without_nulls(json.loads(body))).encode())


@wrong("device-twin.desired-order")
class NewestChangeFirst(Device):
    """It collects five changes, and hands on the newest first."""

    waiting = ()

    def on_desired(self, topic, body):
        self.waiting = ((topic, body), *self.waiting)
        if len(self.waiting) == 5:
            for change in self.waiting:
                super().on_desired(*change)


@wrong("device-twin.served-again")
class DeafBehindLoss(Device):
    """Behind a lost connection it passes over changes."""

    has_lost = False

    def on_disconnect(self, *more):
        self.has_lost = True
        super().on_disconnect(*more)

    def on_desired(self, topic, body):
        if not self.has_lost:
            super().on_desired(topic, body)


@wrong("device-twin.get-told-reported")
class DesiredAlone(Device):
    """Of its twin it hands on the desired properties alone."""

    def get_twin(self, order):
        twin = super().get_twin(order)
        return {**twin, "twin": {"desired": twin["twin"]["desired"]}}


@wrong("device-twin.desired-version")
class CountsChanges(Device):
    """It counts changes by itself, and passes over the hub's versions."""

    count = 0

    def on_desired(self, topic, body):
        self.count += 1
        super().on_desired(f"{topic.partition('=')[0]}={self.count}", body)


@wrong("device-twin.subscribes-again")
class TrustsItsSession(Device):
    """It never subscribes again."""

    def come_back(self, *, session_present):
        pass


@wrong("device-twin.asks-behind-loss")
class AnswersPassedOver(Device):
    """Behind a lost connection it passes over the answers to its requests."""

    has_lost = False

    def on_disconnect(self, *more):
        self.has_lost = True
        super().on_disconnect(*more)

    def on_twin_answer(self, topic, body):
        if not self.has_lost:
            super().on_twin_answer(topic, body)


@wrong("device-twin.module")
class TopicsOfItsOwn(Device):
    """As a module it asks under a topic with its own name in it."""

    def ask(self, topic, body):
        own = f"$iothub/modules/{self.settings.module_id}/" if self.settings.module_id else "$iothub/"
        return super().ask(topic.replace("$iothub/", own), body)
