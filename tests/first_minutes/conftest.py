"""What all who begin have: nothing."""

import pytest
from newcomer import Newcomer


@pytest.fixture
def newcomer(tmp_path):
    """Somebody in an empty folder, with an empty home."""
    return Newcomer(tmp_path)
