"""Strings that mean harm somewhere, in every place that takes one: refused, or stored and nothing more."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes

import httpx
import pytest
from Crypto.Hash import keccak

from chalicelib.domain.job import JobRef
from tests.api.conftest import ACME, Api
from tests.api.hostile import FORM, SEED, STRINGS, Refusal, basic, posting, raw

TOO_LARGE = {"1 MiB": (413, "payload_too_large")}
# JSON can write half of a character, and I-JSON (RFC 7493 §2.1) has it refused.
IN_JSON = {**TOO_LARGE, "lone surrogate": (400, "malformed_json")}
Send = Callable[[Api, str], httpx.Response]
Answer = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a string goes, and what it gets there if no row says otherwise."""

    send: Send
    refusal: Answer
    but: Mapping[str, Answer] = field(default_factory=dict)
    # Not a string of this place, but another request.
    without: tuple[str, ...] = ()


def _json(path: str, document: Callable[[str], Any]) -> Send:
    """The body as JSON escapes it."""
    return lambda api, text: raw(
        api, "POST", path, headers=posting(api, path), body=json.dumps(document(text)).encode()
    )


def _submit(**members: Callable[[str], Any]) -> Send:
    good = {"type": "sha256.chain", "input": {"seed": SEED, "rounds": 3}}
    return _json("/v1/jobs", lambda text: {**good, **{name: make(text) for name, make in members.items()}})


def _form(path: str, **changes: str) -> Send:
    """A form with the text for `%s`."""
    fields = {"grant_type": "client_credentials", "token": "x", **changes}

    def send(api: Api, text: str) -> httpx.Response:
        pairs = (f"{name}={value.replace('%s', encoded(text))}" for name, value in fields.items())
        return raw(api, "POST", path, headers={**FORM, **basic()}, body="&".join(pairs).encode())

    return send


def _get(target: str) -> Send:
    return lambda api, text: raw(api, "GET", target.replace("%s", encoded(text)), headers=api.bearer())


def encoded(text: str) -> str:
    """Percent-encoded, half a character too, as no encoder would."""
    return quote_from_bytes(text.encode(errors="surrogatepass"), safe="")


TOKEN, REVOKE = "/v1/oauth/token", "/v1/oauth/revoke"
REFUSED = (400, "invalid_request")
JOB, PROBLEM, INVOICE = ((404, f"{name}_not_found") for name in ("job", "problem", "invoice"))
PLACES: Mapping[str, Place] = {
    "type": Place(
        send=_submit(type=lambda text: text),
        refusal=(400, "unknown_job_type"),
        but={**IN_JSON, "empty": REFUSED},
    ),
    "input.seed": Place(
        send=_submit(input=lambda text: {"seed": text, "rounds": 3}), refusal=REFUSED, but=IN_JSON
    ),
    "input's name": Place(
        send=_submit(input=lambda text: {"seed": SEED, "rounds": 3, text: 1}), refusal=REFUSED, but=IN_JSON
    ),
    "input as a string": Place(send=_submit(input=lambda text: text), refusal=REFUSED, but=IN_JSON),
    "input_upload": Place(
        send=_json("/v1/jobs", lambda text: {"type": "sha256.chain", "input_upload": text}),
        refusal=REFUSED,
        but=IN_JSON,
    ),
    "submit's name": Place(
        send=_json(
            "/v1/jobs", lambda text: {"type": "sha256.chain", "input": {"seed": SEED, "rounds": 3}, text: 1}
        ),
        refusal=REFUSED,
        but=IN_JSON,
    ),
    "leaf_encoding": Place(
        send=_submit(
            type=lambda _: "merkle.root", input=lambda text: {"leaf_encoding": [text], "leaves": [["x"]]}
        ),
        refusal=REFUSED,
        but=IN_JSON,
    ),
    "sha256": Place(
        send=_json("/v1/uploads", lambda text: {"size_bytes": 1, "sha256": text}),
        refusal=REFUSED,
        but=IN_JSON,
    ),
    "upload's name": Place(
        send=_json("/v1/uploads", lambda text: {"size_bytes": 1, "sha256": "0" * 64, text: 1}),
        refusal=REFUSED,
        but=IN_JSON,
    ),
    "grant_type": Place(
        send=_form(TOKEN, grant_type="%s"),
        refusal=(400, "unsupported_grant_type"),
        but={"empty": REFUSED, "1 MiB": REFUSED},
    ),
    "scope": Place(
        # RFC 6749 §3.2: without a value it counts as absent.
        send=_form(TOKEN, scope="%s"),
        refusal=(400, "invalid_scope"),
        but={"1 MiB": REFUSED},
        without=("empty",),
    ),
    "client_secret": Place(send=_form(TOKEN, client_secret="%s"), refusal=REFUSED, without=("empty",)),
    "client id": Place(
        send=lambda api, text: raw(
            api, "POST", REVOKE, headers={**FORM, **basic(encoded(text))}, body=b"token=x"
        ),
        refusal=(401, "invalid_client"),
        without=("1 MiB",),
    ),
    "secret": Place(
        send=lambda api, text: raw(
            api, "POST", REVOKE, headers={**FORM, **basic(secret=encoded(text))}, body=b"token=x"
        ),
        refusal=(401, "invalid_client"),
        without=("1 MiB",),
    ),
    "cursor": Place(
        send=_get("/v1/jobs?cursor=%s"), refusal=(400, "invalid_cursor"), without=("1 MiB",)
    ),
    **{
        name: Place(send=_get(f"/v1/jobs?{name}=%s"), refusal=REFUSED, without=("1 MiB",))
        for name in ("limit", "status", "type", "created_after", "created_before")
    },
    **{
        name: Place(send=_get(f"/v1/usage?{name}=%s"), refusal=REFUSED, without=("1 MiB",))
        for name in ("from", "to")
    },
    "query's name": Place(send=_get("/v1/usage?%s=1"), refusal=REFUSED, without=("1 MiB",)),
    # Without an id these are the paths of a list, or of nothing.
    "job_id": Place(send=_get("/v1/jobs/%s"), refusal=JOB, without=("1 MiB", "empty")),
    "period": Place(send=_get("/v1/invoices/%s"), refusal=INVOICE, without=("1 MiB", "empty")),
    "code": Place(send=_get("/v1/problems/%s"), refusal=PROBLEM, without=("1 MiB", "empty")),
    "job_id of a result": Place(send=_get("/v1/jobs/%s/result"), refusal=JOB, without=("1 MiB",)),
    "job_id of a cancel": Place(
        send=lambda api, text: raw(
            api, "POST", f"/v1/jobs/{encoded(text)}/cancel", headers=api.bearer()
        ),
        refusal=JOB,
        without=("1 MiB",),
    ),
    "no operation": Place(
        send=_get("/v1/nothing/%s"), refusal=(404, "route_not_found"), without=("1 MiB",)
    ),
}  # fmt: skip
CASES = [
    pytest.param(place, text, id=f"{place}-{text}")
    for place in PLACES
    for text in STRINGS
    if text not in PLACES[place].without
]


