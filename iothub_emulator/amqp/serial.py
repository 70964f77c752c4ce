"""Serial numbers: counters of 32 bits that wrap around (RFC 1982, OASIS AMQP 1.0 part 2, 2.8.10)."""

_MODULUS = 2**32


def add(number: int, steps: int) -> int:
    """Return the number that many steps on."""
    return (number + steps) % _MODULUS


def difference(later: int, earlier: int) -> int:
    """Return how many steps `later` is ahead of `earlier`; negative if it is behind."""
    steps = (later - earlier) % _MODULUS
    return steps - _MODULUS if steps >= _MODULUS // 2 else steps
