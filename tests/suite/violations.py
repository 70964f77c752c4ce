"""What a call that finds a violation says of it."""

import pytest

from conformance.errors import Violation


def violation(call, *args, **kwargs):
    """Return the violation that a call raises."""
    with pytest.raises(Violation) as caught:
        call(*args, **kwargs)
    return caught.value


def observed(call, *args, **kwargs):
    """Return the short word for what was seen, of the violation that a call raises."""
    return violation(call, *args, **kwargs).observed
