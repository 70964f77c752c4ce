"""`python -m iothub_emulator`: options in, a hub until Ctrl-C; `… monitor`: a reader of its events."""

import argparse
import asyncio
import gc
import logging
import sys
from collections.abc import Sequence

from iothub_emulator import options
from iothub_emulator.command_line import PROGRAM
from iothub_emulator.net.errors import StartError
from iothub_emulator.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a hub as the options say, or the command that the first word names; return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["monitor"]:
        from iothub_emulator import monitor  # noqa: PLC0415 - a hub needs none of it

        return monitor.main(words[1:])
    given = options.parse(words)
    logging.basicConfig(
        level=given.log_level.upper(), format="%(relativeCreated)8.0f %(levelname)-7s %(name)s %(message)s"
    )
    try:
        _run(options.settings(given), given)
    except StartError as error:
        sys.stderr.write(f"{PROGRAM}: {' '.join(str(error).split())}\n")
        return 1
    except KeyboardInterrupt:  # before the signal handlers were in place
        return 130
    return 0


def _run(settings: Settings, given: argparse.Namespace) -> None:
    """Import the hub and run it: imports take longer than all the rest of the start, and none is garbage."""
    gc.disable()
    from iothub_emulator import serving  # noqa: PLC0415 - a mistake in the options is told at once

    asyncio.run(
        serving.run(
            settings,
            load=given.load,
            ready_path=given.ready_file,
            ca_path=given.ca_file,
            ca_key_path=given.ca_key,
            event_log_path=given.event_log,
            exit_with_stdin=given.exit_with_stdin,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
