"""Every secret that this process ever had, and texts without them.

A hub that sends a key or a signature back may write it anew: in other letters, in hexadecimal, backwards, in
base64 inside another text. What is compared is therefore the letters and digits alone, with escapes undone
and case forgotten; and what may be hexadecimal or base64 is decoded and searched too. A part of a secret
counts as well: a report shows only the beginning of what is long.

A run makes thousands of keys and signatures, and every text of a report is searched for all of them. They are
found by pieces of a few characters, only where a run of characters stands that is long enough.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

HIDDEN: Final = "***"

# A shorter value would blacken ordinary words in a report ("dev", "1234"); no key of a hub is that short.
SHORTEST_SECRET: Final = 8
# So many letters of a key in a row are no coincidence.
SHORTEST_PART: Final = 16
_PIECE: Final = SHORTEST_PART // 2  # any part that is long enough has a whole piece in it

# A secret wherever it stands, also one that nobody registered: a worker that died told nobody what it knew.
_PATTERNS: Final = re.compile(
    r"(?P<before>SharedAccessKey=|\bsig=)(?P<value>[A-Za-z0-9+/%]{20,}=*)"
    r"|-----BEGIN(?: |%20)(?:[A-Z]+(?: |%20))*PRIVATE(?: |%20)KEY-----.*?"
    r"(?:-----END(?: |%20)(?:[A-Z]+(?: |%20))*PRIVATE(?: |%20)KEY-----(?:%0[Aa]|\n)?|\Z)",
    re.DOTALL,
)
# What each of them holds: searching for these words first takes a tenth of the time.
_MARKS: Final = ("SharedAccessKey=", "sig=", "PRIVATE")

# Keys and signatures, plain, escaped or encoded.
_RUN: Final = re.compile(r"[A-Za-z0-9+/=%_\\&#;:-]{16,}")
# Bytes as a transcript shows them, from the second one on: a search for a space is fast.
_SPACED: Final = re.compile(r" (?<=\b[0-9A-Fa-f]{2} )[0-9A-Fa-f]{2} [0-9A-Fa-f]{2}(?: [0-9A-Fa-f]{2}){5,}\b")
_KEY: Final = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+/_-]{22,}=*")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{22,}")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2}[ :-]?){16,}[0-9A-Fa-f]?")
_ESCAPED: Final = r"%(?:25)*([0-9A-Fa-f]{2})|\\(?:x|u00)([0-9A-Fa-f]{2})|&#x([0-9A-Fa-f]{2});|&#(\d{2,3});"
_ESCAPE: Final = re.compile(_ESCAPED)
_TOKEN: Final = re.compile(f"{_ESCAPED}|.", re.DOTALL)
_PRINTABLE: Final = re.compile(rb"[ -~]{8,}")
_NO_LETTERS: Final = {code: None for code in range(128) if not chr(code).isalnum()}
_STANDARD: Final = str.maketrans("-_", "+/")
# In hexadecimal of base64 of hexadecimal: nobody goes on like that.
_DEEPEST: Final = 3


class _Spelling(NamedTuple):
    """The letters of a key in one way of writing it, and how many other characters stand around them."""

    letters: str
    before: int = 0
    behind: int = 0


_registered: dict[str, None] = {}
# The keys among them, and pieces of them -> which has it, in which spelling, and where: a number for each. A
# run has millions of pieces; what they are pieces of is spelled again where one is met.
_keys: list[str] = []
_pieces: dict[str, int | tuple[int, ...]] = {}
_WAYS: Final = 6
_LONGEST: Final = 1 << 16
# The few secrets that a person made up, or that hold a key; and every way to write one, longest first.
_made_up: list[str] = []
_others: list[str] = []
# Runs that were searched since the last secret was registered, as they may be shown: a report repeats them.
_seen: dict[str, str] = {}


def register(text: str) -> None:
    """Hide this text, in each way it may be written, from now on."""
    if len(text) < SHORTEST_SECRET or text in _registered:
        return
    _registered[text] = None
    _seen.clear()
    key = unquote(text)
    if len(key) < _LONGEST // 2 and _KEY.fullmatch(key):
        _keys.append(key)
        for way, (letters, _, _) in enumerate(_spellings(key), (len(_keys) - 1) * _WAYS):
            for at in range(0, len(letters) - _PIECE + 1, _PIECE):
                place, piece = way * _LONGEST + at, letters[at : at + _PIECE]
                found = _pieces.setdefault(piece, place)
                if found is not place:
                    _pieces[piece] = (*_places(found), place)
    elif not _PATTERNS.fullmatch(text):
        _made_up.append(text)
        _others.extend(set(_ways_to_write(text)) - set(_others))
        _others.sort(key=len, reverse=True)


def all_secrets() -> tuple[str, ...]:
    """Return every text that was registered in this process."""
    return tuple(_registered)


def redact(text: str) -> str:
    """Return the text with every known secret, and whatever looks like a key or signature, as ``***``."""
    if len(text) < SHORTEST_SECRET:
        return text  # as most fields of most records
    for secret in _others:
        text = text.replace(secret, HIDDEN)
    text = "".join(_with_clean_runs(text, _SPACED, also=2))
    text = "".join(_with_clean_runs(text, _RUN))
    if not any(mark in text for mark in _MARKS):
        return text
    return _PATTERNS.sub(lambda match: (match["before"] or "") + HIDDEN, text)


def _spellings(key: str) -> Iterator[_Spelling]:
    """Yield the letters of a key, and its bytes in hexadecimal, forwards and backwards."""
    before, behind = len(key) - len(key.lstrip("+/_-")), len(key) - len(key.rstrip("+/_-="))
    data = _from_base64(key)
    for spelling in (
        _Spelling(_letters(key), before, behind),
        _Spelling(data.hex()),
        _Spelling(data[::-1].hex()),
    ):
        yield spelling
        yield _Spelling(spelling.letters[::-1], spelling.behind, spelling.before)


@lru_cache(maxsize=1024)
def _spelled(way: int) -> _Spelling:
    """Return a spelling by its number among those of all keys."""
    number, way = divmod(way, _WAYS)
    return tuple(_spellings(_keys[number]))[way]


def _places(found: int | tuple[int, ...]) -> tuple[int, ...]:
    return found if isinstance(found, tuple) else (found,)


def _ways_to_write(text: str) -> Iterator[str]:
    """Yield a text that may hold anything, such as spaces, each way as a whole."""
    escaped = quote(text, safe="")
    yield from (text, unquote(text), escaped, re.sub("%..", lambda match: match[0].lower(), escaped))
    if _PATTERNS.search(text):
        return  # its key is found in any case
    yield from (text.lower(), text.upper(), escaped.lower(), escaped[::-1])
    for way in (text, text[::-1]):
        data = way.encode()
        yield from (way, data.hex(), data.hex().upper())
        for coded in (base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()):
            yield from (coded, coded.rstrip("="))


def _letters(text: str) -> str:
    """Return what of a text is compared."""
    return _ESCAPE.sub(_unescaped, text).translate(_NO_LETTERS).lower()


def _unescaped(match: re.Match[str]) -> str:
    *hexadecimal, decimal = match.groups()
    return chr(int(decimal) if decimal else int(next(filter(None, hexadecimal)), 16))


def _with_clean_runs(text: str, pattern: re.Pattern[str], *, also: int = 0) -> Iterator[str]:
    """Yield the pieces of a text, its runs without secrets; `also` so many characters in front of those."""
    shown = 0
    for match in pattern.finditer(text):
        clean = _shown(match[0])
        if clean != match[0]:
            yield text[shown : match.start() - also]
            yield HIDDEN if also else clean
            shown = match.end()
    yield text[shown:]


def _shown(run: str) -> str:
    """Return a run without the secrets in it; the whole of it is hidden where one shows only decoded."""
    if run not in _seen:
        parts = _hidden(run)
        # Backwards an escape is none, and cuts a key into parts that may be too short.
        if parts and "%" in run and _hidden(run[::-1]) > parts:
            return _seen.setdefault(run, HIDDEN)
        rest = "".join(_without_secrets(run)) if parts else run
        _seen[run] = HIDDEN if any(_holds(text, _DEEPEST) for text in _decoded(rest)) else rest
    return _seen[run]


def _hidden(run: str) -> int:
    """Return how many letters of a run belong to secrets."""
    return sum(end - begin for begin, end, *_ in _found(_letters(run)))


def _found(letters: str) -> Iterator[tuple[int, int, int, int]]:
    """Yield where parts of secrets begin and end, and how many other characters around each belong to it."""
    position, last = 0, len(letters) - _PIECE
    while position <= last:
        for place in _places(_pieces.get(letters[position : position + _PIECE], ())):
            way, at = divmod(place, _LONGEST)
            spelling = _spelled(way)
            length = len(spelling.letters)
            before = _alike(letters[max(position - at, 0) : position][::-1], spelling.letters[:at][::-1])
            behind = _alike(letters[position : position + length - at], spelling.letters[at:])
            if before + behind >= SHORTEST_PART:
                ends = at + behind == length
                yield (
                    position - before,
                    position + behind,
                    spelling.before if before == at else 0,
                    spelling.behind if ends else 0,
                )
                position += behind - 1
                break
        position += 1


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    length = min(len(one), len(other))
    return next((index for index in range(length) if one[index] != other[index]), length)


def _without_secrets(run: str) -> Iterator[str]:
    """Yield the pieces of a run between its secrets, which are found by its letters alone."""
    tokens = list(_TOKEN.finditer(run))
    characters = [_unescaped(token) if token.lastindex else token[0] for token in tokens]
    letters = [index for index, each in enumerate(characters) if each.isascii() and each.isalnum()]
    shown = 0
    for begin, end, before, behind in _found("".join(characters[index] for index in letters).lower()):
        first = tokens[max(letters[begin] - before, 0)].start()
        last = tokens[min(letters[end - 1] + behind, len(tokens) - 1)].end()
        if last > shown:
            yield run[shown : max(first, shown)]
            yield HIDDEN
            shown = last
    yield run[shown:]


def _holds(text: str, deepest: int) -> bool:
    """Say whether a text that was decoded holds a secret, or what looks like one."""
    if any(mark in text for mark in _MARKS) and _PATTERNS.search(text):
        return True
    if any(secret in text for secret in _made_up):
        return True
    return any(
        next(_found(_letters(run)), None)
        or (deepest > 1 and any(_holds(inner, deepest - 1) for inner in _decoded(run)))
        for run in _RUN.findall(text)
    )


def _decoded(run: str) -> Iterator[str]:
    """Yield the texts that a run may mean: in hexadecimal or base64, or backwards, wherever it begins."""
    plain = _ESCAPE.sub(_unescaped, run)
    for data in _from_hexadecimal(plain):
        yield from _printable(data)
    for stretch in _BASE64.findall(plain):
        if stretch in {stretch.lower(), stretch.upper()}:
            continue  # base64 has letters of either case
        for way in (stretch, stretch[::-1]):
            for begin in range(4):
                yield from _printable(_from_base64(way[begin:]))


def _printable(data: bytes) -> list[str]:
    return [text.decode() for text in _PRINTABLE.findall(data)]


def _from_hexadecimal(text: str) -> Iterator[bytes]:
    for stretch in _HEX.findall(text):
        digits = stretch.translate(_NO_LETTERS)
        for way in (digits, digits[1:], digits[::-1], digits[::-1][1:]):
            yield bytes.fromhex(way[: len(way) // 2 * 2])


def _from_base64(text: str) -> bytes:
    """Return the bytes of base64 of either alphabet, with or without padding; what is left over is cut."""
    digits = text.rstrip("=").translate(_STANDARD)
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4))
    except binascii.Error:
        return b""
