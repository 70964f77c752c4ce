"""The errors a hub names towards its back end.

Each has a number whose first three digits are the HTTP status, and a name that travels in the header
`iothub-errorcode` (Microsoft, "IoT Hub API common error codes", and `ErrorCode` of the service SDK for .NET).
The same numbers reach devices in the body of a twin answer.
"""

import enum

from iothub_emulator.hub.json_text import Object


class ErrorCode(enum.IntEnum):
    """A named error; the member's name is the one on the wire."""

    InvalidProtocolVersion = 400001
    InvalidOperation = 400003
    ArgumentInvalid = 400004
    ArgumentNull = 400005
    IotHubFormatError = 400006
    DeviceDefinedMultipleTimes = 400011
    IotHubUnauthorizedAccess = 401002
    DeviceMaximumQueueDepthExceeded = 403004
    TwinSectionTooLarge = 403100
    """The number was seen (iotedge issue 7035); the name was not, and is ours."""
    GenericNotFound = 404000
    DeviceNotFound = 404001
    ModuleNotFound = 404010
    DeviceNotOnline = 404103
    GenericMethodNotAllowed = 405000
    DeviceAlreadyExists = 409001
    ModuleAlreadyExistsOnDevice = 409301
    PreconditionFailed = 412001
    MessageTooLarge = 413001
    TooManyDevices = 413002
    TooManyModulesOnDevice = 413003
    ThrottlingException = 429001
    ServerError = 500001
    GatewayTimeout = 504101

    @property
    def status(self) -> int:
        """The HTTP status: the first three digits."""
        return self.value // 1000


class Refused(Exception):  # noqa: N818 - an answer, not a malfunction
    """A call the hub does not carry out: the error's code and a message for the caller, without secrets.

    `info` is what the service adds for some errors, such as the time it waited.
    """

    def __init__(self, code: ErrorCode, message: str, info: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.info = info
