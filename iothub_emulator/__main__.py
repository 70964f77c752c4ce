"""`python -m iothub_emulator`: options in, a hub until Ctrl-C."""

import argparse
import asyncio
import gc
import logging
import math
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from iothub_emulator.editions import EDITIONS
from iothub_emulator.hub.query_tree import QueryRefused
from iothub_emulator.hub.route_conditions import Route, parse_route
from iothub_emulator.hub.throttle import DOCUMENTED, Throttle, parse_throttle
from iothub_emulator.net.errors import StartError
from iothub_emulator.settings import SOURCES, Settings

PROGRAM = "iothub_emulator"

_LOG_LEVELS = ("debug", "info", "warning", "error")
_DEFAULTS = Settings()
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", re.ASCII)

Number = TypeVar("Number", int, float)
Value = TypeVar("Value")


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
        _run(_settings(options), options)
    except StartError as error:
        sys.stderr.write(f"{PROGRAM}: {' '.join(str(error).split())}\n")
        return 1
    except KeyboardInterrupt:  # before the signal handlers were in place
        return 130
    return 0


def _run(settings: Settings, options: argparse.Namespace) -> None:
    """Import the hub and run it: imports take longer than all the rest of the start, and none is garbage."""
    gc.disable()
    from iothub_emulator import serving  # noqa: PLC0415 - a mistake in the options is told at once

    asyncio.run(
        serving.run(
            settings,
            load=options.load,
            ready_path=options.ready_file,
            ca_path=options.ca_file,
            ca_key_path=options.ca_key,
            exit_with_stdin=options.exit_with_stdin,
        )
    )


def _settings(options: argparse.Namespace) -> Settings:
    host_names = dict.fromkeys((*_DEFAULTS.host_names, *options.host_name))
    return Settings(
        host=options.host,
        mqtt_port=options.mqtt_port,
        https_port=options.https_port,
        amqp_port=options.amqp_port,
        amqp_plain_port=options.amqp_plain_port,
        connect_port=options.connect_port,
        certificate_key=options.certificate_key,
        client_ca=options.client_ca,
        host_names=tuple(host_names),
        edition=options.edition,
        devices=tuple(dict.fromkeys(options.device)) or _DEFAULTS.devices,
        partitions=options.partitions,
        telemetry_log_events=options.telemetry_log_events,
        sas_skew=options.sas_skew,
        sas_grace=options.sas_grace,
        keep_alive_factor=options.keep_alive_factor,
        c2d_lock=options.c2d_lock,
        c2d_queue_depth=options.c2d_queue_depth,
        c2d_time_to_live=options.c2d_time_to_live,
        c2d_max_delivery_count=options.c2d_max_delivery_count,
        method_shortest_timeout=options.method_shortest_timeout,
        feedback_batch_size=options.feedback_batch_size,
        feedback_interval=options.feedback_interval,
        events=options.events,
        connection_events_interval=options.connection_events_interval,
        routes=_distinct(options.route, "--route", lambda route: route.name),
        throttles=_distinct(options.throttle, "--throttle", lambda throttle: throttle.kind),
        throttle_scope=options.throttle_scope,
    )


def _distinct(values: list[Value], option: str, name: Callable[[Value], str]) -> tuple[Value, ...]:
    """Return the values of a repeatable option; two of one name are a mistake."""
    names = [name(value) for value in values]
    for text in names:
        if names.count(text) > 1:
            raise StartError(f"{option}: {text} is given twice: give it once")
    return tuple(values)


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
        "--amqp-plain-port",
        type=port,
        default=_DEFAULTS.amqp_plain_port,
        help="AMQP without TLS, on the loopback address whatever --host says (%(default)s; 0: any free one)",
    )
    add("--connect-port", type=port, help="a proxy whose CONNECT leads here (none; 0: any free one)")
    add(
        "--certificate-key",
        choices=("rsa", "ecdsa"),
        default=_DEFAULTS.certificate_key,
        help="the key of the hub's certificate (%(default)s, as a hub's is)",
    )
    add(
        "--client-ca",
        type=_pem,
        metavar="PATH",
        help="take client certificates of this authority alone, not of any",
    )
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
    add("--c2d-lock", type=seconds, default=_DEFAULTS.c2d_lock, help="seconds (%(default)s)")
    add("--c2d-queue-depth", type=count, default=_DEFAULTS.c2d_queue_depth, help="messages (%(default)s)")
    add("--c2d-time-to-live", type=seconds, default=_DEFAULTS.c2d_time_to_live, help="seconds (%(default)s)")
    add(
        "--c2d-max-delivery-count",
        type=count,
        default=_DEFAULTS.c2d_max_delivery_count,
        help="failed deliveries until a message is given up (%(default)s)",
    )
    add(
        "--method-shortest-timeout",
        type=seconds,
        default=_DEFAULTS.method_shortest_timeout,
        help="seconds that a caller of a method asks for at least (%(default)s)",
    )
    add("--feedback-batch-size", type=count, default=_DEFAULTS.feedback_batch_size, help="%(default)s")
    add(
        "--feedback-interval", type=seconds, default=_DEFAULTS.feedback_interval, help="seconds (%(default)s)"
    )
    add(
        "--events",
        type=_sources,
        default=_DEFAULTS.events,
        metavar="SOURCE,…",
        help=f"what reaches the built-in endpoint, of {', '.join(SOURCES)} ({','.join(_DEFAULTS.events)})",
    )
    add(
        "--connection-events-interval",
        type=seconds,
        default=_DEFAULTS.connection_events_interval,
        help="seconds after which changed connections are told of (%(default)s)",
    )
    add(
        "--route",
        type=_route,
        action="append",
        default=[],
        metavar="NAME:CONDITION",
        help="lead messages of devices to a custom endpoint, such as 'wills:iothub-MessageType = \"Will\"'; "
        "the others stay with the built-in one (repeatable; none)",
    )
    add(
        "--throttle",
        type=_throttle,
        action="append",
        default=[],
        metavar="KIND=COUNT/s",
        help="carry out so many operations in a second, or with /min in a minute; on a hub "
        f"{', '.join(f'{kind}={rate}' for kind, rate in DOCUMENTED.items())} (repeatable; none)",
    )
    add(
        "--throttle-scope",
        choices=("hub", "identity"),
        default=_DEFAULTS.throttle_scope,
        help="what a throttle counts together (%(default)s)",
    )
    add("--ready-file", type=Path, metavar="PATH", help="write JSON here once everything listens")
    add("--ca-file", type=Path, metavar="PATH", help="write the CA certificate here, not to a private folder")
    add(
        "--ca-key",
        type=Path,
        metavar="PATH",
        help="keep the authority: with --ca-file, read both files, or make both where neither exists",
    )
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


def _sources(text: str) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(text.split(",")))
    unknown = [name for name in named if name not in SOURCES]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(SOURCES)}")
    return named


def _route(text: str) -> Route:
    try:
        return parse_route(text)
    except QueryRefused as refused:
        raise argparse.ArgumentTypeError(str(refused)) from None


def _throttle(text: str) -> Throttle:
    try:
        return parse_throttle(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _host_name(text: str) -> str:
    if not _HOST_NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a host name without port")
    return text


def _pem(text: str) -> str:
    try:
        # What stands around the certificates may be in any encoding; they themselves are ASCII.
        return Path(text).read_bytes().decode("ascii", "ignore")
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be read ({error.strerror})") from None


if __name__ == "__main__":
    sys.exit(main())
