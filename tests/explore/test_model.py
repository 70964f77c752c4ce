"""The model, played against a hub in thought: a right one breaks nothing, a wrong one breaks its rule."""

from collections.abc import Callable

import pytest

from conformance.explore import ideal
from conformance.explore.expectations import BACK_END, Comparison, Event
from conformance.explore.model import Model, unexpected_rule
from conformance.explore.scenarios import default, read

CONNECTED = """scenario 1 mixed
identity a sas
identity A sas
1 a connect over=tls clean=0 login=plain will=0 bag=one
2 A connect over=ws clean=1 login=plain will=none bag=none
3 a subscribe filters=devicebound:1,answers:0,desired:1,methods:1
4 A subscribe filters=devicebound:1,answers:0,desired:1,methods:1
"""


def broken(text: str, at: int, change: Callable[[list[Event]], list[Event]]) -> set[str]:
    """Play a scenario against a hub that is wrong in the action with this number, 0 for the end."""
    scenario = read(CONNECTED + text)
    model = Model(scenario.cast)
    compared: list[Comparison | None] = [
        ideal.play(model, action, lambda done, events: change(events) if done.number == at else events)
        for action in scenario.actions
    ]
    compared.append(ideal.finish(model, change if at == 0 else None))
    seen = [each for each in compared if each is not None]
    rules = {finding.rule for each in seen for finding in each.findings}
    return rules | {str(unexpected_rule(event)) for each in seen for event in each.unexpected}


def without(kind: str) -> Callable[[list[Event]], list[Event]]:
    """Return a hub that loses events of this kind."""
    return lambda events: [event for event in events if event.kind != kind]


def twice(kind: str) -> Callable[[list[Event]], list[Event]]:
    """Return a hub that does everything of this kind twice."""
    return lambda events: [event for event in events for _ in range(1 + (event.kind == kind))]


def also(*more: Event) -> Callable[[list[Event]], list[Event]]:
    """Return a hub that does something beside what is right."""
    return lambda events: [*events, *more]


def changed(kind: str, **values: object) -> Callable[[list[Event]], list[Event]]:
    """Return a hub that gets values of this kind wrong; underscores stand for spaces."""
    wrong = {name.replace("_", " "): value for name, value in values.items()}
    return lambda events: [
        Event(event.where, event.kind, event.key, {**event.values, **wrong}) if event.kind == kind else event
        for event in events
    ]


