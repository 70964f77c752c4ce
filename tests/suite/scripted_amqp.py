"""A loopback AMQP peer that answers as a test scripts it, and writes down what it was sent.

It takes azure-eventhub's codec from the other side. That the real bytes are right is shown where the suite's
service side meets the embedded hub, whose codec is its own.
"""

import contextlib
import socket
import ssl
import struct
import threading
from collections import deque
from dataclasses import dataclass

import trustme
from azure.eventhub._pyamqp import performatives as frames
from azure.eventhub._pyamqp._decode import decode_frame, decode_payload
from azure.eventhub._pyamqp._encode import encode_frame, encode_payload
from azure.eventhub._pyamqp.endpoints import Source, Target
from azure.eventhub._pyamqp.error import AMQPError
from azure.eventhub._pyamqp.message import Message, Properties
from azure.eventhub._pyamqp.outcomes import Accepted, Modified, Rejected, Released
from patience import PATIENCE

from conformance.backend.amqp import AmqpEndpoint
from conformance.target.credentials import ConnectionString

KEY = "c2VjcmV0LWtleS0xMjM0"

SASL_HEADER, AMQP_HEADER = b"AMQP\x03\x01\x00\x00", b"AMQP\x00\x01\x00\x00"
# Literal frames [AMQP 1.0, 5.3.3]: sasl-mechanisms with ANONYMOUS, sasl-outcome with code 0.
MECHANISMS = b"\x00\x00\x00\x19\x02\x01\x00\x00\x00\x53\x40\xc0\x0c\x01\xa3\x09ANONYMOUS"
WELCOME = b"\x00\x00\x00\x10\x02\x01\x00\x00\x00\x53\x44\xc0\x03\x01\x50\x00"

OPEN, BEGIN, ATTACH, FLOW, TRANSFER, DISPOSITION, DETACH, END, CLOSE = range(16, 25)
OUTCOMES = {"accepted": Accepted(), "released": Released(), "modified": Modified()}


def padded(kind, *values, **named):
    """Make a performative; fields that are not named are null."""
    rest = kind._fields[len(values) :]
    return kind(*values, **{name: named.get(name) for name in rest})


@dataclass
class Sent:
    """A message that arrived, and where to."""

    address: str
    message: Message

    @property
    def properties(self):
        names = Properties._fields
        return {n: v for n, v in zip(names, self.message.properties, strict=True) if v is not None}

    @property
    def body(self):
        return b"".join(bytes(part) for part in self.message.data)


class ScriptedAmqp:
    """Answers each message with the next of `answers`; beyond the last it accepts.

    An answer is "accepted", "released", "modified", "rejected" with an optional condition behind it,
    "detach CONDITION", "close CONDITION", "hang up" or "silence". `batches` go out on a link that brings
    credit; `settled` says what became of each.
    """

    def __init__(self, folder):
        authority = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self._context)
        self.answers, self.batches = deque(), deque()
        self.sent, self.settled, self.tokens = [], [], []
        self.attached, self.credited, self.detached = [], [], []
        self.token_status = 202
        self.refusal = None  # the condition with which a link is refused
        self.credit = 1  # granted to a sender, and again after each message
        self.max_frame_size = 65536
        self.is_mute = False  # accepts connections and says nothing on them
        self.idle_timeout = None  # after so many milliseconds of silence the peer would leave
        self.signs_of_life = 0
        self.connections = 0
        self.changed = threading.Condition()
        self._lines = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def endpoint(self, *, timeout=PATIENCE, ca_file=None, port=None):
        text = f"HostName=localhost:443;SharedAccessKeyName=service;SharedAccessKey={KEY}"
        return AmqpEndpoint(
            access=ConnectionString.parse(text),
            port=self.port if port is None else port,
            ca_file=ca_file or self.ca_file,
            timeout=timeout,
        )

    @property
    def limits(self):
        """The rest of an OPEN: frame size, channels, idle timeout."""
        return self.max_frame_size, 255, self.idle_timeout

    def wait_for(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE)

    def deliver(self, *batches):
        """Put batches into the queue, and on the way if a link waits for them."""
        with self.changed:
            self.batches.extend(batches)
        for line in tuple(self._lines):
            line.deliver()

    def drop(self):
        """End every open connection without a word."""
        for line in self._lines:
            with contextlib.suppress(OSError):
                # Not the TLS socket's own: behind that the thread that reads would get TLS records.
                socket.socket.shutdown(line.sock, socket.SHUT_RDWR)

    def close(self):
        # A thread that accepts keeps a listener alive that is only closed.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listening.join(PATIENCE)
        self.drop()

    def _listen(self):
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted):
        with contextlib.suppress(OSError, EOFError):
            if self.is_mute:
                while accepted.recv(4096):
                    pass
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock = self._context.wrap_socket(accepted, server_side=True)
            self.connections += 1
            line = Line(self, sock)
            self._lines.append(line)
            line.run()


