"""Large results and uploaded inputs: what is promised of them, whatever stores them."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.adapters.memory import MemoryJobs
from chalicelib.adapters.memory_uploads import MemoryPayloads, MemoryUploads
from chalicelib.domain.errors import (
    ActiveJobsExceeded,
    DomainError,
    IdempotencyKeyReused,
    InvalidRequest,
    JobQuotaExceeded,
    SpendCapExceeded,
    UnknownJobType,
    UploadNotReady,
)
from chalicelib.domain.failure import Failure
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.payload import INLINE_BYTES, LINK_LIFETIME, UploadedInput
from chalicelib.ports import Change
from chalicelib.use_cases.create_upload import Announced, CreateUpload
from chalicelib.use_cases.run_job import Outcome
from chalicelib.web.schemas.jobs import parse_submit
from chalicelib.web.schemas.results import result_view
from chalicelib.web.schemas.uploads import upload_view
from tests.unit.world import ACME, GLOBEX, SHORT, START, World, result_of

UPLOAD_ID = "upl_00000000000000000000000001"


def announced(world: World, body: bytes, tenant: str = ACME) -> Announced:
    create = CreateUpload(uploads=world.uploads, clock=world.clock, ids=world.ids)
    return create(tenant, size_bytes=len(body), sha256=hashlib.sha256(body).hexdigest())


def uploaded(world: World, body: bytes, tenant: str = ACME) -> str:
    """The id of an upload that its tenant has sent."""
    upload = announced(world, body, tenant)
    assert isinstance(world.uploads, MemoryUploads)
    assert world.uploads.send(upload.link.url, upload.headers, body, now=world.clock.now())
    return upload.upload.upload_id


def sized(world: World, ref: JobRef, size_bytes: int | None) -> None:
    """Lets the job's row say that its result has this size, or nothing of it, as old rows do."""
    job = world.job(ref)
    assert job.result is not None
    world.jobs.save([Change(job, replace(job, result=replace(job.result, size_bytes=size_bytes)))])


@pytest.mark.parametrize("size_bytes", [None, INLINE_BYTES])
def test_a_result_comes_with_its_content_when_it_is_small_or_its_size_unknown(
    world: World, size_bytes: int | None
) -> None:
    ref = world.confirming()
    sized(world, ref, size_bytes)
    view = result_view(world.get_result(ref))
    assert view.content is not None
    assert (view.size_bytes, view.download_url) == (len(view.content), None)
    assert hashlib.sha256(view.content.encode()).hexdigest() == view.sha256


def test_a_result_comes_as_a_link_and_is_not_read_when_it_is_large(world: World) -> None:
    ref = world.confirming()
    sized(world, ref, INLINE_BYTES + 1)
    world.payloads = MemoryPayloads()  # an empty one, which has nothing to read
    view = result_view(world.get_result(ref))
    assert (view.content, view.size_bytes) == (None, INLINE_BYTES + 1)
    assert view.download_url is not None
    assert view.download_expires_at == START + LINK_LIFETIME


def test_a_row_says_how_large_its_result_is_when_the_job_has_run(world: World) -> None:
    ref = world.confirming()
    job, content = world.job(ref), world.get_result(ref).content
    assert job.result is not None
    assert content is not None
    assert job.result.size_bytes == len(content)


def test_the_headers_are_the_announced_length_and_hash_when_an_upload_is_created(world: World) -> None:
    view = upload_view(announced(world, b"{}"))
    document = json.loads(view.to_bytes())
    assert document["signed_headers"] == {
        "content-length": "2",
        "x-amz-checksum-sha256": "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=",
    }
    assert document["expires_at"] == "2026-11-23T05:15:00.000Z"


def test_the_result_is_the_same_when_the_input_was_uploaded(world: World) -> None:
    sent = world.submit("sent").job_ref
    by_upload = world.submit("uploaded", upload=uploaded(world, json.dumps(SHORT).encode())).job_ref
    for ref in (sent, by_upload):
        assert world.run_job(ref) is Outcome.FINISHED
    assert result_of(world, by_upload) == result_of(world, sent)