@pytest.mark.parametrize(("place", "text"), CASES)
def test_a_string_is_refused_when_the_place_excludes_it(api: Api, place: str, text: str) -> None:
    row, refusal = PLACES[place], Refusal(api)
    status, code = row.but.get(text, row.refusal)
    answer = row.send(api, STRINGS[text])
    refusal.check(answer, status, code)
    if text not in ("empty", "hash", "bar"):
        is_named = place.endswith("name")  # a place is told by its name, with what would act made visible
        assert is_named or STRINGS[text] not in answer.text
    assert len(answer.content) < 20_000
    lines = api.stack.log_lines()
    assert len({line["requestId"] for line in lines}) == len(lines), "a line was forged"


ACCEPTED = [text for text in STRINGS if text not in IN_JSON]


@pytest.mark.parametrize("text", ACCEPTED)
def test_a_leaf_is_stored_and_hashed_as_it_is_when_its_type_is_string(api: Api, text: str) -> None:
    document = {"leaf_encoding": ["string"], "leaves": [[STRINGS[text]]]}
    send = _json("/v1/jobs", lambda _: {"type": "merkle.root", "input": document})
    answer = send(api, text)
    assert answer.status_code == 202
    job_id = answer.json()["id"]
    assert json.loads(api.adapters.jobs.input_of(JobRef(ACME, job_id))) == document
    api.run(job_id)
    result = raw(api, "GET", f"/v1/jobs/{job_id}/result", headers=api.bearer()).json()
    assert json.loads(result["content"]) == {"leaves": 1, "root": _leaf_hash(STRINGS[text])}


@pytest.mark.parametrize("text", IN_JSON)
def test_a_leaf_is_refused_when_it_is_endless_or_no_text(api: Api, text: str) -> None:
    refusal = Refusal(api)
    document = {"leaf_encoding": ["string"], "leaves": [[STRINGS[text]]]}
    answer = _json("/v1/jobs", lambda _: {"type": "merkle.root", "input": document})(api, text)
    refusal.check(answer, *IN_JSON[text])


def test_two_spellings_of_one_character_are_two_inputs(api: Api) -> None:
    """Nothing is normalised: bytes are what is hashed, and what a retry is known by."""
    submit = _submit(
        type=lambda _: "merkle.root", input=lambda text: {"leaf_encoding": ["string"], "leaves": [[text]]}
    )
    assert submit(api, STRINGS["NFC"]).status_code == 202
    refusal = Refusal(api)
    refusal.check(submit(api, STRINGS["NFD"]), 422, "idempotency_key_reused")
    assert submit(api, STRINGS["NFC"]).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("text", [text for text in STRINGS if text not in ("empty", "1 MiB")])
def test_a_revoked_token_may_be_any_text(api: Api, text: str) -> None:
    """RFC 7009 §2.2: what was never a token needs no revoking."""
    refusal = Refusal(api)
    answer = _form(REVOKE, token="%s")(api, STRINGS[text])
    assert (answer.status_code, answer.content) == (200, b"")
    for text_of_none in ("", "a" * 2**20):
        refusal.check(_form(REVOKE, token="%s")(api, text_of_none), 400, "invalid_request")


def _leaf_hash(text: str) -> str:
    """The double Keccak-256 of the ABI encoding of one string."""
    content = text.encode()
    padded = content + b"\0" * (-len(content) % 32)
    inner = keccak.new(digest_bits=256, data=(32).to_bytes(32) + len(content).to_bytes(32) + padded).digest()
    return "0x" + keccak.new(digest_bits=256, data=inner).hexdigest()  # fmt: skip
