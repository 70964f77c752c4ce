"""What the README shows, to be run as it stands there: programs, and lines of a terminal."""

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
README = CHECKOUT / "README.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(kind):
    """Return the text of each block of a kind, such as python."""
    return [text for found, text in _BLOCK.findall(README.read_text()) if found == kind]


def program(package):
    """Return the one Python program of the README that imports this package."""
    (found,) = (
        text for text in blocks("python") if re.search(rf"^(import|from) {package}\b", text, re.MULTILINE)
    )
    return found


def console(begins=""):
    """Return the lines that a reader is told to type, without prompt and comment; those that begin so."""
    typed = [
        re.sub(r"\s+# .*", "", line.removeprefix("$ "))
        for text in blocks("console")
        for line in text.splitlines()
        if line.startswith("$ ")
    ]
    return [line for line in typed if line.startswith(begins)]
