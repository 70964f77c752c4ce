"""A hub from its start to its end, in one process."""

import asyncio
import contextlib
import datetime as dt
import gc
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from iothub_emulator import loading
from iothub_emulator.banner import banner
from iothub_emulator.editions import EDITIONS
from iothub_emulator.event_log import event_log
from iothub_emulator.hub.service_errors import Refused
from iothub_emulator.net import authority, descriptors, https
from iothub_emulator.net.errors import StartError
from iothub_emulator.net.listeners import open_listeners
from iothub_emulator.ready import ca_files, description, kept_authority, ready_file
from iothub_emulator.rules import rules_for
from iothub_emulator.runtime import Runtime
from iothub_emulator.settings import Settings


async def run(
    settings: Settings,
    *,
    load: Sequence[str] = (),
    ready_path: Path | None = None,
    ca_path: Path | None = None,
    ca_key_path: Path | None = None,
    event_log_path: Path | None = None,
    exit_with_stdin: bool = False,
) -> None:
    """Start everything, say so, and wait for the end; `StartError` if it cannot start."""
    stop = asyncio.Event()
    _stop_on_signals(stop)
    descriptors.take_all_there_are()
    asyncio.get_running_loop().set_exception_handler(descriptors.one_line_for_running_out())
    keys = authority.begin_keys("rsa", settings.certificate_key)
    https.load()  # while the keys are made
    rules = rules_for(settings, EDITIONS[settings.edition])
    for target in load:
        loading.load(target, rules)
    runtime = Runtime(settings, rules)
    for device_id in settings.devices:
        try:
            runtime.add_device(device_id)
        except Refused as refused:
            option = "--device-key" if device_id in settings.device_keys else "--device"
            raise StartError(f"{option} {device_id}: {refused}: choose another id") from None
    now = dt.datetime.now(dt.UTC)
    async with contextlib.AsyncExitStack() as stack:
        issuer = kept_authority(ca_path, ca_key_path, now) or authority.new_authority(
            keys[0].result(), now, kept=ca_key_path is not None
        )
        names = rules.listeners.certificate_names(settings.host_names)
        certificate = authority.issue(issuer, names, keys[1].result(), now)
        ports = await stack.enter_async_context(open_listeners(runtime, certificate))
        ca_path = stack.enter_context(ca_files(ca_path, ca_key_path, issuer))
        stack.enter_context(event_log(event_log_path, runtime.endpoints.built_in))
        about = description(runtime, ports, ca_path)
        stack.enter_context(ready_file(ready_path, about))
        # What the start made stays; a collector that passes over it costs time and frees nothing.
        gc.freeze()
        gc.enable()
        if sys.stdout is not None:  # closed by whoever started it: there is nobody to tell
            sys.stdout.write(banner(about, ready_path) + "\n")
            sys.stdout.flush()
        if exit_with_stdin:
            _stop_with_stdin(stop)
        await stop.wait()


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


def _stop_with_stdin(stop: asyncio.Event) -> None:
    """Set `stop` when stdin ends. A thread, because a loop cannot watch files and terminals alike."""
    loop = asyncio.get_running_loop()

    def read_to_the_end() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=read_to_the_end, name="stdin", daemon=True).start()
