"""The same verdicts in any order, by any number of workers, section by section, and beside another run.

`make isolation` runs it: half an hour, because the whole suite runs sixteen times over.
"""

import os
import time

import pytest
from suite_run import CHECKOUT, Run, running_hub

from conformance.documents import catalogue

SECTIONS = [section.name for section in catalogue.load().sections]
SEED = int(os.environ.get("ISOLATION_SEED") or time.time())


@pytest.fixture(scope="module")
def in_order(tmp_path_factory):
    """The verdicts of a plain run: one process, in the order of the files."""
    return Run(tmp_path_factory.mktemp("in-order")).verdicts()


@pytest.fixture
def attached(tmp_path, monkeypatch):
    """Options and profile for an embedded hub that runs, started with the command of the profile."""
    with running_hub(tmp_path) as hub:
        own = tmp_path / "emulator.toml"
        # The file that the command names by {device_ca} lies beside the ready file.
        own.write_text(
            f'schema = 1\nextends = "{CHECKOUT / "profiles" / "emulator.toml"}"\n'
            '[device-authority]\ncertificate = "device-ca.pem"\nkey = "env:ISOLATION_KEY"\n'
        )
        monkeypatch.setenv("ISOLATION_KEY", hub.authority.key.reveal())
        yield {"profile": own, "option": f"--attach={hub.ready}"}


def test_a_plain_run_is_in_order(in_order):
    assert {verdict for verdict, _, _ in in_order.values()} <= {"pass", "observed"}


def test_any_order_comes_to_the_same_verdicts(in_order, tmp_path):
    assert Run(tmp_path, "--shuffle", str(SEED)).verdicts() == in_order, f"--shuffle {SEED}"


def test_four_workers_come_to_the_same_verdicts(in_order, tmp_path):
    assert Run(tmp_path, "-n", "4").verdicts() == in_order


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_alone_comes_to_the_same_verdicts(in_order, tmp_path, section):
    own = {clause: seen for clause, seen in in_order.items() if clause.startswith(f"{section}.")}

    assert Run(tmp_path, "--section", section).verdicts() == own


def test_two_runs_at_once_on_one_hub_come_to_the_same_verdicts(in_order, tmp_path, attached):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()

    runs = [Run(folder, attached["option"], profile=attached["profile"]) for folder in folders]

    assert [run.verdicts() for run in runs] == [in_order, in_order]


@pytest.mark.parametrize("pair", range(5))
def test_ten_shuffled_runs_two_at_once_on_one_hub_come_to_the_same_verdicts(
    in_order, tmp_path, attached, pair
):
    """Ten runs, each in an order of its own, four workers each."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    seeds = [str(SEED + 2 * pair), str(SEED + 2 * pair + 1)]

    runs = [
        Run(folder, attached["option"], "-n", "4", "--shuffle", seed, profile=attached["profile"])
        for folder, seed in zip(folders, seeds, strict=True)
    ]

    assert [run.verdicts() for run in runs] == [in_order, in_order], f"--shuffle {seeds}"
