"""Whatever arrives, the REST endpoint answers with a documented error and goes on serving."""

import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_hub import RecordingRuntime, exchange, owner, serving, token

DOCUMENTED = {200, 204, 400, 401, 404, 405, 409, 412, 413}
live = settings(max_examples=150)

TOKEN = "A token goes here"

methods = st.sampled_from(
    ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW"]
)
pieces = st.one_of(
    st.sampled_from(["/", "//", "/devices", "/d1", "/twins/", "..", "é", "\udcff", "*", "#", ";", "x" * 200]),
    st.sampled_from(["%", "%2", "%2F", "%zz", "%00", "%ff", "%C3%A9", "http://other/"]),
    st.sampled_from(["?", "&", "=", "?top=", "?api-version=2021-04-12", "&api-version=", "&top=1"]),
    st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), max_size=6),
)
paths = st.builds(
    lambda start, rest, end: start + "".join(rest) + end,
    st.sampled_from(["/devices", "/devices/d1", "/"]),
    st.lists(pieces, max_size=3),
    st.sampled_from(["?api-version=2021-04-12", ""]),
)
names = st.one_of(
    st.sampled_from(["If-Match", "Content-Type", "Content-Encoding", "Accept", "Expect", "Range", "Cookie"]),
    st.sampled_from(
        ["Upgrade", "Connection", "Sec-WebSocket-Key", "Authorization", "Host", "Transfer-Encoding"]
    ),
)
values = st.one_of(
    st.sampled_from(
        ["*", '"', "gzip", "deflate", "br", "chunked", "100-continue", "websocket", "Upgrade", "W/"]
    ),
    st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]), max_size=30),
    st.sampled_from(
        [TOKEN, "\udcff", "SharedAccessSignature sr=\udcff&sig=\udcff&se=9999999999&skn=iothubowner"]
    ),
    st.just("SharedAccessSignature sr=localhost&sig=%%%&se=9e99&skn=iothubowner"),
)
headers = st.lists(st.tuples(names, values), max_size=4)
authorisations = st.sampled_from(
    [TOKEN, TOKEN, TOKEN, "Bearer x", "SharedAccessSignature sr=\udcff&sig=x&se=9&skn=service"]
)
fields = st.one_of(
    st.sampled_from(["deviceId", "id", "moduleId", "importMode", "eTag", "status", "statusReason", "type"]),
    st.sampled_from(["authentication", "symmetricKey", "primaryKey", "x509Thumbprint", "primaryThumbprint"]),
    st.sampled_from(["capabilities", "iotEdge"]),
)
words = st.sampled_from(["d1", "new", "sas", "selfSigned", "enabled", "delete", "update", "create"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(fields, inner, max_size=6),
    max_leaves=12,
)
identities = st.fixed_dictionaries(
    {"deviceId": st.sampled_from(["d1", "new"]), "id": words}, optional={"authentication": json_values}
)
bodies = st.binary(max_size=200) | (json_values | identities | st.lists(identities, max_size=3)).map(
    lambda value: json.dumps(value).encode()
)


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


def check(raw, caplog):
    """Check each answer in what came back, and that the log shows no trace of a failure."""
    assert raw.startswith(b"HTTP/1."), raw
    status = int(raw.split(b" ", 2)[1])
    if status == 100:
        raw = raw.partition(b"\r\n\r\n")[2]
        status = int(raw.split(b" ", 2)[1])
    assert status in DOCUMENTED, raw
    head, _, body = raw.partition(b"\r\n\r\n")
    if status >= 400 and body and b"isSuccessful" not in body:
        document = json.loads(body)
        assert document.keys() == {"Message", "ExceptionMessage"}
        assert f"iothub-errorcode: {document['Message'][10:].partition(';')[0]}".encode() in head
    assert b"Traceback" not in raw
    records = list(caplog.records)
    caplog.clear()
    for record in records:
        assert record.levelno < logging.ERROR, record.getMessage()
        assert not record.exc_info


@live
@given(method=methods, path=paths, headers=headers, body=bodies, authorisation=authorisations)
def test_odd_requests(hub, port, runtime, caplog, method, path, headers, body, authorisation):
    lines = [("Host", "localhost"), ("Content-Length", len(body)), ("Authorization", authorisation), *headers]
    head = "".join(f"{name}: {value}\r\n" for name, value in lines).replace(TOKEN, token(runtime))
    request = (
        f"{method} {path} HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode(errors="surrogateescape") + body
    )

    check(exchange(port, request), caplog)

    assert hub.head("/devices").status_code == 200


@live
@given(
    path=st.sampled_from(["/devices", "/devices/d1", "/devices/%64%31", "/devices/new"]),
    method=st.sampled_from(["PUT", "POST", "DELETE"]),
    body=bodies,
    if_match=st.none() | st.sampled_from(["*", '"*"', "x"]),
)
def test_odd_bodies_of_calls_that_exist(hub, path, method, body, if_match):
    headers = {"If-Match": if_match} if if_match else {}
    response = hub.request(method, path, content=body, headers=headers)
    assert response.status_code in DOCUMENTED
    assert response.status_code != 401


@live
@given(data=st.binary(min_size=1, max_size=200))
def test_bytes_that_are_no_request(hub, port, caplog, data):
    raw = exchange(port, data, b"\r\n\r\n\r\n\r\n", begins_within=0.2)
    if raw:
        check(raw, caplog)
    assert hub.head("/devices").status_code == 200
