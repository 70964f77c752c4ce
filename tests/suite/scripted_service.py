"""A loopback HTTPS server that answers as a test scripts it, and writes down what it was asked."""

import json
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme
from patience import PATIENCE

from conformance.backend.rest import RestClient
from conformance.target.credentials import ConnectionString

KEY = "c2VjcmV0LWtleS0xMjM0"


@dataclass
class Reply:
    """One answer. `body` is sent as JSON, or as it is if it is bytes; a `status` of None hangs up."""

    status: int | None = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: object
    data: bytes
    """The body as it came."""


class ScriptedService:
    """Gives its replies one after the other; a request beyond the last gets status 599."""

    def __init__(self, folder):
        authority = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        self.replies = []
        self.requests = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length", 0))
                came = self.rfile.read(length)
                body = json.loads(came) if came else None
                script.requests.append(Request(self.command, self.path, dict(self.headers), body, came))
                reply = script.replies.pop(0) if script.replies else Reply(599)
                if reply.status is None:
                    self.close_connection = True
                    return
                data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response_only(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0" if reply.status == 204 else str(len(data)))
                self.end_headers()
                self.wfile.write(b"" if reply.status == 204 else data)

            do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the base class calls them so

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    def client(self, **options):
        """Return the suite's client for this service; `options` are those of RestClient."""
        return RestClient(
            ConnectionString.parse(
                f"HostName=localhost:{self.port};SharedAccessKeyName=service;SharedAccessKey={KEY}"
            ),
            **{
                "port": self.port,
                "verify": ssl.create_default_context(cafile=self.ca_file),
                "timeout": PATIENCE,
                **options,
            },
        )

    def close(self):
        self._server.shutdown()
        self._thread.join(PATIENCE)
        self._server.server_close()
