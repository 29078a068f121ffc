"""Bodies that are no JSON, or numbers that are none of ours: refused in the one shape, and not stored."""

import json

import pytest

from tests.api.conftest import Api
from tests.api.hostile import SEED, Refusal, posting, raw

SUBMIT, UPLOADS = "/v1/jobs", "/v1/uploads"
GOOD = {
    SUBMIT: json.dumps(
        {"type": "sha256.chain", "input": {"seed": SEED, "rounds": 3}, "deadline_seconds": 60}
    ),
    UPLOADS: json.dumps({"size_bytes": 3, "sha256": "0" * 64}),
}
# Where a number goes, by its pointer.
NUMBER = {
    "/input/rounds": (SUBMIT, '"rounds": 3'),
    "/deadline_seconds": (SUBMIT, '"deadline_seconds": 60'),
    "/size_bytes": (UPLOADS, '"size_bytes": 3'),
}
# A string that is not checked for more than its length.
LEAF = b'{"type":"merkle.root","input":{"leaf_encoding":["string"],"leaves":[["%s"]]}}'


def _whole(path: str) -> dict[str, bytes]:
    good = GOOD[path]
    return {
        "empty": b"",
        "blank": b" \t\r\n",
        "an open brace": b"{",
        "trailing garbage": good.encode() + b"x",
        "two documents": good.encode() * 2,
        "single quotes": good.replace('"', "'").encode(),
        "a trailing comma": good.replace("}", ",}").encode(),
        "a comment": good.encode() + b"// all of it",
        "a byte order mark": b"\xef\xbb\xbf" + good.encode(),
        "UTF-16": good.encode("utf-16"),
        "UTF-16 without a mark": good.encode("utf-16-le"),
        "UTF-32": good.encode("utf-32"),
        "0xFF": b"\xff",
        "0xFF in a string": LEAF % b"\xff",
        "half a character in a string": LEAF % b"\xe2\x80",
        "an overlong slash": LEAF % b"\xc0\xaf",
        "a surrogate in UTF-8": LEAF % b"\xed\xa0\x80",
        "a lone surrogate": LEAF % b"\\ud800",
        "a control character": LEAF % b"\n",
        "100,000 [": b"[" * 100_000,
        "100,000 [ and ]": b"[" * 90_000 + b"]" * 90_000,
        "30,000 objects": b'{"a":' * 30_000,
        "duplicate keys": good.replace("{", '{"type": "x", "type": "x", ', 1).encode(),
    }


NUMBERS = {
    "NaN": ("NaN", "malformed_json"),
    "Infinity": ("Infinity", "malformed_json"),
    "-Infinity": ("-Infinity", "malformed_json"),
    "1e400": ("1e400", "malformed_json"),
    "2^53+1": (str(2**53 + 1), "malformed_json"),
    "2^63": (str(2**63), "malformed_json"),
    "39 digits": ("9" * 39, "malformed_json"),
    "5,000 digits": ("9" * 5_000, "malformed_json"),
    "a leading zero": ("03", "malformed_json"),
    "a plus": ("+3", "malformed_json"),
    "hex": ("0x3", "malformed_json"),
    "-0": ("-0", "invalid_request"),
    "-0.0": ("-0.0", "invalid_request"),
    "0": ("0", "invalid_request"),
    "-1": ("-1", "invalid_request"),
    "2^53-1": (str(2**53 - 1), "invalid_request"),
    "1.5": ("1.5", "invalid_request"),
    "1.0": ("1.0", "invalid_request"),
    "1e9": ("1e9", "invalid_request"),
    "a string of 1": ('"1"', "invalid_request"),
    "true": ("true", "invalid_request"),
    "null": ("null", "invalid_request"),
    "an array of 1": ("[1]", "invalid_request"),
}
PATHS = pytest.mark.parametrize("path", [SUBMIT, UPLOADS])


@PATHS
@pytest.mark.parametrize("name", _whole(SUBMIT))
def test_malformed_json_is_refused_when_a_body_is_none(api: Api, path: str, name: str) -> None:
    headers, refusal = posting(api, path), Refusal(api)
    answer = raw(api, "POST", path, headers=headers, body=_whole(path)[name])
    refusal.check(answer, 400, "malformed_json")


@pytest.mark.parametrize("pointer", NUMBER)
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_refused_when_the_schema_excludes_it(api: Api, pointer: str, name: str) -> None:
    text, code = NUMBERS[name]
    path, place = NUMBER[pointer]
    headers, refusal = posting(api, path), Refusal(api)
    body = GOOD[path].replace(place, f"{place.partition(':')[0]}: {text}")
    problem = refusal.check(raw(api, "POST", path, headers=headers, body=body.encode()), 400, code)
    assert [each["pointer"] for each in problem.get("errors", ())] == (
        [pointer] if code == "invalid_request" else []
    )


@PATHS
@pytest.mark.parametrize("mebibytes", [1, 5, 7, 9, 11])
def test_a_body_is_too_large_when_it_is_beyond_192_kib(api: Api, path: str, mebibytes: int) -> None:
    headers, refusal = posting(api, path), Refusal(api)
    body = b'{"type": "%s"}' % (b"a" * (mebibytes * 2**20))
    refusal.check(api.http.post(path, headers=headers, content=body), 413, "payload_too_large")
