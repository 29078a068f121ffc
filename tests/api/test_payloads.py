"""Uploads and large results, as a client meets them."""

import json
from dataclasses import replace
from datetime import timedelta

import httpx

from chalicelib.domain.job import JobRef
from chalicelib.domain.payload import INLINE_BYTES, LINK_LIFETIME, UPLOAD_BYTES, UPLOAD_LIFETIME
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


def test_the_first_answer_comes_again_when_the_upload_has_expired_since(api: Api) -> None:
    named, unnamed = api.upload(BODY), api.upload(BODY)
    first = submit(api, named)
    pass_by(api, UPLOAD_LIFETIME)
    again, late = submit(api, named), submit(api, unnamed, "k2")
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert (late.status_code, late.json()["code"]) == (409, "upload_not_ready")


def test_an_upload_may_be_named_until_its_day_is_over(api: Api) -> None:
    upload_id = api.upload(BODY)
    pass_by(api, UPLOAD_LIFETIME - timedelta(minutes=1))
    assert submit(api, upload_id).status_code == 202


def test_nothing_is_stored_when_the_bytes_come_after_the_link_has_expired(api: Api) -> None:
    upload = api.announce(BODY).json()
    pass_by(api, LINK_LIFETIME)
    assert not api.adapters.uploads.send(
        upload["url"], upload["signed_headers"], BODY, now=api.adapters.clock.now()
    )
    assert submit(api, upload["id"]).json()["code"] == "upload_not_ready"


def pass_by(api: Api, time: timedelta) -> None:
    """So much time, and a little more."""
    api.stack.clock.advance(time.total_seconds() + 1)


def test_100_mebibytes_are_announced_and_no_byte_more(api: Api) -> None:
    largest = api.announce(BODY, size_bytes=100 * 2**20)
    assert largest.status_code == 201
    assert largest.json()["signed_headers"]["content-length"] == "104857600"
    refusal = api.announce(BODY, size_bytes=100 * 2**20 + 1)
    assert [error["pointer"] for error in refusal.json()["errors"]] == ["/size_bytes"]


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
