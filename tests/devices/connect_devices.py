"""Devices that are wrong in how they connect."""

import time
from urllib.parse import quote

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTProtocolVersion
from wrong import wrong

from conformance.adapters.paho_device import Client, Device


@wrong("device-connect.accepted", "device-connect.client-id")
class OtherClientId(Device):
    """Its ClientId is the device id with a prefix of its own."""

    def client_id(self):
        return f"mqtt-{super().client_id()}"

    def username(self):
        return super().username().replace(self.client_id(), self.settings.device_id)


@wrong("device-connect.client-id")
class CapitalClientId(Device):
    """Its ClientId is the device id in capitals."""

    def client_id(self):
        return super().client_id().upper()

    def username(self):
        return f"{self.settings.host}/{self.settings.device_id}/?api-version=2021-04-12"


@wrong("device-connect.protocol")
class OldProtocol(Device):
    """It speaks MQTT 3.1."""

    def protocol(self):
        return MQTTProtocolVersion.MQTTv31


@wrong("device-connect.username-host")
class LocalName(Device):
    """Its Username names the address that it connects to."""

    def username(self):
        return super().username().replace(self.settings.host, "localhost")


@wrong("device-connect.username-host")
class NoHost(Device):
    """Its Username is the device id alone."""

    def username(self):
        return self.settings.device_id


@wrong("device-connect.username-device")
class ModuleName(Device):
    """Its Username names a module that it is not."""

    def username(self):
        return super().username().replace("/?", "/module-7/?")


@wrong("device-connect.username-api-version")
class NoVersion(Device):
    """Its Username says no version of the interface."""

    def username(self):
        return super().username().partition("?")[0]


@wrong("device-connect.username-api-version")
class NoSlash(Device):
    """Its Username has no slash before the question mark."""

    def username(self):
        return super().username().replace("/?", "?")


@wrong("device-connect.token")
class KeyAsPassword(Device):
    """Its Password is its key."""

    def token(self):
        return self.settings.key


@wrong("device-connect.token")
class NoExpiryInToken(Device):
    """Its token has no expiry."""

    def token(self):
        return super().token().partition("&se=")[0]


@wrong("device-connect.token-resource")
class TokenForOther(Device):
    """Its token is for another device."""

    def resource(self):
        return quote(f"{self.settings.host}/devices/{self.path}-2", safe="")


@wrong("device-connect.token-resource")
class TokenForAddress(Device):
    """Its token is for the address that it connects to."""

    def resource(self):
        return quote(f"localhost/devices/{self.path}", safe="")


@wrong("device-connect.token-signature")
class KeyNotDecoded(Device):
    """It signs with the letters of its key, without decoding them from base64."""

    def signature(self, text):
        import base64
        import hashlib
        import hmac

        return base64.b64encode(
            hmac.digest(self.settings.key.encode(), text.encode(), hashlib.sha256)
        ).decode()


@wrong("device-connect.token-signature")
class SignsWhatIsNotSent(Device):
    """It signs the resource before its escapes, and sends it with them."""

    def signature(self, text):
        from urllib.parse import unquote

        return super().signature(unquote(text))


@wrong("device-connect.token-expiry")
class ExpiredToken(Device):
    """Its clock is a day late, so that its tokens are over."""

    def expiry(self):
        return int(time.time()) - 86_400


@wrong("device-connect.token-expiry")
class FractionOfSecond(Device):
    """Its expiry is a number with a fraction."""

    def expiry(self):
        return f"{time.time() + 3600:.3f}"


@wrong("device-connect.special-characters")
class EscapesItsName(Device):
    """It percent-encodes its id in ClientId and Username too."""

    def client_id(self):
        return quote(super().client_id(), safe="")


@wrong("device-connect.special-characters")
class EscapesTwice(Device):
    """It percent-encodes its id twice in its token."""

    def resource(self):
        own = quote(self.settings.device_id, safe="")
        return quote(f"{self.settings.host}/devices/{own}", safe="")


@wrong("device-connect.keep-alive")
class NoKeepAlive(Device):
    """It turns the keep-alive off."""

    def keep_alive(self):
        return 0


@wrong("device-connect.keep-alive")
class LongKeepAlive(Device):
    """Its keep-alive is half an hour."""

    def keep_alive(self):
        return 1800


@wrong("device-connect.one-connection")
class ConnectionForEachMessage(Device):
    """It opens a connection of its own for each message."""

    def send(self, order):
        other = self.new_client()
        other.username_pw_set(self.username(), self.token())
        other.on_connect = other.on_disconnect = None
        other.connect(self.settings.host, self.settings.port, self.keep_alive())
        other.loop_start()
        other.publish(self.events_topic(), b"{}", qos=1).wait_for_publish(5)
        other.disconnect()
        return {"event": "sent"}


@wrong("device-connect.told-when-accepted")
class ConnectedBeforeConnack(Device):
    """It says that it is connected as soon as CONNECT is sent."""

    def wait_for(self, what):
        return {"code": 0, "session_present": False} if what == "connack" else super().wait_for(what)


@wrong("device-connect.refused-told")
class TakesRefusalForAcceptance(Device):
    """It does not look at the code of CONNACK."""

    def wait_for(self, what):
        answer = super().wait_for(what)
        return {**answer, "code": 0} if what == "connack" else answer


class _KeepsRefused(Client):
    """A client that leaves a refused connection open."""

    def _handle_connack(self):
        super()._handle_connack()
        return mqtt.MQTT_ERR_SUCCESS


@wrong("device-connect.refused-one-at-a-time")
class KeepsRefusedConnection(Device):
    """It leaves a refused connection open, and opens another one at once."""

    def new_client(self):
        right = super().new_client()
        right.__class__ = _KeepsRefused
        return right

    def give_up(self):
        self.first, self.client = self.client, self.new_client()
        self.client.connect(self.settings.host, self.settings.port, self.keep_alive())


@wrong("device-connect.refused-silent")
class SendsBehindRefusal(Device):
    """It sends telemetry on a connection that was refused."""

    def new_client(self):
        right = super().new_client()
        right.__class__ = _KeepsRefused
        return right

    def give_up(self):
        self.client.publish(self.events_topic(), b"{}", qos=1)
        time.sleep(0.2)
        super().give_up()


@wrong("device-connect.module")
class ModuleAsDevice(Device):
    """As a module it connects under the id of its device."""

    def client_id(self):
        return self.settings.device_id


@wrong("device-connect.module")
class ModuleWithoutPath(Device):
    """As a module its token is for {device}/{module}, without modules in between."""

    def resource(self):
        return quote(f"{self.settings.host}/devices/{self.client_id()}", safe="")


@wrong("device-connect.module-signature")
class SignsForItsDevice(Device):
    """As a module it signs the resource of its device."""

    def signature(self, text):
        return super().signature(text.replace(quote(f"/modules/{self.settings.module_id}", safe=""), ""))
