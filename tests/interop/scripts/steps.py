"""A script's named steps, one JSON line for each, and its questions to the test that runs it.

Runs inside a package's own environment: nothing but the standard library is imported.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
import threading
import time

PATIENCE = 60
"""Seconds that one step may take."""

HUB = json.loads(os.environ.get("INTEROP_HUB", "{}"))
"""What the emulator's ready file says, and what the test added to it."""

_conversation = threading.Lock()
_numbers = itertools.count()
# Answers come to the script through a descriptor of its own: packages print what they like.
_lines = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)


class LateError(Exception):
    """A step took longer than PATIENCE."""


@contextlib.contextmanager
def step(name):
    """Do what the block does and print how that went; an exception ends the step, not the script.

    In another thread than the first no signal ends it: there each wait needs its own deadline.
    """
    started = time.monotonic()
    has_alarm = threading.current_thread() is threading.main_thread()
    if has_alarm:
        signal.signal(signal.SIGALRM, _late)
        signal.alarm(PATIENCE)
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever a package raises is the result
        _report(name, started, _said(error))
    else:
        _report(name, started)
    finally:
        if has_alarm:
            signal.alarm(0)


@contextlib.asynccontextmanager
async def async_step(name):
    """Do the same in a coroutine."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except Exception as error:  # noqa: BLE001 - whatever a package raises is the result
        _report(name, started, _said(error))
    else:
        _report(name, started)


def ask(question, **details):
    """Let the other end of the hub, played by the test, do something; return what came of it."""
    with _conversation:
        number = next(_numbers)
        _lines.write(json.dumps({"ask": question, "with": details, "number": number}) + "\n")
        answer = json.loads(sys.stdin.readline())
        while answer["number"] != number:  # what a step that was too late has asked
            answer = json.loads(sys.stdin.readline())
    if "failed" in answer:
        raise AssertionError(answer["failed"])
    return answer["answer"]


async def async_ask(question, **details):
    """Ask without stopping the event loop."""
    return await asyncio.to_thread(ask, question, **details)


def same(found, expected):
    """Compare, and say both in one line."""
    if found != expected:
        raise AssertionError(f"{found!r} is not {expected!r}")


def _report(name, started, detail=""):
    line = {"step": name, "ok": not detail, "detail": detail, "seconds": round(time.monotonic() - started, 3)}
    _lines.write(json.dumps(line) + "\n")


def _said(error):
    place = error.__traceback__
    while place.tb_next is not None and place.tb_next.tb_frame.f_code.co_filename == sys.argv[0]:
        place = place.tb_next
    causes = []
    while error is not None:
        causes.append(f"{type(error).__name__}: {' '.join(str(error).split())}")
        error = error.__cause__ or error.__context__
    return f"{' <- '.join(causes)[:1500]} (line {place.tb_lineno})"


def _late(*_):
    raise LateError(f"after {PATIENCE} seconds")
