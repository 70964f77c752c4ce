"""Links for telemetry to the hub's own AMQP endpoint, as back ends ask for that know the hub's string alone.

Source: Microsoft, "Communicate with your IoT hub by using the AMQP protocol": a service client proves itself
by claims or by SASL PLAIN, and is led from the hub's `messages/events` to where events are read.
"""

import time
from dataclasses import replace
from urllib.parse import urlsplit

from conformance.backend.amqp import AmqpEndpoint, LinkRedirected
from conformance.backend.amqp_connection import open_connection
from conformance.errors import CredentialsRefused, ServiceError


class EventLinks:
    """Asks for links, each on a connection of its own. `entity` is the name of the endpoint of telemetry."""

    def __init__(self, endpoint: AmqpEndpoint, entity: str | None) -> None:
        self._endpoint = endpoint
        self._entity = entity

    def attempt(self, address: str, *, sends: bool = False, plain_for: str | None = None) -> str:
        """Return in words what came of a link: "attached", "led to {endpoint}/...", or why there is none.

        `sends`: it is one that sends to the address. `plain_for` is the part of the hub for which a token is
        shown by SASL PLAIN, empty for all of it; without it the token is put to `$cbs`.
        """
        try:
            connection = open_connection(replace(self._endpoint, plain_for=plain_for), time.monotonic)
        except CredentialsRefused:
            return "not let in"
        try:
            connection.sender(address) if sends else connection.receiver(address)
        except LinkRedirected as led:
            return f"led to {self.named(urlsplit(led.address).path)}"
        except CredentialsRefused:
            return "no right to that link"
        except ServiceError as error:
            return str(error).partition(": ")[2]
        finally:
            connection.close()
        return "attached"

    def named(self, path: str) -> str:
        """Return a path with a word for the endpoint's own name, which differs from hub to hub."""
        name = path.lstrip("/")
        if self._entity is not None and f"{name}/".startswith(f"{self._entity}/"):
            return "{endpoint}" + name.removeprefix(self._entity)
        return name
