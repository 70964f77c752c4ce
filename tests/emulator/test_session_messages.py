"""Cloud-to-device messages in a session: who is sent what, and which PUBACK completes it."""

import pytest
from hub_values import DEVICE, DEVICEBOUND, NOW, Hub

from iothub_emulator.hub.effects import Send, Serve
from iothub_emulator.hub.mailbox_rules import CloudMessage, MailboxRules
from iothub_emulator.hub.packets import Disconnect, Puback, Publish, Suback, Subscribe, Unsubscribe
from iothub_emulator.hub.unacknowledged import MOST

TO = f"/devices/{DEVICE}/messages/devicebound"
TOPIC = f"devices/{DEVICE}/messages/devicebound/%24.to=%2Fdevices%2F{DEVICE}%2Fmessages%2Fdevicebound"


@pytest.fixture
def hub():
    return Hub()


def mailbox(hub, device_id=DEVICE):
    return hub.state.mailbox(hub.registry.require(device_id))


def send(hub, *bodies, now=NOW, device_id=DEVICE):
    for body in bodies:
        mailbox(hub, device_id).put(CloudMessage(to=TO, body=body, properties={}), now)


def subscribe(session, topic_filter=DEVICEBOUND, qos=1):
    session.receive(Subscribe(1, ((topic_filter, qos),)), NOW)


def delivery(body, packet_id, *, dup=False, qos=1):
    return Send(Publish(TOPIC, body, qos, dup=dup, packet_id=packet_id))


def test_a_subscription_lets_the_session_be_served(hub):
    session = hub.session()
    send(hub, b"1")
    assert session.serve(NOW) == []
    assert session.receive(Subscribe(1, ((DEVICEBOUND, 1),)), NOW) == [Send(Suback(1, (1,))), Serve()]
    assert session.serve(NOW) == [delivery(b"1", 1)]
    assert session.serve(NOW) == []


def test_messages_come_in_order_each_with_its_own_id(hub):
    session = hub.session()
    subscribe(session)
    send(hub, b"1", b"2", b"3")
    assert session.serve(NOW) == [delivery(b"1", 1), delivery(b"2", 2), delivery(b"3", 3)]


def test_the_puback_of_a_message_completes_it_and_no_other(hub):
    session = hub.session()
    subscribe(session)
    send(hub, b"1", b"2")
    session.serve(NOW)
    for packet_id in (2, 2, 77):
        assert session.receive(Puback(packet_id), NOW) == []
    assert len(mailbox(hub)) == 1
    assert session.serve(NOW + 60) == [delivery(b"1", 1, dup=True)]


def test_a_rule_may_let_one_puback_stand_for_more(hub):
    class Generous(MailboxRules):
        def acknowledged_by(self, packet_id, unacknowledged):
            return unacknowledged

    hub.rules.mailbox = Generous()
    session = hub.session()
    subscribe(session)
    send(hub, b"1", b"2")
    session.serve(NOW)
    session.receive(Puback(1), NOW)
    assert len(mailbox(hub)) == 0


def test_qos_0_is_done_once_it_is_sent(hub):
    session = hub.session()
    subscribe(session, qos=0)
    send(hub, b"1")
    assert session.serve(NOW) == [delivery(b"1", 0, qos=0)]
    assert len(mailbox(hub)) == 0


def test_what_comes_again_has_its_packet_id_and_a_late_puback_completes_it(hub):
    """[MQTT-2.3.1-3] Which of the two deliveries a PUBACK is for, it does not say."""
    session = hub.session()
    subscribe(session)
    send(hub, b"1")
    session.serve(NOW)
    assert session.serve(NOW + 60) == [delivery(b"1", 1, dup=True)]
    session.receive(Puback(1), NOW + 61)
    assert len(mailbox(hub)) == 0


def test_a_puback_behind_the_lock_counts_for_nothing_before_the_message_comes_again(hub):
    """Microsoft, cloud-to-device messages: behind its lock it waits anew, and nobody can complete it."""
    session = hub.session()
    subscribe(session)
    send(hub, b"1")
    session.serve(NOW)
    session.receive(Puback(1), NOW + 60)
    assert len(mailbox(hub)) == 1
    assert session.serve(NOW + 60) == [delivery(b"1", 2, dup=True)]


def test_what_waits_for_its_puback_has_its_packet_id_on_the_next_connection(hub):
    """[MQTT-4.4.0-1] With CleanSession 0; what is new meanwhile has another."""
    session = hub.session(clean_session=False)
    subscribe(session)
    send(hub, b"1", b"2", b"3")
    session.serve(NOW)
    session.receive(Puback(2), NOW)
    again = hub.session(clean_session=False)
    send(hub, b"4", now=NOW + 1)
    assert again.serve(NOW + 1) == [delivery(b"4", 2)]
    assert again.serve(NOW + 60) == [delivery(b"1", 1, dup=True), delivery(b"3", 3, dup=True)]
    again.receive(Puback(1), NOW + 60)
    assert len(mailbox(hub)) == 2


