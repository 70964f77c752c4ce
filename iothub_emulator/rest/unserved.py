"""What a hub has and this one does not: configurations, jobs. One answer to all of it."""

from aiohttp import web

from iothub_emulator.hub.policies import Right
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.rest import calls
from iothub_emulator.rest.calls import Call, Route


async def refuse(_call: Call) -> web.Response:
    """Say that it is not served, in the service's own words for what cannot be done: 400003."""
    raise Refused(ErrorCode.InvalidOperation, "This hub serves neither configurations nor jobs.")


_OPERATIONS = {
    method: calls.Operation(Right.REGISTRY_READ, refuse) for method in ("GET", "PUT", "POST", "DELETE")
}

ROUTES = tuple(
    Route(path, _OPERATIONS)
    for path in (
        ("configurations",),
        ("configurations", "*"),
        ("devices", "*", "applyconfigurationcontent"),
        ("jobs",),
        ("jobs", "*"),
        ("jobs", "*", "*"),
        ("jobs", "*", "*", "*"),
    )
)
