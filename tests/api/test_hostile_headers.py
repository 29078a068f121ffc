"""The same strings in headers: refused, ignored, or no HTTP at all."""

import json

import pytest

from tests.api.conftest import Api
from tests.api.hostile import JSON, SEED, STRINGS, Refusal, assert_refused_by_the_server, raw

# In a header: what HTTP allows there is 0x20 to 0xFF and tabs; a line's end begins another header.
KEYS = {
    **dict.fromkeys(("jndi", "template", "hash", "bar", "path", "condition", "script"), 202),
    **dict.fromkeys(("right-to-left override", "NFC", "NFD", "zero width", "lone surrogate"), 400),
}


@pytest.mark.parametrize("text", KEYS)
def test_a_key_is_any_printable_ascii_and_nothing_else(api: Api, text: str) -> None:
    refusal = Refusal(api)
    value = STRINGS[text].encode(errors="surrogatepass")
    body = json.dumps({"type": "sha256.chain", "input": {"seed": SEED, "rounds": 3}}).encode()
    answer = raw(
        api, "POST", "/v1/jobs", headers={**api.bearer(), **JSON, "Idempotency-Key": value}, body=body
    )
    assert answer.status_code == KEYS[text]
    assert value not in answer.content
    if answer.status_code == 400:
        refusal.check(answer, 400, "idempotency_key_invalid")
    assert text == "hash" or value.decode(errors="replace") not in "".join(
        claim.storage_key for claim in vars(api.adapters.jobs)["_claims"].values()
    )


@pytest.mark.parametrize(
    "header", ["traceparent", "Prefer", "If-None-Match", "User-Agent", "X-Forwarded-For"]
)
@pytest.mark.parametrize("text", KEYS)
def test_a_header_is_ignored_when_it_means_nothing(api: Api, header: str, text: str) -> None:
    target = f"/v1/jobs/{api.submit().json()['id']}"
    value = STRINGS[text].encode(errors="surrogatepass")
    answer = raw(api, "GET", target, headers={**api.bearer(), header: value})
    assert answer.status_code == 200
    assert value not in answer.content
    assert value.decode("latin-1") not in str(answer.headers)


@pytest.mark.parametrize("header", ["Idempotency-Key", "traceparent", "Authorization", "Content-Type"])
def test_a_header_is_no_http_when_it_holds_a_nul(api: Api, header: str) -> None:
    refusal = raw(api, "POST", "/v1/jobs", headers={header: STRINGS["NUL"]}, body=b"{}")
    assert_refused_by_the_server(refusal, 400)


@pytest.mark.parametrize("header", ["traceparent", "If-None-Match", "User-Agent", "Cookie", "X-Any"])
def test_one_mebibyte_in_a_header_is_too_much_for_the_server(api: Api, header: str) -> None:
    answer = raw(api, "GET", "/v1/jobs", headers={header: STRINGS["1 MiB"]})
    assert_refused_by_the_server(answer, 431)
