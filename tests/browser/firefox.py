"""Firefox, driven through WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/), which it speaks without a driver.

Only what a smoke test of the portal needs: go, look through shadow roots, click, press keys, and what went wrong.
"""

import json
import os
import re
import subprocess
import time
from base64 import b64decode
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import websocket

from tests.setup_machine import firefox

START_SECONDS = 120.0
PATIENCE_SECONDS = 120.0
_LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
_LEFT = "was interrupted while the page was loading"
"""Firefox says so of a web socket that is open when one goes to another page: no fault of the page."""
_QUIET = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutConfig.showWarning": False,
    "browser.newtabpage.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.push.connection.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "security.sandbox.content.level": 0,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
    "ui.prefersReducedMotion": 0,
}
"""Settings of a profile that asks nobody on the network for anything."""
_FIND = """((selector) => {
  const found = (root) => [...root.querySelectorAll(selector),
    ...[...root.querySelectorAll("*")].flatMap((node) => node.shadowRoot ? found(node.shadowRoot) : [])];
  const all = found(document);
  return all.find((node) => node.getClientRects().length > 0 && getComputedStyle(node).visibility !== "hidden");
})"""
"""The first element that can be seen, in the page and in the shadow roots below it."""


class Firefox:
    """One window of a profile of its own, below ``folder``. ``errors`` lists what pages complained of."""

    def __init__(self, folder: Path, *, size: tuple[int, int] = (1280, 800)) -> None:
        self.errors: list[str] = []
        self._folder = folder
        self._size = size
        self._last = 0

    def __enter__(self) -> Self:
        path = firefox()
        assert path is not None
        profile = self._folder / "profile"
        profile.mkdir(parents=True)
        settings = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in _QUIET.items())
        (profile / "user.js").write_text("\n".join(settings))
        said = self._folder / "firefox.log"
        command = [path, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
        with said.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "HOME": str(self._folder)}
            )
        try:
            self._socket = websocket.create_connection(
                f"{self._address(said)}/session", timeout=PATIENCE_SECONDS, suppress_origin=True
            )
            self._ask("session.new", capabilities={})
            self._ask("session.subscribe", events=["log.entryAdded"])
            self._context = self._ask("browsingContext.getTree")["contexts"][0]["context"]
            width, height = self._size
            viewport = {"width": width, "height": height}
            self._ask("browsingContext.setViewport", context=self._context, viewport=viewport)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _address(self, said: Path) -> str:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if found := _LISTENING.search(said.read_text(errors="replace")):
                return found[1]
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"Firefox does not listen:\n{said.read_text(errors='replace')[-2000:]}")

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv())
            if told.get("method") == "log.entryAdded" and told["params"]["level"] == "error":
                text = str(told["params"]["text"])
                if _LEFT not in text:
                    self.errors.append(text)
            if told.get("id") == self._last:
                break
        if told["type"] == "error":
            raise AssertionError(f"{method}: {told['error']}: {told['message']}")
        answer: dict[str, Any] = told["result"]
        return answer

    def goto(self, address: str) -> None:
        """Open a page and wait until it is loaded."""
        self._ask("browsingContext.navigate", context=self._context, url=address, wait="complete")

    @property
    def address(self) -> str:
        """Of the page that is open."""
        return str(self.evaluate("location.href"))

    def evaluate(self, expression: str) -> Any:
        """Value of a JavaScript expression, a promise's as well, as far as JSON has it."""
        told = self._ask(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({expression})) ?? null))()",
            target={"context": self._context},
            awaitPromise=True,
        )
        if told["type"] == "exception":
            raise AssertionError(f"{told['exceptionDetails']['text']} in {expression[:300]}")
        return json.loads(told["result"]["value"])

    def of(self, selector: str, expression: str) -> Any:
        """Value of an expression of ``node``, the first visible element that fits; None while there is none."""
        found = f"{_FIND}({json.dumps(selector)})"
        return self.evaluate(f"(async (node) => node ? await ({expression}) : null)({found})")

    def wait(self, selector: str, expression: str = "true") -> Any:
        """Wait until an expression of the first visible element that fits is true; returns its value."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (value := self.of(selector, expression)):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {PATIENCE_SECONDS:.0f} s: {expression} of {selector}; {self.errors}")
            time.sleep(0.1)
        return value

    def click(self, selector: str) -> None:
        """Click the middle of an element once it stands still."""
        self.wait(selector, "(node.scrollIntoView({ block: 'nearest', inline: 'nearest' }), true)")
        place = "[node.getBoundingClientRect()].map((r) => [r.x + r.width / 2, r.y + r.height / 2])[0]"
        before, now = None, self.wait(selector, place)
        while before != now:
            time.sleep(0.15)
            before, now = now, self.wait(selector, place)
        x, y = (int(one) for one in now)
        steps = [{"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0}]
        self._act({"type": "pointer", "id": "mouse", "actions": [*steps, {"type": "pointerUp", "button": 0}]})

    def press(self, key: str) -> None:
        """Press a key and let go of it."""
        self._act(
            {
                "type": "key",
                "id": "keys",
                "actions": [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}],
            }
        )

    def _act(self, source: dict[str, Any]) -> None:
        self._ask("input.performActions", context=self._context, actions=[source])

    def screenshot(self, path: Path) -> None:
        """Keep a picture of the page as it is."""
        told = self._ask("browsingContext.captureScreenshot", context=self._context)
        path.write_bytes(b64decode(told["data"]))
