"""``python -m conformance reap``: what runs that were killed left on a hub, shown, and deleted if told to."""

import argparse
import time
from typing import Any

from conformance.backend import Service
from conformance.errors import UsageError
from conformance.profile import loading as profiles
from conformance.report.printable import plural
from conformance.run import leftovers
from conformance.run.leftovers import Leftover
from conformance.target.opening import open_target


def add(commands: Any) -> None:
    """Add the command to the parser."""
    reaping = commands.add_parser(
        "reap",
        help="show the devices that killed runs left on a hub, and delete them if told to",
        description="Show, run by run, the devices on a profile's hub that runs of this suite made and could "
        "not delete, since they were killed. Nothing else is touched. Names tell when a run began.",
    )
    reaping.add_argument("--profile", metavar="NAME", required=True, help="the profile that names the hub")
    reaping.add_argument("--attach", metavar="FILE", help="the ready file of a running embedded hub")
    reaping.add_argument(
        "--older-than",
        metavar="MINUTES",
        type=float,
        default=leftovers.OLD / 60,
        help="leave younger runs alone, which may be under way (%(default)g); 0: any, of an unknown age too",
    )
    reaping.add_argument("--delete", action="store_true", help="delete them; without it nothing is changed")


def run_reap(given: argparse.Namespace) -> tuple[str, int]:
    """Show, and delete; return what to say, and 0."""
    profile = profiles.load(given.profile)
    if profile.launch is not None and given.attach is None:
        raise UsageError(
            f"--profile {given.profile}: its hub starts and ends with each run, and keeps nothing."
        )
    target = open_target(profile, attach=given.attach).target
    if target.service is None or "registry" not in target.capabilities:
        raise UsageError(f"--profile {given.profile}: claims no 'registry', so its runs make no devices.")
    service = Service(target, telemetry=False)
    try:
        found = leftovers.by_run(leftovers.names_on(service, all_pages=True), time.time())
        old = [each for each in found if each.is_older(60 * given.older_than)]
        ids = [device_id for each in old for device_id in each.ids]
        if given.delete:
            service.registry.delete(ids)
    finally:
        service.close()
    return "\n".join(_lines(old, found, deleted=given.delete)), 0


def _lines(old: list[Leftover], found: list[Leftover], *, deleted: bool) -> list[str]:
    lines = [
        f"{leftovers.PREFIX}{each.run}*  {leftovers.in_words(each.age):>8}  {plural(len(each.ids), 'device')}"
        for each in old
    ]
    count = sum(len(each.ids) for each in old)
    young = sum(len(each.ids) for each in found) - count
    end = f"{plural(count, 'device')} of runs that were killed" if count else "nothing is left of killed runs"
    if count:
        end += ": deleted" if deleted else ". --delete deletes them"
    if young:
        end += (
            f"; {plural(young, 'device')} of younger runs, or of an unknown age, left alone: --older-than=0"
        )
    return [*lines, end]
