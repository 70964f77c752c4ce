"""azure-iot-device, Microsoft's device for Python, as it is, behind orders on stdin and events on stdout.

It runs in an environment of its own, which has that package: ``python azure_iot_device.py``. The package
knows no port but 8883 and 443; its proxy option leads it to the tap.
"""

import argparse
import base64
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from azure.iot.device import (
    IoTHubDeviceClient,
    IoTHubModuleClient,
    Message,
    MethodRequest,
    MethodResponse,
    ProxyOptions,
    constant,
)

NAME: Final = "azure-iot-device"
PROTOCOL: Final = 1
SYSTEM: Final = ("message_id", "correlation_id", "user_id", "content_type", "content_encoding")


class Device:
    """The package's client, and what it tells."""

    def __init__(self, options: argparse.Namespace, tell: Callable[..., None]) -> None:
        self.tell = tell
        self.requests: dict[str, MethodRequest] = {}
        string = os.environ["IOTHUB_DEVICE_CONNECTION_STRING"]
        kind = IoTHubModuleClient if "ModuleId=" in string else IoTHubDeviceClient
        self.client = kind.create_from_connection_string(
            string,
            server_verification_cert=Path(os.environ["IOTHUB_CA_FILE"]).read_text(encoding="ascii"),
            proxy_options=ProxyOptions("HTTP", "127.0.0.1", int(os.environ["IOTHUB_CONNECT_PORT"])),
            **{name: value for name, value in vars(options).items() if value is not None},
        )
        self.client.on_connection_state_change = self.on_connection_state_change

    def on_connection_state_change(self) -> None:
        """Tell whether it is connected."""
        self.tell("connected" if self.client.connected else "disconnected")

    def connect(self, _order: Mapping[str, Any]) -> dict[str, Any]:
        """Connect; it returns when the hub has accepted."""
        self.client.connect()
        return {"event": "connected"}

    def disconnect(self, _order: Mapping[str, Any]) -> dict[str, Any]:
        """Disconnect."""
        self.client.disconnect()
        return {"event": "disconnected"}

    def listen(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Set the handlers, with which the package subscribes."""
        for kind in order["to"]:
            if kind == "messages":
                self.client.on_message_received = self.on_message
            elif kind == "desired":
                self.client.on_twin_desired_properties_patch_received = self.on_desired
            elif kind == "methods":
                self.client.on_method_request_received = self.on_method
        return {"event": "listening"}

    def send(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Send telemetry; it returns when the hub has it."""
        message = Message(base64.b64decode(order.get("body", "")))
        message.custom_properties.update(order.get("properties", {}))
        for name, value in order.get("system", {}).items():
            setattr(message, name, value)
        self.client.send_message(message)
        return {"event": "sent"}

    def get_twin(self, _order: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for the twin."""
        return {"event": "twin", "twin": self.client.get_twin()}

    def patch_reported(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Report properties."""
        self.client.patch_twin_reported_properties(order["patch"])
        return {"event": "patched"}

    def answer_method(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a call."""
        request = self.requests.pop(order["request"])
        self.client.send_method_response(
            MethodResponse.create_from_method_request(request, order["status"], order.get("payload"))
        )
        return {"event": "answered"}

    def on_message(self, message: Message) -> None:
        """Tell a message for the device."""
        data = message.data if isinstance(message.data, bytes) else str(message.data).encode()
        system = {name: getattr(message, name) for name in SYSTEM if getattr(message, name, None)}
        self.tell(
            "message",
            body=base64.b64encode(data).decode(),
            properties=dict(message.custom_properties),
            system=system,
        )

    def on_desired(self, patch: dict[str, Any]) -> None:
        """Tell a change of desired properties."""
        version = patch.pop("$version", None)
        self.tell("desired", patch=patch, version=version)

    def on_method(self, request: MethodRequest) -> None:
        """Tell a call; whoever gives the orders answers it."""
        self.requests[request.request_id] = request
        self.tell("method", request=request.request_id, name=request.name, payload=request.payload)

    def carry_out(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Do what an order says."""
        done: dict[str, Any] = getattr(self, order["do"])(order)
        return done


def main() -> None:
    """Carry out orders until they end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep-alive", type=int, dest="keep_alive")
    parser.add_argument("--token-life", type=int, dest="sastoken_ttl")
    lock = threading.Lock()

    def tell(event: str, **says: Any) -> None:
        with lock:
            sys.stdout.write(json.dumps({"event": event, **says}) + "\n")
            sys.stdout.flush()

    device = Device(parser.parse_args(), tell)
    tell("ready", protocol=PROTOCOL, name=NAME, version=constant.VERSION)
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "quit":
            break
        threading.Thread(target=_carry_out, args=(device, order, tell), daemon=True).start()
    device.client.shutdown()


def _carry_out(device: Device, order: Mapping[str, Any], tell: Callable[..., None]) -> None:
    try:
        done = device.carry_out(order)
    except Exception as error:  # noqa: BLE001 - whatever the package raises is what its application is told
        tell("error", of=order["id"], kind=type(error).__name__)
    else:
        tell(**{**done, "of": order["id"]})


if __name__ == "__main__":
    main()
