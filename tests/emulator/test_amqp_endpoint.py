"""The endpoint on a loopback socket, with TLS and without: strangers' bytes, slow readers, heartbeats."""

import asyncio
import contextlib
import logging
import socket
import ssl

import pytest
import trustme
from amqp_peer import AUDIENCE, ENTITY, STREAM, decoded, event, fill, hub, token
from hypothesis import given, settings
from hypothesis import strategies as st
from live_hub import PATIENCE

from iothub_emulator.amqp import frames
from iothub_emulator.amqp.endpoint import MAX_UNSENT, WRITE_BUFFER, AmqpEndpoint, endpoint
from iothub_emulator.amqp.messages import Message, Properties, decode_message, encode_message
from iothub_emulator.amqp.performatives import (
    Attach,
    Begin,
    Close,
    Detach,
    Flow,
    Open,
    Source,
    Target,
    Transfer,
)
from iothub_emulator.amqp.values import Long, Symbol, Ulong
from iothub_emulator.hub.mailbox import FeedbackRecord
from iothub_emulator.runtime import Runtime


def on_loop(scenario):
    """Run a test's coroutine with a deadline."""
    asyncio.run(asyncio.wait_for(scenario, PATIENCE))


class Watched(AmqpEndpoint):
    """An endpoint that says when it was lost, and when it stopped reading."""

    def __init__(self, runtime):
        super().__init__(runtime)
        self.lost, self.stopped_reading = asyncio.Event(), asyncio.Event()

    def connection_made(self, transport):
        stream = transport.get_extra_info("socket")
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        super().connection_made(transport)

    def connection_lost(self, exc):
        super().connection_lost(exc)
        self.lost.set()

    def _read_if(self, wanted):
        super()._read_if(wanted)
        if not wanted:
            self.stopped_reading.set()


@contextlib.asynccontextmanager
async def serving(runtime, tls=None):
    """Serve `runtime` on a loopback port of the system's choice; yield the port and the endpoints made."""
    made = []

    def make():
        made.append(Watched(runtime))
        return made[-1]

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1], made


class Client:
    """A client on a socket, frame by frame."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.delivered = 0

    @classmethod
    async def connect(cls, port, tls=None):
        name = "localhost" if tls else None
        return cls(
            *await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=name, limit=2**20)
        )

    def say(self, performative, payload=b""):
        self.writer.write(frames.encode_frame(0, performative, payload))

    async def frame(self):
        """Return the next frame that is not a heartbeat."""
        while True:
            prefix = await self.reader.readexactly(4)
            data = prefix + await self.reader.readexactly(int.from_bytes(prefix, "big") - 4)
            (frame,) = decoded(data)
            if frame.performative is not None:
                return frame

    async def until(self, kind):
        """Return the next frame of that kind."""
        while True:
            frame = await self.frame()
            if isinstance(frame.performative, kind):
                return frame

    async def open(self, **fields):
        self.writer.write(frames.AMQP_HEADER)
        self.say(Open(container_id="client", **fields))
        self.say(Begin(next_outgoing_id=0, incoming_window=2**31 - 1, outgoing_window=100))
        assert await self.reader.readexactly(8) == frames.AMQP_HEADER
        await self.until(Begin)

    async def put_token(self, runtime, audience=AUDIENCE, *, expires_in=3600):
        self.say(Attach(name="r", handle=0, role=True, source=Source(address="$cbs"), target=Target()))
        self.say(
            Attach(name="s", handle=1, role=False, target=Target(address="$cbs"), initial_delivery_count=0)
        )
        self.grant(1, handle=0)
        properties = {"operation": "put-token", "type": "servicebus.windows.net:sastoken", "name": audience}
        request = Message(
            properties=Properties(message_id=Ulong(1)),
            application_properties=properties,
            value=(token(runtime, audience, expires_in=expires_in),),
        )
        self.say(Transfer(handle=1, delivery_id=0, delivery_tag=b"t", settled=True), encode_message(request))
        reply = decode_message((await self.until(Transfer)).payload)
        assert reply.application_properties["status-code"] == 200

    def grant(self, credit, *, handle=2, delivered=0):
        self.say(
            Flow(
                next_incoming_id=0,
                incoming_window=2**31 - 1,
                next_outgoing_id=0,
                outgoing_window=0,
                handle=handle,
                delivery_count=delivered,
                link_credit=credit,
            )
        )

    async def read_from(self, runtime, address=STREAM, *, credit):
        """Open, put a token, attach to a partition and grant credit."""
        await self.open()
        await self.put_token(runtime)
        self.say(Attach(name="e", handle=2, role=True, source=Source(address=address), target=Target()))
        await self.until(Attach)
        self.grant(credit)

    async def body(self):
        parts = b""
        while True:
            frame = await self.until(Transfer)
            parts += frame.payload
            if not frame.performative.more:
                return decode_message(parts).data

    async def ended(self):
        """Wait for the hub's end of stream."""
        with contextlib.suppress(ConnectionResetError):
            while await self.reader.read(65536):
                pass

    def close(self):
        self.writer.transport.abort()


