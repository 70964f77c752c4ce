"""SAS tokens: what opens what, and until when."""

import itertools

import pytest
from sas import signature, token

from iothub_emulator.hub.tokens import TokenRefused, TokenRules
from iothub_emulator.settings import Settings

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER_KEY = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
NOW = 1_800_000_000


@pytest.fixture
def rules():
    return TokenRules(Settings())


def test_a_token_has_its_fields_as_sent_and_decoded(rules):
    """`sr` and `se` are kept raw, because the signature covers them so."""
    parsed = rules.parse(token("localhost/devices/d1", KEY, NOW, policy="device"))
    assert (parsed.raw_resource, parsed.resource) == ("localhost%2Fdevices%2Fd1", "localhost/devices/d1")
    assert (parsed.raw_expiry, parsed.expiry, parsed.policy) == (str(NOW), float(NOW), "device")
    assert rules.is_signed_with(parsed, KEY)
    assert not rules.is_signed_with(parsed, OTHER_KEY)


@pytest.mark.parametrize("order", list(itertools.permutations(("sr", "sig", "se"))), ids="-".join)
def test_fields_come_in_any_order(rules, order):
    assert rules.is_signed_with(rules.parse(token("localhost", KEY, NOW, order=order)), KEY)


@pytest.mark.parametrize("lower", [False, True])
def test_escapes_are_signed_as_sent(rules, lower):
    assert rules.is_signed_with(rules.parse(token("localhost/devices/d1", KEY, NOW, lower=lower)), KEY)


def test_a_resource_that_is_not_encoded_is_signed_as_sent(rules):
    """Service SDKs send the plain host."""
    text = f"SharedAccessSignature sr=localhost:443&sig={signature('localhost:443', NOW, KEY)}&se={NOW}"
    assert rules.is_signed_with(rules.parse(text), KEY)


def test_a_signature_may_be_sent_without_encoding(rules):
    """Plus and slash stay themselves."""
    text = token("localhost", KEY, NOW).replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
    assert rules.is_signed_with(rules.parse(text), KEY)


@pytest.mark.parametrize("key", ["", "not base64!", "AAA"])
def test_what_is_no_key_signs_nothing(rules, key):
    assert not rules.is_signed_with(rules.parse(token("localhost", KEY, NOW)), key)


def test_an_empty_key_signs_nothing(rules):
    assert not rules.is_signed_with(rules.parse(token("localhost", "", NOW)), "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        KEY,
        "SharedAccessSignature",
        "SharedAccessSignature ",
        "SharedAccessSignature sr=a&sig=b",
        "SharedAccessSignature sr=a&se=1",
        "SharedAccessSignature sig=a&se=1",
        "SharedAccessSignature sr=&sig=b&se=1",
        "SharedAccessSignature sr=a&sig=b&se=",
        "SharedAccessSignature sr=a&sig=b&se=soon",
        "SharedAccessSignature sr=a&sig=b&se=nan",
        "SharedAccessSignature sr=a&sig=b&se=inf",
        "SharedAccessSignature sr=a&sig=b&se=-1",
        "SharedAccessSignature sr=a&sig=b&se=" + "9" * 400,
        "SharedAccessSignature sr=a&sr=b&sig=b&se=1",
        "SharedAccessSignature  sr=a&sig=b&se=1",
        "Bearer sr=a&sig=b&se=1",
    ],
    ids=lambda text: text[:60] or "empty",
)
def test_what_is_no_token_is_refused(rules, text):
    with pytest.raises(TokenRefused) as caught:
        rules.parse(text)
    assert KEY not in caught.value.reason


def test_expiry_allows_for_clocks_that_differ(rules):
    parsed = rules.parse(token("localhost", KEY, NOW))
    assert not rules.is_expired(parsed, NOW + 300)
    assert rules.is_expired(parsed, NOW + 301)
    assert rules.ends_at(parsed) == NOW + 600


@pytest.mark.parametrize(
    ("granted", "wanted", "covered"),
    [
        ("localhost/devices/d1", "localhost/devices/d1", True),
        ("localhost/devices/d1", "localhost/devices/d1/modules/m", True),
        ("localhost/devices", "localhost/devices/d1", True),
        ("localhost", "localhost/devices/d1", True),
        ("localhost/", "localhost/devices/d1", True),
        ("LOCALHOST:8883/devices/d1", "localhost/devices/d1", True),
        ("127.0.0.1/devices/d1", "localhost:443/devices/d1", True),
        ("sb://localhost/hub/consumergroups", "sb://localhost/hub/consumergroups/$Default", True),
        ("https://localhost", "localhost/devices", True),
        ("localhost/devices/d", "localhost/devices/d1", False),
        ("localhost/devices/D1", "localhost/devices/d1", False),
        ("localhost/devices/d2", "localhost/devices/d1", False),
        ("localhost/devices/d1/api-version=2016-11-14", "localhost/devices/d1", False),
        ("elsewhere.azure-devices.net/devices/d1", "localhost/devices/d1", False),
        ("localhost/devices/d1", "elsewhere.azure-devices.net/devices/d1", False),
        ("", "localhost/devices/d1", False),
        ("localhost:http/devices/d1", "localhost/devices/d1", False),
    ],
)
def test_a_resource_covers_what_is_below_it(rules, granted, wanted, covered):
    """Whole segments, with their case; any of the hub's names stands for the hub."""
    assert rules.covers(rules.parse(token(granted or "x", KEY, NOW)), wanted, "device") is covered


