"""The reactor: one thread for all connections, which nothing that one of them does can end."""

import socket
import threading

import pytest
from patience import PATIENCE

from conformance.errors import HarnessError
from conformance.mqtt.reactor import Reactor


@pytest.fixture
def reactor():
    reactor = Reactor()
    yield reactor
    reactor.stop()


class Reader:
    """Something served that keeps what it reads."""

    def __init__(self, reactor, *, fails=None):
        self.mine, self.peer = socket.socketpair()
        self.mine.setblocking(False)
        self.data = b""
        self.error = None
        self.changed = threading.Event()
        self.ticked = threading.Event()
        self.given_up = threading.Event()
        self.fails = fails
        reactor.do(lambda: reactor.add(self.mine, self))

    def ready(self, *, readable, writable):
        if self.fails == "ready":
            raise ZeroDivisionError
        if readable:
            self.data += self.mine.recv(100)
        self.writable = writable
        self.changed.set()

    def tick(self):
        self.ticked.set()
        if self.fails == "tick":
            raise ZeroDivisionError

    def broken(self, error):
        self.error = error
        self.given_up.set()


def test_jobs_run_on_one_thread_which_is_not_the_callers(reactor):
    threads = {reactor.do(threading.get_ident) for _ in range(3)}

    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_a_job_may_ask_for_another(reactor):
    assert reactor.do(lambda: reactor.do(lambda: 7)) == 7


def test_an_exception_reaches_the_caller_and_ends_nothing(reactor):
    with pytest.raises(ZeroDivisionError):
        reactor.do(lambda: 1 / 0)

    assert reactor.do(lambda: 7) == 7


def test_a_job_that_does_not_get_its_turn_is_the_harness_failing(reactor):
    begun, go_on = threading.Event(), threading.Event()
    blocker = threading.Thread(target=lambda: reactor.do(lambda: begun.set() or go_on.wait(PATIENCE)))
    blocker.start()
    assert begun.wait(PATIENCE)

    with pytest.raises(HarnessError, match=r"did nothing for 0\.05 s"):
        reactor.do(lambda: 7, within=0.05)

    go_on.set()
    blocker.join()


def test_what_arrives_is_read_at_once(reactor):
    reader = Reader(reactor)

    reader.peer.send(b"hello")

    assert reader.changed.wait(PATIENCE)
    assert reader.data == b"hello"


def test_writability_is_told_only_while_it_is_wanted(reactor):
    reader = Reader(reactor)

    reactor.do(lambda: reactor.want_write(reader.mine, wanted=True))
    assert reader.changed.wait(PATIENCE)
    assert reader.writable
    reactor.do(lambda: reactor.want_write(reader.mine, wanted=False))
    reader.changed.clear()
    reader.peer.send(b"x")
    assert reader.changed.wait(PATIENCE)

    assert not reader.writable


def test_everything_served_hears_the_clock(reactor):
    assert Reader(reactor).ticked.wait(PATIENCE)


@pytest.mark.parametrize("moment", ["ready", "tick"])
def test_a_broken_one_is_told_and_dropped_and_the_others_are_served(reactor, moment):
    broken, sound = Reader(reactor, fails=moment), Reader(reactor)

    broken.peer.send(b"x")
    assert broken.given_up.wait(PATIENCE)
    sound.peer.send(b"y")
    assert sound.changed.wait(PATIENCE)

    assert isinstance(broken.error, ZeroDivisionError)
    assert sound.data == b"y"


def test_stopping_tells_those_still_served_and_ends_the_thread(reactor):
    reader = Reader(reactor)

    reactor.stop()
    reactor.stop()

    assert isinstance(reader.error, HarnessError)
    with pytest.raises(HarnessError, match="has stopped"):
        reactor.do(lambda: 7)


def test_five_hundred_are_served_by_one_thread(reactor):
    before = threading.active_count()
    readers = [Reader(reactor) for _ in range(500)]

    for reader in readers:
        reader.peer.send(b"x")

    assert all(reader.changed.wait(PATIENCE) for reader in readers)
    assert threading.active_count() == before
