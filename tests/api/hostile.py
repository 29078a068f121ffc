"""What no client library would send, and what must hold of every refusal, whatever was sent."""

import base64
import json
import socket
from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from tests.api.conftest import ACME, SECRET, Api, client_id

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SEED = "0x" + "00" * 32
PROBLEM_JSON = "application/problem+json"
# Longer than any answer here takes; a server that is silent for so long has failed.
PATIENCE_SECONDS = 20
# Of a traceback, of a file of ours, of a library: what no answer tells.
INSIDES = ("Traceback", 'File "', ".py", "chalicelib", "pydantic", "RuntimeError")

# What means harm somewhere: to a parser, a template, a key, a log, a terminal or a page.
STRINGS: Mapping[str, str] = {
    "empty": "",
    "1 MiB": "a" * 2**20,
    "NUL": "a\0b",
    "lone surrogate": "\ud800",
    "right-to-left override": "a\u202eb",
    "NFC": "\u00e9",
    "NFD": "e\u0301",
    "zero width": "a\u200bb\ufeff",
    "line ends": 'a\r\n{"level":"INFO"}\r\nb',
    "jndi": "${jndi:ldap://127.0.0.1/a}",
    "template": "{{7*7}}",
    "hash": "a#b",
    "bar": "a|b",
    "path": "../../etc/passwd",
    "condition": "attribute_exists(pk)",
    "script": "<script>alert(1)</script>",
    "quotes": "\"'`\\",
}

Headers = Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]]


def raw(
    api: Api, method: str, target: str | bytes, *, headers: Headers = (), body: bytes = b""
) -> httpx.Response:
    """The answer to exactly this target (after the stage), these headers and body; the contract holds."""
    given = list(headers.items() if isinstance(headers, Mapping) else headers)
    path = _bytes(target)
    lines = [method.encode() + b" " + prefix(api) + path + b" HTTP/1.1", b"Host: edge", b"Connection: close"]
    lines += [name.encode() + b": " + _bytes(value) for name, value in given]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    answer = parsed(exchanged(api, b"\r\n".join([*lines, b"", body])), httpx.Request(method, api.base_url))
    if not is_the_servers_own(answer):
        api.contract.check(method, path.decode("latin-1").partition("?")[0], answer)
    return answer


def prefix(api: Api) -> bytes:
    """What every target of the API begins with."""
    return httpx.URL(api.base_url).raw_path


def exchanged(api: Api, message: bytes, *, leave: bool = False) -> bytes:
    """All that comes back for these bytes until the edge closes the connection, or the client does."""
    url = httpx.URL(api.base_url)
    parts = []
    with socket.create_connection((url.host, url.port or 80), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(message)
        if leave:
            connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def parsed(message: bytes, request: httpx.Request) -> httpx.Response:
    """The one response that the message is."""
    head, _, body = message.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
    answer = httpx.Response(int(status.split()[1]), headers=headers, content=body, request=request)
    assert int(answer.headers["Content-Length"]) == len(body), "another response follows"
    return answer


def is_the_servers_own(answer: httpx.Response) -> bool:
    """Whether the HTTP server answered bytes that are no request: a problem too, of no API."""
    return b'"about:blank"' in answer.content


def assert_refused_by_the_server(answer: httpx.Response, status: int) -> None:
    """With RFC 9457's general problem, as there is no request that could have an id."""
    assert answer.headers["Content-Type"] == PROBLEM_JSON
    problem = json.loads(answer.content)
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert (answer.status_code, problem["type"], problem["status"]) == (status, "about:blank", status)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def basic(name: str = client_id(ACME), secret: str = SECRET) -> dict[str, str]:
    """The credentials of a client, as a header."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def posting(api: Api, path: str) -> dict[str, str]:
    """The headers of a good request with a JSON body."""
    return {**api.bearer(), **JSON, **({"Idempotency-Key": "k"} if path == "/v1/jobs" else {})}


def stored(api: Api) -> Mapping[str, str]:
    """All that a request can leave behind: jobs, inputs, claims, entitlements, events, messages, uploads."""
    ports = ("jobs", "queue", "uploads", "payloads", "revocations", "transactions")
    return {
        f"{port}.{name}": repr(value)
        for port in ports
        for name, value in vars(getattr(api.adapters, port)).items()
        if not name.endswith("_lock")
    }


class Refusal:
    """Judges one refusal: in the one shape, with nothing left behind and nothing told of us."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._before = stored(api)

    def check(self, answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
        """The problem, or RFC 6749's error."""
        document: dict[str, Any] = json.loads(answer.content)
        assert (answer.status_code, document.get("code", document.get("error"))) == (status, code), document
        assert 400 <= answer.status_code < 500
        if "code" in document:
            assert answer.headers.get_list("Content-Type") == [PROBLEM_JSON]
            assert document["request_id"] == answer.headers["Request-Id"]
            assert document["status"] == status
            assert json.dumps(document["instance"])[1:-1] == document["instance"], "would need an escape"
        else:
            assert document.keys() == {"error", "error_description"}
            assert answer.headers.get_list("Content-Type") == ["application/json"]
        assert answer.headers["Request-Id"] == answer.headers["x-amzn-RequestId"]
        assert not [each for each in INSIDES if each in answer.text]
        assert all(each.isprintable() for each in answer.text), "would act where it is shown"
        assert stored(self._api) == self._before
        return document