class Line:
    """The peer's end of one connection. Every link has the handle that the client gave it."""

    def __init__(self, script, sock):
        self.script, self.sock = script, sock
        self.lock = threading.RLock()
        self.addresses, self.credits, self.on_way = {}, {}, {}
        self.parts = bytearray()
        self.next_out = 0

    def run(self):
        assert self.exactly(8) == SASL_HEADER
        self.sock.sendall(SASL_HEADER + MECHANISMS)
        self.frame()
        self.sock.sendall(WELCOME)
        assert self.exactly(8) == AMQP_HEADER
        self.sock.sendall(AMQP_HEADER)
        with contextlib.closing(self.sock):
            while True:
                read = self.frame()
                if read is None:
                    with self.script.changed:
                        self.script.signs_of_life += 1
                        self.script.changed.notify_all()
                    continue
                with self.lock:
                    if not self.answer(*read):
                        return

    def answer(self, channel, kind, fields):
        """Answer one frame; False ends the connection."""
        if kind == OPEN:
            self.write(padded(frames.OpenFrame, "peer", "localhost", *self.script.limits), 0)
        elif kind == BEGIN:
            self.write(padded(frames.BeginFrame, channel, 0, 5000, 5000, 255), channel)
        elif kind == ATTACH:
            self.attach(channel, fields)
        elif kind == FLOW and fields[4] in self.credits:
            self.flow(channel, fields[4], fields[6])
        elif kind == TRANSFER:
            return self.transfer(channel, fields)
        elif kind == DISPOSITION:
            self.settle(channel, fields)
        elif kind == DETACH:
            self.detach(channel, fields)
        elif kind == END:
            self.write(padded(frames.EndFrame, None), channel)
        elif kind == CLOSE:
            self.write(padded(frames.CloseFrame, None), 0)
            return False
        return True

    def attach(self, channel, fields):
        name, handle, is_receiver = fields[0], fields[1], fields[2]
        address = bytes((fields[5] if is_receiver else fields[6])[0]).decode()
        refusal = None if address == "$cbs" else self.script.refusal
        self.addresses[handle] = address
        self.note(self.script.attached, address)
        self.write(
            padded(
                frames.AttachFrame,
                name.decode(),
                handle,
                not is_receiver,
                source=None if refusal and is_receiver else Source(address=address),
                target=None if refusal and not is_receiver else Target(address=address),
                initial_delivery_count=0 if is_receiver else None,
            ),
            channel,
        )
        if refusal:
            error = AMQPError(refusal, "not for you", None)
            self.write(padded(frames.DetachFrame, handle, True, error), channel)
        elif is_receiver:
            self.credits[handle] = 0
            self.channel = channel
        else:
            self.grant(channel, handle, 100 if address == "$cbs" else self.script.credit)

    def flow(self, channel, handle, credit):
        self.credits[handle] = credit
        if self.addresses[handle] != "$cbs" and credit:
            self.note(self.script.credited, self.addresses[handle])
        self.deliver(channel)

    def transfer(self, channel, fields):
        handle, delivery, more, payload = fields[0], fields[1], fields[5], fields[11]
        self.parts += payload
        if more:
            return True
        message = decode_payload(memoryview(bytes(self.parts)))
        self.parts.clear()
        address = self.addresses[handle]
        if address == "$cbs":
            self.settled(channel, delivery, Accepted())
            self.authorise(channel, message)
            return True
        self.note(self.script.sent, Sent(address, message))
        word, _, condition = (self.script.answers.popleft() if self.script.answers else "accepted").partition(
            " "
        )
        error = AMQPError(condition, "a description", None) if condition else None
        if word in OUTCOMES:
            self.settled(channel, delivery, OUTCOMES[word])
        elif word == "rejected":
            self.settled(channel, delivery, Rejected(error))
        elif word == "detach":
            self.write(padded(frames.DetachFrame, handle, True, error), channel)
        elif word == "close":
            self.write(padded(frames.CloseFrame, error), 0)
        elif word == "hang":
            return False
        if word in OUTCOMES or word == "rejected":
            self.grant(channel, handle, self.script.credit)
        return True

    def authorise(self, channel, message):
        self.note(self.script.tokens, (message.application_properties, message.value))
        reply = next(handle for handle in self.credits if self.addresses[handle] == "$cbs")
        self.send(
            channel,
            reply,
            Message(
                properties=Properties(correlation_id=message.properties.message_id),
                application_properties={
                    "status-code": self.script.token_status,
                    "status-description": "words",
                },
                data=[b""],
            ),
            settled=True,
        )

    def deliver(self, channel=None):
        with self.lock:
            for handle in [handle for handle in self.credits if self.addresses[handle] != "$cbs"]:
                while self.credits[handle] > 0 and self.script.batches:
                    batch = self.script.batches.popleft()
                    self.on_way[self.next_out] = handle, batch
                    self.credits[handle] -= 1
                    self.send(self.channel, handle, Message(data=[batch]), settled=False)

    def settle(self, channel, fields):
        _, batch = self.on_way.pop(fields[1])
        outcome = next(iter(fields[4]))
        if outcome == "released":
            self.script.batches.appendleft(batch)
        self.note(self.script.settled, (batch, outcome))
        self.deliver(channel)

    def detach(self, channel, fields):
        handle = fields[0]
        self.credits.pop(handle, None)
        # What a link that ends leaves unsettled waits again, in its old order.
        for number in sorted((n for n, (link, _) in self.on_way.items() if link == handle), reverse=True):
            self.script.batches.appendleft(self.on_way.pop(number)[1])
        self.note(self.script.detached, self.addresses.get(handle))
        self.write(padded(frames.DetachFrame, handle, True, None), channel)

    def send(self, channel, handle, message, *, settled):
        payload = bytearray()
        encode_payload(payload, message)
        number, self.next_out = self.next_out, self.next_out + 1
        tag = struct.pack(">I", number)
        self.write(
            padded(
                frames.TransferFrame,
                handle=handle,
                delivery_id=number,
                delivery_tag=tag,
                message_format=0,
                settled=settled,
                more=False,
                payload=bytes(payload),
            ),
            channel,
        )

    def grant(self, channel, handle, credit):
        if credit:
            delivered = len(self.script.sent) if self.addresses[handle] != "$cbs" else 0
            self.write(padded(frames.FlowFrame, 0, 5000, 0, 5000, handle, delivered, credit), channel)

    def settled(self, channel, delivery, state):
        self.write(padded(frames.DispositionFrame, True, delivery, delivery, True, state, None), channel)

    def write(self, frame, channel):
        header, data = encode_frame(frame)
        with self.lock:
            self.sock.sendall(header + struct.pack(">H", channel) + bytes(data))

    def note(self, record, entry):
        with self.script.changed:
            record.append(entry)
            self.script.changed.notify_all()

    def frame(self):
        """Return channel, kind and fields of the next frame, or None for an empty one."""
        size, _, _, channel = struct.unpack(">IBBH", self.exactly(8))
        body = self.exactly(size - 8)
        return (channel, *decode_frame(memoryview(body))) if body else None

    def exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.sock.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data
