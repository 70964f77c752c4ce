"""Secrets do not show, and tokens are what the document's algorithm gives."""

import copy
import pickle
import re
from urllib.parse import unquote

import pytest

from conformance.errors import ProfileError
from conformance.report.redaction import all_secrets, redact
from conformance.target.credentials import (
    NO_SECRET,
    ConnectionString,
    SasToken,
    Secret,
    flip_signature_bit,
    random_key,
    replace_field,
    sas_token,
    sign,
    without_field,
)

# Computed apart from this code:
#   printf '%s\n%s' RESOURCE EXPIRY |
#       openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf secret-key-1234 | xxd -p) -binary | base64
KEY = Secret("c2VjcmV0LWtleS0xMjM0")
VECTORS = [
    (
        "myhub.azure-devices.net%2Fdevices%2Fdevice-1",
        "1700000000",
        "c9lYbsXr31+06/MOecoPY7qDqcpoXfRuEX4+jzdQw0E=",
    ),
    (
        "myhub.azure-devices.net%2fdevices%2fdevice-1",
        "1700000000",
        "5P1AGG5VLHNRjEZGePa/+f15kOItR3HNIn9t4JddCuE=",
    ),
    ("localhost%3A18443", "4102444800", "/GTb8qOHEt8IGHkFeJzCAQ5YuJsMrVTj6Su/MpEUqC8="),
]


@pytest.mark.parametrize(("resource", "expiry", "signature"), VECTORS, ids=["upper", "lower", "port"])
def test_the_signature_covers_resource_and_expiry_as_written(resource, expiry, signature):
    assert sign(resource, expiry, KEY) == signature


def test_a_token_has_the_three_fields_escaped():
    token = sas_token("myhub.azure-devices.net/devices/device-1", KEY, expiry=1700000000)

    assert token.reveal() == (
        "SharedAccessSignature sr=myhub.azure-devices.net%2Fdevices%2Fdevice-1"
        "&sig=c9lYbsXr31%2B06%2FMOecoPY7qDqcpoXfRuEX4%2BjzdQw0E%3D&se=1700000000"
    )


def test_lower_case_escapes_are_signed_as_sent():
    token = sas_token("myhub.azure-devices.net/devices/device-1", KEY, expiry=1700000000, escapes="lower")

    assert (
        "sr=myhub.azure-devices.net%2fdevices%2fdevice-1&sig=5P1AGG5VLHNRjEZGePa%2F%2Bf15kOItR3HNIn9t4JddCuE%3D&"
        in token.reveal()
    )


def test_the_documents_sample_token_can_be_written_as_it_is_printed():
    """Upper-case escapes in the resource, lower-case ones in the signature, in the order sr, sig, se."""
    resource = "myhub.azure-devices.net/devices/MyDevice01/api-version=2016-11-14"
    token = sas_token(
        resource, KEY, expiry=1456481802, order=("sr", "sig", "se"), signature_escapes="lower"
    ).reveal()

    assert re.fullmatch(
        r"SharedAccessSignature sr=myhub\.azure-devices\.net%2Fdevices%2FMyDevice01%2F"
        r"api-version%3D2016-11-14&sig=[A-Za-z0-9%]+%3d&se=1456481802",
        token,
    )
    assert not re.search("%[0-9A-F]*[A-F]", token.partition("&sig=")[2])


def test_a_resource_can_be_left_as_it_is():
    token = sas_token("h/devices/a:b=c", KEY, expiry=1700000000, escapes="none").reveal()

    assert token.startswith("SharedAccessSignature sr=h/devices/a:b=c&sig=")
    assert sign("h/devices/a:b=c", "1700000000", KEY) in unquote(token)


def test_a_policy_comes_last_and_the_order_is_free():
    token = sas_token("localhost:18443", KEY, expiry=4102444800, policy="service", order=("se", "sr", "sig"))

    assert token.reveal() == (
        "SharedAccessSignature se=4102444800&sr=localhost%3A18443"
        "&sig=%2FGTb8qOHEt8IGHkFeJzCAQ5YuJsMrVTj6Su%2FMpEUqC8%3D&skn=service"
    )


def test_a_key_that_is_not_base64_is_named_without_being_shown():
    with pytest.raises(ValueError, match=r"^the key is not base64$"):
        sign("r", "1", "not base64 at all")


