"""A backend behind HTTP proxy integrations, which tells what it was sent."""

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    """Echoes; `/slow` answers once the backend stops, `/broken` never, `/large` more than the limit."""

    protocol_version = "HTTP/1.1"
    server: "Backend"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/broken":
            self.close_connection = True
            return
        if self.path == "/slow":
            self.server.stopping.wait()
        told = {
            "method": self.command,
            "path": self.path,
            "headers": [(name.lower(), value) for name, value in self.headers.items()],
            "body": body.decode(),
        }
        content = b"x" * (10 * 1024 * 1024 + 1) if self.path == "/large" else json.dumps(told).encode()
        with suppress(ConnectionError):  # whoever asked may have gone
            self._send(418 if self.path == "/teapot" else 200, content)

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)  # with Server and Date
        fixed = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
        extra = [("Via", "1.1 x"), ("X-Amzn-RequestId", "backends"), ("X-Many", "1"), ("X-Many", "2")]
        for name, value in [*fixed, *extra]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


class Backend(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stopping = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"
