"""The plugin beside others: it sees no run that is not its own, and keeps its options in those that are."""

import pytest
from small_suite import SmallSuite, run_pytest

# As pytest-profiling has it: a flag, which the same plugin asks for later.
PROFILING = """
def pytest_addoption(parser):
    group = parser.getgroup("Profiling")
    group.addoption("--profile", action="store_true", help="generate profiling information")

def pytest_configure(config):
    if config.getvalue("profile"):
        print("profiled:", config.getvalue("profile"))
"""
# One whose option has another name and the same place.
LEVELS = """
def pytest_addoption(parser):
    parser.addoption("--test-level", dest="level", type=int, default=3)

def pytest_configure(config):
    print("level of tests:", config.option.level)
"""
MINE = "def test_mine(): pass"
# Which plugin pytest loads first depends on the order of files in a folder.
ORDER = pytest.mark.parametrize(
    "plugins",
    [
        ("-p", "profiling"),
        ("-p", "profiling", "-p", "conformance.plugin"),
        ("-p", "conformance.plugin", "-p", "profiling"),
    ],
    ids=["as-it-comes", "theirs-first", "ours-first"],
)


@pytest.fixture
def small(tmp_path):
    suite = SmallSuite(tmp_path)
    suite.cases('@clause("small.holds")\ndef test_holds(): pass')
    (tmp_path / "profiling.py").write_text(PROFILING)
    (tmp_path / "levels.py").write_text(LEVELS)
    return suite


@pytest.fixture
def others(tmp_path):
    """A folder with tests of somebody else."""
    folder = tmp_path / "others"
    folder.mkdir()
    (folder / "profiling.py").write_text(PROFILING)
    (folder / "levels.py").write_text(LEVELS)
    (folder / "test_mine.py").write_text(MINE)
    return folder


def told(result):
    return [line for line in result.stderr.lines if line.startswith("NOTE")]


@ORDER
@pytest.mark.parametrize("named", [["--profile=small"], ["--profile", "small"]], ids=["equals", "space"])
@pytest.mark.parametrize("distribution", [[], ["-n", "1"]], ids=["one-process", "n-1"])
def test_a_run_of_the_suite_keeps_its_option_and_says_how_to_leave_the_other_plugin_out(
    small, plugins, named, distribution
):
    result = small.run(*plugins, *named, *distribution, profile=None)

    assert small.statement()["profile"]["name"] == "small", result.stdout.str() + result.stderr.str()
    assert "profiled:" not in result.stdout.str()
    assert told(result) == [
        (
            "NOTE: --profile is the suite's in this run, and the plugin 'profiling', which has one too, is "
            "left out. Do so yourself with: -p no:profiling"
        )
    ]


@ORDER
def test_a_run_that_leaves_the_other_plugin_out_says_nothing(small, plugins):
    result = small.run(*plugins, "-p", "no:profiling")

    assert small.statement()["profile"]["name"] == "small"
    assert told(result) == []


def test_an_option_that_shares_its_place_with_another_one_is_kept_too(small):
    result = small.run("-p", "levels", "--level=must")

    assert small.statement()["run"]["selection"] == ["--level must"]
    assert "-p no:levels" in told(result)[0]


@ORDER
def test_other_tests_have_their_own_option(others, plugins):
    plain = run_pytest(others, *plugins, "-s")
    profiled = run_pytest(others, *plugins, "-s", "--profile", "test_mine.py")

    assert (plain.ret, profiled.ret) == (0, 0), profiled.stdout.str() + profiled.stderr.str()
    assert "profiled:" not in plain.stdout.str()
    profiled.stdout.fnmatch_lines(["profiled: True", "*1 passed*"])
    assert "conformance" not in profiled.stderr.str()


@pytest.mark.parametrize("options", [["--section", "x"], ["--help"]], ids=" ".join)
def test_other_tests_have_the_options_of_their_conftest(others, options):
    (others / "conftest.py").write_text(
        "def pytest_addoption(parser):\n"
        "    for name in ('--profile', '--section', '--large'):\n"
        "        parser.addoption(name, dest=f'my_{name[2:]}')\n"
    )

    assert run_pytest(others, "-s", "-p", "conformance.plugin", "test_mine.py", *options).ret == 0


def test_help_names_the_options_that_are_free(others):
    said = run_pytest(others, "-p", "profiling", "--help").stdout.str()

    assert "--hub-url=mqtts://HOST:PORT" in said
    assert said.count("--profile") == 1


@pytest.mark.parametrize(
    ("words", "ini", "environment"),
    [
        (["@words"], "", ""),
        ([], "addopts = --profile=small cases", ""),
        (["cases"], "", "--profile=small"),
        (["--clause", "small.holds", "--profile=small", "cases"], "", ""),
    ],
    ids=["file-of-words", "ini", "environment", "value-behind-a-space"],
)
def test_a_run_of_the_suite_is_known_by_words_from_anywhere(small, words, ini, environment):
    (small.path / "words").write_text("--profile=small\ncases\n")
    (small.path / "pytest.ini").write_text(f"[pytest]\n{ini}\n")

    result = run_pytest(small.path, *words, PYTEST_ADDOPTS=environment)

    assert small.statement()["profile"]["name"] == "small", result.stdout.str() + result.stderr.str()