def test_a_session_that_begins_anew_begins_with_its_packet_ids(hub):
    """[MQTT-3.1.2-6]: the mailbox of a real hub is empty by then, and so need not be that of another rule."""

    class Keeps(MailboxRules):
        def purges_on_clean_session(self):
            return False

    hub.rules.mailbox = Keeps()
    session = hub.session(clean_session=False)
    subscribe(session)
    send(hub, b"1", b"2")
    session.serve(NOW)
    session.receive(Puback(1), NOW)
    again = hub.session()
    subscribe(again)
    assert again.serve(NOW + 60) == [delivery(b"2", 1, dup=True)]


def test_who_unsubscribed_is_not_served(hub):
    session = hub.session()
    subscribe(session)
    session.receive(Unsubscribe(2, (DEVICEBOUND,)), NOW)
    send(hub, b"1")
    assert session.serve(NOW) == []


def test_a_device_that_is_percent_encoded_in_the_filter_is_another_one(hub):
    session = hub.session()
    subscribe(session, DEVICEBOUND.replace("thermostat", "%74hermostat"))
    assert session.subscriptions == {}
    send(hub, b"1")
    assert session.serve(NOW) == []


def test_clean_session_0_finds_what_was_sent_meanwhile(hub):
    session = hub.session(clean_session=False)
    subscribe(session)
    session.receive(Disconnect(), NOW)
    assert session.serve(NOW) == []
    send(hub, b"1", b"2")
    again = hub.session(clean_session=False)
    assert again.serve(NOW) == [delivery(b"1", 1), delivery(b"2", 2)]


def test_who_unsubscribed_before_leaving_finds_nothing_on_return(hub):
    session = hub.session(clean_session=False)
    subscribe(session)
    session.receive(Unsubscribe(2, (DEVICEBOUND,)), NOW)
    session.receive(Disconnect(), NOW)
    send(hub, b"1")
    again = hub.session(clean_session=False)
    assert again.serve(NOW) == []
    subscribe(again)
    assert again.serve(NOW) == [delivery(b"1", 1)]


def test_what_was_not_acknowledged_comes_again_once_its_lock_is_over(hub):
    session = hub.session(clean_session=False)
    subscribe(session)
    send(hub, b"1")
    session.serve(NOW)
    again = hub.session(clean_session=False)
    assert again.serve(NOW + 1) == []
    assert again.serve(NOW + 60) == [delivery(b"1", 1, dup=True)]


def test_a_clean_session_and_a_first_one_find_an_empty_mailbox(hub):
    for clean_session in (True, False):
        send(hub, b"1")
        session = hub.session(clean_session=clean_session)
        subscribe(session)
        assert session.serve(NOW) == []


def test_nobody_is_sent_what_is_for_another(hub):
    session = hub.session("other")
    session.receive(Subscribe(1, (("devices/other/messages/devicebound/#", 1), (DEVICEBOUND, 1))), NOW)
    send(hub, b"1")
    assert session.serve(NOW) == []


def test_a_module_has_no_messages_of_its_device(hub):
    module = hub.session(hub.module())
    subscribe(module)
    assert DEVICEBOUND not in module.subscriptions
    send(hub, b"1")
    assert module.serve(NOW) == []


def test_before_connect_and_after_the_end_nothing_is_sent(hub):
    assert hub.new_session().serve(NOW) == []
    session = hub.session()
    subscribe(session)
    session.receive(Disconnect(), NOW)
    send(hub, b"1")
    assert session.serve(NOW) == []


def test_a_lock_of_no_length_does_not_send_for_ever(hub):
    hub.rules.mailbox = MailboxRules(lock=0.0)
    session = hub.session()
    subscribe(session)
    send(hub, b"1", b"2")
    assert len(session.serve(NOW)) == 2


def test_ids_that_wait_are_not_given_out_again_and_do_not_pile_up(hub):
    """[MQTT-2.3.1-2], for a client that never acknowledges."""
    hub.rules.mailbox = MailboxRules(time_to_live=1.0)
    session = hub.session()
    subscribe(session)
    ids = []
    for turn in range(1400):
        send(hub, *(b"%d" % number for number in range(50)), now=NOW + turn)
        ids += [effect.packet.packet_id for effect in session.serve(NOW + turn)]
    assert len(ids) == 70_000
    assert ids[65_535:65_545] == list(range(1, 11))
    assert len(session._outbox._locks) == MOST


def test_a_replaced_rule_delivers_without_a_subscription(hub):
    class Eager(MailboxRules):
        def feeds(self, *, subscribed):
            return True

    hub.rules.mailbox = Eager()
    session = hub.session()
    send(hub, b"1")
    assert session.serve(NOW) == [delivery(b"1", 0, qos=0)]
