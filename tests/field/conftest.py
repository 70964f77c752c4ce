"""Lets the tests of this folder use what those of `tests/latitude` do: right hubs, and runs on them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "latitude"))