MODEL = "dtmi:com:example:Thermostat;1"
MODELLED = "5 a connect over=tls clean=0 login=model will=none bag=none\n"
PUBLISHED = "6 a publish qos=1 retain=0 dup=0 size=20 bag=component cut=whole\n"
BY_THE_OTHER = "6 A publish qos=1 retain=0 dup=0 size=20 bag=one cut=whole\n"
RETURNED = "5 a connect over=tls clean=0 login=plain will=none bag=none\n6 a send size=20 properties=one\n"
# What is done, in which action the hub is wrong, how, and which rule that breaks.
WRONG = [
    ("5 a send size=20 properties=one\n", 5, without("message"), "message"),
    ("5 a send size=20 properties=one\n", 5, changed("message", qos=0), "message-qos"),
    ("5 a send size=20 properties=one\n", 5, changed("message", properties={"k": "w"}), "message-names"),
    ("5 a send size=20 properties=one\n", 5, changed("message", size=19), "message-body"),
    ("5 a send size=20 properties=one\n", 5, also(Event("A#1", "message", "5")), "message-own"),
    (
        "5 a send size=20 properties=one\n6 a acknowledge which=all\n7 a ping count=1\n",
        7,
        also(Event("a#1", "message", "5")),
        "message-done",
    ),
    (
        "5 a unsubscribe filters=devicebound\n6 a send size=20 properties=one\n",
        6,
        also(Event("a#1", "message", "6")),
        "message-unsubscribed",
    ),
    (
        (
            "5 a drop how=close\n6 a send size=20 properties=one\n7 a purge\n"
            "8 a connect over=tls clean=0 login=plain will=none bag=none\n"
        ),
        8,
        also(Event("a#2", "message", "6")),
        "message-purged",
    ),
    (
        "5 a unsubscribe filters=devicebound\n6 a send-stale size=20\n7 a subscribe filters=devicebound:1\n",
        7,
        also(Event("a#1", "message", "6")),
        "message-expired",
    ),
    (
        "5 a send-asking size=20 ack=full\n6 a acknowledge which=all\n",
        0,
        without("feedback"),
        "feedback",
    ),
    (
        "5 a send-asking size=20 ack=full\n6 a acknowledge which=all\n",
        0,
        changed("feedback", status="Expired"),
        "feedback",
    ),
    (
        "5 a drop how=close\n6 a send-asking size=20 ack=negative\n7 a purge\n",
        0,
        without("feedback"),
        "feedback-purged",
    ),
    (
        "5 a send-asking size=20 ack=negative\n6 a acknowledge which=all\n",
        0,
        also(Event(BACK_END, "feedback", "5", {"status": "Success"})),
        "feedback-unasked",
    ),
    (
        "5 a send-asking size=20 ack=full\n",
        5,
        changed("message", properties={"$.mid": "A-5"}),
        "message-names",
    ),
    ("5 a drop how=close\n", 0, without("telemetry"), "will-sent"),
    ("5 a drop how=close\n", 0, twice("telemetry"), "will-sent"),
    ("5 a disconnect\n", 0, also(Event(BACK_END, "telemetry", "1w")), "will-not-after-disconnect"),
    ("5 a publish qos=1 retain=0 dup=0 size=20 bag=two cut=whole\n", 5, without("puback"), "puback"),
    ("5 a publish qos=1 retain=0 dup=0 size=20 bag=two cut=whole\n", 5, twice("puback"), "puback"),
    ("5 a publish qos=1 retain=0 dup=0 size=20 bag=two cut=whole\n", 0, without("telemetry"), "telemetry"),
    (
        "5 a publish qos=1 retain=0 dup=0 size=20 bag=two cut=whole\n",
        0,
        changed("telemetry", sender="A"),
        "telemetry-stamped",
    ),
    ("5 a ping count=2\n", 5, also(Event("A#1", "closed")), "others-stay"),
    ("5 a connect over=tls clean=1 login=plain will=none bag=none\n", 5, without("closed"), "newest-wins"),
    (
        "5 a connect over=tls clean=1 login=plain will=none bag=none\n",
        5,
        also(Event("A#1", "closed")),
        "others-stay",
    ),
    (
        "5 a refused over=tls ground=expired other=A behind=nothing\n",
        5,
        also(Event("a#1", "closed")),
        "refusal-takes-nothing-over",
    ),
    (
        "5 a refused over=tls ground=expired other=A behind=nothing\n",
        5,
        also(Event("a!5", "session")),
        "refused-expired",
    ),
    ("5 a get qos=0 form=short payload=empty\n", 5, without("answer"), "answer"),
    ("5 a get qos=0 form=short payload=empty\n", 5, also(Event("A#1", "answer", "5")), "twins-apart"),
    (
        '5 a report qos=0 patch={"a":1}\n6 a get qos=0 form=short payload=empty\n',
        6,
        changed("answer", reported={"a": 1.0}),
        "answer-reported",
    ),
    ('5 a report qos=0 patch={"a":1}\n', 5, changed("answer", version=0), "patched-version"),
    ('5 a report qos=0 patch={"a":1}\n', 0, changed("twin", reported={}), "patched-merge"),
    ("5 a misreport what=dollar\n", 5, changed("answer", status="204"), "patch-illegal"),
    ('5 a desire patch={"a":1}\n', 5, without("desired"), "notified"),
    ('5 a desire patch={"a":1}\n', 5, twice("desired"), "notified"),
    ('5 a desire patch={"a":1}\n', 5, also(Event("A#1", "desired", "2")), "notified-own"),
    ('5 a tag patch={"a":1}\n', 5, also(Event("a#1", "desired", "2")), "not-for-tags"),
    ("5 a call name=plain payload=1\n", 5, without("request"), "request"),
    ("5 a call name=plain payload=1\n", 5, also(Event("A#1", "request", "5")), "request-own"),
    ("5 a call name=capital payload=1\n", 5, changed("request", name="m5"), "request-name"),
    ("5 a call name=component payload=1\n", 5, changed("request", name="m5"), "request-of-component"),
    (MODELLED + PUBLISHED, 0, changed("telemetry", model=None), "telemetry-model"),
    (MODELLED + BY_THE_OTHER, 0, changed("telemetry", model=MODEL), "telemetry-model"),
    (
        MODELLED + PUBLISHED,
        0,
        changed("telemetry", component=None, properties={"k": "v", "$.sub": "thermostat1"}),
        "telemetry-component",
    ),
    (MODELLED + "6 a read\n", 6, changed("twin", model=""), "twin-model"),
    (RETURNED + "7 a renew filters=devicebound:1\n", 7, without("message"), "message-renewed"),
    (
        (
            "5 a call name=plain payload=1\n6 a call name=long payload=2\n"
            "7 a answer call=5 status=200 payload=3 qos=0\n"
        ),
        7,
        without("result"),
        "result-concurrent",
    ),
]  # fmt: skip
WILL = Event(
    BACK_END,
    "telemetry",
    "1w",
    {
        "sender": "a",
        "mark": "Will",
        "body": "1w",
        "properties": {"iothub-MessageType": "Will", "k": "v"},
    },
)
HEARD = {
    "addressee": "a", "body": "6", "size": 20, "retain": False, "qos": 1,
    "properties": {"k": "v"}, "names": {"k": True},
}  # fmt: skip
RECONNECTED = "6 a connect over=tls clean=0 login=plain will=none bag=none\n"
NESTED = '5 a desire patch={"o":{"old":1}}\n6 a replace document={"o":{"new":2}}\n'
PURGED = "5 a send-asking size=20 ack=full\n6 a purge\n7 a acknowledge which=all\n"
UNMODELLED = "5 a publish qos=1 retain=0 dup=0 size=20 bag=component cut=whole\n"
# What is done, in which action the hub does something else, and what: all of it is left open.
OPEN = [
    ("5 a send size=20 properties=one\n", 5, twice("message")),
    ("5 a publish qos=1 retain=0 dup=0 size=20 bag=two cut=whole\n", 0, twice("telemetry")),
    ("5 a trespass other=A qos=1\n", 5, also(Event("a#1", "closed"))),
    ("5 a stray filter=other other=A qos=1\n", 5, also(Event("a#1", "suback", "5", {"code 1": 128}))),
    ('5 a report qos=0 patch={"a":1}\n', 5, changed("answer", status="429")),
    ("5 a connect over=ws clean=1 login=plain will=none bag=none\n", 0, also(WILL)),
    (RETURNED, 6, also(Event("a#2", "message", "6", HEARD))),
    (NESTED, 6, changed("desired", members={"o": {"new": 2, "old": None}})),
    (PURGED, 0, also(Event(BACK_END, "feedback", "5", {"status": "Purged"}))),
    (MODELLED + RECONNECTED + "7 a read\n", 7, changed("twin", model="")),
    (UNMODELLED, 0, changed("telemetry", properties={"k": "v", "$.sub": "thermostat1"})),
]  # fmt: skip


