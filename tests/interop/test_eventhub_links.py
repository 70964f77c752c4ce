"""The unmodified azure-eventhub at links that exclude each other, and its AMQP client as a back end.

Owner levels are the epochs of AMQP's Event Hubs dialect. `azure.eventhub._pyamqp` is private, and the one
AMQP client in pure Python that knows this dialect.
"""

import contextlib
import json
import uuid

import pytest
from azure.eventhub._pyamqp import ReceiveClient, SendClient
from azure.eventhub._pyamqp.authentication import SASTokenAuth
from azure.eventhub._pyamqp.error import MessageException
from azure.eventhub._pyamqp.message import Message, Properties
from hub_process import PATIENCE, Publisher, running_hub
from test_eventhub import DEVICES, receiving

TO = f"/devices/{DEVICES[0]}/messages/devicebound"


@pytest.fixture(scope="module")
def hub():
    """A hub with one event in partition 0, which tells each reader that it reads."""
    with running_hub("--device", DEVICES[0], "--device", DEVICES[1], "--feedback-interval", "0") as about:
        publisher = Publisher(about, DEVICES[0])
        publisher.publish("0")
        publisher.close()
        yield about


@contextlib.contextmanager
def reading(hub, group, level=None, **how):
    """Read with an owner level until the first event, or the error in its place, is there."""
    with receiving(hub, changes={"consumer_group": group}, owner_level=level, **how) as found:
        first = found.get(timeout=PATIENCE)
        yield (first if isinstance(first, Exception) else "reads"), found


@pytest.mark.parametrize(
    ("older", "newer"), [(1, 2), (0, 0), (None, 0)], ids=["higher", "as-high", "over-none"]
)
def test_an_owner_level_takes_the_partition(hub, older, newer):
    group = f"steal-{older}-{newer}"
    with reading(hub, group, older) as (first, found), reading(hub, group, newer) as (second, _):
        assert (first, second) == ("reads", "reads")
        error = found.get(timeout=PATIENCE)

    assert "amqp:link:stolen" in str(error) or "LinkStolen" in str(error)
    assert f"New receiver with higher epoch of '{newer}'" in str(error)


@pytest.mark.parametrize(("present", "wanted"), [(2, 1), (0, None)], ids=["lower", "none"])
def test_who_is_outranked_is_refused(hub, present, wanted):
    group = f"refused-{present}"
    with reading(hub, group, present) as (first, _), reading(hub, group, wanted) as (second, _):
        assert first == "reads"
        assert f"epoch of '{present}' exists already" in str(second)


def test_a_sixth_reader_is_refused(hub):
    with contextlib.ExitStack() as readers:
        for _ in range(5):
            assert readers.enter_context(reading(hub, "crowd"))[0] == "reads"
        refusal, _ = readers.enter_context(reading(hub, "crowd"))

    assert "maximum number of allowed receivers" in str(refusal)


def connected(kind, hub, address):
    """Return a client of `_pyamqp` that is ready, as the policy `service`."""
    fields = dict(field.split("=", 1) for field in hub["events_connection_string"].split(";"))
    host = hub["host"]
    client = kind(
        host,
        address,
        auth=SASTokenAuth(
            uri=host,
            audience=host,
            username=fields["SharedAccessKeyName"],
            password=fields["SharedAccessKey"],
        ),
        custom_endpoint_address=f"sb://{host}:{hub['ports']['amqp']}",
        use_tls=True,
        connection_verify=hub["ca_file"],
        socket_timeout=0.02,
        retry_total=0,
    )
    client.open()
    while not client.client_ready():
        pass
    return contextlib.closing(client)


@pytest.fixture
def send(hub):
    with connected(SendClient, hub, f"amqps://{hub['host']}/messages/devicebound") as client:
        yield lambda data, to=TO, **fields: client.send_message(
            Message(
                data=[data],
                properties=Properties(to=to, message_id=fields.pop("message_id", None)),
                application_properties=fields,
            )
        )


@pytest.mark.parametrize(
    ("to", "size", "reason"),
    [
        ("/devices/nobody/messages/devicebound", 1, "NotFound"),
        ("nobody", 1, "NotFound"),
        (TO, 70_000, "LinkMessageSizeExceeded"),
    ],
    ids=["unknown-device", "no-address", "too-large"],
)
def test_a_rejected_message_says_why(send, to, size, reason):
    with pytest.raises(MessageException) as rejected:
        send(bytes(size), to)
    assert rejected.value.condition.name == reason

    send(b"the link goes on", message_id=uuid.uuid4(), number=5)


def test_a_full_mailbox_rejects(hub, send):
    to = f"/devices/{DEVICES[1]}/messages/devicebound"
    for number in range(50):
        send(b"%d" % number, to)

    with pytest.raises(MessageException) as rejected:
        send(b"one too many", to)
    assert rejected.value.condition.name == "ResourceLimitExceeded"
    assert "DeviceMaximumQueueDepthExceeded" in str(rejected.value)


def test_feedback_comes_back(hub, send):
    """A message that expires at once is told of at once."""
    with connected(SendClient, hub, "/messages/devicebound") as client:
        expired = Properties(to=TO, message_id="expired", absolute_expiry_time=1)
        client.send_message(
            Message(data=[b"x"], properties=expired, application_properties={"iothub-ack": "full"})
        )
    with connected(ReceiveClient, hub, "/messages/serviceBound/feedback") as client:
        (batch,) = client.receive_message_batch(max_batch_size=1, timeout=PATIENCE)

    (record,) = json.loads(b"".join(batch.data))
    assert (record["originalMessageId"], record["statusCode"]) == ("expired", "Expired")
