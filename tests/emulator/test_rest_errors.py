"""What the REST endpoint refuses, and what its refusals say and keep to themselves."""

import gzip
import logging

import httpx
import pytest
from live_hub import PATIENCE
from rest_hub import API_VERSION, RecordingRuntime, error_of, exchange, last_document, owner, serving, token

from iothub_emulator.hub.policies import Right


@pytest.fixture(scope="module")
def runtime():
    return RecordingRuntime()


@pytest.fixture(scope="module")
def port(runtime):
    with serving(runtime) as port:
        yield port


@pytest.fixture(scope="module")
def hub(runtime, port):
    with owner(runtime, port) as client:
        client.put("/devices/d1", json={"deviceId": "d1"})
        yield client


def call(port, method, path, authorization=None, **more):
    headers = more.pop("headers", [])
    if authorization is not None:
        headers = [*headers, ("Authorization", authorization)]
    with httpx.Client(timeout=PATIENCE, trust_env=False) as client:
        return client.request(
            method, f"http://localhost:{port}{path}", params=API_VERSION, headers=headers, **more
        )


# Authorisation


def test_refused_tokens_all_read_the_same(hub, port, runtime):
    """No answer tells which part of a token was wrong, nor whether a device exists."""
    wrong_key = runtime.policies["service"].primary_key
    refused = [
        None,
        "",
        "Basic dXNlcjpwYXNz",
        token(runtime)[:-20],
        token(runtime, key=wrong_key),
        token(runtime, expires_in=-3600),
        token(runtime, name="nobody"),
        token(runtime, resource="other.azure-devices.net"),
        token(runtime, resource="localhost/devices/d2"),
        token(runtime, "service"),
        token(runtime, "device"),
        b"SharedAccessSignature sr=\xff&sig=\xff&se=9999999999&skn=iothubowner",
    ]
    texts = set()
    for authorization in refused:
        for path in ("/devices/d1", "/devices/none"):
            response = call(port, "GET", path, authorization)
            assert error_of(response) == (401, "IotHubUnauthorizedAccess"), authorization
            texts.add(response.json()["Message"])
    assert len(texts) == 1


def test_a_device_key_opens_no_service_call(hub, port, runtime):
    key = runtime.registry.get("d1").primary_key
    device_token = token(runtime, key=key, resource="localhost/devices/d1").replace("&skn=iothubowner", "")
    assert error_of(call(port, "GET", "/devices/d1", device_token)) == (401, "IotHubUnauthorizedAccess")


def test_two_authorization_headers_are_none(hub, port, runtime):
    headers = [("Authorization", token(runtime))]
    response = call(port, "GET", "/devices/d1", token(runtime), headers=headers)
    assert error_of(response) == (401, "IotHubUnauthorizedAccess")


@pytest.mark.parametrize("policy", ["iothubowner", "registryRead", "registryReadWrite"])
def test_policies_that_may_read(hub, port, runtime, policy):
    assert call(port, "GET", "/devices/d1", token(runtime, policy)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/devices/x"), ("DELETE", "/devices/d1"), ("POST", "/devices")]
)
def test_reading_is_not_writing(hub, port, runtime, method, path):
    response = call(port, method, path, token(runtime, "registryRead"), headers=[("If-Match", "*")])
    assert error_of(response) == (401, "IotHubUnauthorizedAccess")
    assert runtime.registry.get("d1") is not None


@pytest.mark.parametrize(
    "resource",
    ["localhost", "LOCALHOST", "localhost:18443", "127.0.0.1", "localhost/devices", "localhost/devices/d1"],
)
def test_resources_that_cover_the_call(hub, port, runtime, resource):
    response = call(port, "GET", "/devices/d1", token(runtime, resource=resource))
    assert response.status_code == 200


def test_a_secondary_key_signs_as_well(hub, port, runtime):
    key = runtime.policies["iothubowner"].secondary_key
    assert call(port, "GET", "/devices/d1", token(runtime, key=key)).status_code == 200


