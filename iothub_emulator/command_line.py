"""What the command lines of the hub and of `monitor` share: mistakes in one line, types, the version."""

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

PROGRAM = "iothub_emulator"

_DISTRIBUTION = "iothub-mqtt-conformance"

Number = TypeVar("Number", int, float)


class Parser(argparse.ArgumentParser):
    """One line for a mistake, and exit code 1."""

    def error(self, message: str) -> NoReturn:
        """End the program with the mistake and where help is."""
        self.exit(1, f"{self.prog}: {message}; see python -m {self.prog} --help\n")


class Version(argparse.Action):
    """`--version`: what is installed, looked up only if it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print the version and end the program."""
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - a tenth of the start

        try:
            text = version(_DISTRIBUTION)
        except PackageNotFoundError:
            text = "unknown (not installed: run make setup, or pip install)"
        sys.stdout.write(f"{parser.prog} {text}\n")
        parser.exit(0)


def number(
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
