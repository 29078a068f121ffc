"""JSON of another shape than the schema's: every mistake is told at once, and nothing is stored."""

import json
from typing import Any

import pytest

from tests.api.conftest import Api
from tests.api.hostile import SEED, Refusal, posting, raw

GOOD: dict[str, Any] = {"type": "sha256.chain", "input": {"seed": SEED, "rounds": 3}}
UPLOAD: dict[str, Any] = {"size_bytes": 3, "sha256": "0" * 64}
UPLOAD_ID = "upl_00000000000000000000000001"
LEAVES = {"leaf_encoding": ["bool"], "leaves": [0] * 40_000}
MANY = {f"k{n}": 1 for n in range(10_000)}

SUBMITS: dict[str, tuple[Any, list[str]]] = {
    "null": (None, [""]),
    "an array": ([GOOD], [""]),
    "a string": ("x", [""]),
    "a number": (7, [""]),
    "nothing in it": ({}, ["/input", "/type"]),
    "no type": ({"input": GOOD["input"]}, ["/type"]),
    "no input": ({"type": "sha256.chain"}, ["/input"]),
    "a null type": ({**GOOD, "type": None}, ["/type"]),
    "a null input": ({**GOOD, "input": None}, ["/input"]),
    "an array for the input": ({**GOOD, "input": []}, ["/input"]),
    "a number for the type": ({**GOOD, "type": 1}, ["/type"]),
    "an object for the type": ({**GOOD, "type": {"$ne": ""}}, ["/type"]),
    "both inputs": ({**GOOD, "input_upload": UPLOAD_ID}, ["/input"]),
    "a null upload": ({"type": "sha256.chain", "input_upload": None}, ["/input_upload"]),
    "an unknown field": ({**GOOD, "surprise": 1}, ["/surprise"]),
    "an unknown field in the input": (
        {**GOOD, "input": {**GOOD["input"], "surprise": 1}},
        ["/input/surprise"],
    ),
    "a tenant": ({**GOOD, "tenant_id": "ten_00000000000000000000GLOBEX"}, ["/tenant_id"]),
    "a status": ({**GOOD, "status": "succeeded", "id": "job_1"}, ["/status", "/id"]),
    "a tenant in the input": ({**GOOD, "input": {**GOOD["input"], "tenant_id": "x"}}, ["/input/tenant_id"]),
    "a prototype": ({**GOOD, "__proto__": {"status": "succeeded"}}, ["/__proto__"]),
    "a prototype in the input": ({**GOOD, "input": {**GOOD["input"], "__proto__": {}}}, ["/input/__proto__"]),
    "a class": ({**GOOD, "__class__": "x", "constructor": {}}, ["/__class__", "/constructor"]),
    "10,000 keys": ({**GOOD, **MANY}, [f"/k{n}" for n in range(100)]),
    "10,000 keys in the input": (
        {**GOOD, "input": {**GOOD["input"], **MANY}},
        [f"/input/k{n}" for n in range(100)],
    ),
    "40,000 leaves that are none": (
        {"type": "merkle.root", "input": LEAVES},
        [f"/input/leaves/{n}" for n in range(100)],
    ),
    "nine types of a leaf's values": (
        {"type": "merkle.root", "input": {"leaf_encoding": ["bool"] * 9, "leaves": [["true"]]}},
        ["/input/leaf_encoding"],
    ),
    "no time": ({**GOOD, "deadline_seconds": 0}, ["/deadline_seconds"]),
    "more than a week": ({**GOOD, "deadline_seconds": 604_801}, ["/deadline_seconds"]),
    "no time for an upload": (
        {"type": "sha256.chain", "input_upload": UPLOAD_ID, "deadline_seconds": -1},
        ["/deadline_seconds"],
    ),
    # What is wrong beside the input does not hide what is wrong in it.
    "mistakes in and beside the input": (
        {"type": "sha256.chain", "input": {"seed": "x", "rounds": 0}, "surprise": 1},
        ["/surprise", "/input/seed", "/input/rounds"],
    ),
    "mistakes everywhere, and an upload": (
        {"type": "sha256.chain", "input": {"rounds": 1}, "input_upload": "x", "surprise": 1},
        ["/input", "/input_upload", "/surprise", "/input/seed"],
    ),
    "an unknown type, and a field": ({**GOOD, "type": "no.such", "surprise": 1}, ["/surprise", "/type"]),
}
UPLOADS: dict[str, tuple[Any, list[str]]] = {
    "null": (None, [""]),
    "an array": ([UPLOAD], [""]),
    "a string": ("x", [""]),
    "nothing in it": ({}, ["/size_bytes", "/sha256"]),
    "nulls": ({"size_bytes": None, "sha256": None}, ["/size_bytes", "/sha256"]),
    "an unknown field": ({**UPLOAD, "tenant_id": "x"}, ["/tenant_id"]),
    "a prototype": ({**UPLOAD, "__proto__": {}}, ["/__proto__"]),
    "10,000 keys": ({**UPLOAD, **MANY}, [f"/k{n}" for n in range(100)]),
    "100,000 items": ({**UPLOAD, "sha256": [0] * 60_000}, ["/sha256"]),
    "mistakes everywhere": (
        {"size_bytes": "1", "sha256": 1, "x": 1},
        ["/size_bytes", "/sha256", "/x"],
    ),
}
CASES = [
    *(pytest.param("/v1/jobs", *row, id=f"submit {name}") for name, row in SUBMITS.items()),
    *(pytest.param("/v1/uploads", *row, id=f"upload {name}") for name, row in UPLOADS.items()),
]


