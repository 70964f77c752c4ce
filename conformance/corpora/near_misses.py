"""What is nearly right: texts and signatures that differ from the right one in one place. Pure.

A hub compares names and signatures to the last character. One that trims, folds or cuts what it compares lets
the right one in as well, and is told by no wrong one that differs everywhere.
"""


def near_misses(text: str) -> dict[str, str]:
    """Return texts that are not the given one, of at least two letters or digits, by what is wrong."""
    middle = len(text) // 2
    return {
        "first character changed": _another(text[0]) + text[1:],
        "middle character changed": text[:middle] + _another(text[middle]) + text[middle + 1 :],
        "last character changed": text[:-1] + _another(text[-1]),
        "first character missing": text[1:],
        "last character missing": text[:-1],
        "a character in front": f"x{text}",
        "a character behind": f"{text}x",
        "a blank in front": f" {text}",
        "a blank behind": f"{text} ",
        "a line end behind": f"{text}\n",
        "other letter case": text.swapcase(),
    }


def near_misses_of_bytes(data: bytes) -> dict[str, bytes]:
    """Return bytes that are not the given ones, by what is wrong."""
    return {
        **{f"byte {place} changed": _flipped(data, place) for place in (0, 1, len(data) // 2, -2, -1)},
        "last byte missing": data[:-1],
        "second half missing": data[: len(data) // 2],
        "none": b"",
        "a byte behind": data + b"\0",
    }


def _another(character: str) -> str:
    return "b" if character == "a" else "a"


def _flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 0x01
    return bytes(changed)
