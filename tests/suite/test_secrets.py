"""No key, token or signature reaches a reader: hidden where it is written, and looked for at the end."""

import base64
from urllib.parse import quote

import pytest
from small_suite import SmallSuite

from conformance.report.redaction import redact
from conformance.report.secret_scan import scrub
from conformance.target.credentials import Secret

KEY = "Y2FuYXJ5LWtleS10aGF0LW5vYm9keS1tYXktc2Vl+/8="
BOTH_WAYS = pytest.mark.parametrize("distribution", [[], ["-n", "2"]], ids=["one-process", "n-2"])


RAW = base64.b64decode(KEY)
ESCAPED = quote(KEY, safe="")
TOKEN = f"SharedAccessSignature sr=hub%2Fdevices%2Fd&sig={ESCAPED}&se=1"


def in_base64(text):
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        KEY.rstrip("="),
        KEY.replace("+", "-").replace("/", "_"),
        KEY.upper(),
        KEY.lower(),
        KEY[::-1],
        ESCAPED,
        ESCAPED.lower(),
        quote(quote(ESCAPED)),
        ESCAPED[::-1],
        "".join(f"%{byte:02x}" for byte in KEY.encode()),
        "".join(f"\\x{byte:02x}" for byte in KEY.encode()),
        "".join(f"\\u{byte:04x}" for byte in KEY.encode()),
        "".join(f"&#{byte};" for byte in KEY.encode()),
        KEY.encode().hex(),
        KEY.encode().hex().upper(),
        KEY.encode().hex(" "),
        KEY[::-1].encode().hex(),
        KEY.encode().hex()[::-1],
        RAW.hex(),
        RAW.hex().upper(),
        RAW.hex(" "),
        RAW.hex(":"),
        RAW[::-1].hex(),
        in_base64(KEY),
        in_base64(KEY)[::-1],
        in_base64(KEY[::-1]),
        in_base64(in_base64(KEY)),
        in_base64(KEY.encode().hex()),
        in_base64(KEY).encode().hex(),
        in_base64(TOKEN),
        in_base64(f"x{TOKEN}"),
        in_base64(f"xx{TOKEN}"),
        TOKEN.encode().hex(),
    ],
    ids=[
        "plain", "without-padding", "base64url", "upper", "lower", "backwards",
        "escaped", "escaped-in-lower-case", "escaped-three-times", "escaped-backwards",
        "each-byte-escaped", "x-escapes", "u-escapes", "entities",
        "hexadecimal", "hexadecimal-in-capitals", "hexadecimal-with-spaces", "backwards-in-hexadecimal",
        "hexadecimal-backwards", "bytes", "bytes-in-capitals", "bytes-with-spaces", "bytes-with-colons",
        "bytes-backwards",
        "in-base64", "in-base64-backwards", "backwards-in-base64", "in-base64-twice",
        "hexadecimal-in-base64", "base64-in-hexadecimal",
        "token-in-base64", "token-in-base64-from-the-second",
        "token-in-base64-from-the-third", "token-in-hexadecimal",
    ],
)  # fmt: skip
def test_a_secret_is_hidden_in_each_way_it_may_be_written(written):
    Secret(KEY)

    assert redact(f"before {written} behind") == "before *** behind"


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        (f"{KEY[:20]}…", "***…"),
        (f"…{KEY[-24:]}", "…***"),
        (f"{RAW[:16].hex(' ')} …", "*** …"),
        (f"x-{KEY}-x", "x-***-x"),
    ],
    ids=["beginning", "end", "first-bytes", "inside"],
)
def test_a_part_of_a_secret_is_hidden_where_a_report_shows_no_more(part, shown):
    Secret(KEY)

    assert redact(part) == shown


@pytest.mark.parametrize(
    "text",
    [
        "devices/conf-157b0652-gw0-473/messages/events/a%23b=1&c=d",
        "de ad be ef 00 11 22 33 44 55 66 77 88 99 aa bb",
        "dGhpcyBpcyBub3RoaW5nIHRoYXQgYW55Ym9keSBoaWRlcw==",
        KEY[:12],
        "test_the_will_of_a_refused_connect_is_not_sent[clean-session-0]",
    ],
    ids=["topic", "bytes", "base64", "a-few-letters", "case"],
)
def test_what_is_no_secret_stays(text):
    Secret(KEY)

    assert redact(text) == text


def test_a_secret_that_a_person_made_up_is_hidden_in_each_way_too():
    """No word of another text is taken for a part of it."""
    phrase = "correct horse battery staple"
    Secret(phrase)
    ways = [phrase, phrase[::-1], phrase.upper(), quote(phrase), phrase.encode().hex(), in_base64(phrase)]

    assert [redact(f"before {way} behind") for way in ways] == ["before *** behind"] * len(ways)
    assert redact("correct horse battery") == "correct horse battery"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (
            "HostName=scanned;SharedAccessKey=bm9ib2R5IHJlZ2lzdGVyZWQgdGhpcw==;x",
            "HostName=scanned;SharedAccessKey=***;x",
        ),
        ("sr=h&sig=bm9ib2R5IHJlZ2lzdGVyZWQgdGhpcw%3D%3D&se=1", "sr=h&sig=***&se=1"),
        ("a -----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY----- b", "a *** b"),
        ("a -----BEGIN%20PRIVATE%20KEY-----%0AMHc%0A-----END%20PRIVATE%20KEY----- b", "a *** b"),
        ("-----BEGIN CERTIFICATE-----\nMIIB", "-----BEGIN CERTIFICATE-----\nMIIB"),
        ("sig=short and SharedAccessKey=***", "sig=short and SharedAccessKey=***"),
    ],
    ids=["connection-string", "token", "private-key", "private-key-escaped", "certificate", "no-secret"],
)
def test_what_looks_like_a_key_is_hidden_whoever_it_belongs_to(text, hidden):
    assert redact(text) == hidden


