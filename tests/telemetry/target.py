"""Where reports of faults go in tests: a server that takes them as Sentry does."""

import gzip
import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any


@dataclass
class Seen:
    """All that left the product, as bytes, and the reports in it."""

    raw: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    arrived: "Queue[None]" = field(default_factory=Queue)

    def take(self, headers: str, body: bytes) -> None:
        text = body.decode()
        self.raw += [headers, text, json.dumps(text).encode().decode("unicode_escape")]
        parts = [json.loads(line) for line in text.splitlines() if line]
        for kind, payload in zip(parts[1::2], parts[2::2], strict=True):
            assert kind["type"] == "event", kind
            self.events.append(payload)
            self.arrived.put(None)

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            self.arrived.get(timeout=180)


def listen(seen: Seen) -> ThreadingHTTPServer:
    """A server that takes reports as Sentry does."""

    class Target(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.take(f"{self.path} {self.headers}", gzip.decompress(body))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Target)
    Thread(target=server.serve_forever, daemon=True).start()
    return server
