"""How a run names its hub, as words that name the same one again: from any folder, on this machine."""

from pathlib import Path
from typing import Any, Final

import pytest

from conformance.report.publication import UNKNOWN, suite_version
from conformance.report.statement import CommandPart
from conformance.run.options import PACKAGE

_EMBEDDED: Final = ("{python}", "-m", "iothub_emulator")


def command(
    config: pytest.Config, profile: Any, *, package: Path, same_hub: str, report: Path
) -> CommandPart:
    """Return the words. `same_hub` is the id of the hub that was judged, `report` where its report goes."""
    option, here = config.option, config.invocation_params.dir
    given = {
        "--profile": profile.argument,
        "--hub-url": option.hub_url,
        "--attach": str((here / option.attach).resolve()) if option.attach else None,
        "--timeout-factor": option.timeout_factor and f"{option.timeout_factor:g}",
        "--same-hub": same_hub,
    }
    flags = {"--large": option.large, "--no-preflight": option.no_preflight}
    starts_it = profile.launch is not None and not (option.attach or option.hub_url)
    is_installed = package == PACKAGE and suite_version() != UNKNOWN
    anywhere = is_installed and profile.is_shipped and _is_found_anywhere(profile.launch)
    return CommandPart(
        cases=["--pyargs", "conformance"] if is_installed else [str(package)],
        words=[
            *(f"{name}={value}" for name, value in given.items() if value),
            *(name for name, is_given in flags.items() if is_given),
        ],
        folder=str(here) if starts_it and not anywhere else "",
        variables=list(profile.variables),
        report=str(report if option.report_dir else report.relative_to(here)),
    )


def _is_found_anywhere(launch: Any) -> bool:
    """Say whether a command starts the same hub in any folder: the embedded one, as it is."""
    words = () if launch is None else (*launch.command, *launch.arguments)
    return words[:3] == _EMBEDDED and "--load" not in words