@pytest.fixture(scope="module")
def certificates():
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    return server, client


@pytest.fixture(params=["tls", "tcp"])
def tls(request, certificates):
    return certificates if request.param == "tls" else (None, None)


def test_events_travel(tls):
    """Those in the log, then those that come, in order."""

    async def scenario():
        runtime = hub()
        fill(runtime, [b"1", b"2"])
        async with serving(runtime, tls[0]) as (port, _):
            client = await Client.connect(port, tls[1])
            await client.read_from(runtime, credit=10)
            assert [await client.body(), await client.body()] == [b"1", b"2"]

            device = next(name for name in map(str, range(99)) if partition_of(runtime, name) == 0)
            runtime.endpoints.take(event(b"3", device_id=device))
            assert await client.body() == b"3"
            client.close()

    on_loop(scenario())


def partition_of(runtime, device_id):
    return runtime.rules.telemetry.partition(device_id, 2)


def test_a_close_is_answered_and_the_stream_ends(tls):
    async def scenario():
        async with serving(hub(), tls[0]) as (port, _):
            client = await Client.connect(port, tls[1])
            await client.open()
            client.say(Close())
            assert (await client.frame()).performative == Close()
            await client.ended()
            client.close()

    on_loop(scenario())


def test_a_link_that_is_stolen_on_another_connection_ends_at_once(tls):
    async def scenario():
        runtime = hub()
        epoch = Symbol("com.microsoft:epoch")
        async with serving(runtime, tls[0]) as (port, _):
            clients = [await Client.connect(port, tls[1]) for _ in range(2)]
            for number, client in enumerate(clients):
                await client.open()
                await client.put_token(runtime)
                properties = {epoch: Long(number)}
                source, target = Source(address=STREAM), Target()
                client.say(
                    Attach(name="e", handle=2, role=True, source=source, target=target, properties=properties)
                )
                await client.until(Attach)
            error = (await clients[0].until(Detach)).performative.error
            assert error.condition == "amqp:link:stolen"
            for client in clients:
                client.close()

    on_loop(scenario())


def test_a_link_ends_when_its_token_does():
    """By the clock alone: nothing else happens on the connection."""

    async def scenario():
        runtime = Runtime()
        async with serving(runtime) as (port, _):
            client = await Client.connect(port)
            await client.open()
            # Whole seconds: between one and two from now.
            await client.put_token(runtime, "localhost", expires_in=2)
            target = Target(address="/messages/devicebound")
            client.say(Attach(name="s", handle=2, role=False, target=target, initial_delivery_count=0))
            error = (await client.until(Detach)).performative.error
            assert error.condition == "amqp:unauthorized-access"
            assert "expired" in error.description
            client.close()

    on_loop(scenario())


def test_feedback_that_a_lost_client_had_goes_to_another(tls):
    async def scenario():
        runtime = hub(feedback_batch_size=1)
        async with serving(runtime, tls[0]) as (port, _):
            clients = []
            for _ in range(2):
                clients.append(await Client.connect(port, tls[1]))
                await clients[-1].open()
                await clients[-1].put_token(runtime, "localhost")
                source = Source(address="/messages/servicebound/feedback")
                clients[-1].say(Attach(name="f", handle=2, role=True, source=source, target=Target()))
                await clients[-1].until(Attach)
                clients[-1].grant(1)
            record = FeedbackRecord("m", "Success", "Success", "device-1", "1", runtime.now())
            runtime.feedback.add(record, runtime.now())
            holder, other = clients if await has_feedback(clients[0]) else clients[::-1]
            holder.close()
            assert b'"originalMessageId":"m"' in await other.body()
            other.close()

    async def has_feedback(client):
        """Tell whether the batch went to this client: it lies before the answer to an echo, or not at all."""
        client.say(Flow(incoming_window=10, next_outgoing_id=1, outgoing_window=1, echo=True))
        return isinstance((await client.frame()).performative, Transfer)

    on_loop(scenario())


def test_nagle_is_off():
    async def scenario():
        async with serving(hub()) as (port, made):
            client = await Client.connect(port)
            await client.open()
            stream = made[0]._transport.get_extra_info("socket")
            assert stream.getsockopt(6, 1) != 0
            client.close()

    on_loop(scenario())


def test_a_reader_that_stops_costs_bounded_memory_and_stops_nobody(tls):
    """20 MB wait in the log for it; the transport holds its limit, others read on."""

    async def scenario():
        runtime = hub()
        fill(runtime, [bytes(20_000)] * 1000)
        fill(runtime, [b"other"], partition=1)
        async with serving(runtime, tls[0]) as (port, made):
            stuck = await Client.connect(port, tls[1])
            await stuck.read_from(runtime, credit=1000)
            other = await Client.connect(port, tls[1])
            await other.read_from(runtime, STREAM[:-1] + "1", credit=1000)
            assert await other.body() == b"other"
            transport = made[0]._transport
            assert transport.get_write_buffer_size() < WRITE_BUFFER + 4 * 65536
            assert made[0]._connection.unsent_size < WRITE_BUFFER

            for _ in range(1000):
                assert await stuck.body() == bytes(20_000)
            stuck.close()
            other.close()

    on_loop(scenario())


