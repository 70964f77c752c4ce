"""What comes of a link for telemetry to the hub's own endpoint is told in words, whatever the hub does."""

import pytest

from conformance.backend.event_links import EventLinks

ADDRESS = "/messages/events/$management"


@pytest.fixture
def links(peer):
    return EventLinks(peer.endpoint(), "telemetry")


@pytest.mark.parametrize("sends", [False, True], ids=["receiver", "sender"])
@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (None, "attached"),
        ("amqp:not-found", "the link is refused, amqp:not-found."),
        ("amqp:unauthorized-access", "no right to that link"),
    ],
)
def test_a_link_is_there_or_refused(peer, links, refusal, told, sends):
    """A condition is told as it is."""
    peer.refusal = refusal

    assert links.attempt(ADDRESS, sends=sends) == told


def test_a_hub_that_takes_no_token_by_sasl_lets_nobody_in(links):
    """It offers another way alone, or refuses the token."""
    assert links.attempt(ADDRESS, plain_for="") == "not let in"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/telemetry", "{endpoint}"),
        ("/telemetry/", "{endpoint}/"),
        ("/telemetry/$management", "{endpoint}/$management"),
        ("/telemetry2/$management", "telemetry2/$management"),
        ("/", ""),
    ],
)
def test_the_endpoint_has_one_name_whatever_the_hub_calls_it(links, path, told):
    """What two hubs say can be compared so."""
    assert links.named(path) == told
