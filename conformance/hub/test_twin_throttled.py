"""A twin and the throttle of the hub.

Document: #retrieving-a-device-twins-properties and #update-device-twins-reported-properties.
Clauses: clauses/twin.toml.

Both tables of statuses have 429: too many requests, as the hub's throttle has it. What is throttled is
answered so, and after a while requests are carried out again.
"""

import pytest

clause = pytest.mark.clause

operations = pytest.mark.parametrize("operation", ["get", "report"])


@clause("twin.throttled")
@operations
def test_a_request_too_many_is_answered_429(burst, operation, untouched):
    """The first answer to a burst that is no success has the status 429 and its own request's id."""
    assert burst(operation).first_refusal() == "status 429 with its own request id"
    untouched.confirm()


@clause("twin.throttled")
@operations
def test_requests_are_carried_out_again_after_a_burst(burst, operation):
    """A throttle is no ban: a later request of the same kind succeeds."""
    requests = burst(operation)
    requests.first_refusal()

    assert requests.later_outcome() == "success"
