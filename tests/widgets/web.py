"""A small web server that plays the API for one made-up run, and a page that holds one widget."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from urllib.parse import parse_qs, urlsplit

from athena.contract.acquisitions import AcquisitionState
from athena.contract.base import Problem, Wire
from tests.widgets.fake_run import RUN_ID, FakeRun

PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>widget</title>
<style>html,body{margin:0;height:100%%;background:%(background)s}#root{padding:%(pad)dpx}</style></head>
<body><div id="root"></div><script type="module">
import widget from "/static/%(name)s.js";
class Model {
  constructor(values) { this.values = values; this.listeners = {}; this.saved = []; this.asked = []; }
  get(name) { return this.values[name]; }
  set(name, value) {
    const changed = this.values[name] !== value;
    this.values[name] = value;
    if (changed) this.emit(`change:${name}`);
  }
  save_changes() { this.saved.push({ ...this.values }); }
  on(event, callback) { (this.listeners[event] ??= []).push(callback); }
  off(event, callback) { this.listeners[event] = (this.listeners[event] ?? []).filter((c) => c !== callback); }
  emit(event, ...details) { for (const callback of [...(this.listeners[event] ?? [])]) callback(...details); }
  async send(message) {
    this.asked.push(message);
    if (message.kind !== "get") return;
    const answer = await fetch(`/api/${message.path}`);
    const content = { kind: "answer", id: message.id, status: answer.status,
      content_type: answer.headers.get("content-type") };
    this.emit("msg:custom", content, [new DataView(await answer.arrayBuffer())]);
  }
}
window.model = new Model(%(traits)s);
window.cleanup = await widget.render({ model: window.model, el: document.getElementById("root") });
window.ready = true;
</script></body></html>"""

DEFAULTS = {
    "run_id": str(RUN_ID),
    "source_kind": "http",
    "base_url": "api/",
    "version": 1,
    "theme": "dark",
    "height": 640,
}


class Web(ThreadingHTTPServer):
    """Serves one fake run on a free loopback port. ``asked`` lists every API path asked for."""

    daemon_threads = True

    def __init__(self, run: FakeRun) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.run = run
        self.asked: list[str] = []
        self.failing: set[str] = set()

    @property
    def url(self) -> str:
        """Origin of the server."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def page(self, name: str, **traits: object) -> str:
        """Address of a page with one widget."""
        return f"{self.url}/?name={name}&traits={json.dumps(DEFAULTS | traits)}"


class Handler(BaseHTTPRequestHandler):
    """Routes."""

    protocol_version = "HTTP/1.1"
    server: Web

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _send(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _problem(self, status: int, message: str) -> None:
        problem = Problem(code="not_found", message=message, hint="Try another.")
        self._send(problem.model_dump_json().encode(), "application/json", status)

    def do_GET(self) -> None:  # the name that http.server wants
        """Answer; a reader that went away is no error."""
        try:
            self._route()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _route(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path == "/":
            traits = json.loads(query["traits"])
            light = traits.get("theme") == "light"
            page = PAGE % {
                "name": query["name"],
                "traits": json.dumps(traits),
                "background": "#f6f8fa" if light else "#0e1317",
                "pad": 16,
            }
            self._send(page.encode(), "text/html; charset=utf-8")
        elif parts.path.startswith("/static/"):
            script = files("athena_widgets").joinpath(parts.path.lstrip("/")).read_bytes()
            self._send(script, "text/javascript; charset=utf-8")
        elif parts.path.startswith("/api/"):
            path = self.path.removeprefix("/api/")
            self.server.asked.append(path)
            if any(part in path for part in self.server.failing):
                self._problem(503, "The store does not answer.")
            else:
                self._api(parts.path.removeprefix(f"/api/runs/{RUN_ID}"), query)
        else:
            self._problem(404, "There is no such page.")

    def _api(self, path: str, query: dict[str, str]) -> None:
        run = self.server.run
        answer: Wire | list[Wire] | bytes
        found = re.fullmatch(r"/acquisitions/(\d+)(/.*)?", path)
        if path == "":
            answer = run.run()
        elif path == "/table":
            answer = run.table(query.get("columns", "").split(","), int(query["start"]), int(query["limit"]))
        elif path == "/columns":
            columns = [name for name in query.get("columns", "").split(",") if name]
            content = run.binary(columns, int(query["start"]), int(query["limit"]))
            return self._send(content, "application/octet-stream")
        elif path == "/verdicts":
            answer = run.judged()
        elif path == "/curves":
            answer = [run.curves(int(i)) for i in query["indices"].split(",")]
        elif path == "/acquisitions":
            answer = run.acquisitions(int(query["offset"]), int(query["limit"]))
        elif found and int(found[1]) < run.total:
            index, rest = int(found[1]), found[2] or ""
            if rest and run.state(index) is not AcquisitionState.COMPLETED:
                return self._problem(404, "This acquisition is not processed yet.")
            tile = re.fullmatch(r"/tiles/(\d+)/(\d+)_(\d+)\.png", rest)
            if tile:
                answer = run.tile(*map(int, tile.groups()), float(query["low"]), float(query["high"]))
            else:
                makers = {
                    "": lambda: run.acquisition(index),
                    "/thumbnail.png": lambda: run.thumbnail(index),
                    "/spectrum.png": lambda: run.spectrum(index),
                    "/image.json": run.image_info,
                }
                answer = makers[rest]()
        else:
            return self._problem(404, f"There is no {path}.")
        if isinstance(answer, bytes):
            return self._send(answer, "image/png")
        items = [json.loads(a.model_dump_json()) for a in answer] if isinstance(answer, list) else None
        body = json.dumps(items) if items is not None else answer.model_dump_json()
        return self._send(body.encode(), "application/json")


@contextmanager
def serve(run: FakeRun) -> Iterator[Web]:
    """Serve a fake run while the block runs."""
    web = Web(run)
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        web.shutdown()
        web.server_close()
        thread.join()
