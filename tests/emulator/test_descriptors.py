"""Running out of file descriptors: one line, and service again when there is room."""

import asyncio
import errno
import resource

import pytest

from iothub_emulator.net.descriptors import one_line_for_running_out, take_all_there_are

NO_ROOM = {"message": "socket.accept() out of system resource", "exception": OSError(errno.EMFILE, "many")}


class Loop(asyncio.AbstractEventLoop):
    """A clock, and a place where everything else goes."""

    def __init__(self):
        self.now, self.others = 0.0, []

    def time(self):
        return self.now

    def default_exception_handler(self, context):
        self.others.append(context)


@pytest.fixture
def loop():
    return Loop()


def test_one_line_tells_of_it_until_there_was_room_again(loop, caplog):
    """asyncio tries once a second; a minute later it is news again."""
    handle = one_line_for_running_out()
    for loop.now in (0.0, 1.0, 2.0, 60.0, 61.0):
        handle(loop, NO_ROOM)
    assert [record.message for record in caplog.records] == [
        "no file descriptor is left for another connection: raise the limit (ulimit -n)"
    ] * 2
    assert loop.others == []


def test_every_other_exception_is_told_as_ever(loop, caplog):
    context = {"message": "a bug", "exception": ValueError()}
    one_line_for_running_out()(loop, context)
    assert (loop.others, caplog.records) == ([context], [])


def test_the_limit_is_the_highest_that_may_be_had():
    take_all_there_are()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft == hard
