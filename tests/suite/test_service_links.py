"""The private AMQP client does what the suite needs of it, and what goes wrong ends in time and in words."""

import threading
import time

import pytest
from patience import PATIENCE
from scripted_amqp import KEY, ScriptedAmqp

from conformance.backend import amqp_connection
from conformance.backend.amqp import Outgoing
from conformance.backend.links import Links
from conformance.errors import CredentialsRefused, NotInTier, ServiceError
from conformance.report.redaction import redact

ADDRESS = "/messages/devicebound"
HELLO = Outgoing(body=b"hello")


@pytest.fixture
def links(peer):
    made = Links(peer.endpoint())
    yield made
    made.close()


def send(links, message=HELLO, *, within=PATIENCE):
    return str(links.send(ADDRESS, message, within=within))


def test_a_message_arrives_as_it_was_meant(peer, links):
    message = Outgoing(
        body=b"\x00\xff",
        properties={
            "message_id": "m",
            "user_id": b"u",
            "to": "/devices/d/messages/devicebound",
            "correlation_id": "c",
            "content_type": "text/plain",
            "content_encoding": "utf-8",
            "absolute_expiry_time": 1_700_000_000_000,
            "creation_time": 1_600_000_000_000,
        },
        application_properties={"a": "1", "empty": "", "null": None, "ö": "ü"},
    )

    assert send(links, message) == "accepted"

    sent = peer.sent[0]
    assert (sent.address, sent.body) == (ADDRESS, b"\x00\xff")
    assert sent.properties == {
        "message_id": b"m",
        "user_id": b"u",
        "to": b"/devices/d/messages/devicebound",
        "correlation_id": b"c",
        "content_type": b"text/plain",
        "content_encoding": b"utf-8",
        "absolute_expiry_time": 1_700_000_000_000,
        "creation_time": 1_600_000_000_000,
    }
    assert sent.message.application_properties == {
        b"a": b"1",
        b"empty": b"",
        b"null": None,
        "ö".encode(): "ü".encode(),
    }


@pytest.mark.parametrize("body", [b"", bytes(60 * 1024)], ids=["empty", "60-KB-in-frames"])
def test_a_body_arrives_whole(peer, links, body):
    peer.max_frame_size = 4096

    assert send(links, Outgoing(body=body)) == "accepted"

    assert peer.sent[0].body == body


def test_one_connection_and_one_link_carry_all_messages(peer, links):
    assert [send(links) for _ in range(5)] == ["accepted"] * 5

    assert (peer.connections, peer.attached.count(ADDRESS), len(peer.sent)) == (1, 1, 5)


def test_the_token_is_the_policys_and_no_secret_stays_in_the_open(peer, links):
    send(links)

    properties, token = peer.tokens[0]
    assert properties[b"operation"] == b"put-token"
    assert properties[b"type"] == b"servicebus.windows.net:sastoken"
    assert properties[b"name"] == b"localhost:443"
    assert token.startswith(b"SharedAccessSignature sr=localhost%3A443&sig=")
    assert token.endswith(b"&skn=service")
    signature = token.decode().partition("&sig=")[2].partition("&")[0]
    assert redact(f"token {signature}") == "token ***"


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("accepted", "accepted"),
        ("released", "released"),
        ("modified", "modified"),
        ("rejected", "rejected"),
        ("rejected amqp:not-found", "rejected amqp:not-found"),
        ("rejected com.microsoft:device-container-throttled",) * 2,
        ("detach amqp:not-allowed", "detached amqp:not-allowed"),
        ("detach", "detached"),
    ],
)
def test_what_becomes_of_a_message_is_a_value(peer, links, answer, word):
    peer.answers.append(answer)

    assert send(links) == word
    assert send(links) == "accepted"  # and the next one is none the worse for it
    assert peer.connections == 1


def test_a_description_comes_along(peer, links):
    peer.answers.append("rejected amqp:not-found")

    assert links.send(ADDRESS, HELLO, within=PATIENCE).description == "a description"


@pytest.mark.parametrize(
    ("answer", "within", "words"),
    [
        ("silence", 0.2, r"^AMQP at localhost:\d+: no answer within 0\.2 s\.$"),
        ("hang up", PATIENCE, r"^AMQP at localhost:\d+: .*closed.*\.$"),
        (
            "close amqp:connection:forced",
            PATIENCE,
            r"^AMQP at localhost:\d+: the hub closed the connection, amqp:connection:forced\.$",
        ),
    ],
)
def test_without_an_answer_nobody_knows_and_the_next_message_gets_a_new_connection(
    peer, links, answer, within, words
):
    send(links)
    peer.answers.append(answer)

    with pytest.raises(ServiceError, match=words):
        send(links, within=within)

    assert send(links) == "accepted"
    assert peer.connections == 2


def test_without_credit_nothing_is_sent(peer, links):
    peer.credit = 0

    with pytest.raises(ServiceError, match=r"no answer within 0\.2 s"):
        send(links, within=0.2)

    assert peer.sent == []


def test_a_connection_that_was_lost_meanwhile_is_opened_again(peer, links):
    send(links)
    peer.drop()

    assert [send(links), send(links)] == ["accepted", "accepted"]
    assert peer.connections == 2


def test_a_connection_that_was_silent_for_long_is_not_trusted(peer):
    later = [0.0]
    links = Links(peer.endpoint(), clock=lambda: time.monotonic() + later[0])
    send(links)
    later[0] = amqp_connection.SILENT_TOO_LONG + 1

    assert send(links) == "accepted"
    assert peer.connections == 2
    links.close()