def test_refusal_comes_before_anything_about_the_request(hub, port):
    """Without rights neither the api-version nor the body is judged."""
    with httpx.Client(timeout=PATIENCE, trust_env=False) as client:
        response = client.put(f"http://localhost:{port}/devices/d1", content=b"{")
    assert error_of(response) == (401, "IotHubUnauthorizedAccess")


# Requests


@pytest.mark.parametrize(
    "version", ["", "2021", "2021-04", "2021-13-01", "2021-04-12 ", "latest", "2021-4-12"]
)
def test_an_api_version_is_a_full_date(hub, version):
    response = hub.get("/devices/d1", params={"api-version": version})
    assert error_of(response) == (400, "InvalidProtocolVersion")


@pytest.mark.parametrize("version", ["2018-06-30", "2020-05-31-preview", "2024-03-31"])
def test_api_versions_that_clients_send(hub, version):
    assert hub.get("/devices/d1", params={"api-version": version}).status_code == 200


def test_an_api_version_is_needed(hub, port, runtime):
    response = httpx.get(
        f"http://localhost:{port}/devices/d1",
        headers={"Authorization": token(runtime)},
        timeout=PATIENCE,
        trust_env=False,
    )
    assert error_of(response) == (400, "InvalidProtocolVersion")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'{"deviceId": "x", "status": NaN}',
        b'{"deviceId": "\xff"}',
        b"[" * 100_000,
        b"9" * 10_000,
        b'{"deviceId": 1}',
        b'{"deviceId": "x", "authentication": []}',
        b'{"deviceId": "x", "capabilities": {"iotEdge": "yes"}}',
    ],
    ids=[
        "empty",
        "cut",
        "array",
        "null",
        "number",
        "nan",
        "not-utf-8",
        "deep",
        "long-number",
        "number-as-id",
        "array-as-object",
        "text-as-flag",
    ],
)
def test_bodies_that_are_malformed(hub, body):
    assert error_of(hub.put("/devices/x", content=body)) == (400, "IotHubFormatError")


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({}, "ArgumentNull"),
        ({"deviceId": "y"}, "ArgumentInvalid"),
        ({"deviceId": "x", "status": "sleeping"}, "ArgumentInvalid"),
        ({"deviceId": "x", "statusReason": "r" * 129}, "ArgumentInvalid"),
        ({"deviceId": "x", "authentication": {"type": "password"}}, "ArgumentInvalid"),
        (
            {"deviceId": "x", "authentication": {"symmetricKey": {"primaryKey": "c2hvcnQ="}}},
            "ArgumentInvalid",
        ),
        (
            {"deviceId": "x", "authentication": {"x509Thumbprint": {"primaryThumbprint": "ab"}}},
            "ArgumentInvalid",
        ),
    ],
)
def test_arguments_that_are_invalid(hub, document, name):
    response = hub.put("/devices/x", json=document)
    assert error_of(response) == (400, name)
    assert "c2hvcnQ=" not in response.text


def test_a_body_over_the_limit(hub):
    response = hub.put("/devices/x", content=b" " * (1024 * 1024 + 1))
    assert error_of(response) == (413, "MessageTooLarge")


def test_a_small_body_that_unpacks_over_the_limit(hub):
    packed = gzip.compress(b" " * (32 * 1024 * 1024))
    response = hub.put("/devices/x", content=packed, headers={"Content-Encoding": "gzip"})
    assert error_of(response) == (413, "MessageTooLarge")


def test_a_body_packed_otherwise_than_it_says(hub):
    response = hub.put("/devices/x", content=b"{}", headers={"Content-Encoding": "gzip"})
    assert error_of(response) == (400, "IotHubFormatError")


def test_a_caller_that_waits_to_be_asked(port, runtime):
    body = b'{"deviceId": "waited"}'
    raw = exchange(
        port,
        f"PUT /devices/waited?api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: {token(runtime)}\r\n\r\n".encode(),
        body,
    )
    assert raw.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert last_document(raw)["deviceId"] == "waited"


@pytest.mark.parametrize(
    "path", ["/", "/device", "/devices/d1/x", "/twins", "/twins/d1/x", "/statistics", "/../etc", "//"]
)
def test_paths_that_do_not_exist(hub, path):
    assert error_of(hub.get(path)) == (404, "GenericNotFound")


