"""Frames and performatives: literal bytes, all fields written, and any bytes at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iothub_emulator.amqp import frames
from iothub_emulator.amqp.errors import AmqpError
from iothub_emulator.amqp.frames import AMQP_FRAME, SASL_FRAME, Frame, FrameBuffer
from iothub_emulator.amqp.performatives import (
    PERFORMATIVES,
    SASL_PERFORMATIVES,
    Accepted,
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Error,
    Flow,
    Open,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Source,
    Target,
    Transfer,
)
from iothub_emulator.amqp.values import Symbol, Uint

EXAMPLES = [
    Open(
        container_id="c",
        hostname="h",
        max_frame_size=65536,
        idle_time_out=1000,
        properties={Symbol("p"): "q"},
    ),
    Begin(remote_channel=3, next_outgoing_id=2**32 - 1, incoming_window=5, outgoing_window=6, handle_max=7),
    Attach(
        name="n",
        handle=1,
        role=True,
        snd_settle_mode=0,
        source=Source(address="a", filter={Symbol("f"): "x"}, outcomes=("amqp:accepted:list",)),
        target=Target(),
        initial_delivery_count=0,
        max_message_size=2**64 - 1,
        desired_capabilities=("one", "two"),
    ),
    Flow(next_incoming_id=0, incoming_window=1, next_outgoing_id=2, outgoing_window=3, handle=0, drain=True),
    Transfer(handle=1, delivery_id=2, delivery_tag=b"t", settled=True, more=True),
    Disposition(role=True, first=1, last=2, settled=True, state=Accepted().described()),
    Detach(handle=1, closed=True, error=Error(condition="amqp:not-found", description="d")),
    End(),
    Close(error=Error(condition="amqp:decode-error", info={Symbol("a"): Uint(1)})),
]
SASL_EXAMPLES = [
    SaslMechanisms(sasl_server_mechanisms=("PLAIN",)),
    SaslInit(mechanism="ANONYMOUS", initial_response=b"", hostname="h"),
    SaslOutcome(code=0),
]
by_name = lambda example: type(example).__name__.lower()  # noqa: E731 - an id function


@pytest.mark.parametrize("performative", EXAMPLES, ids=by_name)
def test_a_performative_comes_back(performative):
    frame = frames.encode_frame(5, performative, b"")

    assert frames.decode_frame(frame, AMQP_FRAME) == Frame(5, performative)


@pytest.mark.parametrize("performative", SASL_EXAMPLES, ids=by_name)
def test_a_sasl_performative_comes_back(performative):
    frame = frames.encode_frame(0, performative, kind=SASL_FRAME)

    assert frames.decode_frame(frame, SASL_FRAME) == Frame(0, performative)


@pytest.mark.parametrize(
    ("performative", "fields"),
    [
        (Open(container_id="c"), 10),
        (Begin(next_outgoing_id=0, incoming_window=0, outgoing_window=0), 8),
        (Attach(name="n", handle=0, role=False), 14),
        (Flow(incoming_window=0, next_outgoing_id=0, outgoing_window=0), 11),
        (Transfer(handle=0), 11),
        (Disposition(role=True, first=0), 6),
        (Detach(handle=0), 3),
        (End(), 1),
        (Close(), 1),
    ],
    ids=lambda value: by_name(value) if not isinstance(value, int) else "",
)
def test_every_field_is_written(performative, fields):
    """azure-eventhub picks fields by position: trailing nulls are there, in a list8 or list32."""
    data = performative.encode()

    assert data[:2] == b"\x00\x53"
    assert data[3:4] == b"\xc0"
    assert data[5] == fields


def test_the_mechanisms_are_an_array_of_symbols():
    """Even a single one: uamqp reads nothing else."""
    data = SaslMechanisms(sasl_server_mechanisms=("PLAIN",)).encode()

    assert data == bytes.fromhex("00 53 40 c0 0b 01 e0 08 01 a3 05") + b"PLAIN"


def test_a_close_in_literal_bytes():
    frame = bytes.fromhex("00 00 00 0f 02 00 00 00  00 53 18 c0 02 01 40")

    assert frames.encode_frame(0, Close()) == frame
    assert frames.decode_frame(frame, AMQP_FRAME) == Frame(0, Close())


def test_missing_fields_at_the_end_have_their_defaults():
    """Other clients leave trailing nulls out; a null is the default."""
    begin = bytes.fromhex("00 53 11 c0 06 04 40 43 52 05 43")
    frame = (len(begin) + 8).to_bytes(4, "big") + b"\x02\x00\x00\x01" + begin

    assert frames.decode_frame(frame, AMQP_FRAME) == Frame(
        1, Begin(next_outgoing_id=0, incoming_window=5, outgoing_window=0, handle_max=2**32 - 1)
    )


def test_a_descriptor_may_be_a_symbol():
    body = b"\x00\xa3\x0eamqp:open:list\xc0\x04\x01\xa1\x01c"
    frame = (len(body) + 8).to_bytes(4, "big") + b"\x02\x00\x00\x00" + body

    assert frames.decode_frame(frame, AMQP_FRAME).performative == Open(container_id="c")


def test_an_extended_header_is_skipped():
    frame = b"\x00\x00\x00\x13\x03\x00\x00\x00\xff\xff\xff\xff" + bytes.fromhex("00 53 17 c0 02 01 40")

    assert frames.decode_frame(frame, AMQP_FRAME) == Frame(0, End())


def test_a_frame_without_a_body_is_a_heartbeat():
    assert frames.decode_frame(frames.HEARTBEAT, AMQP_FRAME) == Frame(0, None)


@pytest.mark.parametrize(
    ("settled", "more", "delivery_id"),
    [(True, False, 0), (False, True, 300), (True, True, 2**32 - 1)],
)
def test_the_fast_transfer_is_the_plain_one(settled, more, delivery_id):
    """Events take a short cut through the encoder; the bytes are the same.

    An unsettled delivery's tag is a GUID's size: the service SDK for .NET reads a lock token from it.
    """
    tag = delivery_id.to_bytes(4 if settled else 16, "big")
    transfer = Transfer(
        handle=300, delivery_id=delivery_id, delivery_tag=tag, message_format=0, settled=settled, more=more
    )

    assert frames.encode_transfer(
        7, 300, delivery_id, b"abc", settled=settled, more=more
    ) == frames.encode_frame(7, transfer, b"abc")


def test_a_continued_fast_transfer_names_no_delivery():
    assert frames.encode_transfer(0, 1, None, b"", settled=False, more=True) == frames.encode_frame(
        0, Transfer(handle=1, settled=False, more=True)
    )


FRAMING, DECODE, FIELD = "amqp:connection:framing-error", "amqp:decode-error", "amqp:invalid-field"


def framed(body, *, offset=2, kind=0):
    return (8 + len(body)).to_bytes(4, "big") + bytes((offset, kind, 0, 0)) + body


@pytest.mark.parametrize(
    ("frame", "condition"),
    [
        pytest.param(framed(b"\x00\x53\x17\xc0\x01\x00", offset=1), FRAMING, id="offset-in-the-header"),
        pytest.param(framed(b"\x00\x53\x17\xc0\x01\x00", offset=9), FRAMING, id="offset-behind-the-frame"),
        pytest.param(framed(b"\x00\x53\x17\xc0\x01\x00", kind=1), FRAMING, id="sasl-where-amqp-is-due"),
        pytest.param(framed(b"\x00\x53\x17\xc0\x01\x00", kind=7), FRAMING, id="unknown-type"),
        pytest.param(framed(b"\x40"), DECODE, id="no-performative"),
        pytest.param(framed(b"\x00\x53\x99\xc0\x01\x00"), "amqp:not-implemented", id="unknown-performative"),
        pytest.param(framed(b"\x00\x53\x17\xc0\x01\x00\x40"), DECODE, id="bytes-behind-an-end"),
        pytest.param(framed(b"\x00\x53\x17\xc1\x01\x00"), DECODE, id="a-map-of-fields"),
        pytest.param(framed(b"\x00\x53\x17\xc0\x03\x02\x40\x40"), DECODE, id="too-many-fields"),
        pytest.param(framed(b"\x00\x53\x10\xc0\x01\x00"), FIELD, id="mandatory-field-missing"),
        pytest.param(framed(b"\x00\x53\x10\xc0\x02\x01\x40"), FIELD, id="mandatory-field-null"),
        pytest.param(framed(b"\x00\x53\x10\xc0\x02\x01\x43"), FIELD, id="field-of-the-wrong-type"),
        pytest.param(
            framed(b"\x00\x53\x17\xc0\x05\x01\x00\x53\x24\x45"), FIELD, id="error-that-is-an-outcome"
        ),
    ],
)
def test_a_malformed_frame_has_its_condition(frame, condition):
    with pytest.raises(AmqpError) as caught:
        frames.decode_frame(frame, AMQP_FRAME)
    assert caught.value.condition == condition


def test_the_buffer_cuts_frames_however_they_arrive():
    buffer = FrameBuffer(512)
    stream = frames.AMQP_HEADER + frames.HEARTBEAT + frames.encode_frame(0, Close())
    found = []
    for octet in stream:
        buffer.receive(bytes((octet,)))
        taken = buffer.next_header() if not found else buffer.next_frame()
        found += [taken] if taken is not None else []

    assert found == [frames.AMQP_HEADER, frames.HEARTBEAT, frames.encode_frame(0, Close())]


@pytest.mark.parametrize("size", [0, 7, 513, 2**32 - 1])
def test_an_impossible_size_is_refused_before_the_rest_is_here(size):
    buffer = FrameBuffer(512)
    buffer.receive(size.to_bytes(4, "big") + b"\x02\x00\x00\x00")

    with pytest.raises(AmqpError) as caught:
        buffer.next_frame()
    assert caught.value.condition == FRAMING


def condition_of(data, kind):
    try:
        frames.decode_frame(data, kind)
    except AmqpError as error:
        return error.condition
    return None


CONDITIONS = {None, FRAMING, DECODE, FIELD, "amqp:not-implemented"}


@given(st.binary(max_size=300), st.sampled_from([*PERFORMATIVES, *SASL_PERFORMATIVES, 0x70]))
def test_any_body_is_a_frame_or_an_amqp_error(data, code):
    assert condition_of(framed(data), AMQP_FRAME) in CONDITIONS
    assert condition_of(framed(b"\x00\x53" + bytes((code,)) + data), AMQP_FRAME) in CONDITIONS
    assert condition_of(framed(b"\x00\x53" + bytes((code,)) + data, kind=1), SASL_FRAME) in CONDITIONS


@given(st.sampled_from(EXAMPLES), st.data())
def test_a_mutated_frame_is_a_frame_or_an_amqp_error(performative, data):
    frame = bytearray(frames.encode_frame(0, performative, b""))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(4, len(frame) - 1))] = data.draw(st.integers(0, 255))

    assert condition_of(bytes(frame), AMQP_FRAME) in CONDITIONS