def test_a_refused_link_is_told_with_the_condition(peer, links):
    peer.refusal = "amqp:not-found"

    with pytest.raises(ServiceError, match=r"^AMQP at localhost:\d+: the link is refused, amqp:not-found\.$"):
        send(links)


def test_a_link_that_the_policy_may_not_have_is_a_refused_policy(peer, links):
    peer.refusal = "amqp:unauthorized-access"

    with pytest.raises(CredentialsRefused, match="the policy 'service' is refused"):
        send(links)


def test_a_message_that_the_policy_may_not_send_is_a_refused_policy(peer, links):
    """It is no outcome of the message: the hub has not looked at it."""
    peer.answers.append("detach amqp:unauthorized-access")

    with pytest.raises(CredentialsRefused, match="the policy 'service' is refused"):
        send(links)


def test_a_link_beyond_the_tier_is_told_apart(peer, links):
    peer.refusal = "com.microsoft:operation-not-available-in-current-tier"

    with pytest.raises(NotInTier, match=r"^AMQP at localhost:\d+: not in this hub's tier"):
        send(links)


def test_a_token_that_meets_trouble_is_no_refused_policy(peer, links):
    """What `$cbs` answers beside 401 and 403 says nothing about the policy."""
    peer.token_status = 500

    with pytest.raises(ServiceError, match=r"^AMQP at localhost:\d+: \$cbs answered 500 words\.$"):
        send(links)


def test_a_refused_policy_is_one_line_without_its_key(peer, links):
    peer.token_status = 401

    with pytest.raises(CredentialsRefused) as caught:
        send(links)

    assert str(caught.value) == (
        f"AMQP at localhost:{peer.port}: the policy 'service' is refused. "
        "Check the key and the rights of the connection string in [service]. A hub with local authentication "
        "disabled (Entra ID alone) takes no policy, and cannot be judged."
    )
    assert KEY not in repr(caught.value)


def test_nobody_there_is_one_line(peer, deserted_port):
    links = Links(peer.endpoint(port=deserted_port))

    with pytest.raises(
        ServiceError, match=r"^AMQP at localhost:\d+: .*Connection refused\. Is the hub's AMQP port right\?$"
    ):
        send(links)


def test_a_port_that_says_nothing_is_given_up_in_time(peer):
    peer.is_mute = True
    links = Links(peer.endpoint(timeout=0.2))

    with pytest.raises(ServiceError, match=r"no answer within 0\.2 s\. Is the hub's AMQP port right\?"):
        send(links)
    peer.close()


def test_an_untrusted_certificate_is_told(peer, tmp_path):
    (tmp_path / "other").mkdir()
    other = ScriptedAmqp(tmp_path / "other")
    links = Links(peer.endpoint(ca_file=other.ca_file))

    with pytest.raises(ServiceError, match="CERTIFICATE_VERIFY_FAILED"):
        send(links)
    other.close()


def test_messages_come_in_and_are_settled(peer, links):
    peer.batches.extend([b"one", b"two"])

    with links.receiver("/in") as receiver:
        one, two = receiver.next(PATIENCE), receiver.next(PATIENCE)
        receiver.settle(one, "accepted")
        receiver.settle(two, "released")
        again = receiver.next(PATIENCE)
        receiver.settle(again, "accepted")

    assert [message.body for message in (one, two, again)] == [b"one", b"two", b"two"]
    peer.wait_for(lambda: "/in" in peer.detached)
    assert peer.settled == [(b"one", "accepted"), (b"two", "released"), (b"two", "accepted")]


def test_nothing_there_is_none_after_the_time_given(peer, links):
    with links.receiver("/in") as receiver:
        assert receiver.next(0.05) is None


def test_a_message_is_waited_for(peer, links):
    with links.receiver("/in") as receiver:
        threading.Thread(target=peer.deliver, args=(b"late",)).start()

        assert receiver.next(PATIENCE).body == b"late"


def test_a_long_wait_shows_signs_of_life(peer, links, monkeypatch):
    monkeypatch.setattr(amqp_connection, "SIGN_OF_LIFE", 0.01)
    peer.idle_timeout = 400  # milliseconds; the client speaks up after half of it

    def deliver_late():
        peer.wait_for(lambda: peer.signs_of_life >= 2)
        peer.deliver(b"late")

    with links.receiver("/in") as receiver:
        threading.Thread(target=deliver_late).start()

        assert receiver.next(PATIENCE).body == b"late"


def test_what_was_not_looked_at_goes_back(peer, links):
    peer.batches.extend([b"one", b"two", b"three"])

    with links.receiver("/in") as receiver:
        receiver.settle(receiver.next(PATIENCE), "accepted")
        links._connection.wait(lambda: len(receiver._arrived) == 2, PATIENCE)

    peer.wait_for(lambda: len(peer.settled) == 3)
    assert peer.settled == [(b"one", "accepted"), (b"two", "released"), (b"three", "released")]


def test_a_hub_that_leaves_while_somebody_waits_is_told(peer, links):
    def wait():
        with links.receiver("/in") as receiver:
            threading.Thread(target=peer.drop).start()
            receiver.next(PATIENCE)

    with pytest.raises(ServiceError, match=r"^AMQP at localhost:\d+: "):
        wait()


def test_closing_twice_is_closing_once(peer, links):
    send(links)
    links.close()
    links.close()
