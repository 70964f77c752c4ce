"""`make audit`, with a service of vulnerabilities that says what it is told to."""

import json
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from wheel_environment import CHECKOUT

LOCKED = re.findall(r"^([a-z0-9.-]+)==", (CHECKOUT / "requirements" / "lock.txt").read_text(), re.MULTILINE)
KNOWN = {
    "id": "PYSEC-2026-1",
    "summary": "Whoever asks is let in.",
    "details": "Whoever asks is let in.",
    "modified": "2026-01-01T00:00:00Z",
    "published": "2026-01-01T00:00:00Z",
    "affected": [{"package": {"name": "httpx", "ecosystem": "PyPI"}, "ranges": []}],
}


@pytest.fixture
def audit():
    """Runs the target; the service knows of a weakness of the packages that are named."""
    weak, asked = set(), []

    class Vulnerabilities(BaseHTTPRequestHandler):
        def do_POST(self):
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = query["package"]["name"]
            asked.append(name)
            answer = json.dumps({"vulns": [KNOWN]} if name in weak else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Vulnerabilities)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def run(*names):
        weak.update(names)
        options = f"--vulnerability-service osv --osv-url http://127.0.0.1:{server.server_port}/v1/query"
        done = subprocess.run(
            ["make", "audit", f"AUDIT_OPTIONS={options}"],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr, set(asked)

    yield run
    server.shutdown()
    server.server_close()


def test_it_asks_of_all_that_is_locked(audit):
    code, said, asked = audit()

    assert (code, "No known vulnerabilities found" in said) == (0, True), said
    assert asked <= set(LOCKED)
    assert {"aiohttp", "cryptography", "httpx", "paho-mqtt", "pytest"} <= asked


def test_a_known_vulnerability_fails_it(audit):
    code, said, _ = audit("httpx")

    assert code == 2
    assert re.search(r"^httpx +\S+ +PYSEC-2026-1", said, re.MULTILINE), said
