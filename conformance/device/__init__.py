"""The device side of the suite: MQTT through paho, literal bytes where paho cannot, one reactor below."""

from conformance.device.bag import Bag, bag_of, path_of
from conformance.device.bearer import Topics
from conformance.device.certificate import ServerCertificate, fetch_certificate
from conformance.device.connection import Connection, Pending
from conformance.device.device import Device
from conformance.device.endpoint import Endpoint, Timeouts
from conformance.device.fields import NO_CERTIFICATE, NO_PASSWORD, NO_USERNAME, Will
from conformance.device.raw import RawConnection
from conformance.device.raw_websocket import RawWebSocket
from conformance.device.reactor import Reactor
from conformance.device.websocket import NO_CLIENT_CERTIFICATE, WebSocket
from conformance.tls import CIPHER_SUITES

__all__ = [
    "CIPHER_SUITES",
    "NO_CERTIFICATE",
    "NO_CLIENT_CERTIFICATE",
    "NO_PASSWORD",
    "NO_USERNAME",
    "Bag",
    "Connection",
    "Device",
    "Endpoint",
    "Pending",
    "RawConnection",
    "RawWebSocket",
    "Reactor",
    "ServerCertificate",
    "Timeouts",
    "Topics",
    "WebSocket",
    "Will",
    "bag_of",
    "fetch_certificate",
    "path_of",
]
