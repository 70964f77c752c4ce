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

    rules.listeners = Wrong()


@fault("transport.no-plaintext")
def plain_port_is_served(rules):
    """The plain MQTT port lets clients in without TLS."""

    class Wrong(ListenerRules):
        def answers_in_clear(self):
            return True

    rules.listeners = Wrong()


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

    rules.listeners = Wrong()


@fault("transport.server-certificate")
def certificate_names_everybody(rules):
    """The certificate also stands for hosts that have nothing to do with the hub."""

    class Wrong(ListenerRules):
        def certificate_names(self, names):
            return (*super().certificate_names(names), "*.example", "unrelated.example")

    rules.listeners = Wrong()
