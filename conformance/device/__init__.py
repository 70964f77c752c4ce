"""The device side of the suite: MQTT through paho, literal bytes where paho cannot, one reactor below."""

from conformance.device.certificate import ServerCertificate, fetch_certificate
from conformance.device.connection import Connection
from conformance.device.device import Device, Topics
from conformance.device.endpoint import Endpoint, Timeouts
from conformance.device.fields import NO_PASSWORD, NO_USERNAME, Will
from conformance.device.raw import RawConnection
from conformance.device.reactor import Reactor

__all__ = [
    "NO_PASSWORD",
    "NO_USERNAME",
    "Connection",
    "Device",
    "Endpoint",
    "RawConnection",
    "Reactor",
    "ServerCertificate",
    "Timeouts",
    "Topics",
    "Will",
    "fetch_certificate",
]
