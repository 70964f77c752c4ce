"""`--load`: the rules go to a function, and what is wrong with it is told."""

import sys

import pytest

from iothub_emulator.editions import EDITIONS
from iothub_emulator.loading import load
from iothub_emulator.net.errors import StartError
from iothub_emulator.rules import rules_for
from iothub_emulator.settings import Settings


@pytest.fixture
def rules():
    return rules_for(Settings(), EDITIONS["current"])


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module that `--load` finds."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(text):
        (tmp_path / "loaded_module.py").write_text(text)
        sys.modules.pop("loaded_module", None)

    yield write
    sys.modules.pop("loaded_module", None)


def test_the_function_may_replace_a_rule(module, rules):
    module("def f(rules):\n    rules.will = 'replaced'\n")
    load("loaded_module:f", rules)
    assert rules.will == "replaced"


@pytest.mark.parametrize(
    ("target", "text", "told"),
    [
        ("loaded_module", "", "is not of the form module:function"),
        (":f", "", "is not of the form module:function"),
        ("loaded_module:", "", "is not of the form module:function"),
        ("loaded_module:g", "f = 1", "has no function g"),
        ("loaded_module:f", "f = 1", "has no function f"),
        ("loaded_module:f", "1/0", "ZeroDivisionError"),
        ("loaded_module:f", "def f(", "SyntaxError"),
        ("loaded_module:f", "def f(rules): rules.nothing", "raised AttributeError"),
        ("loaded_module:f", "def f(): pass", "raised TypeError"),
        ("loaded_module:f", "def f(rules): rules.pubish = 1", "raised AttributeError"),
        ("loaded_module:f", "def f(rules): raise SystemExit(3)", "raised SystemExit"),
        ("loaded_module:f", "raise SystemExit(3)", "SystemExit"),
        ("..:f", "", "failed"),
    ],
)
def test_a_wrong_target_is_told(module, rules, target, text, told):
    module(text)
    with pytest.raises(StartError, match=told):
        load(target, rules)
