"""One emulator for all strangers' packages, one performance of each script, a line for each."""

import os
import socket
from collections import Counter
from functools import partial

import pytest
from environments import NotRunError
from hub_process import running_hub
from strangers import perform

# A proxy leads the packages that cannot be told a port to the emulator.
EXTRA = ("--connect-port", "0", "--amqp-plain-port", "0", "--feedback-interval", "1")

# Ports that some packages cannot be told to leave.
USUAL = {"mqtt": 8883, "https": 443, "amqp": 5671}


@pytest.fixture(scope="session")
def interop_hub():
    """The emulator on the usual ports as far as they are free here."""
    wanted = [
        text for name, port in USUAL.items() if _is_free(port) for text in (f"--{name}-port", str(port))
    ]
    with running_hub(*wanted, *EXTRA) as hub:
        yield hub


@pytest.fixture(scope="module")
def environment(request):
    """The module's ENVIRONMENT, built if it is not there."""
    module = request.module
    try:
        return module.ENVIRONMENT()
    except NotRunError as reason:
        if os.environ.get("CI") == "true" and module.SCRIPT.endswith(".py"):
            pytest.fail(f"{module.PACKAGE} is demanded where CI=true: {reason}", pytrace=False)
        pytest.skip(f"NOT RUN: {module.PACKAGE}: {reason}")


@pytest.fixture(scope="module")
def performance(request, environment, interop_hub):
    """The module's PACKAGE, performed by its SCRIPT in its ENVIRONMENT: the steps that it printed."""
    return perform(request.module.SCRIPT, environment, interop_hub, deadline=request.module.DEADLINE)


@pytest.fixture
def needs_usual_ports(request, interop_hub):
    """Return a check of ports by their names: where one is taken on this machine, the test is not run."""
    return partial(_need_usual_ports, request.module.PACKAGE, interop_hub)


@pytest.fixture
def passes(request, record_property, interop_hub):
    """Return a check of one step by its name; a step on a fixed port that is taken here is not run."""
    record_property("package", request.module.PACKAGE)
    return partial(_check, request, interop_hub)


def pytest_terminal_summary(terminalreporter):
    counts = {}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            package = dict(report.user_properties).get("package")
            if package is not None:
                counts.setdefault(package, Counter())[outcome] += 1
    if not counts:
        return
    terminalreporter.section("steps passed by each package, unmodified")
    for package, count in sorted(counts.items()):
        line = f"{package}: {count['passed']} of {count.total()} passed"
        if count["failed"] or count["error"]:
            line += f", {count['failed'] + count['error']} FAILED"
        if count["skipped"]:
            line += f", {count['skipped']} NOT RUN on this machine"
        terminalreporter.write_line(line)


def _check(request, hub, step):
    for start, names in getattr(request.module, "FIXED_PORTS", {}).items():
        if step.startswith(start):
            _need_usual_ports(request.module.PACKAGE, hub, *names)
    reason = request.getfixturevalue("performance").failure(step)
    if reason:
        pytest.fail(f"{step}: {reason}", pytrace=False)


def _need_usual_ports(package, hub, *names):
    taken = [str(USUAL[name]) for name in names if hub["ports"][name] != USUAL[name]]
    if taken:
        pytest.skip(
            f"NOT RUN: {package} knows no other port than {' and '.join(taken)} here, and that is not free"
        )


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
