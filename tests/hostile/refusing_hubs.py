"""Hubs that carry out fewer calls of the service than they should: what `--load` takes."""

import asyncio

from aiohttp import web

from iothub_emulator.amqp import directory
from iothub_emulator.amqp.errors import LinkError
from iothub_emulator.hub.policies import PolicyRules, Right
from iothub_emulator.hub.service_errors import Refused
from iothub_emulator.rest.application import Endpoint

_carry_out = Endpoint._carry_out
_open_consumer, _open_supplier = directory.Directory.open_consumer, directory.Directory.open_supplier

NOT_FOUND = 404
TWIN_OR_METHOD, MODULE, COMMANDS, METHOD = "/twins/", "/modules/", "/commands", "/methods"


def no_service_connect(rules):
    """The policy has the rights of the registry, and no other."""

    class Wrong(PolicyRules):
        def holds(self, policy, needed):
            return needed is not Right.SERVICE_CONNECT and super().holds(policy, needed)

    rules.policies = Wrong()


def error(status, name="", words="no"):
    message = {"Message": f"ErrorCode:{name};{words}", "ExceptionMessage": ""}
    # Longer than anybody waits for a throttle.
    headers = {"iothub-errorcode": name} if name else {"Retry-After": "500"}
    return web.json_response(message, status=status, headers=headers)


def answering(parts, answer):
    """Answer calls whose path has one of these parts by `answer()`, and carry out all others."""

    async def carry_out(self, request):
        if any(part in request.path for part in parts):
            return await answer()
        return await _carry_out(self, request)

    Endpoint._carry_out = carry_out


def basic_tier(_rules):
    """It has devices and their telemetry, and says so of whatever else it is asked for."""

    async def refuse():
        name = "OperationNotAvailableInCurrentTier"
        return error(403, name, "This operation is not valid for the current IoT Hub tier.")

    def refuse_link(is_beyond, opened):
        def open_link(self, attach, path):
            if is_beyond(path):
                raise LinkError("amqp:not-allowed", "Operation not available in the current tier.")
            return opened(self, attach, path)

        return open_link

    answering([TWIN_OR_METHOD, MODULE, COMMANDS], refuse)
    directory.Directory.open_consumer = refuse_link(lambda path: "devicebound" in path, _open_consumer)
    directory.Directory.open_supplier = refuse_link(lambda path: "feedback" in path, _open_supplier)


def refusing(status, name=""):
    """Return what answers a call with a status; None: with nothing."""

    async def answer():
        if status is None:
            await asyncio.Event().wait()
        return error(status, name)

    return answer


def calls_of_methods(answer):
    """Each call of a method is answered so, and no device hears of it."""
    return lambda _rules: answering([METHOD], answer)


def calls_of_nobody(answer):
    """A call of a device that is not there is answered so."""

    async def carry_out(self, request):
        try:
            answered = await _carry_out(self, request)
        except Refused:
            answered = None
        if METHOD in request.path and (answered is None or answered.status == NOT_FOUND):
            return await answer()
        return answered

    def load(_rules):
        Endpoint._carry_out = carry_out

    return load


ANSWERS = {
    "401": refusing(401),
    "403": refusing(403),
    "403_as_a_limit": refusing(403, "IotHubQuotaExceeded"),
    "429": refusing(429),
    "503": refusing(503),
    "nothing": refusing(None),
}

for _name, _answer in ANSWERS.items():
    globals()[f"calls_of_methods_{_name}"] = calls_of_methods(_answer)
    globals()[f"calls_of_nobody_{_name}"] = calls_of_nobody(_answer)
