"""HTTP as no client sends it: one answer each, in the one shape wherever there is a request to answer."""

import gzip
import io
import json
import logging
from typing import Any

import httpx
import pytest

from chalicelib.web.chalice_edge import logger
from tests.api.conftest import Api
from tests.api.hostile import (
    FORM,
    SEED,
    Refusal,
    assert_refused_by_the_server,
    basic,
    exchanged,
    parsed,
    posting,
    prefix,
    raw,
    stored,
)

SUBMIT = json.dumps({"type": "sha256.chain", "input": {"seed": SEED, "rounds": 3}}).encode()
GRANT = b"grant_type=client_credentials"

# As said, and whether that is one JSON document in UTF-8.
MEDIA_TYPES = {
    "application/json": True,
    "Application/JSON": True,
    "application/json; charset=utf-8": True,
    'application/json;charset="UTF-8"': True,
    "application/json; charset=utf-16": False,
    "application/json; charset=utf-8; charset=utf-16": False,
    "application/json; charset=latin-1": False,
    "application/json; charset": False,
    "application/json, text/plain": False,
    "application/jsonx": False,
    "application/x-www-form-urlencoded": False,
    "multipart/form-data; boundary=x": False,
    "text/plain": False,
    "*/*": False,
    "": False,
    "\u202e": False,
}


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_a_body_is_read_only_when_it_is_said_to_be_json_in_utf_8(api: Api, media_type: str) -> None:
    headers, refusal = {**posting(api, "/v1/jobs"), "Content-Type": media_type}, Refusal(api)
    answer = raw(api, "POST", "/v1/jobs", headers=headers, body=SUBMIT)
    if MEDIA_TYPES[media_type]:
        assert answer.status_code == 202
    else:
        refusal.check(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("body", [gzip.compress(SUBMIT), SUBMIT], ids=["compressed", "said to be"])
@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate", "identity, gzip", "x"])
def test_a_body_is_refused_when_it_has_a_content_coding(api: Api, coding: str, body: bytes) -> None:
    headers, refusal = {**posting(api, "/v1/jobs"), "Content-Encoding": coding}, Refusal(api)
    refusal.check(raw(api, "POST", "/v1/jobs", headers=headers, body=body), 415, "unsupported_media_type")
    answer = raw(
        api, "POST", "/v1/oauth/token", headers={**FORM, **basic(), "Content-Encoding": coding}, body=GRANT
    )
    refusal.check(answer, 400, "invalid_request")  # fmt: skip


def test_a_body_is_refused_when_it_has_two_media_types(api: Api) -> None:
    headers, refusal = [*posting(api, "/v1/jobs").items(), ("Content-Type", "text/plain")], Refusal(api)
    answer = raw(api, "POST", "/v1/jobs", headers=headers, body=SUBMIT)
    refusal.check(answer, 415, "unsupported_media_type")


# The bytes after the head's own lines; what is answered; no part of it is a second request's answer.
FRAMINGS = {
    "a length that is too short": (b"Content-Length: 5\r\n\r\n" + SUBMIT, None),
    "two lengths": (b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + SUBMIT, 400),
    "a negative length": (b"Content-Length: -1\r\n\r\n" + SUBMIT, 400),
    "an endless length": (b"Content-Length: " + b"9" * 99 + b"\r\n\r\n" + SUBMIT, 400),
    "a length and chunks": (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a chunk of no length": (b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n" + SUBMIT, 400),
    "a chunk that is longer": (b"Transfer-Encoding: chunked\r\n\r\n1\r\n" + SUBMIT, 400),
    "another coding": (b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "a space in a name": (b"X Any: 1\r\n\r\n", 400),
    "a folded line": (b"X-Any: 1\r\n 2\r\n\r\n", 400),
    "a bare CR": (b"X-Any: 1\r2\r\n\r\n", 400),
    "two hosts": (b"Host: b\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", FRAMINGS)
def test_nothing_is_stored_when_a_message_lies_about_its_length(api: Api, name: str) -> None:
    rest, status = FRAMINGS[name]
    head = _head(api, posting(api, "/v1/jobs"))
    before = stored(api)
    message = exchanged(api, head + rest)
    answer = parsed(message, httpx.Request("POST", api.base_url))
    if status is None:
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
    elif status == 501:  # RFC 9112 §6.1 asks for it: the one that is no fault of a message's form
        assert (answer.status_code, answer.json()["type"]) == (501, "about:blank")
    else:
        assert_refused_by_the_server(answer, status)
    assert stored(api) == before


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 9999\r\n\r\n" + SUBMIT,
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(SUBMIT), SUBMIT),
        b"Transfer-Encoding: chunked\r\n\r\nff\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"Content-Le",
    ],
    ids=["a length that is too long", "no last chunk", "half a chunk", "no chunk", "half a head"],
)
def test_nothing_is_answered_or_stored_when_the_client_leaves_in_the_middle(api: Api, rest: bytes) -> None:
    head = _head(api, posting(api, "/v1/jobs"))
    before = stored(api)
    calls = len(api.stack.calls)
    assert exchanged(api, head + rest, leave=True) == b""
    assert stored(api) == before
    assert len(api.stack.calls) == calls


