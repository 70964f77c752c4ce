"""The one hook that the suite adds to pytest: where its own tests put something smaller."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conformance.run.dependencies import Collaborators


@pytest.hookspec(firstresult=True)
def pytest_conformance_collaborators() -> "Collaborators | None":
    """Return what this run works with: clauses, profiles, the opener of targets and of benches.

    Without an implementation, or where all return None, the suite uses its own.
    """