def test_files_of_any_encoding_keep_all_but_their_secrets(tmp_path):
    Secret(KEY)
    (tmp_path / "results").mkdir()
    leaking, clean = tmp_path / "results" / "a.json", tmp_path / "b.bin"
    leaking.write_bytes(f"é {KEY} €".encode() + b"\xff\x00")
    clean.write_bytes(b"\xff\x00")

    assert scrub([tmp_path, tmp_path / "none"]) == ("a.json",)

    assert leaking.read_bytes() == "é *** €".encode() + b"\xff\x00"
    assert clean.read_bytes() == b"\xff\x00"
    assert scrub([tmp_path]) == ()


# -- a run

FORMS = {
    "plain": KEY,
    "escaped": quote(KEY, safe=""),
    "escaped-in-lower-case": quote(KEY, safe="")
    .replace("%2B", "%2b")
    .replace("%2F", "%2f")
    .replace("%3D", "%3d"),
    "in-base64": base64.b64encode(KEY.encode()).decode(),
    "private-key": "-----BEGIN PRIVATE KEY-----\nTUlJRXZRSUJBREFOQmdrcWhraUc5\n-----END PRIVATE KEY-----",
}
# What of each must not be seen: a report may break or escape its lines.
CANARIES = [form.split("\n")[1] if "\n" in form else form for form in FORMS.values()]

HIDES = f"""
import logging
import warnings
from conformance.target.credentials import Secret

FORMS = {FORMS!r}
KEY = Secret(FORMS["plain"])

@pytest.fixture
def key():
    return KEY

@pytest.fixture
def broken_stage(key):
    raise HarnessError(f"cannot open with {{key.reveal()}}")

@clause("small.holds")
@pytest.mark.parametrize("form", FORMS)
def test_holds(key, form, evidence):
    shown = FORMS[form]
    print(shown)
    logging.getLogger("hub").warning(shown)
    warnings.warn(shown)
    evidence.transcript.add("c1", "→", f"CONNECT password={{shown}}")
    raise Violation(f"got {{shown}}", observed=shown, expected=shown, actual=shown)

@clause("small.other")
@pytest.mark.parametrize("form", FORMS)
def test_compares(key, form):
    assert {{"password": FORMS[form]}} == {{"password": "x", "form": form}}

@clause("small.other")
def test_broken(broken_stage):
    pass

@clause("small.other")
@pytest.mark.parametrize("form", FORMS)
def test_not_tested(form):
    raise NotTested(f"no answer to {{FORMS[form]}}")

@clause("small.disputed")
@pytest.mark.parametrize("form", FORMS)
def test_reading(readings, form):
    readings.match(FORMS[form])

@clause("small.observed")
@pytest.mark.parametrize("form", FORMS)
def test_observed(observed, form):
    observed(FORMS[form])
"""

LEAKS = f'''
from conformance.target.credentials import Secret

@clause("small.holds")
@pytest.mark.parametrize("key", [Secret("{KEY}").reveal()])
def test_holds(key):
    """The hub holds."""
'''


@pytest.mark.parametrize("options", [[], ["-n", "2"], ["-l", "-v"]], ids=["one-process", "n-2", "locals"])
def test_a_canary_is_in_no_output_of_a_run(tmp_path, options):
    """Pitfall 7: terminal, JUnit, JSON, page, summaries, Allure, and whatever else is written."""
    small = SmallSuite(tmp_path)
    small.cases(HIDES)

    result = small.run("-rA", *options)

    assert result.ret == 1, result.stdout.str()
    written = [file for file in small.report.rglob("*") if file.is_file()]
    assert {"conformance.json", "conformance.html", "summary.md", "junit.xml", "environment.properties"} <= {
        file.name for file in written
    }
    texts = {file.name: file.read_text() for file in (*written, small.path / "step.md")}
    texts |= {"stdout": result.stdout.str(), "stderr": result.stderr.str()}
    assert [name for name, text in texts.items() if any(canary in text for canary in CANARIES)] == []
    assert "CONNECT password=***" in " ".join(result.stdout.str().split())
    assert small.statement()["run"]["exit_code"] == 1


@pytest.mark.parametrize("place", ["inside", "outside"])
def test_a_junit_file_that_is_asked_for_is_searched_too(tmp_path, place):
    small = SmallSuite(tmp_path)
    small.cases(LEAKS)
    file = small.report / "mine.xml" if place == "inside" else tmp_path / "xml" / "mine.xml"

    result = small.run(f"--junitxml={file}")

    assert result.ret == 12
    assert KEY not in file.read_text()
    assert file.read_text() == (small.report / "junit.xml").read_text()


@BOTH_WAYS
def test_a_secret_in_the_report_makes_the_run_invalid(tmp_path, distribution):
    small = SmallSuite(tmp_path)
    small.cases(LEAKS)

    result = small.run(*distribution)

    assert result.ret == 12, result.stdout.str()
    assert small.statement()["run"]["exit_code"] == 12
    assert [file.name for file in small.report.rglob("*") if file.is_file() and KEY in file.read_text()] == []
    result.stdout.fnmatch_lines(
        ["a secret was found, and blackened, in *conformance.json*: this run is invalid.*"]
    )
