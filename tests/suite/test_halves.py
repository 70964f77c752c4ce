"""The two halves of the suite: a run judges one, by its profile, and is whole where it collects all of it."""

import pytest
from small_suite import SmallSuite

HUB = """
@clause("small.holds")
def test_a_hub():
    pass
"""
DEVICE = """
@clause("small.holds")
def test_a_device():
    pass
"""


@pytest.fixture
def halved(tmp_path):
    """A suite of two halves."""
    small = SmallSuite(tmp_path)
    (small.path / "cases" / "hub").mkdir()
    (small.path / "cases" / "devices").mkdir()
    small.cases(HUB, "hub/test_hub.py")
    small.cases(DEVICE, "devices/test_device.py")
    return small


def ids_and_selection(suite):
    statement = suite.statement()
    ids = [case["id"] for clause in statement["clauses"] for case in clause["cases"]]
    return ids, statement["run"]["partial"]


@pytest.mark.parametrize("distribution", [[], ["-n", "1"]], ids=["one-process", "n-1"])
@pytest.mark.parametrize("where", [".", "cases", "cases/hub"])
def test_a_profile_of_a_hub_collects_all_that_a_hub_must_do(halved, where, distribution):
    halved.run(*distribution, where=where)

    assert ids_and_selection(halved) == (["test_hub.py::test_a_hub"], False)


@pytest.mark.parametrize("distribution", [[], ["-n", "1"]], ids=["one-process", "n-1"])
@pytest.mark.parametrize("where", [".", "cases", "cases/devices"])
def test_a_profile_of_a_device_collects_all_that_a_device_must_do(halved, where, distribution):
    """The ids of its cases say so: both halves may have a module of one name."""
    (halved.path / "device").touch()
    halved.run(*distribution, where=where)

    assert ids_and_selection(halved) == (["devices/test_device.py::test_a_device"], False)


def test_one_module_of_a_half_is_less_than_a_whole_run(halved):
    halved.cases(HUB.replace("a_hub", "more"), "hub/test_more.py")
    halved.run(where="cases/hub/test_hub.py")

    assert ids_and_selection(halved) == (["test_hub.py::test_a_hub"], True)


def test_the_id_of_a_devices_case_is_the_same_from_its_own_folder(halved):
    """A node id is relative to the root that pytest takes; what was judged is not."""
    (halved.path / "device").touch()
    halved.run("--rootdir=cases/devices", "--confcutdir=.", where="cases/devices/test_device.py")

    assert ids_and_selection(halved) == (["devices/test_device.py::test_a_device"], True)


@pytest.mark.parametrize(
    ("is_device", "where", "judges"), [(False, "devices", "devices"), (True, "hub", "hubs")]
)
def test_a_path_into_the_other_half_is_a_usage_error(halved, is_device, where, judges):
    """Nothing of it would run, and a green run of nothing says nothing."""
    if is_device:
        (halved.path / "device").touch()
    result = halved.run(where=f"cases/{where}")

    assert result.ret == 4
    assert f"judges {judges}, and the profile of this run names" in result.stderr.str()