def _head(api: Api, headers: dict[str, str]) -> bytes:
    lines = [f"{name}: {value}".encode() for name, value in {**headers, "Connection": "close"}.items()]
    return b"POST " + prefix(api) + b"/v1/jobs HTTP/1.1\r\nHost: a\r\n" + b"\r\n".join(lines) + b"\r\n"


@pytest.mark.parametrize("size", [10_300, 40_000, 65_536])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_head_is_too_large_when_it_is_beyond_10_kib(api: Api, method: str, size: int) -> None:
    refusal = Refusal(api)
    for target, headers in (
        ("/v1/jobs", {"X-Long": "a" * size}),
        ("/v1/jobs/" + "a" * size, {}),
        ("/v1/nothing/" + '"' * size, {}),
        ("/v1/jobs?cursor=" + "a" * size, {}),
        ("/v1/jobs", {"Authorization": "Bearer " + "a" * size}),
    ):
        answer = raw(api, method, target, headers=headers)
        if size < 60_000:
            refusal.check(answer, 413, "payload_too_large")
        else:  # it may come in more pieces than one, and then be more than the server reads
            assert answer.status_code in (413, 431)


OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method")


@pytest.mark.parametrize("header", OVERRIDES)
def test_the_method_is_the_requests_own_when_a_header_names_another(api: Api, header: str) -> None:
    job = f"/v1/jobs/{api.submit().json()['id']}"
    before = stored(api)
    answer = raw(api, "GET", job, headers={**api.bearer(), header: "DELETE"})
    assert (answer.status_code, answer.json()["status"]) == (200, "queued")
    answer = raw(api, "GET", f"{job}/cancel", headers={**api.bearer(), header: "POST"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    answer = raw(api, "GET", "/v1/jobs", headers={**posting(api, "/v1/jobs"), header: "POST"}, body=SUBMIT)
    assert (answer.status_code, answer.json()["object"]) == (200, "list")
    assert stored(api) == before


def test_a_line_of_the_logs_is_one_document_when_the_request_holds_line_ends(api: Api) -> None:
    """Of the gateway's log and of the function's, which tells of a defect without its message."""

    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError('x\r\n{"level":"INFO","message":"forged"}\r\n\u2028')

    headers = api.bearer()
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logger.registered_formatter)
    logger.addHandler(handler)
    kept, api.adapters.jobs = api.adapters.jobs, Broken()
    answer = raw(api, "GET", f"/v1/jobs/job_{'0' * 26}", headers={**headers, "User-Agent": '"\\'})
    logger.removeHandler(handler)
    api.adapters.jobs = kept
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "forged" not in answer.text
    told = [json.loads(line) for line in log.getvalue().strip("\n").split("\n")]
    assert {line["correlation_id"] for line in told} == {answer.headers["Request-Id"]}
    assert "forged" not in {line["message"] for line in told}
    raw(api, "GET", '/v1/nothing%0d%0a{"status":200}')
    lines = api.stack.log_lines()
    assert [line["status"] for line in lines[-2:]] == [500, 404]
