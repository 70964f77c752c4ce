"""The options of `python -m iothub_emulator`, and the settings that they make."""

import argparse
import math
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from iothub_emulator.command_line import PROGRAM, Parser, Version, number
from iothub_emulator.editions import EDITIONS
from iothub_emulator.hub.policies import DEFAULT_RIGHTS
from iothub_emulator.hub.query_tree import QueryRefused
from iothub_emulator.hub.registry_rules import LONGEST_KEY, SHORTEST_KEY, RegistryRules
from iothub_emulator.hub.route_conditions import Route, parse_route
from iothub_emulator.hub.throttle import DOCUMENTED, Throttle, parse_throttle
from iothub_emulator.net.errors import StartError
from iothub_emulator.settings import SOURCES, Settings

_LOG_LEVELS = ("debug", "info", "warning", "error")
_DEFAULTS = Settings()
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*", re.ASCII)

_TIME = re.compile(r"(?P<number>[0-9]{1,9}(\.[0-9]{1,9})?)(?P<unit>ms|s)", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0}
LONGEST_LATENCY = 10.0
"""Seconds; a client gives up on what is farther away."""

_PORT = number("a port, 0 to 65535", int, lambda value: 0 <= value <= 65535)  # noqa: PLR2004
_COUNT = number("a whole number above 0", int, lambda value: value > 0)
_SECONDS = number("a number of seconds, 0 or more", float, lambda value: 0 <= value < math.inf)
_FACTOR = number("a number above 0", float, lambda value: 0 < value < math.inf)

