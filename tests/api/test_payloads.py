"""Uploads and large results, as a client meets them."""

import json
from dataclasses import replace

import httpx

from chalicelib.domain.job import JobRef
from chalicelib.domain.payload import INLINE_BYTES, UPLOAD_BYTES
from chalicelib.ports import Change
from tests.api.conftest import ACME, GLOBEX, Api

BODY = b'{"leaf_encoding":["uint256"],"leaves":[["1"],["2"],["3"]],"proofs":true}'


def submit(api: Api, upload_id: str, key: str = "k1", *, tenant: str = ACME) -> httpx.Response:
    body = {"type": "merkle.root", "input_upload": upload_id}
    headers = {**api.bearer(tenant), "Idempotency-Key": key}
    return api.http.post("/v1/jobs", json=body, headers=headers)


def test_the_job_runs_on_the_uploaded_input_when_a_submit_names_it(api: Api) -> None:
    accepted = submit(api, api.upload(BODY))
    assert accepted.status_code == 202
    job_id = accepted.json()["id"]
    api.run(job_id)
    result = api.http.get(f"/v1/jobs/{job_id}/result", headers=api.bearer()).json()
    content = json.loads(result["content"])
    assert (content["leaves"], len(content["proofs"])) == (3, 3)
    assert (result["size_bytes"], result["download_url"]) == (len(result["content"]), None)


def test_the_first_answer_comes_again_when_a_submit_with_an_upload_is_repeated(api: Api) -> None:
    upload_id = api.upload(BODY)
    first, again = submit(api, upload_id), submit(api, upload_id)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content == first.content


def test_the_refusal_is_the_same_when_an_upload_is_foreign_unsent_or_none(api: Api) -> None:
    refusals = [
        submit(api, api.upload(BODY), tenant=GLOBEX),
        submit(api, api.announce(BODY).json()["id"]),
        submit(api, "upl_00000000000000000000000001"),
    ]
    documents = [{**refusal.json(), "request_id": None} for refusal in refusals]
    assert documents == [documents[0]] * 3
    assert (refusals[0].status_code, documents[0]["code"]) == (409, "upload_not_ready")


def test_every_place_is_named_when_an_upload_is_announced_wrongly(api: Api) -> None:
    refusal = api.announce(BODY, size_bytes=UPLOAD_BYTES + 1, sha256="AB", name="x")
    assert refusal.status_code == 400
    assert {error["pointer"] for error in refusal.json()["errors"]} == {"/size_bytes", "/sha256", "/name"}


def test_a_result_comes_as_a_link_that_expires_when_it_is_large(api: Api) -> None:
    job_id = api.submit().json()["id"]
    api.run(job_id)
    job = api.adapters.jobs.get(JobRef(ACME, job_id))
    assert job is not None
    assert job.result is not None
    large = replace(job, result=replace(job.result, size_bytes=INLINE_BYTES + 1))
    api.adapters.jobs.save([Change(job, large)])
    result = api.http.get(f"/v1/jobs/{job_id}/result", headers=api.bearer()).json()
    assert (result["content"], result["size_bytes"]) == (None, INLINE_BYTES + 1)
    assert result["download_url"].endswith(result["sha256"])
