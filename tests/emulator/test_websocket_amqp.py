"""AMQP over WebSocket: the paths and the subprotocol of each client, and a reader that is slow."""

import asyncio
import gc
import ssl

import aiohttp
import pytest
from amqp_peer import ENTITY, decoded, event, token
from live_hub import PATIENCE, live_hub
from websocket_client import BINARY, CLOSE, binary, frame, open_tls, request, websocket

from iothub_emulator.amqp import frames as amqp_frames
from iothub_emulator.amqp.endpoint import WRITE_BUFFER
from iothub_emulator.amqp.messages import Message, Properties, decode_message, encode_message
from iothub_emulator.amqp.performatives import Attach, Begin, Flow, Open, Source, Target, Transfer
from iothub_emulator.amqp.values import Ulong
from iothub_emulator.net.websocket import WebSocketConnection

PATHS = ["/$servicebus/websocket", "/$servicebus/websocket/", "/$iothub/websocket"]
HEADER = b"AMQP\0\1\0\0"
AMQP = {"Sec_WebSocket_Protocol": "AMQPWSB10"}
AUDIENCE = f"sb://localhost/{ENTITY}/consumergroups/$Default"


@pytest.fixture(scope="module")
def hub():
    with live_hub() as hub:
        yield hub


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_each_path_speaks_amqp(hub, path, size):
    """Frames of one byte, of a few, and of all at once."""
    sent = HEADER + amqp_frames.encode_frame(0, Open(container_id="peer"))
    with websocket(hub, path, **AMQP) as client:
        client.send(*(frame(BINARY, sent[place : place + size]) for place in range(0, len(sent), size)))
        assert client.read_stream(8) == HEADER
        (answer,) = decoded(read_amqp(client))
        assert isinstance(answer.performative, Open)


def read_amqp(client):
    """Return the next AMQP frame, however it comes in WebSocket frames."""
    data = client.read_stream(4)
    return data + client.read_stream(int.from_bytes(data) - 4)


@pytest.mark.parametrize("path", PATHS)
def test_the_answer_names_the_subprotocol_as_the_client_spells_it(hub, path):
    client = open_tls(hub)
    client.send(request(path, **AMQP))
    status, headers = client.read_head()
    client.close()
    assert (status, headers["sec-websocket-protocol"]) == (101, "AMQPWSB10")


def test_a_text_frame_ends_the_connection(hub):
    with websocket(hub, PATHS[0], **AMQP) as client:
        client.send(binary(HEADER))
        assert client.read_stream(8) == HEADER
        client.send(frame(1, b"AMQP"))
        assert client.read_frame() == (CLOSE, (1003).to_bytes(2))
        assert client.read_to_the_end() == b""


def test_no_amqp_ends_with_a_close_frame(hub):
    """The endpoint closes its stream as it does over TLS."""
    with websocket(hub, PATHS[0], **AMQP) as client:
        client.send(binary(b"GET / HTTP/1.1\r\n\r\n"))
        while (received := client.read_frame())[0] != CLOSE:
            assert received[0] == BINARY
        assert received[1] == (1000).to_bytes(2)
        assert client.read_to_the_end() == b""


class Reader:
    """Reads events through aiohttp's WebSocket client, which is not ours."""

    def __init__(self, socket):
        self._socket = socket
        self._data = b""
        self._transfers = 0

    async def say(self, performative, payload=b""):
        await self._socket.send_bytes(amqp_frames.encode_frame(0, performative, payload))

    async def take(self, size):
        while len(self._data) < size:
            self._data += await self._socket.receive_bytes(timeout=PATIENCE)
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    async def hear(self, wanted):
        """Return the next frame with such a performative."""
        while True:
            head = await self.take(8)
            body = await self.take(int.from_bytes(head[:4]) - 8)
            (found,) = decoded(head + body)
            if isinstance(found.performative, wanted):
                return found

    async def authorise(self, runtime):
        """Open, begin, and put a token to $cbs."""
        await self._socket.send_bytes(HEADER)
        assert await self.take(8) == HEADER
        await self.say(Open(container_id="reader"))
        await self.say(Begin(next_outgoing_id=0, incoming_window=10_000, outgoing_window=100, handle_max=10))
        await self.attach(0, "cbs-replies", "$cbs")
        await self.say(
            Attach(
                name="cbs", handle=1, role=False, source=Source(address="cbs"), target=Target(address="$cbs"),
                initial_delivery_count=0,
            )
        )  # fmt: skip
        request = Message(
            properties=Properties(message_id=Ulong(1)),
            application_properties={
                "operation": "put-token", "type": "servicebus.windows.net:sastoken", "name": AUDIENCE,
            },
            value=(token(runtime, AUDIENCE),),
        )  # fmt: skip
        await self.hear(Flow)
        await self.say(
            Transfer(handle=1, delivery_id=0, delivery_tag=b"t", settled=True), encode_message(request)
        )
        reply = decode_message((await self.hear(Transfer)).payload)
        assert reply.application_properties["status-code"] in {200, 202}

    async def attach(self, handle, name, address, credit=100):
        await self.say(
            Attach(
                name=name,
                handle=handle,
                role=True,
                source=Source(address=address),
                target=Target(address=name),
            )
        )
        await self.say(
            Flow(
                next_incoming_id=0, incoming_window=100_000, next_outgoing_id=0, outgoing_window=100,
                handle=handle, delivery_count=0, link_credit=credit,
            )
        )  # fmt: skip


def test_events_are_read_by_a_client_that_is_not_ours(hub):
    """And one that stops reading makes the hub wait, not remember: the events stay in the log."""
    body = bytes(20_000)

    async def read():
        context = ssl.create_default_context(cadata=hub.ca_pem.decode())
        url = f"wss://localhost:{hub.ports.https}{PATHS[0]}"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, protocols=["AMQPWSB10"], ssl=context, max_msg_size=0) as socket,
        ):
            assert socket.protocol == "AMQPWSB10"
            reader = Reader(socket)
            await reader.authorise(hub.runtime)
            for _ in range(2000):
                hub.runtime.telemetry.append(event(body), 0)
            await reader.attach(
                5, "events", f"amqps://localhost/{ENTITY}/ConsumerGroups/$Default/Partitions/0", credit=1500
            )
            first = await reader.hear(Transfer)
            # This client reads no more until it is asked to: 30 MB are on offer.
            waiting = [await asyncio.to_thread(hub.call, buffered) for _ in range(20)]
            assert max(waiting) < WRITE_BUFFER + 2 * 65_536
            return decode_message(first.payload).data

    def buffered():
        live = (c for c in gc.get_objects() if isinstance(c, WebSocketConnection) and not c.lost.done())
        return max(connection._network.get_write_buffer_size() for connection in live)

    assert asyncio.run(read()) == body
