"""pytest's face: the options, and whether this run is a conformance run at all.

pytest loads this module in every run of an environment that has the suite installed. It therefore imports
nothing heavy, and does nothing unless the run names a profile or collects from this package. The work is
done by two more plugins in `conformance.run`, registered only then: `controller` once, `worker` in each
process that runs cases.
"""

import itertools
import os
import sys
from collections.abc import Generator
from typing import Final, NoReturn

import pytest

from conformance.run.options import Options, reaches_package

# Before anything imports them: a plain assert in the suite's own modules then says what it compared.
pytest.register_assert_rewrite(
    "conformance.mqtt",
    "conformance.evidence",
    "conformance.hub.fixtures.c2d",
    "conformance.run.fixtures",
    "conformance.backend",
)

# Where more would wait, memory and the hub's connections may not be enough for them.
MOST_WORKERS: Final = 16

OPTIONS: Final = pytest.StashKey[Options]()


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the suite's hook."""
    from conformance.run import hooks  # noqa: PLC0415 - pytest registers assertion rewriting above first

    pluginmanager.add_hookspecs(hooks)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the suite's options to its own runs, now or as soon as every plugin has added those that it has."""
    config: pytest.Config | None = pluginmanager.get_plugin("pytestconfig")
    if config is None:
        return
    config.stash[OPTIONS] = options = Options(config, parser)
    if not options.can_wait:
        options.add_if_wanted()
    else:
        options.add_if_taken()


def pytest_plugin_registered(plugin_name: str, manager: pytest.PytestPluginManager) -> None:
    """Keep an option that another plugin has as well: pytest is about to parse it as that plugin's."""
    config: pytest.Config | None = manager.get_plugin("pytestconfig")
    if config is not None and OPTIONS in config.stash:
        config.stash[OPTIONS].add_if_taken(plugin_name)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, args: list[str]
) -> Generator[None, None, None]:
    """Add the options before any conftest.py; behind them, for whoever asks for help in another run."""
    options = early_config.stash[OPTIONS]
    if options.add_if_wanted():
        options.parse_again(args)
    yield
    if early_config.known_args_namespace.help and not options.added:
        options.offer()


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Register the suite's plugins, if this is its run, before xdist settles how to distribute."""
    if not (config.option.help or config.option.version) and is_conformance_run(config):
        worker = hasattr(config, "workerinput")
        if not worker:
            for line in config.stash[OPTIONS].settle():
                sys.stderr.write(f"NOTE: {line}\n")
            _refuse_misread_option(config)
        if config.option.dry_run and not worker:
            config.option.workers_meant = _workers_meant(config)
            config.option.numprocesses, config.option.tx, config.option.dist = None, [], "no"
        distributed = bool(config.getoption("numprocesses", None) or config.getoption("tx", None))
        if distributed and config.option.dist == "no":
            config.option.dist = "worksteal"  # cases differ in length a hundredfold
        config.pluginmanager.import_plugin("conformance.run.worker")
        if not worker:  # behind the runner, so that it is configured first: it says what is wrong
            config.pluginmanager.import_plugin("conformance.run.controller")
    try:
        return (yield)
    except pytest.UsageError as error:
        message, *own_code = error.args
        if not own_code:
            raise
        say_error(message)
        return own_code[0]


def _workers_meant(config: pytest.Config) -> int:
    """Return how many workers the command line asks for, before xdist is kept from starting them."""
    wanted = config.getoption("numprocesses", None)
    if isinstance(wanted, str):  # "auto"
        wanted = config.hook.pytest_xdist_auto_num_workers(config=config)
    return int(wanted or 1)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Say what ``-n auto`` is in a run of the suite; in any other, xdist does."""
    if not is_conformance_run(config) or "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return workers_for(len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1)


def workers_for(processors: int) -> int:
    """Return two workers for each processor, since half of a worker's time is waiting; mostly at most 16."""
    return max(processors, min(2 * processors, MOST_WORKERS))


def refuse(message: str, exit_code: int) -> NoReturn:
    """End the run before it begins: a usage error to pytest, with the suite's own exit code."""
    raise pytest.UsageError(message, exit_code) from None


def say_error(message: str) -> None:
    """Write a message as pytest writes its usage errors, each line by itself."""
    from conformance.report.printable import visible  # noqa: PLC0415 - likewise
    from conformance.report.redaction import redact  # noqa: PLC0415 - a run that is not ours needs neither

    for line in visible(redact(message)).splitlines():
        sys.stderr.write(f"ERROR: {line}\n")


def is_conformance_run(config: pytest.Config) -> bool:
    """Say whether the run names a profile or collects from this package."""
    if hasattr(config, "workerinput"):
        return "conformance" in config.workerinput
    options = config.stash[OPTIONS]
    return options.names_a_hub or (
        options.added
        and any(reaches_package(argument, config, pyargs=config.option.pyargs) for argument in config.args)
    )


def _refuse_misread_option(config: pytest.Config) -> None:
    """Refuse a path that pytest took for a place to collect from, before it knew the suite's options."""
    here, words = config.invocation_params.dir, [str(word) for word in config.invocation_params.args]
    for option, value in itertools.pairwise(words):
        path = (here / value).resolve()
        if option in {"--profile", "--attach", "--report-dir"} and path.exists() and here not in path.parents:
            raise pytest.UsageError(
                f"{option} {value}: behind a space, pytest takes a path elsewhere for the root of its tests. "
                f"Write {option}={value}"
            )
