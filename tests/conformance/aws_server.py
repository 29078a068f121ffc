"""Serves an `Aws` alone, in a process of its own: prints its port, then answers until it is ended.

The interpreter switches threads every 10 µs, 500 times as often as usual, for at the usual 5 ms most requests
fit in one turn and a missing lock goes unnoticed.
"""

import sys
from collections.abc import Iterable
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from emulation.aws import Aws
from emulation.clock import SystemClock
from emulation.http import Request

SWITCH_INTERVAL_SECONDS = 1e-5


class Handler(WSGIRequestHandler):
    # Head and body leave in two writes; with Nagle's algorithm the second waits 40 ms for an acknowledgement.
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Logs nothing."""


def application(aws: Aws) -> Any:
    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = tuple(
            (name[5:].replace("_", "-"), str(environ[name])) for name in environ if name.startswith("HTTP_")
        )
        length = int(environ.get("CONTENT_LENGTH") or 0)
        path, _, query = environ["REQUEST_URI"].partition("?")
        response = aws.handle(
            Request(
                method=environ["REQUEST_METHOD"],
                path=path,
                query=query,
                headers=(
                    *headers,
                    ("Content-Type", environ.get("CONTENT_TYPE", "")),
                    ("Content-Length", str(length)),
                ),
                body=environ["wsgi.input"].read(length),
                source_ip=environ["REMOTE_ADDR"],
            )
        )
        start_response(f"{response.status} -", list(response.headers))
        return [response.body]

    return answer


def main() -> None:
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    app = application(Aws(SystemClock()))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
