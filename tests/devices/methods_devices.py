"""Devices that are wrong in how they answer methods."""

import json
import struct

from wrong import wrong

from conformance.adapters.paho_device import Device


@wrong("device-methods.subscribes")
class WiderFilter(Device):
    """It subscribes to all about methods."""

    def filters(self):
        return {**super().filters(), "methods": "$iothub/methods/#"}


@wrong("device-methods.request")
class PayloadAsText(Device):
    """It hands on payloads as text."""

    def on_method(self, topic, body):
        super().on_method(topic, json.dumps(body.decode()).encode())


@wrong("device-methods.request")
class NumbersAsFloats(Device):
    """It reads all numbers as floating point of 32 bits."""

    def on_method(self, topic, body):
        short = lambda text: struct.unpack("f", struct.pack("f", float(text)))[0]  # noqa: E731
        super().on_method(topic, json.dumps(json.loads(body, parse_int=short)).encode())


@wrong("device-methods.request-without-payload")
class WantsPayload(Device):
    """It passes over a call whose body is empty or null."""

    def on_method(self, topic, body):
        if body not in {b"", b"null"}:
            super().on_method(topic, body)


@wrong("device-methods.response")
class AlwaysWell(Device):
    """It answers each call with status 200."""

    def answer_method(self, order):
        return super().answer_method({**order, "status": 200})


@wrong("device-methods.response")
class EmptyIsNone(Device):
    """It leaves out a payload that is empty."""

    def answer_method(self, order):
        return super().answer_method({**order, "payload": order.get("payload") or None})


@wrong("device-methods.response-without-payload")
class NothingToSay(Device):
    """It does not answer where there is no payload."""

    def answer_method(self, order):
        if order.get("payload") is None:
            return {"event": "answered"}
        return super().answer_method(order)


@wrong("device-methods.response-topic")
class PropertyBehindId(Device):
    """It puts its version behind the request id."""

    def publish(self, topic, body):
        super().publish(f"{topic}&version=2" if "/methods/" in topic else topic, body)


@wrong("device-methods.response-topic")
class OwnRequestId(Device):
    """It counts calls, and answers with its own number."""

    def answer_method(self, order):
        return super().answer_method({**order, "request": "1000"})


@wrong("device-methods.response-body")
class NoJson(Device):
    """Its answers are no JSON."""

    def publish(self, topic, body):
        super().publish(topic, body.replace(b'"', b"'") if "/methods/" in topic else body)


@wrong("device-methods.once")
class AnswersTwice(Device):
    """It answers each call twice."""

    def publish(self, topic, body):
        super().publish(topic, body)
        super().publish(topic, body)


@wrong("device-methods.together")
class LastCallOnly(Device):
    """It answers the call that came last, whichever is meant."""

    last = ""

    def on_method(self, topic, body):
        self.last = topic.partition("$rid=")[2]
        super().on_method(topic, body)

    def answer_method(self, order):
        return super().answer_method({**order, "request": self.last})


@wrong("device-methods.served-again")
class DeafBehindLoss(Device):
    """Behind a lost connection it answers no call."""

    has_lost = False

    def on_disconnect(self, *more):
        self.has_lost = True
        super().on_disconnect(*more)

    def on_method(self, topic, body):
        if not self.has_lost:
            super().on_method(topic, body)


@wrong("device-methods.status")
class StatusOfHttp(Device):
    """It answers with status 500 where its application says what is no status of HTTP."""

    def answer_method(self, order):
        status = order["status"] if 100 <= order["status"] <= 599 else 500
        return super().answer_method({**order, "status": status})


@wrong("device-methods.large-payload")
class ShortBuffer(Device):
    """It has 4 KB for the payload of a call, and hands on what is longer as nothing."""

    def on_method(self, topic, body):
        super().on_method(topic, body if len(body) <= 4096 else b"")


@wrong("device-methods.large-payload")
class ShortAnswers(Device):
    """It answers nothing where the answer is longer than 4 KB."""

    def answer_method(self, order):
        payload = order.get("payload")
        return super().answer_method({**order, "payload": payload if len(json.dumps(payload)) < 4096 else {}})


@wrong("device-methods.again")
class AnswersTwoCalls(Device):
    """It answers two calls, and no more."""

    count = 0

    def answer_method(self, order):
        self.count += 1
        return super().answer_method(order) if self.count < 3 else {"event": "answered"}


@wrong("device-methods.subscribes-again")
class TrustsItsSession(Device):
    """It never subscribes again."""

    def come_back(self, *, session_present):
        pass


@wrong("device-methods.module")
class AnswersAsItsDevice(Device):
    """As a module it answers under a topic with its own name in it."""

    def publish(self, topic, body):
        own = f"$iothub/modules/{self.settings.module_id}/" if self.settings.module_id else "$iothub/"
        super().publish(topic.replace("$iothub/", own), body)
