"""A hub from its start to its end, in one process."""

import asyncio
import contextlib
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
from iothub_emulator.hub.service_errors import Refused
from iothub_emulator.net.errors import StartError
from iothub_emulator.net.listeners import open_listeners
from iothub_emulator.ready import ca_file, description, ready_file
from iothub_emulator.rules import rules_for
from iothub_emulator.runtime import Runtime
from iothub_emulator.settings import Settings


async def run(
    settings: Settings,
    *,
    load: Sequence[str] = (),
    ready_path: Path | None = None,
    ca_path: Path | None = None,
    exit_with_stdin: bool = False,
) -> None:
    """Start everything, say so, and wait for the end; `StartError` if it cannot start."""
    stop = asyncio.Event()
    _stop_on_signals(stop)
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
    async with contextlib.AsyncExitStack() as stack:
        ports = await stack.enter_async_context(open_listeners(runtime))
        authority = stack.enter_context(ca_file(ca_path, runtime.ca_pem))
        about = description(runtime, ports, authority)
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