def test_tampering_changes_one_field_and_nothing_else():
    token = sas_token("h/devices/d", KEY, expiry=1700000000)
    scheme, sr, sig, se = token.reveal().replace(" ", "&", 1).split("&")

    assert replace_field(token, "se", "4102444800").reveal() == f"{scheme} {sr}&{sig}&se=4102444800"
    assert replace_field(token, "sr", "x%2Fy").reveal() == f"{scheme} sr=x%2Fy&{sig}&{se}"
    assert without_field(token, "sig").reveal() == f"{scheme} {sr}&{se}"
    assert flip_signature_bit(flip_signature_bit(token)) == token
    assert flip_signature_bit(token) != token
    assert token.expiry == 1700000000


def test_random_keys_are_32_bytes_and_differ():
    assert len(sign("r", "1", random_key())) == 44
    assert random_key() != random_key()


@pytest.mark.parametrize(
    "show",
    [
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param(lambda secret: f"{secret:>30}", id="format"),
        pytest.param(lambda secret: f"{[secret]}", id="in-a-list"),
    ],
)
def test_a_secret_never_shows(show):
    assert "c2VjcmV0" not in show(KEY)
    assert "***" in show(KEY)


def test_a_secret_compares_by_value_copies_as_itself_and_is_not_pickled():
    assert Secret("abcdefgh") == Secret("abcdefgh")
    assert Secret("abcdefgh") != "abcdefgh"
    assert hash(Secret("abcdefgh")) == hash(Secret("abcdefgh"))
    assert copy.deepcopy(KEY) is copy.copy(KEY) is KEY
    assert not NO_SECRET
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(KEY)


def test_what_was_once_a_secret_is_redacted_in_each_way_it_is_written():
    Secret("canary/secret+one=")

    hidden = redact("a canary/secret+one= b canary%2Fsecret%2Bone%3D c canary%2fsecret%2bone%3d d")

    assert hidden == "a *** b *** c *** d"


def test_of_a_token_only_the_signature_is_hidden():
    token = SasToken("SharedAccessSignature sr=h%2Fdevices%2Fd&sig=Y2FuYXJ5LXNpZ25hdHVyZQ%3D%3D&se=5")

    assert redact(token.reveal()) == "SharedAccessSignature sr=h%2Fdevices%2Fd&sig=***&se=5"


def test_short_texts_are_no_secrets():
    Secret("d-1")

    assert "d-1" not in all_secrets()


HUB = "HostName=myhub.azure-devices.net;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0LWtleS0xMjM0PT0="
EVENTS = "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0;EntityPath=hub"


def test_a_hubs_connection_string():
    string = ConnectionString.parse(HUB)

    assert (string.host, string.port, string.host_name) == (
        "myhub.azure-devices.net",
        None,
        "myhub.azure-devices.net",
    )
    assert (string.policy, string.key.reveal()) == ("service", "c2VjcmV0LWtleS0xMjM0PT0=")
    assert "c2VjcmV0" not in repr(string)


def test_a_device_connection_string_with_a_port():
    string = ConnectionString.parse(Secret("HostName=localhost:18443;DeviceId=d1;SharedAccessKey=c2VjcmV0;"))

    assert (string.host, string.port, string.host_name) == ("localhost", 18443, "localhost:18443")
    assert (string.device_id, string.policy) == ("d1", None)


def test_an_event_hubs_connection_string():
    string = ConnectionString.parse(EVENTS)

    assert (string.host, string.port, string.entity) == ("ns.servicebus.windows.net", None, "hub")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("c2VjcmV0LWtleQ", "not a connection string", id="only-a-key"),
        pytest.param("HostName=h;SharedAccessKey", "not a connection string", id="no-value"),
        pytest.param("SharedAccessKey=c2VjcmV0", "no HostName=HOST", id="no-host"),
        pytest.param("HostName=h/x;SharedAccessKey=c2VjcmV0", "no HostName=HOST", id="a-path"),
        pytest.param("HostName=h", "no SharedAccessKey", id="no-key"),
        pytest.param("HostName=h;SharedAccessKey=c2Vjc%%%", "is not base64", id="no-base64"),
    ],
)
def test_a_bad_connection_string_is_explained_without_being_shown(text, complaint):
    with pytest.raises(ProfileError, match=complaint) as caught:
        ConnectionString.parse(text, where="env:HUB")

    assert str(caught.value).startswith("env:HUB: ")
    assert "c2Vjc" not in str(caught.value)
    assert "\n" not in str(caught.value)