Value = TypeVar("Value")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; a mistake ends the program with one line, and no secret is in it."""
    parser = _parser()
    given, left_over = parser.parse_known_args(arguments)
    if left_over:
        parser.error(
            _not_understood(left_over, has_secrets=bool(given.seed or given.device_key or given.policy_key))
        )
    return given


def settings(given: argparse.Namespace) -> Settings:
    """Return what the options ask for; `StartError` where two of them contradict each other."""
    only = [] if given.only_host_name is None else [given.only_host_name]
    host_names = dict.fromkeys((*_DEFAULTS.host_names, *given.host_name, *only))
    device_keys = _keys_by_name(given.device_key, "--device-key")
    policy_keys = _keys_by_name(given.policy_key, "--policy-key", DEFAULT_RIGHTS)
    return Settings(
        host=given.host,
        mqtt_port=given.mqtt_port,
        https_port=given.https_port,
        amqp_port=given.amqp_port,
        amqp_plain_port=given.amqp_plain_port,
        connect_port=given.connect_port,
        certificate_key=given.certificate_key,
        client_ca=given.client_ca,
        device_cas=tuple(given.device_ca),
        latency=given.latency,
        jitter=given.jitter,
        host_names=tuple(host_names),
        only_host_name=given.only_host_name,
        edition=given.edition,
        devices=tuple(dict.fromkeys((*given.device, *device_keys))) or _DEFAULTS.devices,
        seed=given.seed,
        device_keys=device_keys,
        policy_keys=policy_keys,
        partitions=given.partitions,
        telemetry_log_events=given.telemetry_log_events,
        sas_skew=given.sas_skew,
        sas_grace=given.sas_grace,
        keep_alive_factor=given.keep_alive_factor,
        c2d_lock=given.c2d_lock,
        c2d_queue_depth=given.c2d_queue_depth,
        c2d_time_to_live=given.c2d_time_to_live,
        c2d_max_delivery_count=given.c2d_max_delivery_count,
        method_shortest_timeout=given.method_shortest_timeout,
        feedback_batch_size=given.feedback_batch_size,
        feedback_interval=given.feedback_interval,
        events=given.events,
        connection_events_interval=given.connection_events_interval,
        routes=tuple(_by_name(given.route, "--route", lambda route: route.name).values()),
        throttles=tuple(_by_name(given.throttle, "--throttle", lambda throttle: throttle.kind).values()),
        throttle_scope=given.throttle_scope,
    )


# The parser, by subject


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=PROGRAM,
        description="An Azure IoT Hub to run against, on this machine.",
        epilog=f"python -m {PROGRAM} monitor --ready-file PATH prints what devices send to it.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=Version, nargs=0, help="print the version and end")
    _add_listeners(parser)
    _add_identities(parser)
    _add_timing(parser)
    _add_events(parser)
    _add_start(parser)
    return parser


def _add_listeners(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("listeners").add_argument
    add("--host", default=_DEFAULTS.host, help="address to bind (%(default)s)")
    add("--mqtt-port", type=_PORT, default=_DEFAULTS.mqtt_port, help="%(default)s; 0: any free one")
    add("--https-port", type=_PORT, default=_DEFAULTS.https_port, help="%(default)s; 0: any free one")
    add("--amqp-port", type=_PORT, default=_DEFAULTS.amqp_port, help="%(default)s; 0: any free one")
    add(
        "--amqp-plain-port",
        type=_PORT,
        default=_DEFAULTS.amqp_plain_port,
        help="AMQP without TLS, on the loopback address whatever --host says (%(default)s; 0: any free one)",
    )
    add("--connect-port", type=_PORT, help="a proxy whose CONNECT leads here (none; 0: any free one)")
    add(
        "--certificate-key",
        choices=("rsa", "ecdsa"),
        default=_DEFAULTS.certificate_key,
        help="the key of the hub's certificate (%(default)s, as a hub's is); the authority's own is RSA, "
        "unless --ca-key holds another",
    )
    add(
        "--client-ca",
        type=_pem,
        metavar="PATH",
        help="take client certificates of this authority alone, not of any",
    )
    add(
        "--device-ca",
        type=_pem,
        action="append",
        default=[],
        metavar="PATH",
        help="let devices of the type certificateAuthority in with a certificate of this authority whose "
        "common name is their id (repeatable; none)",
    )
    add(
        "--host-name",
        type=_host_name,
        action="append",
        default=[],
        metavar="NAME",
        help=f"answer to this name too, besides {', '.join(_DEFAULTS.host_names)} (repeatable)",
    )
    add(
        "--only-host-name",
        type=_host_name,
        metavar="NAME",
        help="let in devices that say this name in Username and token, and no other, as a real hub does; "
        "back ends may say any",
    )
    add("--edition", choices=tuple(EDITIONS), default=_DEFAULTS.edition, help="%(default)s")
    add(
        "--latency",
        type=_time,
        default=_DEFAULTS.latency,
        metavar="TIME",
        help="let what is sent arrive so much later, in each direction, on every port: 80ms, 0.5s (none)",
    )
    add(
        "--jitter",
        type=_time,
        default=_DEFAULTS.jitter,
        metavar="TIME",
        help="add up to so much to the latency, other for each piece and never out of order; the same at "
        "each start with the same --seed, or with none (none)",
    )


def _add_identities(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("identities and keys").add_argument
    add("--device", action="append", default=[], metavar="ID", help="make this device (repeatable; device-1)")
    add(
        "--device-key",
        nargs=2,
        action="append",
        default=[],
        metavar=("ID", "KEY"),
        help="make this device, with this primary key: base64 (repeatable)",
    )
    add(
        "--policy-key",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "KEY"),
        help=f"the primary key of a shared access policy, {', '.join(DEFAULT_RIGHTS)}: base64 (repeatable)",
    )
    add(
        "--seed",
        type=_seed,
        metavar="TEXT",
        help="let all keys that the hub makes follow from this text, the same at each start (new ones); "
        "and --jitter",
    )


def _add_timing(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("times and limits").add_argument
    add("--sas-skew", type=_SECONDS, default=_DEFAULTS.sas_skew, help="seconds (%(default)s)")
    add("--sas-grace", type=_SECONDS, default=_DEFAULTS.sas_grace, help="seconds (%(default)s)")
    add("--keep-alive-factor", type=_FACTOR, default=_DEFAULTS.keep_alive_factor, help="%(default)s")
    add("--c2d-lock", type=_SECONDS, default=_DEFAULTS.c2d_lock, help="seconds (%(default)s)")
    add("--c2d-queue-depth", type=_COUNT, default=_DEFAULTS.c2d_queue_depth, help="messages (%(default)s)")
    add("--c2d-time-to-live", type=_SECONDS, default=_DEFAULTS.c2d_time_to_live, help="seconds (%(default)s)")
    add(
        "--c2d-max-delivery-count",
        type=_COUNT,
        default=_DEFAULTS.c2d_max_delivery_count,
        help="failed deliveries until a message is given up (%(default)s)",
    )
    add(
        "--method-shortest-timeout",
        type=_SECONDS,
        default=_DEFAULTS.method_shortest_timeout,
        help="seconds that a caller of a method asks for at least (%(default)s)",
    )
    add("--feedback-batch-size", type=_COUNT, default=_DEFAULTS.feedback_batch_size, help="%(default)s")
    add(
        "--feedback-interval",
        type=_SECONDS,
        default=_DEFAULTS.feedback_interval,
        help="seconds (%(default)s)",
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


def _add_events(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("what the back end reads").add_argument
    add("--partitions", type=_COUNT, default=_DEFAULTS.partitions, help="of the telemetry log (%(default)s)")
    add(
        "--telemetry-log-events",
        type=_COUNT,
        default=_DEFAULTS.telemetry_log_events,
        help="events kept in each partition (%(default)s)",
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
        type=_SECONDS,
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


def _add_start(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("start and end").add_argument
    add("--ready-file", type=Path, metavar="PATH", help="write JSON here once everything listens")
    add(
        "--ca-file",
        type=Path,
        metavar="PATH",
        help="write the CA certificate here, not to a folder of its own",
    )
    add(
        "--ca-key",
        type=Path,
        metavar="PATH",
        help="keep the authority: with --ca-file, read both files, or make both where neither exists",
    )
    add(
        "--event-log",
        type=Path,
        metavar="PATH",
        help="write what reaches the built-in endpoint here too, a line of JSON each",
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


# Types of options


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


def _time(text: str) -> float:
    """Return seconds."""
    match = _TIME.fullmatch(text)
    seconds = float(match["number"]) * _UNITS[match["unit"]] if match else math.inf
    if seconds > LONGEST_LATENCY:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time such as 80ms or 0.5s, at most {LONGEST_LATENCY:g}s"
        )
    return seconds


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


def _seed(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("the text is empty")
    return text


# Options that may be repeated, and secrets


def _by_name(values: Sequence[Value], option: str, name_of: Callable[[Value], str]) -> dict[str, Value]:
    """Return the values of a repeatable option by their names; two of one name are a mistake."""
    named: dict[str, Value] = {}
    for value in values:
        name = name_of(value)
        if name in named:
            raise StartError(f"{option}: {name} is given twice: give it once")
        named[name] = value
    return named


def _keys_by_name(
    pairs: Sequence[Sequence[str]], option: str, known: Collection[str] | None = None
) -> dict[str, str]:
    """Return keys by what they are for. No word that may be a key is shown: the two are easily swapped."""
    for name, key in pairs:
        where = option if _is_key(name) else f"{option} {name}"
        if not _is_key(key):
            raise StartError(
                f"{where}: the second word is no key, "
                f"which is the base64 text of {SHORTEST_KEY} to {LONGEST_KEY} bytes"
            )
        if known is not None and name not in known:
            raise StartError(f"{where}: there is no such policy: name one of {', '.join(known)}")
    return {name: key for name, (_, key) in _by_name(pairs, option, lambda pair: pair[0]).items()}


def _not_understood(left_over: Sequence[str], *, has_secrets: bool) -> str:
    """Return what is said of words that belong to no option; one of them may be a secret astray."""
    unknown = [word.partition("=")[0] for word in left_over if word.startswith("-")]
    stray = [word for word in left_over if not word.startswith("-")]
    if unknown:
        return f"unrecognized arguments: {' '.join(unknown)}"
    if has_secrets or any(_is_key(word) for word in stray):
        return f"{len(stray)} words belong to no option, and are not shown as one may be a secret"
    return f"unrecognized arguments: {' '.join(stray)}"


def _is_key(text: str) -> bool:
    return RegistryRules().accepts_key(text)
