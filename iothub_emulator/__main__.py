"""`python -m iothub_emulator`: options in, a hub until Ctrl-C."""

import argparse
import asyncio
import contextlib
import logging
import math
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from iothub_emulator.editions import EDITIONS
from iothub_emulator.hub.service_errors import Refused
from iothub_emulator.loading import load
from iothub_emulator.net.errors import StartError
from iothub_emulator.net.listeners import open_listeners
from iothub_emulator.ready import banner, ca_file, description, ready_file
from iothub_emulator.rules import rules_for
from iothub_emulator.runtime import Runtime
from iothub_emulator.settings import Settings

PROGRAM = "iothub_emulator"

_LOG_LEVELS = ("debug", "info", "warning", "error")
_DEFAULTS = Settings()
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", re.ASCII)

Number = TypeVar("Number", int, float)


class _Parser(argparse.ArgumentParser):
    """One line for a mistake, and exit code 1."""

    def error(self, message: str) -> NoReturn:
        self.exit(1, f"{PROGRAM}: {message}; see python -m {PROGRAM} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a hub as the options say; return the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=options.log_level.upper(), format="%(relativeCreated)8.0f %(levelname)-7s %(name)s %(message)s"
    )
    try:
        asyncio.run(run(_settings(options), options))
    except StartError as error:
        sys.stderr.write(f"{PROGRAM}: {' '.join(str(error).split())}\n")
        return 1
    except KeyboardInterrupt:  # before the signal handlers were in place
        return 130
    return 0


async def run(settings: Settings, options: argparse.Namespace) -> None:
    """Start everything, say so, and wait for the end; `StartError` if it cannot start."""
    stop = asyncio.Event()
    _stop_on_signals(stop)
    rules = rules_for(settings, EDITIONS[settings.edition])
    for target in options.load:
        load(target, rules)
    runtime = Runtime(settings, rules)
    for device_id in settings.devices:
        try:
            runtime.add_device(device_id)
        except Refused as refused:
            raise StartError(f"--device {device_id}: {refused}: choose another id") from None
    async with contextlib.AsyncExitStack() as stack:
        ports = await stack.enter_async_context(open_listeners(runtime))
        authority = stack.enter_context(ca_file(options.ca_file, runtime.ca_pem))
        about = description(runtime, ports, authority)
        stack.enter_context(ready_file(options.ready_file, about))
        sys.stdout.write(banner(about) + "\n")
        sys.stdout.flush()
        if options.exit_with_stdin:
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


def _settings(options: argparse.Namespace) -> Settings:
    host_names = dict.fromkeys((*_DEFAULTS.host_names, *options.host_name))
    return Settings(
        host=options.host,
        mqtt_port=options.mqtt_port,
        https_port=options.https_port,
        amqp_port=options.amqp_port,
        host_names=tuple(host_names),
        edition=options.edition,
        devices=tuple(dict.fromkeys(options.device)) or _DEFAULTS.devices,
        partitions=options.partitions,
        telemetry_log_events=options.telemetry_log_events,
        sas_skew=options.sas_skew,
        sas_grace=options.sas_grace,
        keep_alive_factor=options.keep_alive_factor,
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM, description="An Azure IoT Hub to run against, on this machine.", allow_abbrev=False
    )
    add = parser.add_argument
    port = _number("a port, 0 to 65535", int, lambda value: 0 <= value <= 65535)  # noqa: PLR2004
    count = _number("a whole number above 0", int, lambda value: value > 0)
    seconds = _number("a number of seconds, 0 or more", float, lambda value: 0 <= value < math.inf)
    factor = _number("a number above 0", float, lambda value: 0 < value < math.inf)

    add("--host", default=_DEFAULTS.host, help="address to bind (%(default)s)")
    add("--mqtt-port", type=port, default=_DEFAULTS.mqtt_port, help="%(default)s; 0: any free one")
    add("--https-port", type=port, default=_DEFAULTS.https_port, help="%(default)s; 0: any free one")
    add("--amqp-port", type=port, default=_DEFAULTS.amqp_port, help="%(default)s; 0: any free one")
    add(
        "--host-name",
        type=_host_name,
        action="append",
        default=[],
        metavar="NAME",
        help=f"answer to this name too, besides {', '.join(_DEFAULTS.host_names)} (repeatable)",
    )
    add("--edition", choices=tuple(EDITIONS), default=_DEFAULTS.edition, help="%(default)s")
    add("--device", action="append", default=[], metavar="ID", help="make this device (repeatable; device-1)")
    add("--partitions", type=count, default=_DEFAULTS.partitions, help="of the telemetry log (%(default)s)")
    add(
        "--telemetry-log-events",
        type=count,
        default=_DEFAULTS.telemetry_log_events,
        help="events kept in each partition (%(default)s)",
    )
    add("--sas-skew", type=seconds, default=_DEFAULTS.sas_skew, help="seconds (%(default)s)")
    add("--sas-grace", type=seconds, default=_DEFAULTS.sas_grace, help="seconds (%(default)s)")
    add("--keep-alive-factor", type=factor, default=_DEFAULTS.keep_alive_factor, help="%(default)s")
    add("--ready-file", type=Path, metavar="PATH", help="write JSON here once everything listens")
    add("--ca-file", type=Path, metavar="PATH", help="write the CA certificate here, not to a private folder")
    add("--exit-with-stdin", action="store_true", help="end when standard input ends")
    add(
        "--load",
        action="append",
        default=[],
        metavar="MODULE:FUNCTION",
        help="call with the rules (repeatable)",
    )
    add("--log-level", choices=_LOG_LEVELS, default="warning", help="%(default)s")
    return parser


def _number(
    what: str, convert: Callable[[str], Number], accepts: Callable[[Number], bool]
) -> Callable[[str], Number]:
    """Return an option type; argparse shows the error's text behind the option's name."""

    def parse(text: str) -> Number:
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is None or not accepts(value):
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return value

    return parse


def _host_name(text: str) -> str:
    if not _HOST_NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a host name without port")
    return text


if __name__ == "__main__":
    sys.exit(main())
