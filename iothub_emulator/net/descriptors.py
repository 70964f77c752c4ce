"""File descriptors: each connection takes one, and a process may have few of them unless it asks for more."""

import asyncio
import contextlib
import errno
import logging
import math
import resource
from collections.abc import Callable
from typing import Any

log = logging.getLogger("iothub_emulator")

Handler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]


def take_all_there_are() -> None:
    """Raise this process's limit to the highest that it may have without asking anybody."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):  # macOS names a limit that it does not grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def one_line_for_running_out() -> Handler:
    """Return what a loop does about an exception that nobody caught.

    asyncio tries again each second to accept a connection for which there is no descriptor, and tells of each
    time with a traceback: here one line tells of it until there was room again.
    """
    told_at = -math.inf

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal told_at
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in {errno.EMFILE, errno.ENFILE}:
            loop.default_exception_handler(context)
            return
        if loop.time() - told_at > _QUIET:
            log.error("no file descriptor is left for another connection: raise the limit (ulimit -n)")
        told_at = loop.time()

    return handle


_QUIET = 5.0
"""Seconds without a failed attempt after which the next one is told of again; asyncio tries once a second."""
