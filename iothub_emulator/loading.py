"""`--load module:function`: hands the rules to a user's function before the start."""

import importlib
from collections.abc import Callable
from typing import cast

from iothub_emulator.net.errors import StartError
from iothub_emulator.rules import Rules


def load(target: str, rules: Rules) -> None:
    """Call the function that `target` names with `rules`; `StartError` says what is wrong with it."""
    function = _find(target)
    try:
        function(rules)
    except (Exception, SystemExit) as error:
        raise StartError(
            f"--load {target} raised {type(error).__name__}: {error}: correct the function"
        ) from error


def _find(target: str) -> Callable[[Rules], object]:
    module_name, colon, name = target.partition(":")
    if not (module_name and colon and name):
        raise StartError(f"--load {target} is not of the form module:function: write it so")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        # Whatever a user's module raises while it is imported; only its own absence is about the path.
        raise StartError(
            f"--load {target}: importing {module_name} failed ({type(error).__name__}: {error}):"
            " correct the name, or put its folder on PYTHONPATH"
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise StartError(f"--load {target}: {module_name} has no function {name}: correct the name")
    return cast("Callable[[Rules], object]", function)
