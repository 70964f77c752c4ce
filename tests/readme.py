"""The programs that the README shows, to be run as they stand there."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def program(package):
    """Return the one Python program of the README that imports this package."""
    (found,) = (
        text
        for text in _PYTHON.findall(README.read_text())
        if re.search(rf"^(import|from) {package}\b", text, re.MULTILINE)
    )
    return found
