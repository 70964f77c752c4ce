"""A fault that cannot be called as its rule is makes the hub crash, not err: found here without a hub."""

import dataclasses
import inspect

import pytest
from fault import all_faults, made_wrong

from iothub_emulator.editions import EDITIONS
from iothub_emulator.hub.will import WillRules
from iothub_emulator.rules import rules_for
from iothub_emulator.settings import Settings


def rules():
    return rules_for(Settings(), EDITIONS["document"])


def replaced_methods(right, wrong):
    """Yield name, rule and replacement of each method that `wrong`, a rules object, has of its own."""
    for name, rule in inspect.getmembers(type(right), inspect.isfunction):
        replacement = getattr(wrong, name)
        if not name.startswith("__") and getattr(replacement, "__func__", replacement) is not rule:
            yield name, getattr(right, name), replacement


def can_be_called_alike(rule, replacement):
    """Tell whether a call that suits the rule suits its replacement."""
    parameters = inspect.signature(rule).parameters.values()
    positional = [each for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    by_name = {each.name: None for each in parameters if each.kind is each.KEYWORD_ONLY}
    try:
        inspect.signature(replacement).bind(*positional, **by_name)
    except TypeError:
        return False
    return True


def misfits(pairs):
    """Return the names of those that cannot be called as the right ones are."""
    return [name for name, right, wrong in pairs if callable(right) and not can_be_called_alike(right, wrong)]


@pytest.mark.parametrize("fault", all_faults(), ids=str)
def test_each_replaced_method_can_be_called_as_the_rule_is(fault):
    right, wrong = rules(), rules()

    with made_wrong(fault, wrong) as wrapped:
        assert misfits(wrapped) == []
        for field in dataclasses.fields(right):
            replaced = replaced_methods(getattr(right, field.name), getattr(wrong, field.name))
            assert misfits(replaced) == [], field.name


@pytest.mark.parametrize("fault", all_faults(), ids=str)
def test_a_fault_replaces_something(fault):
    """A rule that was renamed would leave the fault without effect."""
    right, wrong = rules(), rules()

    with made_wrong(fault, wrong) as wrapped:
        changed = [
            name
            for field in dataclasses.fields(right)
            for name, _, _ in replaced_methods(getattr(right, field.name), getattr(wrong, field.name))
        ]
        assert changed or [name for name, right_one, wrong_one in wrapped if wrong_one is not right_one]


def test_a_misfit_is_found():
    class Misfit(WillRules):
        def is_sent(self, end):
            return True

        def properties(self, end, more=None):
            return {}

    assert [
        (name, can_be_called_alike(rule, replacement))
        for name, rule, replacement in replaced_methods(WillRules(), Misfit())
    ] == [("is_sent", False), ("properties", True)]
