"""Devices that are wrong in TLS."""

import ssl
import warnings

from paho.mqtt.enums import CallbackAPIVersion
from wrong import wrong

from conformance.adapters.paho_device import Client, Device, FailedError


@wrong("device-transport.version")
class OldTls(Device):
    """It speaks TLS 1.1 at most."""

    def new_client(self):
        right = super().new_client()
        context = right._ssl_context
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1_1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        return right


class _NoServerName(Client):
    def _ssl_wrap_socket(self, tcp_sock):
        context = self._ssl_context
        context.check_hostname = False
        wrapped = context.wrap_socket(tcp_sock, do_handshake_on_connect=False)
        wrapped.settimeout(self._keepalive)
        wrapped.do_handshake()
        return wrapped


@wrong("device-transport.server-name")
class NoServerName(Device):
    """It does not say in TLS which host it wants."""

    def new_client(self):
        right = super().new_client()
        right.__class__ = _NoServerName
        return right


@wrong("device-transport.authority")
class TrustsAll(Device):
    """It does not verify certificates."""

    def new_client(self):
        right = super().new_client()
        right.tls_insecure_set(True)
        right._ssl_context.verify_mode = ssl.CERT_NONE
        return right


@wrong("device-transport.host-name")
class AnyHost(Device):
    """It verifies the authority, and not the host of a certificate."""

    def new_client(self):
        right = super().new_client()
        right.tls_insecure_set(True)
        return right


@wrong("device-transport.no-plaintext")
class WithoutTlsAtLast(Device):
    """Where TLS does not come up it connects without."""

    def connect(self, order):
        try:
            return super().connect(order)
        except FailedError:
            plain = Client(CallbackAPIVersion.VERSION2, client_id=self.client_id())
            plain.address = self.settings.address
            plain.username_pw_set(self.username(), self.token())
            plain.connect(self.settings.host, self.settings.port)
            raise
