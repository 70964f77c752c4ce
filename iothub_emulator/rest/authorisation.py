"""Who may call: the `Authorization` header."""

import logging

from iothub_emulator.hub.policies import Right
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.runtime import Runtime, Unauthorised

_log = logging.getLogger(__name__)


def authorise(
    runtime: Runtime, headers: list[str], path: str, needed: Right, own_device: str | None = None
) -> None:
    """Raise `Refused` unless the one header is a policy's token for this path with the rights needed.

    A token of the device `own_device` will do too, where there is one.

    Every refusal reads the same: a caller without rights learns neither which part of a token was wrong nor
    whether an identity exists.
    """
    # Without the header, with two, or with bytes that no header may hold, there is no token: an empty one is
    # refused like any other.
    token = headers[0] if len(headers) == 1 and headers[0].isascii() else ""
    try:
        # Any of the hub's own names stands for the hub; the token's is compared with the list.
        runtime.authorise(token, f"{runtime.settings.host_names[0]}{path}", needed)
    except Unauthorised as unauthorised:
        if own_device is not None and runtime.is_token_of_device(token, own_device):
            return
        _log.debug("REST call refused: %s", unauthorised.reason)
        raise Refused(ErrorCode.IotHubUnauthorizedAccess, "Unauthorized") from None