def test_a_slash_at_the_end_adds_nothing(hub):
    assert hub.get("/devices/d1/").json()["deviceId"] == "d1"


def test_a_client_that_has_no_patch_names_it_in_a_header(hub):
    """As Microsoft's service client for Java does."""
    change = {"tags": {"room": "kitchen"}}
    patched = hub.request("POST", "/twins/d1", json=change, headers={"X-HTTP-Method-Override": "PATCH"})
    assert (patched.status_code, patched.json()["tags"]) == (200, change["tags"])


def test_the_header_changes_no_other_method(hub):
    assert hub.request("GET", "/twins/d1", headers={"X-HTTP-Method-Override": "PATCH"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "/devices/d1"), ("POST", "/devices/d1"), ("DELETE", "/devices")]
)
def test_methods_that_do_not_exist(hub, method, path):
    response = hub.request(method, path)
    assert error_of(response) == (405, "GenericMethodNotAllowed")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/devices/%", "IotHubFormatError"),
        ("/devices/%zz", "IotHubFormatError"),
        ("/devices/%ff", "IotHubFormatError"),
        ("/devices/\udcff", "IotHubFormatError"),
        ("/devices/a%20b", "ArgumentInvalid"),
        ("/devices%2Fa%20b", "ArgumentInvalid"),
        ("/devices/%00", "ArgumentInvalid"),
        ("/devices/" + "x" * 129, "ArgumentInvalid"),
    ],
)
def test_ids_that_no_device_has(port, runtime, path, name):
    raw = exchange(
        port,
        f"GET {path}?api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Authorization: {token(runtime)}\r\n\r\n".encode(errors="surrogateescape"),
    )
    assert raw.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))  # 1.0: refused by the parser
    assert last_document(raw)["Message"].startswith(f"ErrorCode:{name};")


# What is kept back


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x10\x20\x00\x04MQTT\x04\x02\x00\x3c",
        b"GET /devices HTTP/9.9\r\n\r\n",
        b"GET /devices HTTP/1.1\r\nHost: localhost\r\nAuthorization: sig=secret\x00\r\n\r\n",
        b"GET /devices HTTP/1.1\r\nHost: localhost\r\nsig=secret\r\n\r\n",
        b"GET /devices?sig=secret" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://[secret HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PUT /devices/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: secret\r\n\r\n",
        b"PUT /devices/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n",
    ],
    ids=["tls", "mqtt", "version", "nul", "no-colon", "long-line", "bad-target", "bad-length", "bad-chunk"],
)
def test_what_is_not_http_is_refused_without_an_echo(hub, port, request_bytes, caplog):
    with caplog.at_level(logging.DEBUG):
        raw = exchange(port, request_bytes)
    assert raw.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert last_document(raw).keys() == {"Message", "ExceptionMessage"}
    assert b"secret" not in raw
    for record in caplog.records:
        assert "secret" not in record.getMessage()
        assert not record.exc_info
    assert hub.get("/devices/d1").status_code == 200


def test_a_failure_inside_shows_nothing_of_it(hub, runtime, monkeypatch, caplog):
    def fail(_device_id):
        raise RuntimeError("the secret is open sesame")

    monkeypatch.setattr(runtime.registry, "require", fail)
    response = hub.get("/devices/d1")
    assert error_of(response) == (500, "ServerError")
    assert "open sesame" not in response.text + caplog.text
    assert "RuntimeError" in caplog.text


def test_rights_of_the_table():
    """Identities: reads ask for RegistryRead; what writes asks for both, because its answers hold keys.

    What concerns twins, methods and messages asks for ServiceConnect.
    """
    from iothub_emulator.rest import unserved
    from iothub_emulator.rest.application import ROUTES

    both = Right.REGISTRY_READ | Right.REGISTRY_WRITE
    for route in (route for route in ROUTES if route not in unserved.ROUTES):
        is_service = route.path[0] == "twins" or route.path[-1] in {"query", "commands", "devicebound"}
        for method, operation in route.operations.items():
            of_registry = Right.REGISTRY_READ if method == "GET" else both
            assert operation.needs == (Right.SERVICE_CONNECT if is_service else of_registry)