def test_a_peer_that_asks_and_never_reads_is_not_read_either():
    """Echoes pile up at the peer, not in the hub."""

    async def scenario():
        async with serving(hub()) as (port, made):
            client = await Client.connect(port)
            await client.open()
            client.writer.transport.pause_reading()
            echo = Flow(incoming_window=1, next_outgoing_id=0, outgoing_window=0, echo=True)
            client.writer.write(frames.encode_frame(0, echo) * 100_000)
            await made[0].stopped_reading.wait()
            # What one read may bring, echoed, and no more.
            assert made[0]._connection.unsent_size < 16 * MAX_UNSENT
            client.close()

    on_loop(scenario())


def test_a_peer_that_never_reads_is_cut_off_in_the_end(monkeypatch):
    """Its Close cannot reach it; the stream does not wait for ever."""
    monkeypatch.setattr("iothub_emulator.amqp.endpoint.FAREWELL", 0.05)

    async def scenario():
        runtime = hub()
        fill(runtime, [bytes(200_000)] * 100)
        async with serving(runtime) as (port, made):
            client = await Client.connect(port)
            await client.read_from(runtime, credit=100)
            client.writer.transport.pause_reading()
            client.say(Close())
            await made[0].lost.wait()
            client.close()

    on_loop(scenario())


def test_many_readers_share_the_thread():
    """A backlog of 2,000 events is sent in turns: another connection is answered in between."""

    async def scenario():
        runtime = hub()
        fill(runtime, [b"x"] * 2000)
        async with serving(runtime) as (port, made):
            greedy = await Client.connect(port)
            other = await Client.connect(port)
            await other.open()
            await greedy.read_from(runtime, credit=2000)
            turns = 0

            def count():
                nonlocal turns
                turns += 1
                asyncio.get_running_loop().call_soon(count)

            count()
            for _ in range(2000):
                await greedy.body()
            assert turns > 20
            assert made
            greedy.close()
            other.close()

    on_loop(scenario())


def test_a_heartbeat_comes_in_time():
    """A peer that allows 200 ms of silence hears an empty frame while nothing else is said."""

    async def scenario():
        runtime = Runtime()
        async with serving(runtime) as (port, _):
            client = await Client.connect(port)
            await client.open(idle_time_out=200)
            assert await client.reader.readexactly(8) == frames.HEARTBEAT
            client.close()

    on_loop(scenario())


def test_a_connection_that_says_nothing_is_ended():
    async def scenario():
        runtime = Runtime(hub(connect_timeout=0.05).settings)
        async with serving(runtime) as (port, _):
            client = await Client.connect(port)
            await client.ended()
            client.close()

    on_loop(scenario())


def test_a_lost_connection_frees_its_readers():
    async def scenario():
        runtime = hub()
        async with serving(runtime) as (port, made):
            client = await Client.connect(port)
            await client.read_from(runtime, credit=1)
            assert len(runtime.endpoints.built_in._wakes[0]) == 1
            client.close()
            await made[0].lost.wait()
            assert len(runtime.endpoints.built_in._wakes[0]) == 0

    on_loop(scenario())


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5), st.sampled_from(["raw", "sasl", "open"]))
@settings(max_examples=150)
def test_any_bytes_on_the_live_port_leave_others_served(caplog, chunks, after):
    """Whatever comes: at most a Close, no exception in the loop, and a bystander goes on."""

    async def scenario():
        problems = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        runtime = hub()
        async with serving(runtime) as (port, made):
            bystander = await Client.connect(port)
            await bystander.open()
            stranger = await Client.connect(port)
            if after == "open":
                await stranger.open()
            elif after == "sasl":
                stranger.writer.write(frames.SASL_HEADER)
            for chunk in chunks:
                stranger.writer.write(chunk)
            stranger.writer.write_eof()
            await stranger.ended()
            await made[1].lost.wait()
            bystander.say(Attach(name="c", handle=0, role=True, source=Source(address="$cbs")))
            await bystander.until(Attach)
            bystander.say(Detach(handle=0, closed=True))
            await bystander.until(Detach)
            stranger.close()
            bystander.close()
        assert problems == []

    with caplog.at_level(logging.ERROR, "asyncio"):
        on_loop(scenario())
    assert caplog.records == []


def test_the_factory_makes_an_endpoint_each_time():
    make = endpoint(hub())

    assert isinstance(make(), AmqpEndpoint)
    assert make() is not make()


def test_only_streams_are_served():
    with pytest.raises(TypeError):
        AmqpEndpoint(hub()).connection_made(asyncio.DatagramTransport())


def test_the_entity_is_the_container():
    async def scenario():
        async with serving(hub()) as (port, _):
            client = await Client.connect(port)
            client.writer.write(frames.AMQP_HEADER)
            client.say(Open(container_id="client"))
            await client.reader.readexactly(8)
            assert (await client.frame()).performative.container_id == ENTITY
            client.close()

    on_loop(scenario())
