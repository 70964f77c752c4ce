"""Hubs that get TLS wrong."""

import asyncio
import ssl

from fault import fault

from iothub_emulator.net.rules import BACKLOG, ListenerRules
from iothub_emulator.net.tls_stream import TlsStream


@fault("transport.tls-1-2")
def only_tls_1_3_is_spoken(rules):
    """A client whose newest version is TLS 1.2 is turned away."""

    class Wrong(ListenerRules):
        def minimum_version(self):
            return ssl.TLSVersion.TLSv1_3

        def maximum_version(self, server_name):
            return ssl.TLSVersion.TLSv1_3

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("transport.no-plaintext")
def plain_port_is_served(rules):
    """The plain MQTT port lets clients in without TLS."""

    class Wrong(ListenerRules):
        def answers_in_clear(self):
            return True

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("transport.plaintext-refused")
def tls_port_also_speaks_clear_text(rules):
    """The TLS port looks at the first byte and answers clear text in kind."""

    class Either(asyncio.Protocol):
        def __init__(self, factory, context_of):
            self.factory, self.context_of = factory, context_of

        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            is_tls = data[0] == 0x16
            inner = TlsStream(self.factory, self.context_of) if is_tls else self.factory()
            self.transport.set_protocol(inner)
            inner.connection_made(self.transport)
            if is_tls:
                inner.get_buffer(len(data))[: len(data)] = data
                inner.buffer_updated(len(data))
            else:
                inner.data_received(data)

    class Wrong(ListenerRules):
        async def listen(self, name, factory, sock, context_of):
            return await asyncio.get_running_loop().create_server(
                lambda: Either(factory, context_of), sock=sock, backlog=BACKLOG
            )

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("transport.server-certificate")
def certificate_names_everybody(rules):
    """The certificate also stands for hosts that have nothing to do with the hub."""

    class Wrong(ListenerRules):
        def certificate_names(self, names):
            return (*super().certificate_names(names), "*.example", "unrelated.example")

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


CIPHER_SUITES = (
    "transport.cipher-suites",
    "transport.rest-cipher-suites",
    "transport.amqp-cipher-suites",
    "websocket.cipher-suites",
)


@fault(*CIPHER_SUITES)
def cbc_is_given_up(rules):
    """Of the documented suites those with GCM alone are spoken: firmware without GCM gets no TLS."""

    class Wrong(ListenerRules):
        def cipher_suites(self):
            return tuple(suite for suite in super().cipher_suites() if "GCM" in suite)

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault(*CIPHER_SUITES)
def longest_keys_are_demanded(rules):
    """AES with 128 bits is refused."""

    class Wrong(ListenerRules):
        def cipher_suites(self):
            return tuple(suite for suite in super().cipher_suites() if "AES256" in suite)

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)


@fault("x509.no-password", spreads=True)
def certificates_of_devices_need_the_newest_tls(rules):
    """A certificate counts where the client offers TLS 1.3, which no classic name speaks."""

    class Wrong(ListenerRules):
        def describe_peer(self, connection):
            known = super().describe_peer(connection)
            return known if connection.version() == "TLSv1.3" else dict.fromkeys(known, ())

    rules.listeners = Wrong(rules.listeners.settings, rules.listeners.edition)
