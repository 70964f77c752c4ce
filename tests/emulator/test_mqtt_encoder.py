"""The encoder: literal bytes of what a hub sends."""

import pytest

from iothub_emulator.hub.packets import (
    Connack,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Unsuback,
)
from iothub_emulator.mqtt.encoder import encode, remaining_length


@pytest.mark.parametrize(
    ("packet", "data"),
    [
        (Connack(1, 0), b"\x20\x02\x01\x00"),
        (Connack(0, 5), b"\x20\x02\x00\x05"),
        (Puback(0x1234), b"\x40\x02\x12\x34"),
        (Pubrec(1), b"\x50\x02\x00\x01"),
        (Pubrel(1), b"\x62\x02\x00\x01"),
        (Pubcomp(1), b"\x70\x02\x00\x01"),
        (Suback(7, (0, 1, 0x80)), b"\x90\x05\x00\x07\x00\x01\x80"),
        (Unsuback(65535), b"\xb0\x02\xff\xff"),
        (Pingresp(), b"\xd0\x00"),
        (Publish("a/b", b"hi"), b"\x30\x07\x00\x03a/bhi"),
        (Publish("a", b"", qos=1, retain=True, dup=True, packet_id=2), b"\x3b\x05\x00\x01a\x00\x02"),
    ],
    ids=str,
)
def test_a_packet_has_these_bytes(packet, data):
    assert encode(packet) == data


@pytest.mark.parametrize(
    ("length", "data"),
    [
        (0, b"\x00"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (16_383, b"\xff\x7f"),
        (16_384, b"\x80\x80\x01"),
        (2_097_151, b"\xff\xff\x7f"),
        (268_435_455, b"\xff\xff\xff\x7f"),
    ],
)
def test_a_remaining_length_has_these_bytes(length, data):
    """MQTT 3.1.1, table 2.4."""
    assert remaining_length(length) == data