@pytest.mark.parametrize(("path", "document", "pointers"), CASES)
def test_every_place_is_named_when_a_document_has_another_shape(
    api: Api, path: str, document: Any, pointers: list[str]
) -> None:
    headers, refusal = posting(api, path), Refusal(api)
    body = json.dumps(document, separators=(",", ":")).encode()
    problem = refusal.check(raw(api, "POST", path, headers=headers, body=body), 400, "invalid_request")
    assert [each["pointer"] for each in problem["errors"]] == pointers
    assert all(each["detail"] for each in problem["errors"])


def test_100_000_items_are_too_large_for_a_request(api: Api) -> None:
    headers, refusal = posting(api, "/v1/jobs"), Refusal(api)
    body = json.dumps({"type": "merkle.root", "input": {"leaf_encoding": ["bool"], "leaves": [0] * 100_000}})
    refusal.check(api.http.post("/v1/jobs", headers=headers, content=body), 413, "payload_too_large")


def test_a_job_is_the_callers_own_when_a_header_names_another_tenant(api: Api) -> None:
    names = ("X-Tenant-Id", "tenant_id", "X-Amzn-Authorizer", "X-Api-Key")
    headers = {**posting(api, "/v1/jobs"), **dict.fromkeys(names, "ten_00000000000000000000GLOBEX")}
    assert raw(api, "POST", "/v1/jobs", headers=headers, body=json.dumps(GOOD).encode()).status_code == 202
    assert "GLOBEX" not in repr(vars(api.adapters.jobs))


def test_the_detail_says_what_to_do_and_never_repeats_the_input(api: Api) -> None:
    document = {
        "type": "sha256.chain",
        "input": {"seed": "<script>secret</script>", "rounds": 98765432109},
        "surprise": "secret",
    }
    answer = api.http.post("/v1/jobs", headers=posting(api, "/v1/jobs"), json=document)
    assert "secret" not in answer.text
    assert "98765432109" not in answer.text
    assert {each["pointer"]: each["detail"] for each in answer.json()["errors"]} == {
        "/surprise": "Extra inputs are not permitted",
        "/input/seed": "String should have at least 66 characters",
        "/input/rounds": "Input should be less than or equal to 10000000000",
    }
