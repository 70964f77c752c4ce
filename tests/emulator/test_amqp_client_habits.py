"""Three ways of coming in: the literal bytes of three clients, and what the hub answers to each."""

import uuid

import pytest
from amqp_peer import ClockedRuntime, Peer, decoded
from client_frames import (
    OWNER_KEYS,
    PYAMQP,
    RECORDED,
    RHEA,
    RHEA_FEEDBACK,
    SERVICE_KEY,
    UAMQP,
    UAMQP_FEEDBACK,
)

from iothub_emulator.amqp.frames import AMQP_HEADER, SASL_HEADER
from iothub_emulator.amqp.messages import decode_message
from iothub_emulator.amqp.performatives import (
    Accepted,
    Attach,
    Begin,
    Detach,
    Disposition,
    Open,
    Rejected,
    SaslMechanisms,
    SaslOutcome,
    Transfer,
)
from iothub_emulator.amqp.values import Ulong
from iothub_emulator.hub.mailbox import FeedbackRecord
from iothub_emulator.hub.policies import DEFAULT_RIGHTS, Policy
from iothub_emulator.settings import Settings

DEVICEBOUND = "%2Fdevices%2F{}%2Fmessages%2Fdevicebound"


def hub(policy, key):
    """Return a hub as it was when the bytes were recorded."""
    runtime = ClockedRuntime(Settings(host_names=("localhost", "127.0.0.9")))
    runtime.clock = RECORDED
    runtime.policies[policy] = Policy(policy, DEFAULT_RIGHTS[policy], key, key)
    for device_id in ("device-1", "device-2"):
        runtime.add_device(device_id)
    return runtime


CLIENTS = {
    "uamqp": (UAMQP, "iothubowner", OWNER_KEYS["uamqp"]),
    "pyamqp": (PYAMQP, "service", SERVICE_KEY),
    "rhea": (RHEA, "iothubowner", OWNER_KEYS["rhea"]),
}


class Replay:
    """A client's bytes given to a hub, frame by frame, and what the hub said."""

    def __init__(self, runtime, frames):
        self.runtime = runtime
        self.peer = Peer(runtime)
        self.headers = []
        self.answers = []
        self.say(frames)

    def say(self, frames):
        for frame in frames:
            answer = self.peer.raw(frame)
            while answer[:4] == b"AMQP":
                self.headers.append(answer[:8])
                answer = answer[8:]
            self.answers += decoded(answer)

    def all(self, kind):
        return [frame.performative for frame in self.answers if isinstance(frame.performative, kind)]

    def messages(self):
        return [
            decode_message(frame.payload)
            for frame in self.answers
            if isinstance(frame.performative, Transfer)
        ]

    def delivered(self, device_id):
        """Return what waits for a device, as the device would get it."""
        mailbox = self.runtime.state.mailbox(self.runtime.registry.require(device_id))
        return mailbox.next_delivery(lambda topic: 1, self.runtime.now())


@pytest.fixture(params=CLIENTS)
def client(request):
    return request.param


@pytest.fixture
def replay(client):
    frames, policy, key = CLIENTS[client]
    return Replay(hub(policy, key), frames)


def test_each_gets_to_its_links(replay, client):
    sasl = client != "rhea"

    assert replay.headers == [SASL_HEADER, AMQP_HEADER] if sasl else [AMQP_HEADER]
    assert len(replay.all(SaslMechanisms)) == sasl
    assert [outcome.code for outcome in replay.all(SaslOutcome)] == [0] * sasl
    assert len(replay.all(Open)) == len(replay.all(Begin)) == 1
    assert len(replay.all(Attach)) == 3
    assert replay.all(Detach) == []


@pytest.mark.parametrize(
    ("client", "identifier"),
    [
        ("uamqp", Ulong(0)),
        ("pyamqp", uuid.UUID("f723f339-eea9-4cc7-a39c-6573f3e259ae")),
        ("rhea", "12d9df2d-91d1-4e9d-beea-0ba57cf5f19a"),
    ],
)
def test_the_token_is_taken_and_the_reply_names_the_request(client, identifier):
    frames, policy, key = CLIENTS[client]
    (reply,) = Replay(hub(policy, key), frames).messages()

    assert reply.application_properties["status-code"] == 200
    assert reply.properties.correlation_id == identifier
    assert type(reply.properties.correlation_id) is type(identifier)


def test_a_reply_to_rhea_goes_to_the_address_that_it_names():
    (reply,) = Replay(hub("iothubowner", OWNER_KEYS["rhea"]), RHEA).messages()

    assert reply.properties.to == "cbs"


def test_a_message_is_accepted_and_one_to_nobody_rejected(replay):
    taken, refused = [item for item in replay.all(Disposition) if item.first > 0][-2:]

    assert (taken.role, taken.settled, taken.state) == (True, True, Accepted().described())
    rejected = Rejected.from_value(refused.state)
    assert (refused.role, refused.settled) == (True, True)
    assert rejected.error.condition == "amqp:not-found"
    assert "DeviceNotFound" in rejected.error.description


@pytest.mark.parametrize(
    ("client", "device_id", "bag"),
    [
        (
            "uamqp",
            "device-1",
            "%24.mid=m-1&%24.to={to}&%24.ct=text%2Fplain&a=b&n=5&iothub-ack=full&f=1.5&t=True",
        ),
        ("pyamqp", "device-2", "%24.mid=m&%24.to={to}&a=b"),
        (
            "rhea",
            "device-1",
            "%24.mid=n-1&%24.exp=2026-11-22T23%3A42%3A25.153000Z&%24.to={to}&%24.cid=c&iothub-ack=full&a=b",
        ),
    ],
)
def test_the_device_gets_what_was_sent(client, device_id, bag):
    frames, policy, key = CLIENTS[client]
    delivery = Replay(hub(policy, key), frames).delivered(device_id)

    assert delivery.payload == b"hello"
    prefix = f"devices/{device_id}/messages/devicebound/"
    assert delivery.topic == prefix + bag.format(to=DEVICEBOUND.format(device_id))


@pytest.mark.parametrize(
    ("frames", "receiver"),
    [(UAMQP_FEEDBACK[:-1], UAMQP_FEEDBACK[-1:]), (RHEA + RHEA_FEEDBACK[:-1], RHEA_FEEDBACK[-1:])],
    ids=["uamqp", "rhea"],
)
def test_feedback_is_received_and_accepted(request, frames, receiver):
    key = OWNER_KEYS[request.node.callspec.id]
    runtime = hub("iothubowner", key)
    runtime.feedback.add(FeedbackRecord("m-1", "Success", "Success", "device-1", "1", RECORDED), RECORDED)
    replay = Replay(runtime, frames)

    batch = replay.messages()[-1]
    assert batch.properties.content_type == "application/vnd.microsoft.iothub.feedback.json"
    assert batch.data.startswith(b'[{"originalMessageId":"m-1",')
    assert not replay.all(Transfer)[-1].settled
    assert runtime.feedback.next_deadline() is not None
    replay.say(receiver)
    assert runtime.feedback.next_deadline() is None, "nothing is left of it"
