"""Headless Chromium through its debugging pipe: what a page shows, asks for and complains about.

The pipe carries JSON messages that end in a zero byte, commands one way, answers and events the other.
No port is opened, and nothing beside the browser is needed.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--remote-debugging-pipe", "--force-color-profile=srgb",
)  # fmt: skip
DEADLINE_SECONDS = 60


def executable() -> str | None:
    """Return a Chromium or Chrome of this machine; $CHROMIUM names another one."""
    named = os.environ.get("CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One page: open a file in it, then ask."""

    def __init__(self, browser: "Browser", session: str) -> None:
        self._browser = browser
        self._session = session
        self.requests: list[str] = []
        self.complaints: list[str] = []
        for domain in ("Page", "Network", "Runtime", "Log", "Accessibility"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; keep the events that come before it."""
        return self._browser.call(method, parameters, session=self._session, on_event=self._note)

    def open(self, file: Path, fragment: str = "") -> None:
        """Load a file, and wait until it is there."""
        self.call("Page.navigate", url=f"{file.as_uri()}{fragment}")
        self.wait_for("document.readyState === 'complete'")

    def wait_for(self, expression: str) -> Any:
        """Wait until an expression is true in the page, and return its value."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < deadline, f"does not become true: {expression}"
            time.sleep(0.02)
        return value

    def look(self, *, width: int, dark: bool = False, height: int = 900, media: str = "") -> None:
        """Set the width in CSS pixels, the reader's preference of light or dark, screen or print."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def evaluate(self, expression: str, *, later: bool = False) -> Any:
        """Return the value of an expression in the page; `later`: of what it promises."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=later)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key."""
        codes = {"Tab": 9, "Enter": 13, " ": 32, "ArrowRight": 39}
        text = {"Enter": "\r", " ": " "}.get(key, "")
        for kind in ("keyDown", "keyUp"):
            name = "Space" if key == " " else key
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=name,
                windowsVirtualKeyCode=codes[key],
                text=text,
            )

    def outline(self) -> list[tuple[str, str]]:
        """Return what a screen reader meets: role and name of each node that has a name."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], " ".join(node["name"]["value"].split()))
            for node in nodes
            if not node["ignored"] and node.get("name", {}).get("value")
        ]

    def screenshot(self, file: Path, *, height: int | None = None) -> None:
        """Write a picture of the page, from its top to `height` pixels or its end."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height or size["height"], "scale": 1}
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        file.write_bytes(base64.b64decode(data))

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event["params"]
        match event["method"]:
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Runtime.consoleAPICalled":
                self.complaints.append(str(parameters["args"]))
            case "Runtime.exceptionThrown":
                self.complaints.append(str(parameters["exceptionDetails"]))
            case "Log.entryAdded":
                self.complaints.append(parameters["entry"]["text"])


class Browser:
    """The browser process, and the order of its messages."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._number = 0
        self._rest = b""

    def page(self) -> Page:
        """Return a new page."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        return Page(self, attached["sessionId"])

    def call(
        self, method: str, parameters: dict[str, Any], *, session: str | None = None, on_event: Any = None
    ) -> dict[str, Any]:
        """Send a command and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            if on_event is not None and answer.get("sessionId") == session and "method" in answer:
                on_event(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            data = os.read(self._answers, 1 << 20)
            assert data, "the browser ended"
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)


@contextmanager
def browser(program: str) -> Iterator[Browser]:
    """Start a browser with a fresh profile; end it behind the block."""
    to_browser, commands = os.pipe()
    answers, from_browser = os.pipe()
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        # The browser reads commands from descriptor 3 and writes answers to 4: a shell puts ours there.
        script = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        process = subprocess.Popen(
            [
                "bash",
                "-c",
                script,
                "browser",
                program,
                *ARGUMENTS,
                f"--user-data-dir={folder}",
                "about:blank",
            ],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        try:
            yield Browser(commands, answers)
        finally:
            os.close(commands)  # the browser ends with its pipe
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(answers)