@pytest.mark.parametrize("scenario", default(), ids=lambda scenario: scenario.name)
def test_a_right_hub_breaks_no_rule(scenario):
    """What the model owes is what it accepts."""
    played = ideal.play_all(Model(scenario.cast), scenario.actions)
    assert [(each.findings, each.unexpected) for each in played if each.findings or each.unexpected] == []


@pytest.mark.parametrize(
    ("text", "at", "change", "rule"), WRONG, ids=[f"{n}-{rule}" for n, (*_, rule) in enumerate(WRONG)]
)
def test_a_wrong_hub_breaks_its_rule(text, at, change, rule):
    """One thing is wrong, and one rule is broken."""
    assert broken(text, at, change) == {rule}


@pytest.mark.parametrize(("text", "at", "change"), OPEN, ids=range(len(OPEN)))
def test_what_a_source_leaves_open_breaks_nothing(text, at, change):
    """A message again before its PUBACK, telemetry twice, 429, each outcome of what is disputed."""
    assert broken(text, at, change) == set()


def test_what_cannot_be_done_is_left_out():
    """A scenario with actions left out is a scenario still."""
    scenario = read("scenario 1 messages\nidentity a sas\n1 a ping count=1\n2 a acknowledge which=all\n")
    model = Model(scenario.cast)
    assert [model.hindrance(action) for action in scenario.actions] == ["a is not connected"] * 2


def test_of_a_call_that_is_too_old_nothing_is_sure():
    """It cannot be answered any more, and whatever its caller hears breaks nothing."""
    scenario = read(
        CONNECTED
        + "5 a call name=plain payload=1\n6 a answer call=5 status=200 payload=1 qos=0\n7 a ping count=1\n"
    )
    *before, answer, ping = scenario.actions
    model = Model(scenario.cast)
    for action in before:
        ideal.advance(model, action)

    model.give_up(["5"])

    gone = Event(BACK_END, "result", "5", {"outcome": "504"})
    compared = ideal.play(model, ping, lambda _, events: [*events, gone])
    assert model.hindrance(answer)
    assert (compared.findings, compared.unexpected) == ((), ())


def test_what_is_lost_comes_again():
    """A message without PUBACK whose connection was lost is owed again, once somebody waits for it."""
    text = (
        "5 a send size=20 properties=one\n6 a drop how=reset\n"
        "7 a connect over=tls clean=0 login=plain will=none bag=none\n"
        "8 a subscribe filters=devicebound:1\n9 a await-again\n"
    )
    assert broken(text, 9, without("message")) == {"message-again"}
