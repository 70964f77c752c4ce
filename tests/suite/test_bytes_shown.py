"""The bytes of each packet stand in a case's evidence beside what they mean, and no key among them."""

import pytest
from small_suite import SmallSuite

from conformance.evidence.case import Evidence
from conformance.evidence.transcript import RAW, SHOWN_BYTES
from conformance.report.redaction import redact, register
from conformance.report.steps import steps
from conformance.run.cases import _with_bytes

KEY = "dGhlIGtleSBvZiBhIGRldmljZSBpbiB0ZXN0cw=="
CONNECT = bytes.fromhex("10 1a 00 04 4d 51 54 54 04 c2 00 3c 00 02 64 31 00 02 75 31 00 06") + b"secret"
PUBACK = bytes.fromhex("40 02 00 07")


def shown(evidence):
    """Return what is shown of each packet: its name, and its bytes."""
    return [(each.text.split()[0], each.raw) for each in steps(evidence.transcript.render(_with_bytes))]


@pytest.fixture
def evidence():
    return Evidence()


@pytest.fixture
def connection(evidence):
    return evidence.connection("d1")


def test_each_packet_has_its_bytes_however_they_came(evidence, connection):
    connection.received(PUBACK[:1])
    connection.received(PUBACK[1:] + PUBACK)

    assert shown(evidence) == [("PUBACK", "40 02 00 07"), ("PUBACK", "40 02 00 07")]


def test_the_bytes_of_a_connect_end_before_what_may_be_secret(evidence, connection):
    connection.sent(CONNECT)

    assert shown(evidence) == [("CONNECT", "10 1a 00 04 4d 51 54 54 04 c2 00 3c 00 02 64 31")]


@pytest.mark.parametrize("before", [0, SHOWN_BYTES - 20])
def test_bytes_that_hold_a_key_are_not_shown(evidence, connection, before):
    """Where the key begins among those that are shown, and goes on behind them, neither."""
    register(KEY)
    body = b"\x00\x01a" + b"x" * before + KEY.encode()
    connection.received(bytes((0x30, len(body))) + body)

    assert shown(evidence) == [("PUBLISH", "")]
    assert redact(KEY) not in {KEY, ""}


def test_a_long_packet_is_shown_by_its_beginning(evidence, connection):
    connection.received(b"\x30\xc8\x01\x00\x01a" + b"x" * 197)

    ((_, raw),) = shown(evidence)
    assert raw == f"30 c8 01 00 01 61 {' '.join(['78'] * 58)} … (203 bytes)"


def test_a_transcript_without_bytes_is_as_ever(evidence, connection):
    connection.received(PUBACK)

    assert RAW not in evidence.render()


BYTES = """
@clause("small.other")
def test_red(evidence):
    evidence.connection("d1").received(bytes.fromhex("40020007"))
    raise Violation("PUBACK", observed="puback", expected="closed", actual="PUBACK packet=7")

@clause("small.observed")
def test_seen(evidence, observed):
    evidence.connection("d1").sent(bytes.fromhex("c000"))
    observed("silence")
"""


def test_a_red_case_has_them_and_one_that_was_observed_has_none(tmp_path):
    small = SmallSuite(tmp_path)
    small.cases(BYTES)
    small.run()

    cases = {case["id"]: case for clause in small.statement()["clauses"] for case in clause["cases"]}
    assert f"PUBACK   packet=7\n{RAW}40 02 00 07" in cases["test_small.py::test_red"]["transcript"]
    assert cases["test_small.py::test_seen"]["transcript"].endswith("c1 → PINGREQ")