def test_nothing_is_stored_when_the_upload_is_not_there(world: World) -> None:
    not_sent = announced(world, b"{}").upload.upload_id
    foreign = uploaded(world, b"{}", GLOBEX)
    details = []
    for upload_id in (not_sent, foreign, UPLOAD_ID):
        with pytest.raises(UploadNotReady) as refusal:
            world.submit(upload=upload_id)
        details.append(refusal.value.detail)
    assert len({*details}) == 1
    assert isinstance(world.jobs, MemoryJobs)
    assert world.jobs.count(ACME, "active") == 0
    assert not world.submit(upload=uploaded(world, b"{}")).is_replay  # the key is still free


@pytest.mark.parametrize(
    ("limit", "refused"),
    [
        ({"active_jobs": 1}, ActiveJobsExceeded),
        ({"jobs_per_month": 1}, JobQuotaExceeded),
        ({"spend_cap_micros": -1}, SpendCapExceeded),
    ],
)
def test_no_copy_of_an_upload_is_kept_when_its_submit_is_refused(
    world: World, limit: dict[str, int], refused: type[DomainError]
) -> None:
    upload_id = uploaded(world, b"{}")
    world.submit(key="first")
    world.plan = replace(world.plan, **limit)
    with pytest.raises(refused):
        world.submit(key="second", upload=upload_id)
    assert world.uploads.kept(ACME, upload_id) is None


def test_the_job_type_is_refused_at_once_when_the_input_is_an_upload(world: World) -> None:
    with pytest.raises(UnknownJobType):
        world.submit(job_type="no.such", upload=uploaded(world, b"{}"))


def test_a_key_names_its_upload_when_another_has_the_same_bytes(world: World) -> None:
    first, second = (uploaded(world, b"{}") for _ in range(2))
    accepted = world.submit(upload=first)
    again = world.submit(upload=first)
    assert (again.job_ref, again.is_replay) == (accepted.job_ref, True)
    with pytest.raises(IdempotencyKeyReused):
        world.submit(upload=second)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"seed":1,"seed":1}', "same name twice"),
        (b"[]", "the document: "),
        (b'{"seed":"0x","rounds":"1"}', "/seed: "),
        (b'{"seed":"0x","rounds":"1"}', "/rounds: "),
        (b'{"a":1,"b":1,"c":1,"rounds":1}', "and 1 more"),
        (json.dumps(dict.fromkeys("x" * n for n in range(900, 990))).encode(), "and 89 more"),
    ],
)
def test_the_job_fails_and_says_where_when_the_upload_is_no_input(
    world: World, body: bytes, named: str
) -> None:
    ref = world.submit(upload=uploaded(world, body)).job_ref
    assert world.run_job(ref) is Outcome.FAILED
    job = world.job(ref)
    assert job.status is Status.FAILED
    assert isinstance(job.failure, Failure)
    assert job.failure.code == "job_error"
    assert named in job.failure.detail
    assert len(job.failure.detail) <= 1024


class Altered(MemoryUploads):
    """A store that gives back other bytes than it took."""

    def read(self, uploaded: UploadedInput) -> bytes:
        """Another document."""
        return super().read(uploaded) + b" "


def test_the_job_fails_when_the_uploads_bytes_are_not_those_of_the_submit(world: World) -> None:
    world.uploads = Altered()
    ref = world.submit(upload=uploaded(world, json.dumps(SHORT).encode())).job_ref
    assert world.run_job(ref) is Outcome.FAILED
    failure = world.job(ref).failure
    assert failure is not None
    assert "SHA-256" in failure.detail


@pytest.mark.parametrize(
    ("document", "pointers"),
    [
        ({"type": "x"}, ["/input", "/type"]),
        ({"type": "x", "input": {}, "input_upload": UPLOAD_ID}, ["/input", "/type"]),
        ({}, ["/input", "/type"]),
        ({"type": "x", "input": None}, ["/input", "/type"]),
        ({"type": "x", "input_upload": None}, ["/input_upload", "/type"]),
        ({"type": "x", "input_upload": ""}, ["/input_upload", "/type"]),
        ({"type": "x", "input_upload": f"{UPLOAD_ID}\n"}, ["/input_upload", "/type"]),
        ({"type": "x", "input_upload": "job_00000000000000000000000001"}, ["/input_upload", "/type"]),
    ],
)
def test_every_place_is_named_when_a_submit_has_not_exactly_one_input(
    document: dict[str, Any], pointers: list[str]
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_submit(document)
    assert [error.pointer for error in refusal.value.errors] == pointers