D, M = "localhost/devices/d:1", "localhost/devices/d:1/modules/m@1"


@pytest.mark.parametrize(
    ("sent", "wanted", "covered"),
    [
        pytest.param("localhost%2Fdevices%2Fd%3A1", D, True, id="encoded-once"),
        pytest.param("localhost%2Fdevices%2Fd%253A1", D, True, id="id-encoded-twice"),
        pytest.param("localhost%252Fdevices%252Fd%253A1", D, False, id="slashes-encoded-twice"),
        pytest.param("localhost/devices/d:1", D, True, id="not-encoded"),
        pytest.param("localhost%2Fdevices%2Fd%253A1%2Fmodules%2Fm%25401", M, True, id="module-encoded-twice"),
        pytest.param("localhost/devices/d:1/modules/m@1", M, True, id="module-not-encoded"),
        pytest.param("localhost%2Fdevices%2Fd%3A1", M, True, id="its-device"),
        pytest.param("localhost%2Fdevices%2Fd%3A2", D, False, id="another-id"),
        pytest.param("localhost%2Fdevices%2Fd%253A2", D, False, id="another-id-encoded-twice"),
        pytest.param("emulator.device.azure-devices.net%2Fdevices%2Fd%3A1", D, True, id="alias"),
        pytest.param("emulator.service.azure-devices.net%2Fdevices%2Fd%3A1", D, False, id="service-alias"),
        pytest.param("localhost%2Fdevices%2Fd%3A1%2Fapi-version%3D2016-11-14", D, True, id="with-version"),
        pytest.param("localhost/devices/d:1/api-version=2016-11-14", D, True, id="with-version-not-encoded"),
        pytest.param(
            "localhost%2Fdevices%2Fd%253A1%2Fmodules%2Fm%25401%2Fapi-version%3D2016-11-14",
            M,
            True,
            id="module-with-version",
        ),
        pytest.param(
            "localhost%2Fdevices%2Fd%3A1%2Fapi-version%3D2016-11-14", M, False, id="device-with-version"
        ),
        pytest.param("localhost%2Fdevices%2Fapi-version%3D2016-11-14", D, False, id="version-in-place-of-id"),
        pytest.param("localhost%2Fapi-version%3D2016-11-14", D, False, id="version-behind-the-host"),
        pytest.param("localhost%2Fdevices%2Fd%3A1%2Fapi-version%3D2016-13-14", D, False, id="no-date"),
        pytest.param("localhost%2Fdevices%2Fd%3A1%2Fapi-version%3D", D, False, id="empty-version"),
        pytest.param("localhost%2Fdevices%2Fd%3A1%2Fversion%3D2016-11-14", D, False, id="another-word"),
        pytest.param(
            "localhost%2Fdevices%2Fd%3A1%2Fapi-version%3D2016-11-14%2Fapi-version%3D2016-11-14",
            D,
            False,
            id="two-versions",
        ),
        pytest.param("localhost%2Fdevices%2Fd%3A1%2Fmessages", D, False, id="something-below"),
    ],
)
def test_an_identity_s_own_token_may_be_written_in_each_way_that_is_in_use(rules, sent, wanted, covered):
    """sas.resource-encoded-twice, sas.resource-not-encoded, sas.sample-resource."""
    text = f"SharedAccessSignature sr={sent}&sig={signature(sent, NOW, KEY)}&se={NOW}"
    assert rules.covers_identity(rules.parse(text), wanted) is covered


@pytest.mark.parametrize(
    "sent", ["localhost%2Fdevices%2Fd%253A1", "localhost%2Fdevices%2Fd%3A1%2Fapi-version%3D2016-11-14"]
)
def test_a_policy_s_token_is_written_in_one_way(rules, sent):
    """It may be for any device: which one it is for must not depend on how often it is decoded."""
    text = f"SharedAccessSignature sr={sent}&sig={signature(sent, NOW, KEY)}&se={NOW}&skn=device"
    assert not rules.covers(rules.parse(text), D, "device")
