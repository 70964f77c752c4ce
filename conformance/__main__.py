"""``python -m conformance``: what is checked, which hubs are known, what runs left on one."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from conformance.commands import allure, listing, publishing, reap, reports
from conformance.errors import USAGE, HarnessError
from conformance.report import deviation_entries, json_report
from conformance.report.printable import visible
from conformance.report.publication import suite_version

FORMATS: Final[Mapping[str, Callable[[Any], str]]] = {
    "table": listing.as_table,
    "json": lambda rows: json.dumps(rows, ensure_ascii=False, indent=1),
    "markdown": listing.as_markdown,
}
_COMMANDS: Final = {**reports.COMMANDS, **publishing.COMMANDS}


class _Parser(argparse.ArgumentParser):
    """A parser whose refusal is one line with the suite's code for a usage error."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"ERROR: {message}. See: {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    parser = _Parser(prog="python -m conformance", description=__doc__)
    parser.add_argument("--version", action="version", version=f"conformance {suite_version()}")
    commands = parser.add_subparsers(dest="command", required=True)
    clauses = commands.add_parser("clauses", help="list the documented behaviours and the tests of each")
    clauses.add_argument("--format", choices=FORMATS, default="table")
    clauses.add_argument(
        "--half", choices=tuple(listing.PROFILES), default="hub", help="who must hold to them (%(default)s)"
    )
    profiles = commands.add_parser("profiles", help="list the profiles: target, claims, what they read")
    profiles.add_argument("--format", choices=FORMATS, default="table")
    commands.add_parser("schema", help="print the JSON Schema of conformance.json")
    deviations = commands.add_parser(
        "deviations", help="write a [[deviation]] for each violated case of a run, ready to paste"
    )
    deviations.add_argument(
        "--from", dest="statement", metavar="FILE", required=True, help="the run's conformance.json"
    )
    reports.add(commands)
    publishing.add(commands)
    allure.add(commands)
    reap.add(commands)
    given = parser.parse_args(arguments)
    code = 0
    try:
        if given.command == "schema":
            text = json.dumps(json_report.schema(), indent=1)
        elif given.command in _COMMANDS:
            text, code = _COMMANDS[given.command](given)
        elif given.command == "allure":
            text, code = allure.run_allure(given)
        elif given.command == "reap":
            text, code = reap.run_reap(given)
        elif given.command == "deviations":
            today = datetime.now(UTC).date()
            text = deviation_entries.entries(json_report.load(given.statement), today=today)
        else:
            is_clauses = given.command == "clauses"
            rows = listing.clauses(half=given.half) if is_clauses else listing.profiles()
            text = FORMATS[given.format](rows)
    except HarnessError as error:
        for line in visible(str(error)).splitlines():
            sys.stderr.write(f"ERROR: {line}\n")
        return error.exit_code
    sys.stdout.write(visible(text) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
