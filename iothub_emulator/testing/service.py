"""The service's REST interface by the standard library: what the fixture needs of it."""

import base64
import hmac
import http.client
import json
import ssl
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

_API: Final = "api-version=2021-04-12"
_TOKEN_LIVES: Final = 3600
# A method may take as long as its caller allows; the connection has to live a little longer.
_LONGEST_ANSWER: Final = 330.0


class ServiceError(Exception):
    """The hub refused a call, with this status, or did not answer: 0. The text has what it said."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class Service:
    """A back end, by the connection string of a shared access policy and the authority to trust."""

    def __init__(self, connection_string: str, ca_file: str) -> None:
        fields = dict(part.split("=", 1) for part in connection_string.split(";"))
        self._host = fields["HostName"]
        self._policy = fields["SharedAccessKeyName"]
        self._key = base64.b64decode(fields["SharedAccessKey"])
        self._context = ssl.create_default_context(cafile=ca_file)

    def device(self, device_id: str) -> dict[str, Any]:
        """Return a device's identity, which is made if it is not there."""
        path = f"/devices/{quote(device_id, safe='')}"
        try:
            return self._json("GET", path)
        except ServiceError as refusal:
            if refusal.status != http.HTTPStatus.NOT_FOUND:
                raise
        return self._json("PUT", path, {"deviceId": device_id})

    def send(self, device_id: str, body: bytes, properties: Mapping[str, str]) -> None:
        """Send a message to a device."""
        headers = {f"iothub-app-{name}": value for name, value in properties.items()}
        self._call("POST", f"/devices/{quote(device_id, safe='')}/messages/deviceBound", body, headers)

    def twin(self, device_id: str) -> dict[str, Any]:
        """Return a twin."""
        return self._json("GET", f"/twins/{quote(device_id, safe='')}")

    def patch_twin(self, device_id: str, patch: Mapping[str, Any]) -> None:
        """Change a twin."""
        self._json("PATCH", f"/twins/{quote(device_id, safe='')}", patch)

    def invoke(self, device_id: str, method: str, payload: Any, timeout: float) -> dict[str, Any]:
        """Call a direct method and return its answer; `timeout` is in seconds."""
        call = {
            "methodName": method,
            "payload": payload,
            "responseTimeoutInSeconds": round(timeout),
            "connectTimeoutInSeconds": 0,
        }
        return self._json("POST", f"/twins/{quote(device_id, safe='')}/methods", call)

    def _json(self, verb: str, path: str, document: Any = None) -> dict[str, Any]:
        body = b"" if document is None else json.dumps(document).encode()
        answer: dict[str, Any] = json.loads(
            self._call(verb, path, body, {"Content-Type": "application/json; charset=utf-8"})
        )
        return answer

    def _call(self, verb: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        connection = http.client.HTTPSConnection(self._host, context=self._context, timeout=_LONGEST_ANSWER)
        try:
            connection.putrequest(verb, f"{path}?{_API}")
            for name, value in {**headers, "Authorization": self._token()}.items():
                connection.putheader(name, value.encode())
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            said = answer.read()
        except OSError as error:
            raise ServiceError(f"{verb} {path}: the hub does not answer ({error})", 0) from None
        finally:
            connection.close()
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise ServiceError(
                f"{verb} {path}: {answer.status} {said.decode(errors='replace')}", answer.status
            )
        return said

    def _token(self) -> str:
        resource, expiry = quote(self._host, safe=""), int(time.time()) + _TOKEN_LIVES
        digest = hmac.digest(self._key, f"{resource}\n{expiry}".encode(), "sha256")
        signature = quote(base64.b64encode(digest), safe="")
        return f"SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={self._policy}"
