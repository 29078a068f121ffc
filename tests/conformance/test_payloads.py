"""One suite for the ports of results and uploads, in memory and in S3."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import httpx
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from chalicelib.adapters.memory_uploads import MemoryCheckpoints, MemoryPayloads, MemoryUploads
from chalicelib.adapters.s3 import CHECKPOINTS, UPLOADS, Links, S3Uploads
from chalicelib.adapters.system import RandomIds, SystemClock
from chalicelib.domain.job import JobRef
from chalicelib.domain.payload import LINK_LIFETIME, Upload, UploadedInput
from chalicelib.ports import Checkpoints, Payloads, Uploads
from emulation.aws import Aws
from emulation.clock import ManualClock
from tests.conformance import real_ports
from tests.conformance.in_process import connect_in_process, send

IDS = RandomIds()
# The real store is in another process, on the machine's clock.
NOW = SystemClock().now()
BODY = b'{"n":1}'


@dataclass(frozen=True, slots=True)
class Store:
    """The ports, and what a tenant does with their links.

    `expire` takes an upload away after its day, and `forget` a checkpoint some time after its last use.
    """

    payloads: Payloads
    uploads: Uploads
    checkpoints: Checkpoints
    get: Callable[[str], bytes]
    put: Callable[[str, Mapping[str, str], bytes], bool]
    expire: Callable[[Upload], object]
    forget: Callable[[str], object]


@pytest.fixture(params=["memory", "real"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "real":
        return _real(request.getfixturevalue("aws_endpoint"))
    payloads, uploads, checkpoints = MemoryPayloads(), MemoryUploads(), MemoryCheckpoints()
    return Store(
        payloads,
        uploads,
        checkpoints,
        get=lambda url: payloads.get(url.removeprefix("memory:")),
        put=lambda url, headers, body: uploads.send(url, headers, body, now=NOW),
        expire=lambda _: None,
        forget=checkpoints.stored.pop,
    )


def _real(endpoint: str) -> Store:
    real_ports.make_resources(endpoint)
    s3 = real_ports.client("s3", endpoint=endpoint)
    return Store(
        real_ports.payloads(endpoint),
        real_ports.uploads(endpoint),
        real_ports.checkpoints(endpoint),
        get=lambda url: httpx.get(url).raise_for_status().content,
        put=lambda url, headers, body: httpx.put(url, headers=headers, content=body).status_code == 200,
        expire=lambda upload: s3.delete_object(Bucket=UPLOADS, Key=f"{upload.tenant_id}/{upload.upload_id}"),
        forget=lambda key: s3.delete_object(Bucket=CHECKPOINTS, Key=key),
    )


@pytest.fixture
def upload() -> Upload:
    return Upload(
        tenant_id=IDS.new_id("ten_"),
        upload_id=IDS.new_id("upl_"),
        size_bytes=len(BODY),
        sha256=hashlib.sha256(BODY).hexdigest(),
    )


def sent(store: Store, upload: Upload, body: bytes = BODY) -> bool:
    url = store.uploads.link(upload, now=NOW).url
    return store.put(url, store.uploads.headers(upload), body)


def test_contents_never_overwrite_each_other_when_two_workers_store(store: Store) -> None:
    ref = JobRef(IDS.new_id("ten_"), "job_1")
    keys = [store.payloads.put(ref, content) for content in (b"one", b"two", b"one")]
    assert [store.payloads.get(key) for key in keys] == [b"one", b"two", b"one"]
    assert keys[0] == keys[2] != keys[1]


def test_a_link_gives_exactly_the_bytes_when_a_result_is_stored(store: Store) -> None:
    key = store.payloads.put(JobRef(IDS.new_id("ten_"), "job_1"), BODY)
    link = store.payloads.link(key, now=NOW)
    assert store.get(link.url) == BODY
    assert link.expires_at == NOW.replace(microsecond=0) + LINK_LIFETIME


def test_an_upload_is_kept_whole_when_it_was_sent_as_announced(store: Store, upload: Upload) -> None:
    assert sent(store, upload)
    kept = store.uploads.keep(upload.tenant_id, upload.upload_id)
    key = f"{upload.tenant_id}/{upload.upload_id}"
    assert kept == UploadedInput(storage_key=key, size_bytes=upload.size_bytes, sha256=upload.sha256)
    assert store.uploads.read(kept) == BODY


@pytest.mark.parametrize("body", [b'{"n":2}', b'{"n":12}', b""])
def test_nothing_is_kept_when_other_bytes_were_sent(store: Store, upload: Upload, body: bytes) -> None:
    url = store.uploads.link(upload, now=NOW).url
    headers = {**store.uploads.headers(upload), "content-length": str(len(body))}
    assert not store.put(url, headers, body)
    assert store.uploads.keep(upload.tenant_id, upload.upload_id) is None


def test_nothing_is_stored_when_the_link_has_expired(store: Store, upload: Upload) -> None:
    url = store.uploads.link(upload, now=NOW - LINK_LIFETIME).url
    assert not store.put(url, store.uploads.headers(upload), BODY)


def test_an_upload_is_not_there_when_another_tenant_names_it(store: Store, upload: Upload) -> None:
    assert sent(store, upload)
    assert store.uploads.keep(IDS.new_id("ten_"), upload.upload_id) is None


def test_the_copy_outlives_the_upload_when_it_was_kept_once(store: Store, upload: Upload) -> None:
    assert sent(store, upload)
    kept = store.uploads.keep(upload.tenant_id, upload.upload_id)
    store.expire(upload)
    assert kept is not None
    assert store.uploads.keep(upload.tenant_id, upload.upload_id) == kept
    assert store.uploads.read(kept) == BODY


def test_nothing_is_kept_when_nobody_has_asked_for_it(store: Store, upload: Upload) -> None:
    assert sent(store, upload)
    assert store.uploads.kept(upload.tenant_id, upload.upload_id) is None
    kept = store.uploads.keep(upload.tenant_id, upload.upload_id)
    store.expire(upload)
    assert kept == store.uploads.kept(upload.tenant_id, upload.upload_id)
    assert store.uploads.kept(IDS.new_id("ten_"), upload.upload_id) is None


def test_a_checkpoint_is_there_until_it_is_forgotten_when_it_was_stored(store: Store) -> None:
    ref = JobRef(IDS.new_id("ten_"), "job_1")
    keys = [store.checkpoints.put(ref, content) for content in (b"one", bytes(256), b"one", b"")]
    assert keys[0] == keys[2]
    assert len({*keys, store.checkpoints.put(replace(ref, job_id="job_2"), b"one")}) == 4
    assert [store.checkpoints.get(key) for key in keys] == [b"one", bytes(256), b"one", b""]
    store.forget(keys[0])
    assert [store.checkpoints.get(key) for key in keys[:2]] == [None, bytes(256)]


def test_a_link_lives_in_the_services_time_when_that_is_not_the_machines(
    aws: Aws, clock: ManualClock, upload: Upload
) -> None:
    s3 = connect_in_process(aws, "s3")
    s3.create_bucket(Bucket=UPLOADS)
    uploads = S3Uploads(s3, Links(s3, Credentials("test", "test")))
    signed_at = datetime.fromtimestamp(clock.now(), UTC)
    answers = []
    for now in (signed_at, signed_at - LINK_LIFETIME):
        link = uploads.link(upload, now=now)
        request = AWSRequest("PUT", link.url, uploads.headers(upload), BODY)
        answers.append(send(aws, request.prepare()).status)
    assert answers == [200, 403]
